/* Tests of Slice beyond the golden cases: gradients, bad options. */
#include "testing.h"

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'Slice' "

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LAYER "bottom: 'x' top: 'a' top: 'b' ", .bottoms = {{3, 4, 3, 5}}},
        {.layer = LAYER "bottom: 'x' top: 'a' top: 'b' top: 'c' slice_param { "
                        "slice_point: 1 slice_point: 4 }",
         .bottoms = {{17, 6}}},
        {.layer =
             LAYER "bottom: 'x' top: 'a' top: 'b' slice_param { axis: 0 slice_point: 1 }",
         .bottoms = {{5, 4, 2}}},
        {.layer = LAYER "bottom: 'x' top: 'a' top: 'b' top: 'c' slice_param { axis: 2 }",
         .bottoms = {{1, 2, 6, 3}}},
        {.layer = LAYER "bottom: 'x' top: 'a'", .bottoms = {{2, 3}}},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape1[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape2[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape3[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape4[][FIXTURE_MAX_AXES] = {{2, 4}};

    layer_fixture_refuses(LAYER "bottom: 'x' top: 'a' top: 'b' ", shape0, LCL_ESHAPE,
                          "layer", "cannot be cut into 2 equal pieces");
    layer_fixture_refuses(
        LAYER
        "bottom: 'x' top: 'a' top: 'b' slice_param {\nslice_point: 1 slice_point: 2 }",
        shape1, LCL_EPROTO, "layer:2:1", "2 tops need 1 slice points");
    layer_fixture_refuses(LAYER
                          "bottom: 'x' top: 'a' top: 'b' slice_param {\nslice_point: 3 }",
                          shape2, LCL_ESHAPE, "layer:2:1", "slice points must rise");
    layer_fixture_refuses(LAYER "bottom: 'x' top: 'a' top: 'b' top: 'c' slice_param "
                                "{\nslice_point: 2 slice_point: 1 }",
                          shape3, LCL_ESHAPE, "layer:2:1", "top 1 would be 2 to 1");
    layer_fixture_refuses(
        LAYER "bottom: 'x' top: 'a' top: 'b' slice_param { axis: 1\nslice_dim: 1 }",
        shape4, LCL_EPROTO, "layer:2:1", "not both");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slice");
    TCase *cases = tcase_create("slice");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
