/* Convolution against a plain reference: forward and both gradients over every option,
 * odd shapes and batches, in every block size and vector width. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lcl/layer.h"
#include "rng.h"
#include "testing.h"
#include "text.h"

/* Sizes along depth, height, width: N images of C channels, K outputs. */
typedef struct {
    int n, c, k, group;
    int in[3], kernel[3], stride[3], pad[3], dilation[3];
    int n_spatial;
    bool bias;
} shape_case;

#define CASE2(n, c, k, g, h, w, kh, kw, sh, sw, ph, pw, dh, dw)                          \
    {                                                                                    \
        n, c, k, g, {1, h, w}, {1, kh, kw}, {1, sh, sw}, {0, ph, pw}, {1, dh, dw}, 2,    \
            true                                                                         \
    }

static const shape_case cases[] = {
    CASE2(3, 1, 4, 1, 9, 9, 5, 5, 1, 1, 0, 0, 1, 1),
    CASE2(17, 3, 5, 1, 7, 6, 3, 3, 1, 1, 1, 1, 1, 1),
    CASE2(2, 4, 6, 2, 8, 5, 3, 2, 2, 1, 1, 0, 1, 1),
    CASE2(1, 6, 6, 6, 7, 9, 3, 3, 2, 2, 1, 1, 1, 1),
    CASE2(5, 2, 3, 1, 9, 11, 3, 3, 1, 1, 2, 2, 2, 2),
    CASE2(4, 7, 9, 1, 4, 5, 1, 1, 1, 1, 0, 0, 1, 1),
    CASE2(4, 3, 2, 1, 5, 5, 1, 1, 2, 3, 0, 0, 1, 1),
    CASE2(2, 2, 3, 1, 23, 24, 11, 11, 4, 4, 0, 0, 1, 1),
    CASE2(2, 2, 3, 1, 20, 20, 7, 7, 2, 2, 3, 3, 1, 1),
    CASE2(3, 2, 2, 1, 6, 40, 3, 5, 1, 2, 4, 4, 1, 1),
    CASE2(2, 1, 2, 1, 3, 2, 2, 1, 3, 3, 2, 1, 1, 1),
    CASE2(2, 3, 4, 1, 6, 30, 3, 3, 1, 1, 1, 1, 1, 1),
    /* The gradient of the weights goes over strips of rows and tiles of channels. */
    CASE2(17, 10, 37, 1, 13, 35, 3, 3, 2, 2, 1, 1, 1, 1),
    CASE2(18, 3, 20, 1, 30, 31, 5, 5, 1, 1, 2, 2, 1, 1),
    /* 1 x 1: as a product; its gradient, where there is much to add up, with rows merged. */
    CASE2(2, 9, 11, 1, 5, 4, 1, 1, 2, 2, 0, 0, 1, 1),
    CASE2(3, 12, 17, 1, 21, 14, 1, 1, 1, 1, 0, 0, 1, 1),
    /* These go through Winograd: enough channels, 3x3 and 5x5, stride 1. */
    CASE2(17, 8, 9, 1, 8, 8, 5, 5, 1, 1, 0, 0, 1, 1),
    CASE2(3, 16, 20, 2, 9, 11, 3, 3, 1, 1, 1, 1, 1, 1),
    CASE2(2, 9, 17, 1, 7, 6, 5, 5, 1, 1, 2, 1, 1, 1),
    CASE2(17, 32, 20, 2, 9, 11, 3, 3, 1, 1, 1, 1, 1, 1),
    CASE2(3, 48, 9, 1, 8, 5, 5, 5, 1, 1, 2, 2, 1, 1),
    /* These, in tests, by rows: no padding along them, at least 8 columns. */
    CASE2(3, 3, 7, 1, 9, 21, 3, 5, 2, 1, 2, 0, 1, 2),
    CASE2(1, 2, 5, 1, 7, 36, 2, 3, 1, 1, 0, 0, 2, 1),
    CASE2(2, 3, 5, 1, 6, 18, 3, 3, 1, 1, 1, 0, 1, 1),
    {2, 2, 3, 1, {1, 1, 13}, {1, 1, 4}, {1, 1, 2}, {0, 0, 1}, {1, 1, 2}, 1, false},
    {3, 2, 4, 2, {4, 5, 6}, {2, 3, 3}, {1, 2, 1}, {1, 0, 1}, {1, 1, 2}, 3, true},
};

typedef struct {
    int block, vector;
} layout;

static const layout layouts[] = {{16, 16}, {1, 1}, {8, 4}, {32, 2}};

static int out_size(const shape_case *t, int i)
{
    return (t->in[i] + 2 * t->pad[i] - t->dilation[i] * (t->kernel[i] - 1) - 1) /
               t->stride[i] +
           1;
}

/* Calls visit-like accumulation for every product of the convolution. `y` is set, or
 * where it is NULL `dx`, `dw` and `db` are added to from `dy`. */
static void reference(const shape_case *t, const float *x, const float *w, const float *b,
                      double *y, const float *dy, double *dx, double *dw, double *db)
{
    const int cg = t->c / t->group, kg = t->k / t->group;
    size_t at = 0;

    for (int n = 0; n < t->n; n++)
        for (int k = 0; k < t->k; k++)
            for (int od = 0; od < out_size(t, 0); od++)
                for (int oh = 0; oh < out_size(t, 1); oh++)
                    for (int ow = 0; ow < out_size(t, 2); ow++, at++) {
                        double sum = b ? (double)b[k] : 0;
                        for (int c = 0; c < cg; c++)
                            for (int r = 0;
                                 r < t->kernel[0] * t->kernel[1] * t->kernel[2]; r++) {
                                int kw = r % t->kernel[2];
                                int kh = r / t->kernel[2] % t->kernel[1];
                                int kd = r / t->kernel[2] / t->kernel[1];
                                int d =
                                    od * t->stride[0] - t->pad[0] + kd * t->dilation[0];
                                int h =
                                    oh * t->stride[1] - t->pad[1] + kh * t->dilation[1];
                                int v =
                                    ow * t->stride[2] - t->pad[2] + kw * t->dilation[2];
                                if (d < 0 || h < 0 || v < 0 || d >= t->in[0] ||
                                    h >= t->in[1] || v >= t->in[2])
                                    continue;
                                int channel = k / kg * cg + c;
                                size_t xi =
                                    (size_t)(((n * t->c + channel) * t->in[0] + d) *
                                                 t->in[1] +
                                             h) *
                                        (size_t)t->in[2] +
                                    (size_t)v;
                                size_t wi = (size_t)(k * cg + c) *
                                                (size_t)(t->kernel[0] * t->kernel[1] *
                                                         t->kernel[2]) +
                                            (size_t)r;
                                if (y) {
                                    sum += (double)x[xi] * (double)w[wi];
                                } else {
                                    dx[xi] += (double)w[wi] * (double)dy[at];
                                    dw[wi] += (double)x[xi] * (double)dy[at];
                                }
                            }
                        if (y)
                            y[at] = sum;
                        else if (db)
                            db[k] += (double)dy[at];
                    }
}

static void check_close(const lcl_blob *b, lcl_which which, const double *want,
                        double scale, const char *what, size_t number, const layout *a)
{
    lcl_error err = {0};
    size_t count = lcl_blob_count(b);
    float *got = lcl_alloc(count, sizeof *got);
    double worst = 0, largest = 1e-30;

    CHECK_OK(lcl_blob_read(b, which, got, &err));
    for (size_t i = 0; i < count; i++) {
        worst = fmax(worst, fabs((double)got[i] - scale * want[i]));
        largest = fmax(largest, fabs(want[i]));
    }
    ck_assert_msg(worst <= 2e-5 * largest, "case %zu, B %d V %d: %s is off by %g of %g",
                  number, a->block, a->vector, what, worst, largest);
    free(got);
}

static void spatial_field(size_t *n, uint32_t **values, const int *from, int n_spatial)
{
    *n = (size_t)n_spatial;
    *values = lcl_alloc(*n, sizeof **values);
    for (int i = 0; i < n_spatial; i++)
        (*values)[i] = (uint32_t)from[3 - n_spatial + i];
}

static void run_case(size_t number, const layout *a, Caffe__Phase phase)
{
    const shape_case *t = &cases[number];
    lcl_error err = {0};
    lcl_device *dev = testing_device();
    lcl_blas blas = {dev, LCL_GEMM_OWN};
    lcl_rng rng;
    lcl_layer_env env = {.dev = dev,
                         .blas = &blas,
                         .rng = &rng,
                         .block = a->block,
                         .vector = a->vector,
                         .phase = phase};
    Caffe__ConvolutionParameter p = CAFFE__CONVOLUTION_PARAMETER__INIT;
    Caffe__LayerParameter param = CAFFE__LAYER_PARAMETER__INIT;
    lcl_blob *x = lcl_blob_create(dev, "x"), *y = lcl_blob_create(dev, "y");
    lcl_layer *l = NULL;
    int shape[5] = {t->n, t->c};

    lcl_rng_init(&rng, 1);
    param.name = "conv";
    param.type = "Convolution";
    param.convolution_param = &p;
    p.has_num_output = true;
    p.num_output = (uint32_t)t->k;
    p.group = (uint32_t)t->group;
    p.bias_term = t->bias;
    spatial_field(&p.n_kernel_size, &p.kernel_size, t->kernel, t->n_spatial);
    spatial_field(&p.n_stride, &p.stride, t->stride, t->n_spatial);
    spatial_field(&p.n_pad, &p.pad, t->pad, t->n_spatial);
    spatial_field(&p.n_dilation, &p.dilation, t->dilation, t->n_spatial);
    memcpy(shape + 2, t->in + 3 - t->n_spatial, (size_t)t->n_spatial * sizeof *shape);
    CHECK_OK(lcl_blob_reshape(x, 2 + t->n_spatial, shape, a->block, &err));
    CHECK_OK(lcl_layer_create(&l, &param, &env, 0, &x, 1, &y, 1, &err));
    ck_assert_int_eq(lcl_blob_dim(y, 1), t->k);
    for (int i = 0; i < t->n_spatial; i++)
        ck_assert_int_eq(lcl_blob_dim(y, 2 + i), out_size(t, 3 - t->n_spatial + i));

    size_t nx = lcl_blob_count(x), ny = lcl_blob_count(y);
    size_t nw = lcl_blob_count(l->params[0]);
    float *xs = testing_values(1, nx), *ws = testing_values(2, nw);
    float *bs = testing_values(3, (size_t)t->k), *dys = testing_values(4, ny);
    double *want_y = lcl_alloc(ny, sizeof *want_y),
           *want_dx = lcl_alloc(nx, sizeof *want_dx);
    double *want_dw = lcl_alloc(nw, sizeof *want_dw);
    double *want_db = lcl_alloc((size_t)t->k, sizeof *want_db);
    reference(t, xs, ws, t->bias ? bs : NULL, want_y, NULL, NULL, NULL, NULL);
    reference(t, xs, ws, NULL, NULL, dys, want_dx, want_dw, want_db);

    CHECK_OK(lcl_blob_write(x, LCL_DATA, xs, &err));
    CHECK_OK(lcl_blob_need_diff(x, &err));
    CHECK_OK(lcl_blob_need_diff(y, &err));
    for (int i = 0; i < l->n_params; i++) {
        CHECK_OK(lcl_blob_write(l->params[i], LCL_DATA, i ? bs : ws, &err));
        CHECK_OK(lcl_blob_need_diff(l->params[i], &err));
        l->param_propagate[i] = true;
    }
    CHECK_OK(lcl_layer_forward(l, &err));
    check_close(y, LCL_DATA, want_y, 1, "y", number, a);
    CHECK_OK(lcl_blob_write(y, LCL_DIFF, dys, &err));
    CHECK_OK(lcl_layer_backward(l, &err));
    check_close(x, LCL_DIFF, want_dx, 1, "dx", number, a);
    check_close(l->params[0], LCL_DIFF, want_dw, 1, "dw", number, a);
    if (t->bias)
        check_close(l->params[1], LCL_DIFF, want_db, 1, "db", number, a);
    l->accumulate[0] = l->accumulate[1] = true;
    CHECK_OK(lcl_layer_backward(l, &err));
    check_close(l->params[0], LCL_DIFF, want_dw, 2, "dw added to", number, a);
    if (t->bias)
        check_close(l->params[1], LCL_DIFF, want_db, 2, "db added to", number, a);

    lcl_layer_destroy(l);
    lcl_blob_destroy(x);
    lcl_blob_destroy(y);
    free(p.kernel_size);
    free(p.stride);
    free(p.pad);
    free(p.dilation);
    free(xs);
    free(ws);
    free(bs);
    free(dys);
    free(want_y);
    free(want_dx);
    free(want_dw);
    free(want_db);
}

START_TEST(matches_reference)
{
    for (size_t i = 0; i < LCL_COUNT(layouts); i++)
        run_case((size_t)_i, &layouts[i], CAFFE__PHASE__TRAIN);
}
END_TEST

/* The test phase has a kernel of its own for single images. */
START_TEST(matches_reference_in_tests)
{
    run_case((size_t)_i, &(layout){1, 1}, CAFFE__PHASE__TEST);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("convolution");
    TCase *tcase = tcase_create("convolution");

    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, matches_reference, 0, (int)LCL_COUNT(cases));
    tcase_add_loop_test(tcase, matches_reference_in_tests, 0, (int)LCL_COUNT(cases));
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
