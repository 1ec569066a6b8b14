/* Tests of Bias beyond the golden cases: gradients of both forms, bad options. */
#include "testing.h"

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'Bias' "

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LAYER "bottom: 'x' top: 'y' ", .bottoms = {{3, 2, 3, 5}}},
        {.layer = LAYER "bottom: 'x' top: 'x' ", .bottoms = {{17, 3, 2}}},
        {.layer = LAYER "bottom: 'x' top: 'y' bias_param { num_axes: -1 }",
         .bottoms = {{3, 2, 3}}},
        {.layer = LAYER "bottom: 'x' top: 'y' bias_param { axis: 0 num_axes: 2 }",
         .bottoms = {{3, 2, 3}}},
        {.layer = LAYER "bottom: 'x' top: 'y' bias_param { num_axes: 0 }",
         .bottoms = {{3, 4, 5}}},
        {.layer = LAYER "bottom: 'x' top: 'y' bias_param { axis: -1 }",
         .bottoms = {{1, 2, 3}}},
        {.layer = LAYER "bottom: 'x' bottom: 's' top: 'y' ", .bottoms = {{3, 2, 3}, {2}}},
        {.layer = LAYER "bottom: 'x' bottom: 's' top: 'y' bias_param { axis: 0 }",
         .bottoms = {{3, 2, 3, 2}, {3, 2}}},
        {.layer = LAYER "bottom: 'x' bottom: 's' top: 'y' bias_param { axis: 0 }",
         .bottoms = {{17, 3}, {17, 3}}},
        {.layer = LAYER "bottom: 'x' bottom: 's' top: 'y' bias_param { axis: 0 }",
         .bottoms = {{3, 2, 2}, {3}}},
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
    static const int shape3[][FIXTURE_MAX_AXES] = {{2, 3}, {4}};
    static const int shape4[][FIXTURE_MAX_AXES] = {{2, 3}, {2, 3}};

    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' bias_param {\nnum_axes: 3 }",
                          shape0, LCL_ESHAPE, "layer:2:1", "has 1 axes from axis 1 on");
    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' bias_param {\nnum_axes: -2 }",
                          shape1, LCL_ESHAPE, "layer:2:1", "weights for -2");
    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' bias_param {\naxis: 2 }", shape2,
                          LCL_ESHAPE, "layer:2:1", "axis 2 does not exist");
    layer_fixture_refuses(LAYER "bottom: 'x'\nbottom: 's' top: 'y'", shape3, LCL_ESHAPE,
                          "layer", "weights of shape 4 (4) do not fit");
    layer_fixture_refuses(LAYER "bottom: 'x'\nbottom: 's' top: 'y'", shape4, LCL_ESHAPE,
                          "layer:1:24", "weights for 2 do not fit");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bias");
    TCase *cases = tcase_create("bias");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
