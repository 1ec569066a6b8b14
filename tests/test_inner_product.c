/* InnerProduct against a plain reference: every option, odd shapes, all layouts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lcl/layer.h"
#include "rng.h"
#include "testing.h"
#include "text.h"

typedef struct {
    int n_axes, shape[4], axis, outputs;
    bool transpose, bias;
} product_case;

static const product_case cases[] = {
    {4, {17, 3, 4, 5}, 1, 7, false, true}, {2, {3, 40}, 1, 33, false, true},
    {2, {16, 19}, 1, 5, true, true},       {4, {5, 3, 4, 2}, 2, 6, false, false},
    {3, {2, 3, 21}, -1, 10, true, false},  {2, {4, 9}, 0, 3, false, true},
    {2, {1, 50}, 1, 1, false, true},
};

static const struct {
    int block, vector;
} layouts[] = {{16, 16}, {1, 1}, {8, 4}, {32, 2}};

static void check_close(const lcl_blob *b, lcl_which which, const double *want,
                        double scale, const char *what, int number, int block)
{
    lcl_error err = {0};
    size_t count = lcl_blob_count(b);
    float *got = lcl_alloc(count, sizeof *got);

    CHECK_OK(lcl_blob_read(b, which, got, &err));
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(fabs((double)got[i] - scale * want[i]) < 2e-5,
                      "case %d, B %d: %s[%zu] is %g, not %g", number, block, what, i,
                      (double)got[i], scale * want[i]);
    free(got);
}

static void run_case(int number, int block, int vector, lcl_gemm_backend backend)
{
    const product_case *t = &cases[number];
    lcl_error err = {0};
    lcl_device *dev = testing_device();
    lcl_blas blas = {dev, backend};
    lcl_rng rng;
    lcl_layer_env env = {.dev = dev,
                         .blas = &blas,
                         .rng = &rng,
                         .block = block,
                         .vector = vector,
                         .phase = CAFFE__PHASE__TRAIN};
    Caffe__InnerProductParameter p = CAFFE__INNER_PRODUCT_PARAMETER__INIT;
    Caffe__LayerParameter param = CAFFE__LAYER_PARAMETER__INIT;
    lcl_blob *x = lcl_blob_create(dev, "x"), *y = lcl_blob_create(dev, "y");
    lcl_layer *l = NULL;

    lcl_rng_init(&rng, 1);
    param.name = "ip";
    param.type = "InnerProduct";
    param.inner_product_param = &p;
    p.has_num_output = true;
    p.num_output = (uint32_t)t->outputs;
    p.axis = t->axis;
    p.transpose = t->transpose;
    p.bias_term = t->bias;
    CHECK_OK(lcl_blob_reshape(x, t->n_axes, t->shape, block, &err));
    CHECK_OK(lcl_layer_create(&l, &param, &env, 0, &x, 1, &y, 1, &err));

    size_t nx = lcl_blob_count(x), ny = lcl_blob_count(y);
    size_t outputs = (size_t)t->outputs, m = ny / outputs, inputs = nx / m;
    size_t nw = inputs * outputs;
    float *xs = testing_values(1, nx), *ws = testing_values(2, nw);
    float *bs = testing_values(3, outputs), *dys = testing_values(4, ny);
    double *want_y = lcl_alloc(ny, sizeof *want_y), *dx = lcl_alloc(nx, sizeof *dx);
    double *dw = lcl_alloc(nw, sizeof *dw), *db = lcl_alloc(outputs, sizeof *db);
    ck_assert_uint_eq(lcl_blob_count(l->params[0]), nw);
    ck_assert_int_eq(lcl_blob_dim(l->params[0], 0),
                     t->transpose ? (int)inputs : t->outputs);
    for (size_t n = 0; n < m; n++) {
        for (size_t o = 0; o < outputs; o++) {
            double dy = (double)dys[n * outputs + o], sum = t->bias ? (double)bs[o] : 0;
            for (size_t i = 0; i < inputs; i++) {
                size_t at = t->transpose ? i * outputs + o : o * inputs + i;
                sum += (double)ws[at] * (double)xs[n * inputs + i];
                dx[n * inputs + i] += (double)ws[at] * dy;
                dw[at] += (double)xs[n * inputs + i] * dy;
            }
            want_y[n * outputs + o] = sum;
            db[o] += dy;
        }
    }

    CHECK_OK(lcl_blob_write(x, LCL_DATA, xs, &err));
    CHECK_OK(lcl_blob_need_diff(x, &err));
    CHECK_OK(lcl_blob_need_diff(y, &err));
    for (int i = 0; i < l->n_params; i++) {
        CHECK_OK(lcl_blob_write(l->params[i], LCL_DATA, i ? bs : ws, &err));
        CHECK_OK(lcl_blob_need_diff(l->params[i], &err));
        l->param_propagate[i] = true;
    }
    CHECK_OK(lcl_layer_forward(l, &err));
    check_close(y, LCL_DATA, want_y, 1, "y", number, block);
    CHECK_OK(lcl_blob_write(y, LCL_DIFF, dys, &err));
    for (int pass = 1; pass <= 2; pass++) {
        CHECK_OK(lcl_layer_backward(l, &err));
        check_close(x, LCL_DIFF, dx, 1, "dx", number, block);
        check_close(l->params[0], LCL_DIFF, dw, pass, "dw", number, block);
        if (t->bias)
            check_close(l->params[1], LCL_DIFF, db, pass, "db", number, block);
        l->accumulate[0] = l->accumulate[1] = true;
    }
    lcl_layer_destroy(l);
    lcl_blob_destroy(x);
    lcl_blob_destroy(y);
    free(xs);
    free(ws);
    free(bs);
    free(dys);
    free(want_y);
    free(dx);
    free(dw);
    free(db);
}

START_TEST(matches_reference)
{
    for (size_t i = 0; i < LCL_COUNT(layouts); i++)
        run_case(_i, layouts[i].block, layouts[i].vector, LCL_GEMM_OWN);
}
END_TEST

START_TEST(matches_reference_through_clblast)
{
    run_case(_i, 16, 16, LCL_GEMM_CLBLAST);
    run_case(_i, 1, 1, LCL_GEMM_CLBLAST);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inner_product");
    TCase *tcase = tcase_create("inner_product");

    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, matches_reference, 0, (int)LCL_COUNT(cases));
    tcase_add_loop_test(tcase, matches_reference_through_clblast, 0,
                        (int)LCL_COUNT(cases));
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
