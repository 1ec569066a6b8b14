/* Tests of LRN beyond the golden cases: gradients in every layout, windows larger
 * than the image, what is refused. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient.h"
#include "text.h"

#define LRN "name: 'norm' type: 'LRN' bottom: 'x' top: 'y' "

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LRN, .bottoms = {{3, 7, 2, 3}}},
        {.layer = LRN "lrn_param { local_size: 3 alpha: 2 beta: 0.5 k: 2 }",
         .bottoms = {{17, 4, 1, 2}}},
        {.layer = LRN "lrn_param { local_size: 9 alpha: 3 beta: 1.5 }",
         .bottoms = {{1, 3, 2, 2}}},
        {.layer = LRN "lrn_param { local_size: 1 alpha: 3 }", .bottoms = {{2, 3, 2, 2}}},
        {.layer = LRN "lrn_param { norm_region: WITHIN_CHANNEL local_size: 3 alpha: 2 }",
         .bottoms = {{3, 2, 4, 3}}},
        {.layer = LRN "lrn_param { norm_region: WITHIN_CHANNEL local_size: 7 beta: 2 }",
         .bottoms = {{17, 1, 2, 3}}},
        {.layer = LRN "lrn_param { norm_region: WITHIN_CHANNEL local_size: 3 alpha: 2 }",
         .bottoms = {{2, 1, 3, 19}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

static bool is_near(int a, int b, int radius)
{
    return abs(a - b) <= radius;
}

/* y of element (n, c, h, w) from the definition: sums take rc channels and r rows and columns to each
 * side. */
static double normalised(const float *x, const int *shape, int n, int c, int h, int w,
                         int rc, int r, double alpha)
{
    const float *image = x + (size_t)(n * shape[1]) * (size_t)(shape[2] * shape[3]);
    double sum = 0;

    for (int i = 0; i < shape[1] * shape[2] * shape[3]; i++)
        if (is_near(i / (shape[2] * shape[3]), c, rc) &&
            is_near(i / shape[3] % shape[2], h, r) && is_near(i % shape[3], w, r))
            sum += (double)image[i] * (double)image[i];
    return (double)image[(c * shape[2] + h) * shape[3] + w] / pow(1 + alpha * sum, 0.75);
}

/* Images wider than what a work-item takes at a time, in each layout; sums of few and of many. */
START_TEST(matches_definition)
{
    /* Sums along channels, or along rows and columns; alpha as divided by the number of terms. */
    static const struct {
        const char *layer;
        int channels, rows;
        double alpha;
    } cases[] = {
        {LRN "lrn_param { alpha: 5 }", 2, 0, 1},
        {LRN "lrn_param { local_size: 19 alpha: 38 }", 9, 0, 2},
        {LRN "lrn_param { norm_region: WITHIN_CHANNEL alpha: 25 }", 0, 2, 1},
        {LRN "lrn_param { norm_region: WITHIN_CHANNEL local_size: 101 alpha: 10201 }", 0,
         50, 1}};
    static const int shapes[][5] = {{3, 11, 5, 37}},
                     layouts[][2] = {{16, 16}, {1, 1}, {8, 4}};
    const size_t c = (size_t)_i / LCL_COUNT(layouts);
    const int *layout = layouts[(size_t)_i % LCL_COUNT(layouts)];
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f, cases[c].layer, shapes, layout[0], layout[1],
                                CAFFE__PHASE__TRAIN, &err));
    layer_fixture_fill(f.bottoms[0], LCL_DATA, 1);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *x = layer_fixture_read(f.bottoms[0], LCL_DATA);
    float *y = layer_fixture_read(f.tops[0], LCL_DATA);
    for (int i = 0; i < 3 * 11 * 5 * 37; i++) {
        const double wanted =
            normalised(x, shapes[0], i / (11 * 5 * 37), i / (5 * 37) % 11, i / 37 % 5,
                       i % 37, cases[c].channels, cases[c].rows, cases[c].alpha);
        ck_assert_msg(fabs((double)y[i] - wanted) <= 1e-5 * (1 + fabs(wanted)),
                      "element %d: %g, not %g", i, (double)y[i], wanted);
    }
    free(x);
    free(y);
    layer_fixture_close(&f);
}
END_TEST

/* k = 0 divides by 0 where there is no image, which must not spoil what there is. */
START_TEST(without_k)
{
    static const int shapes[][5] = {{1, 3, 1, 1}};
    static const float x[3] = {3, 4, 0};
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f, LRN "lrn_param { k: 0 alpha: 5 beta: 0.5 }", shapes,
                                16, 16, CAFFE__PHASE__TRAIN, &err));
    layer_fixture_write(f.bottoms[0], LCL_DATA, x);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float all[3 * 16];
    CHECK_OK(lcl_buffer_read(f.env.dev, f.tops[0]->data, 0, sizeof all, all, &err));
    for (size_t i = 0; i < LCL_COUNT(all); i++)
        ck_assert(isfinite(all[i]));
    ck_assert_float_eq_tol(all[0], 0.6f, 1e-6f);
    ck_assert_float_eq_tol(all[16], 0.8f, 1e-6f);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(refused)
{
    static const int plane[][5] = {{2, 3, 4}}, image[][5] = {{2, 3, 4, 4}};
    layer_fixture f;
    lcl_error err;

    CHECK_FAILS(layer_fixture_open(&f, LRN "lrn_param {\n local_size: 4 }", image, 1, 1,
                                   CAFFE__PHASE__TEST, &err),
                LCL_EPROTO, "local_size must be odd");
    ck_assert_str_eq(err.where, "layer:2:2");
    layer_fixture_close(&f);
    CHECK_FAILS(layer_fixture_open(&f, LRN, plane, 1, 1, CAFFE__PHASE__TEST, &err),
                LCL_ESHAPE, "'x' has 3 axes; LRN needs 4");
    layer_fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lrn");
    TCase *cases = tcase_create("lrn");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_loop_test(cases, matches_definition, 0, 12);
    tcase_add_test(cases, without_k);
    tcase_add_test(cases, refused);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
