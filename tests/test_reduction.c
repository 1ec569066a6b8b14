/* Tests of Reduction beyond the golden cases: gradients of every operation, many values, bad options. */
#include "testing.h"

#include <stdlib.h>

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'Reduction' "

/* Away from 0. */
static float value(int bottom, size_t i)
{
    float x = testing_value((unsigned)bottom + 1, i);

    return x < 0 ? x - 0.1f : x + 0.1f;
}

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer =
             LAYER "bottom: 'x' top: 'y' reduction_param { operation: SUM  coeff: 1 }",
         .bottoms = {{3, 2, 5}},
         .value = value},
        {.layer = LAYER
         "bottom: 'x' top: 'y' reduction_param { operation: SUM axis: 1 coeff: -2 }",
         .bottoms = {{17, 3}},
         .value = value},
        {.layer = LAYER
         "bottom: 'x' top: 'y' reduction_param { operation: MEAN axis: -1 coeff: 1 }",
         .bottoms = {{3, 2, 5}},
         .value = value},
        {.layer =
             LAYER "bottom: 'x' top: 'y' reduction_param { operation: MEAN  coeff: 3 }",
         .bottoms = {{5, 7}},
         .value = value},
        {.layer = LAYER
         "bottom: 'x' top: 'y' reduction_param { operation: ASUM axis: 1 coeff: 1 }",
         .bottoms = {{3, 2, 2}},
         .value = value},
        {.layer =
             LAYER "bottom: 'x' top: 'y' reduction_param { operation: ASUM  coeff: 0.5 }",
         .bottoms = {{3, 5}},
         .value = value},
        {.layer = LAYER
         "bottom: 'x' top: 'y' reduction_param { operation: SUMSQ axis: 2 coeff: 1 }",
         .bottoms = {{1, 3, 4}},
         .value = value},
        {.layer = LAYER
         "bottom: 'x' top: 'y' reduction_param { operation: SUMSQ  coeff: 0.25 }",
         .bottoms = {{17, 2}},
         .value = value},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(large)
{
    static const int shape[][FIXTURE_MAX_AXES] = {{5, 3, 40, 50}};
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(
        &f, LAYER "bottom: 'x' top: 'y' reduction_param { operation: MEAN }", shape, 16,
        16, CAFFE__PHASE__TEST, &err));
    size_t n = lcl_blob_count(f.bottoms[0]);
    float *x = lcl_alloc(n, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(i % 10);
    layer_fixture_write(f.bottoms[0], LCL_DATA, x);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *y = layer_fixture_read(f.tops[0], LCL_DATA);
    ck_assert_int_eq(f.tops[0]->n_axes, 0);
    ck_assert_float_eq_tol(y[0], 4.5f, 1e-5f);
    free(x);
    free(y);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{2, 3}};

    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' reduction_param {\naxis: 2 }",
                          shape0, LCL_ESHAPE, "layer:2:1", "axis 2 does not exist");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reduction");
    TCase *cases = tcase_create("reduction");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, large);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
