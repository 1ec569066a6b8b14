/* Tests of Eltwise beyond the golden cases: gradients of every operation, bad options. */
#include "testing.h"

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'Eltwise' "

/* Values of three bottoms at a place are far apart, and none is near 0. */
static float apart(int bottom, size_t i)
{
    static const float level[3][3] = {
        {0.5f, 1, 1.5f}, {1, 1.5f, 0.5f}, {-1.5f, 0.5f, -1}};

    return level[(i + (size_t)bottom) % 3][bottom] + 0.1f * testing_value(7, i);
}

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LAYER "bottom: 'a' bottom: 'b' top: 'y' ",
         .bottoms = {{3, 2, 3, 5}, {3, 2, 3, 5}}},
        {.layer = LAYER "bottom: 'a' bottom: 'b' bottom: 'c' top: 'y' eltwise_param { "
                        "coeff: 1 coeff: -2 coeff: 0.5 }",
         .bottoms = {{17, 3}, {17, 3}, {17, 3}}},
        {.layer =
             LAYER "bottom: 'a' bottom: 'b' top: 'y' eltwise_param { operation: PROD }",
         .bottoms = {{1, 7}, {1, 7}}},
        {.layer = LAYER
         "bottom: 'a' bottom: 'b' bottom: 'c' top: 'y' eltwise_param { operation: PROD }",
         .bottoms = {{3, 4, 2}, {3, 4, 2}, {3, 4, 2}}},
        {.layer = LAYER "bottom: 'a' bottom: 'b' bottom: 'c' top: 'y' eltwise_param { "
                        "operation: PROD stable_prod_grad: false }",
         .bottoms = {{5, 3}, {5, 3}, {5, 3}},
         .value = apart},
        {.layer = LAYER
         "bottom: 'a' bottom: 'b' bottom: 'c' top: 'y' eltwise_param { operation: MAX }",
         .bottoms = {{17, 6}, {17, 6}, {17, 6}},
         .value = apart},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{2, 3}, {2, 4}};
    static const int shape1[][FIXTURE_MAX_AXES] = {{2, 3}, {2, 3}};
    static const int shape2[][FIXTURE_MAX_AXES] = {{2, 3}, {2, 3}};
    static const int shape3[][FIXTURE_MAX_AXES] = {{2, 3}};

    layer_fixture_refuses(LAYER "bottom: 'a' bottom: 'b' top: 'y' ", shape0, LCL_ESHAPE,
                          "layer:1:27", "but 'b' is 2 4");
    layer_fixture_refuses(LAYER
                          "bottom: 'a' bottom: 'b' top: 'y' eltwise_param {\ncoeff: 1 }",
                          shape1, LCL_EPROTO, "layer:2:1", "one coeff for each");
    layer_fixture_refuses(LAYER "bottom: 'a' bottom: 'b' top: 'y' eltwise_param { "
                                "operation: MAX\ncoeff: 1 coeff: 1 }",
                          shape2, LCL_EPROTO, "layer:2:1", "only a SUM");
    layer_fixture_refuses(LAYER "bottom: 'a' top: 'y'", shape3, LCL_EPROTO, "layer:1:27",
                          "takes at least 2 bottoms");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("eltwise");
    TCase *cases = tcase_create("eltwise");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
