/* Tests of MVN beyond the golden cases: gradients in every layout, shapes, images
 * without variance. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient.h"
#include "text.h"

#define MVN "name: 'norm' type: 'MVN' bottom: 'x' "

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = MVN "top: 'y'", .bottoms = {{3, 2, 3, 4}}},
        {.layer = MVN "top: 'y' mvn_param { across_channels: true }",
         .bottoms = {{17, 3, 2, 2}}},
        {.layer = MVN "top: 'x'", .bottoms = {{3, 2, 5, 3}}},
        {.layer = MVN "top: 'y' mvn_param { normalize_variance: false }",
         .bottoms = {{2, 3, 7}}},
        {.layer = MVN "top: 'x' mvn_param { normalize_variance: false across_channels: "
                      "true }",
         .bottoms = {{17, 6}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

/* The top always has four axes. An image without variance becomes zeros. */
START_TEST(flat_image)
{
    static const int shapes[][5] = {{2, 3}};
    static const float x[6] = {5, 5, 5, -1, 0, 1};
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f, MVN "top: 'y' mvn_param { across_channels: true }",
                                shapes, 16, 16, CAFFE__PHASE__TRAIN, &err));
    layer_fixture_write(f.bottoms[0], LCL_DATA, x);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *y = layer_fixture_read(f.tops[0], LCL_DATA);
    ck_assert_int_eq(f.tops[0]->n_axes, 4);
    ck_assert_int_eq(f.tops[0]->shape[1], 3);
    for (int i = 0; i < 3; i++)
        ck_assert_float_eq(y[i], 0);
    ck_assert_float_eq_tol(y[3], -sqrtf(1.5f), 1e-6f);
    ck_assert_float_eq(y[4], 0);
    free(y);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(too_many_axes)
{
    static const int shapes[][5] = {{1, 2, 2, 2, 2}};
    layer_fixture f;
    lcl_error err;

    CHECK_FAILS(
        layer_fixture_open(&f, MVN "top: 'y'", shapes, 1, 1, CAFFE__PHASE__TEST, &err),
        LCL_ESHAPE, "'x' has 5 axes");
    layer_fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mvn");
    TCase *cases = tcase_create("mvn");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, flat_image);
    tcase_add_test(cases, too_many_axes);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
