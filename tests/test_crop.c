/* Tests of Crop beyond the golden cases: gradients, many axes, bad options. */
#include "testing.h"

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'Crop' "

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LAYER "bottom: 'a' bottom: 'b' top: 'y' ",
         .bottoms = {{3, 2, 4, 5}, {1, 7, 3, 2}}},
        {.layer = LAYER "bottom: 'a' bottom: 'b' top: 'y' crop_param { axis: 1 offset: 1 "
                        "offset: 0 offset: 2 }",
         .bottoms = {{17, 2, 2, 3}, {3, 1, 2, 1}}},
        {.layer =
             LAYER "bottom: 'a' bottom: 'b' top: 'y' crop_param { axis: 0 offset: 1 }",
         .bottoms = {{3, 2, 2, 3, 2}, {2, 1, 1, 2, 1}}},
        {.layer = LAYER "bottom: 'a' bottom: 'b' top: 'y' crop_param { axis: 1 }",
         .bottoms = {{2, 2, 3, 2, 2}, {2, 1, 2, 1, 2}}},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{2, 3, 4, 4}, {2, 3, 2, 2}};
    static const int shape1[][FIXTURE_MAX_AXES] = {{2, 3, 4, 4}, {2, 3, 2, 2}};
    static const int shape2[][FIXTURE_MAX_AXES] = {{2, 3, 4, 4}, {2, 3}};

    layer_fixture_refuses(
        LAYER "bottom: 'a' bottom: 'b' top: 'y' crop_param {\noffset: 3 }", shape0,
        LCL_ESHAPE, "layer:2:1", "along axis 2 'a' has 4; 2 from 3 on");
    layer_fixture_refuses(
        LAYER
        "bottom: 'a' bottom: 'b' top: 'y' crop_param {\naxis: 1 offset: 1 offset: 2 }",
        shape1, LCL_EPROTO, "layer:2:9", "give one offset for all of them or 3");
    layer_fixture_refuses(LAYER "bottom: 'a' bottom: 'b' top: 'y' ", shape2, LCL_ESHAPE,
                          "layer:1:24", "'b' has 2 axes");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crop");
    TCase *cases = tcase_create("crop");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
