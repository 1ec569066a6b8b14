/* Tests of Softmax beyond the golden cases: gradients in every layout, large values. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient.h"
#include "text.h"

#define SOFTMAX "name: 'prob' type: 'Softmax' bottom: 'x' "

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = SOFTMAX "top: 'y'", .bottoms = {{17, 5}}},
        {.layer = SOFTMAX "top: 'y'", .bottoms = {{3, 4, 2, 3}}},
        {.layer = SOFTMAX "top: 'x'", .bottoms = {{3, 4, 2}}},
        {.layer = SOFTMAX "top: 'y' softmax_param { axis: -1 }", .bottoms = {{1, 2, 5}}},
        {.layer = SOFTMAX "top: 'y' softmax_param { axis: 2 }",
         .bottoms = {{3, 2, 3, 2}}},
        {.layer = SOFTMAX "top: 'y' softmax_param { axis: 0 }", .bottoms = {{5, 3}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(large_values)
{
    static const int shape[][5] = {{2, 3}};
    static const float x[6] = {1e30f, -1e30f, 1e30f, -5000, -5001, -6000};
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f, SOFTMAX "top: 'y'", shape, 16, 16, CAFFE__PHASE__TEST,
                                &err));
    layer_fixture_write(f.bottoms[0], LCL_DATA, x);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *y = layer_fixture_read(f.tops[0], LCL_DATA);
    ck_assert_float_eq(y[0], 0.5f);
    ck_assert_float_eq(y[1], 0);
    ck_assert_float_eq_tol(y[3], 1 / (1 + expf(-1)), 1e-6f);
    ck_assert_float_eq(y[5], 0);
    free(y);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(bad_axis)
{
    static const int shape[][5] = {{2, 3}};
    layer_fixture f;
    lcl_error err;

    CHECK_FAILS(layer_fixture_open(&f, SOFTMAX "top: 'y' softmax_param {\n axis: 2 }",
                                   shape, 1, 1, CAFFE__PHASE__TEST, &err),
                LCL_ESHAPE, "axis");
    ck_assert_str_eq(err.where, "layer:2:2");
    layer_fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("softmax");
    TCase *cases = tcase_create("softmax");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, large_values);
    tcase_add_test(cases, bad_axis);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
