/* Tests of Concat beyond the golden cases: gradients, bad options. */
#include "testing.h"

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'Concat' "

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LAYER "bottom: 'a' bottom: 'b' top: 'y' ",
         .bottoms = {{3, 2, 3, 5}, {3, 1, 3, 5}}},
        {.layer = LAYER
         "bottom: 'a' bottom: 'b' bottom: 'c' top: 'y' concat_param { axis: -1 }",
         .bottoms = {{17, 1}, {17, 16}, {17, 2}}},
        {.layer = LAYER "bottom: 'a' bottom: 'b' top: 'y' concat_param { axis: 0 }",
         .bottoms = {{3, 4, 2}, {2, 4, 2}}},
        {.layer = LAYER "bottom: 'a' bottom: 'b' top: 'y' concat_param { axis: 2 }",
         .bottoms = {{1, 2, 3, 4}, {1, 2, 2, 4}}},
        {.layer = LAYER "bottom: 'a' top: 'y'", .bottoms = {{2, 3}}},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{2, 3, 2}, {2, 4, 3}};
    static const int shape1[][FIXTURE_MAX_AXES] = {{2, 3, 2}, {2, 4}};
    static const int shape2[][FIXTURE_MAX_AXES] = {{2, 3}, {2, 3}};
    static const int shape3[][FIXTURE_MAX_AXES] = {{2, 3}, {2, 3}};
    static const int shape4[][FIXTURE_MAX_AXES] = {{2, 3}, {2, 3}};

    layer_fixture_refuses(LAYER "bottom: 'a' bottom: 'b' top: 'y' ", shape0, LCL_ESHAPE,
                          "layer:1:26", "the same but along axis 1");
    layer_fixture_refuses(LAYER "bottom: 'a' bottom: 'b' top: 'y' ", shape1, LCL_ESHAPE,
                          "layer:1:26", "the same but along axis 1");
    layer_fixture_refuses(LAYER
                          "bottom: 'a' bottom: 'b' top: 'y' concat_param {\naxis: 2 }",
                          shape2, LCL_ESHAPE, "layer:2:1", "axis 2 does not exist");
    layer_fixture_refuses(
        LAYER "bottom: 'a' bottom: 'b' top: 'y' concat_param {\nconcat_dim: 7 }", shape3,
        LCL_ESHAPE, "layer:2:1", "axis 7 does not exist");
    layer_fixture_refuses(
        LAYER "bottom: 'a' bottom: 'b' top: 'y' concat_param { axis: 1\nconcat_dim: 1 }",
        shape4, LCL_EPROTO, "layer:2:1", "not both");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("concat");
    TCase *cases = tcase_create("concat");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
