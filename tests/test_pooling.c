/* Tests of pooling beyond the golden cases: gradients in every layout, windows over
 * edges, chance, and what is refused. */
#include "testing.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient.h"
#include "text.h"

#define POOLING "name: 'pool' type: 'Pooling' bottom: 'x' top: 'y' pooling_param "

/* Values that all differ by more than two steps of the gradient check. */
static float distinct(int bottom, size_t i)
{
    (void)bottom;
    return (float)(i * 379 % 1009) * 0.03f - 15;
}

START_TEST(gradient_max)
{
    static const gradient_case cases[] = {
        {.layer = POOLING "{ kernel_size: 2 stride: 2 }", .bottoms = {{3, 2, 4, 6}}},
        {.layer = POOLING "{ kernel_size: 3 stride: 2 }", .bottoms = {{1, 2, 6, 5}}},
        {.layer = POOLING "{ kernel_size: 3 stride: 1 pad: 1 }",
         .bottoms = {{17, 1, 4, 3}}},
        {.layer = POOLING "{ kernel_h: 3 kernel_w: 2 stride_h: 1 stride_w: 3 pad_h: 1 "
                          "pad_w: 0 }",
         .bottoms = {{2, 3, 5, 7}}},
        {.layer = POOLING "{ global_pooling: true }", .bottoms = {{3, 2, 17, 16}}},
        {.layer = POOLING "{ kernel_size: 2 stride: 3 round_mode: FLOOR }",
         .bottoms = {{1, 1, 8, 7}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        gradient_case c = cases[i];
        c.value = distinct;
        gradient_check(&c);
    }
}
END_TEST

START_TEST(gradient_max_with_mask)
{
    const gradient_case c = {.layer =
                                 POOLING "{ kernel_size: 3 stride: 2 pad: 1 } top: 'm'",
                             .bottoms = {{3, 2, 5, 6}},
                             .value = distinct,
                             .fixed_tops = 2};

    gradient_check(&c);
}
END_TEST

START_TEST(gradient_ave)
{
    static const gradient_case cases[] = {
        {.layer = POOLING "{ pool: AVE kernel_size: 2 stride: 2 }",
         .bottoms = {{3, 2, 5, 6}}},
        {.layer = POOLING "{ pool: AVE kernel_size: 3 stride: 2 pad: 1 }",
         .bottoms = {{17, 1, 6, 5}}},
        {.layer = POOLING "{ pool: AVE kernel_size: 3 stride: 1 pad: 2 }",
         .bottoms = {{1, 2, 4, 4}}},
        {.layer = POOLING "{ pool: AVE global_pooling: true }",
         .bottoms = {{3, 2, 3, 4}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

/* A pooling layer in blocks of 8 as vectors of 4, with distinct data, run forward. */
static void open_run(layer_fixture *f, const char *text, const int shape[][5],
                     Caffe__Phase phase, float **x)
{
    lcl_error err;

    CHECK_OK(layer_fixture_open(f, text, shape, 8, 4, phase, &err));
    size_t n = lcl_blob_count(f->bottoms[0]);
    *x = lcl_alloc(n, sizeof **x);
    for (size_t i = 0; i < n; i++)
        (*x)[i] = distinct(0, i) + 16;
    layer_fixture_write(f->bottoms[0], LCL_DATA, *x);
    CHECK_OK(lcl_layer_forward(f->layer, &err));
}

/* Caffe's rounding up makes a last window that holds nothing (stride > kernel, no
 * padding). */
START_TEST(empty_window)
{
    static const int shape[][5] = {{1, 1, 6, 6}};
    layer_fixture f;
    float *x;

    open_run(&f, POOLING "{ kernel_size: 1 stride: 2 }", shape, CAFFE__PHASE__TRAIN, &x);
    ck_assert_int_eq(f.tops[0]->shape[2], 4);
    float *y = layer_fixture_read(f.tops[0], LCL_DATA);
    ck_assert_float_eq(y[5], x[14]);
    ck_assert_float_eq(y[3], -FLT_MAX);
    ck_assert_float_eq(y[15], -FLT_MAX);
    free(y);
    free(x);
    layer_fixture_close(&f);
    open_run(&f, POOLING "{ pool: AVE kernel_size: 1 stride: 2 }", shape,
             CAFFE__PHASE__TRAIN, &x);
    y = layer_fixture_read(f.tops[0], LCL_DATA);
    ck_assert_float_eq(y[5], x[14]);
    ck_assert_float_eq(y[15], 0);
    free(y);
    free(x);
    layer_fixture_close(&f);
}
END_TEST

#define STOCHASTIC POOLING "{ pool: STOCHASTIC kernel_size: 2 stride: 2 }"

START_TEST(stochastic_train)
{
    enum { IMAGES = 500, PLANE = 4 };
    static const int shape[][5] = {{IMAGES, 1, 2, 2}};
    static const float window[PLANE] = {1, 0, 3, 4};
    layer_fixture f;
    float x[IMAGES * PLANE], dy[IMAGES], times[PLANE] = {0};
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f, STOCHASTIC, shape, 8, 4, CAFFE__PHASE__TRAIN, &err));
    for (int i = 0; i < IMAGES * PLANE; i++)
        x[i] = window[i % PLANE];
    for (int i = 0; i < IMAGES; i++)
        dy[i] = (float)(i + 1);
    layer_fixture_write(f.bottoms[0], LCL_DATA, x);
    layer_fixture_write(f.tops[0], LCL_DIFF, dy);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    CHECK_OK(lcl_layer_backward(f.layer, &err));
    float *y = layer_fixture_read(f.tops[0], LCL_DATA);
    float *dx = layer_fixture_read(f.bottoms[0], LCL_DIFF);
    for (int n = 0; n < IMAGES; n++)
        for (int i = 0; i < PLANE; i++) {
            bool taken = y[n] == window[i];
            times[i] += taken;
            ck_assert_float_eq(dx[n * PLANE + i], taken ? dy[n] : 0);
        }
    /* In proportion to the values: 1/8, 0, 3/8, 4/8, within five standard deviations. */
    ck_assert_float_eq(times[1], 0);
    for (int i = 0; i < PLANE; i++) {
        float p = window[i] / 8;
        ck_assert_float_le(fabsf(times[i] - p * IMAGES), 5 * sqrtf(p * (1 - p) * IMAGES));
    }
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *again = layer_fixture_read(f.tops[0], LCL_DATA);
    ck_assert_int_ne(memcmp(y, again, IMAGES * sizeof *y), 0);
    free(again);
    free(y);
    free(dx);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(stochastic_test)
{
    static const int shape[][5] = {{3, 1, 2, 2}};
    layer_fixture f;
    float *x;

    open_run(&f, STOCHASTIC, shape, CAFFE__PHASE__TEST, &x);
    float *y = layer_fixture_read(f.tops[0], LCL_DATA);
    for (int n = 0; n < 3; n++) {
        float sum = 0, squares = 0;
        for (int i = 4 * n; i < 4 * n + 4; i++) {
            sum += x[i];
            squares += x[i] * x[i];
        }
        ck_assert_float_eq_tol(y[n], squares / sum, 1e-4f);
    }
    free(y);
    free(x);
    layer_fixture_close(&f);
}
END_TEST

/* ---- Refused
 * --------------------------------------------------------------------------- */

START_TEST(bad_options)
{
    static const struct {
        const char *text, *where, *message;
    } cases[] = {
        {"{ }", "layer:1", "needs kernel_size"},
        {"{ kernel_size: 2\nkernel_h: 2 kernel_w: 2 }", "layer:2:1",
         "either kernel_size"},
        {"{ kernel_h: 2 }", "layer:1", "both kernel_h and kernel_w"},
        {"{ kernel_size: 0 }", "layer:1", "must not be 0"},
        {"{ kernel_size: 2\nstride: 0 }", "layer:2:1", "stride must not be 0"},
        {"{ kernel_size: 2\n pad: 2 }", "layer:2:2", "less than the kernel"},
        {"{ kernel_size: 2\n pad_h: 1 pad_w: 2 }", "layer:2:2", "less than the kernel"},
        {"{ kernel_size: 2 pool: STOCHASTIC\n pad: 1 }", "layer:2:2", "no padding"},
        {"{ kernel_size: 2\n stride_h: 1 }", "layer:2:2", "both stride_h and stride_w"},
        {"{ kernel_size: 4000000000 }", "layer:1", "more than"},
        {"{ global_pooling: true\n kernel_size: 2 }", "layer:2:2", "no kernel size"},
        {"{ global_pooling: true\n stride: 2 }", "layer:", "pad 0 and stride 1"},
        {"{ kernel_size: 2\n pool: AVE } top: 'mask'", "layer:2:2", "second top"}};
    static const int shape[][5] = {{2, 3, 4, 5}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        char *text = lcl_format(POOLING "%s", cases[i].text);
        layer_fixture f;
        lcl_error err;
        CHECK_FAILS(layer_fixture_open(&f, text, shape, 1, 1, CAFFE__PHASE__TRAIN, &err),
                    LCL_EPROTO, cases[i].message);
        ck_assert_msg(strncmp(err.where, cases[i].where, strlen(cases[i].where)) == 0,
                      "%s: at %s, not %s", text, err.where, cases[i].where);
        layer_fixture_close(&f);
        free(text);
    }
}
END_TEST

START_TEST(bad_shapes)
{
    static const int flat[][5] = {{2, 30}}, small[][5] = {{2, 3, 2, 2}};
    layer_fixture f;
    lcl_error err;

    CHECK_FAILS(layer_fixture_open(&f, POOLING "{ kernel_size: 2 }", flat, 1, 1,
                                   CAFFE__PHASE__TRAIN, &err),
                LCL_ESHAPE, "has 2 axes; pooling needs 4");
    layer_fixture_close(&f);
    CHECK_FAILS(layer_fixture_open(&f, POOLING "{ kernel_size: 5 }", small, 1, 1,
                                   CAFFE__PHASE__TRAIN, &err),
                LCL_ESHAPE, "a window of 5x5 does not fit bottom 'x' of 2x2");
    layer_fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pooling");
    TCase *cases = tcase_create("pooling");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient_max);
    tcase_add_test(cases, gradient_max_with_mask);
    tcase_add_test(cases, gradient_ave);
    tcase_add_test(cases, empty_window);
    tcase_add_test(cases, stochastic_train);
    tcase_add_test(cases, stochastic_test);
    tcase_add_test(cases, bad_options);
    tcase_add_test(cases, bad_shapes);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
