/* Tests of BatchNorm beyond the golden cases: gradients in every layout, the moving
 * sums, what is refused. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient.h"
#include "text.h"

#define NORM "name: 'norm' type: 'BatchNorm' bottom: 'x' "

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = NORM "top: 'y'", .bottoms = {{3, 2, 3, 4}}},
        {.layer = NORM "top: 'y' batch_norm_param { eps: 0.1 }", .bottoms = {{17, 3}}},
        {.layer = NORM "top: 'x'", .bottoms = {{3, 2, 5, 3}}},
        {.layer = NORM "top: 'y'", .bottoms = {{1, 2, 3, 70}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        gradient_case c = cases[i];
        c.threshold = 4e-3f; /* curved where there are few values */
        gradient_check(&c);
    }
}
END_TEST

/* Opens the layer over x (3 x 2 in blocks of 16) and runs it `times` times. */
static void run(layer_fixture *f, const char *text, Caffe__Phase phase,
                const float *params, int times)
{
    static const int shapes[][5] = {{3, 2}};
    static const float x[6] = {1, 10, 2, 20, 3, 60};
    lcl_error err;

    CHECK_OK(layer_fixture_open(f, text, shapes, 16, 16, phase, &err));
    layer_fixture_write(f->bottoms[0], LCL_DATA, x);
    for (int i = 0; params && i < 3; i++)
        layer_fixture_write(f->layer->params[i], LCL_DATA, params + 2 * i);
    for (int i = 0; i < times; i++)
        CHECK_OK(lcl_layer_forward(f->layer, &err));
}

static void check_param(const layer_fixture *f, int i, const float *wanted)
{
    float *values = layer_fixture_read(f->layer->params[i], LCL_DATA);

    for (size_t k = 0; k < lcl_blob_count(f->layer->params[i]); k++)
        ck_assert_float_eq_tol(values[k], wanted[k], 1e-4f * fabsf(wanted[k]));
    free(values);
}

/* Three images in a block of 16: the other lanes must not count. */
START_TEST(moving_sums)
{
    static const float means[2] = {1.5f * 2, 1.5f * 30}, weight[1] = {1.5f};
    static const float variances[2] = {1.5f, 1.5f * 700}; /* unbiased */
    layer_fixture f;

    run(&f, NORM "top: 'y' batch_norm_param { moving_average_fraction: 0.5 }",
        CAFFE__PHASE__TRAIN, NULL, 2);
    check_param(&f, 0, means);
    check_param(&f, 1, variances);
    check_param(&f, 2, weight);
    float *y = layer_fixture_read(f.tops[0], LCL_DATA);
    ck_assert_float_eq_tol(y[0], -sqrtf(1.5f), 1e-4f);
    ck_assert_float_eq_tol(y[2], 0, 1e-6f);
    free(y);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(stored_statistics)
{
    static const float params[5] = {2, 20, 8, 32, 2}; /* mean 1, 10; variance 4, 16 */
    layer_fixture f;

    run(&f, NORM "top: 'y'", CAFFE__PHASE__TEST, params, 1);
    check_param(&f, 0, params);
    check_param(&f, 2, params + 4);
    float *y = layer_fixture_read(f.tops[0], LCL_DATA);
    ck_assert_float_eq_tol(y[2], 0.5f, 1e-4f);
    ck_assert_float_eq_tol(y[3], 2.5f, 1e-4f);
    free(y);
    layer_fixture_close(&f);
    run(&f, NORM "top: 'y' batch_norm_param { use_global_stats: false }",
        CAFFE__PHASE__TEST, params, 1);
    y = layer_fixture_read(f.tops[0], LCL_DATA);
    ck_assert_float_eq_tol(y[2], 0, 1e-6f);
    free(y);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(refused)
{
    static const int vector[][5] = {{4}}, image[][5] = {{4, 2}};
    layer_fixture f;
    lcl_error err;

    CHECK_FAILS(
        layer_fixture_open(&f, NORM "top: 'y'", vector, 1, 1, CAFFE__PHASE__TRAIN, &err),
        LCL_ESHAPE, "'x' has 1 axes");
    layer_fixture_close(&f);
    CHECK_FAILS(layer_fixture_open(&f,
                                   NORM "top: 'y' param { lr_mult: 0 }\n"
                                        "param { lr_mult: 1 }",
                                   image, 1, 1, CAFFE__PHASE__TRAIN, &err),
                LCL_EPROTO, "lr_mult must be 0");
    ck_assert_str_eq(err.where, "layer:2:9");
    layer_fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("batch_norm");
    TCase *cases = tcase_create("batch_norm");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, moving_sums);
    tcase_add_test(cases, stored_statistics);
    tcase_add_test(cases, refused);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
