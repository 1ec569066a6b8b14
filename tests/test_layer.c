/* What all layers share: types, limits, weights of losses, layouts, errors. */
#include <math.h>

#include "lcl/layer.h"
#include "net_text.h"
#include "rng.h"
#include "layer_fixture.h"
#include "text.h"

typedef struct {
    lcl_blas blas;
    lcl_rng rng;
    lcl_layer_env env;
    Caffe__InnerProductParameter ip;
    Caffe__LayerParameter param;
    lcl_blob *x, *y;
    lcl_layer *layer;
} fixture;

/* An InnerProduct of two outputs over a 5 x 3 blob, from `axis` on. */
static void prepare(fixture *f, int block, int vector, int axis)
{
    lcl_device *dev = testing_device();
    lcl_error err;

    memset(f, 0, sizeof *f);
    lcl_rng_init(&f->rng, 1);
    f->blas = (lcl_blas){dev, LCL_GEMM_AUTO};
    f->env = (lcl_layer_env){
        .dev = dev, .blas = &f->blas, .rng = &f->rng, .block = block, .vector = vector};
    caffe__inner_product_parameter__init(&f->ip);
    f->ip.num_output = 2;
    f->ip.axis = axis;
    caffe__layer_parameter__init(&f->param);
    f->param.name = "ip";
    f->param.type = "InnerProduct";
    f->param.inner_product_param = &f->ip;
    f->x = lcl_blob_create(dev, "x");
    f->y = lcl_blob_create(dev, "y");
    CHECK_OK(lcl_blob_reshape(f->x, 2, (int[]){5, 3}, block, &err));
}

static lcl_status make(fixture *f, lcl_error *err)
{
    return lcl_layer_create(&f->layer, &f->param, &f->env, 3, &f->x, 1, &f->y, 1, err);
}

static void drop(fixture *f)
{
    lcl_layer_destroy(f->layer);
    lcl_blob_destroy(f->x);
    lcl_blob_destroy(f->y);
}

START_TEST(types)
{
    ck_assert_str_eq(lcl_layer_find("Split")->name, "Split");
    ck_assert_ptr_null(lcl_layer_find("split"));
    ck_assert_ptr_null(lcl_layer_find(""));
    for (const lcl_layer_type *const *t = lcl_layer_types; *t; t++) {
        ck_assert_ptr_eq(lcl_layer_find((*t)->name), *t);
        ck_assert((*t)->reshape != NULL);
        ck_assert((*t)->forward != NULL);
        ck_assert((*t)->min_bottoms <= (*t)->max_bottoms);
        ck_assert((*t)->min_tops <= (*t)->max_tops);
        ck_assert((*t)->is_source == ((*t)->max_bottoms == 0));
    }
}
END_TEST

START_TEST(unknown_types)
{
    fixture f;
    lcl_error err;

    prepare(&f, 1, 1, 1);
    f.param.type = "InerProduct";
    CHECK_FAILS(make(&f, &err), LCL_EPROTO, "unknown layer type 'InerProduct'");
    ck_assert_str_eq(err.where, "ip");
    ck_assert(strstr(err.hint, "did you mean 'InnerProduct'?") != NULL);
    f.param.type = "Python";
    CHECK_FAILS(make(&f, &err), LCL_EPROTO, "Python layers cannot run here");
    f.param.type = NULL;
    CHECK_FAILS(make(&f, &err), LCL_EPROTO, "unknown layer type ''");
    drop(&f);
}
END_TEST

START_TEST(starts_with_everything_on)
{
    fixture f;
    lcl_error err;

    prepare(&f, 16, 16, 1);
    f.env.phase = CAFFE__PHASE__TEST;
    CHECK_OK(make(&f, &err));
    ck_assert(f.layer->propagate[0]);
    ck_assert(f.layer->param_propagate[0] && f.layer->param_propagate[1]);
    ck_assert(!f.layer->accumulate[0]);
    ck_assert_float_eq(f.layer->loss_weights[0], 0);
    ck_assert_int_eq(f.layer->index, 3);
    ck_assert_int_eq(f.layer->phase, CAFFE__PHASE__TEST);
    ck_assert_ptr_eq(f.layer->bottoms[0], f.x);
    drop(&f);
    prepare(&f, 16, 16, 1);
    f.param.has_phase = true;
    f.param.phase = CAFFE__PHASE__TEST;
    f.param.n_loss_weight = 1;
    f.param.loss_weight = (float[]){3};
    CHECK_OK(make(&f, &err));
    ck_assert_int_eq(f.layer->phase, CAFFE__PHASE__TEST);
    ck_assert_float_eq(f.layer->loss_weights[0], 3);
    drop(&f);
}
END_TEST

START_TEST(ends_are_counted)
{
    fixture f;
    lcl_blob *two[2];
    lcl_error err;

    prepare(&f, 1, 1, 1);
    two[0] = f.x;
    two[1] = f.y;
    CHECK_FAILS(lcl_layer_create(&f.layer, &f.param, &f.env, 0, two, 2, &f.y, 1, &err),
                LCL_EPROTO, "layer 'ip' (InnerProduct): takes 1 bottom, but has 2");
    CHECK_FAILS(lcl_layer_create(&f.layer, &f.param, &f.env, 0, two, 1, &f.x, 1, &err),
                LCL_EPROTO, "cannot work in place");
    f.param.type = "Split";
    CHECK_FAILS(lcl_layer_create(&f.layer, &f.param, &f.env, 0, two, 1, NULL, 0, &err),
                LCL_EPROTO, "takes at least 1 top, but has 0");
    f.param.type = "Data";
    CHECK_FAILS(lcl_layer_create(&f.layer, &f.param, &f.env, 0, NULL, 0, NULL, 0, &err),
                LCL_EPROTO, "takes 1 to 2 tops, but has 0");
    drop(&f);
}
END_TEST

START_TEST(vectors_divide_blocks)
{
    static const struct {
        int vector, block, wanted;
    } t[] = {{16, 16, 16}, {16, 1, 1}, {4, 32, 4}, {16, 8, 8}, {4, 6, 2}, {0, 4, 1}};
    lcl_layer_env env = {0};
    lcl_layer l = {.env = &env};

    for (size_t i = 0; i < LCL_COUNT(t); i++) {
        env.vector = t[i].vector;
        ck_assert_int_eq(lcl_layer_vector(&l, t[i].block), t[i].wanted);
    }
}
END_TEST

START_TEST(axes)
{
    fixture f;
    lcl_error err;
    int axis = 9;

    prepare(&f, 1, 1, 1);
    CHECK_OK(make(&f, &err));
    CHECK_OK(lcl_layer_axis(f.layer, f.x, -2, NULL, NULL, &axis, &err));
    ck_assert_int_eq(axis, 0);
    CHECK_OK(lcl_layer_axis(f.layer, f.x, 1, NULL, NULL, &axis, &err));
    ck_assert_int_eq(axis, 1);
    CHECK_FAILS(lcl_layer_axis(f.layer, f.x, 2, NULL, NULL, &axis, &err), LCL_ESHAPE,
                "axis 2 does not exist in blob 'x', which has 2 axes");
    CHECK_FAILS(lcl_layer_axis(f.layer, f.x, -3, NULL, NULL, &axis, &err), LCL_ESHAPE,
                "axis -3 does not exist");
    drop(&f);
}
END_TEST

/* A layer that mixes images gets plain blobs and the net's are converted, both ways, also
 * after a reshape. */
START_TEST(plain_layers_are_converted_around)
{
    fixture f;
    lcl_error err;

    prepare(&f, 16, 16, 0);
    CHECK_OK(make(&f, &err));
    ck_assert(f.layer->plain);
    ck_assert_int_eq(f.x->block, 16);
    ck_assert_int_eq(f.layer->bottoms[0]->block, 1);
    ck_assert_int_eq(f.y->block, 16);
    CHECK_OK(lcl_blob_reshape(f.x, 3, (int[]){3, 1, 5}, 16, &err));
    CHECK_OK(lcl_layer_reshape(f.layer, &err));
    layer_fixture_fill(f.x, LCL_DATA, 5);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *x = layer_fixture_read(f.x, LCL_DATA), *y = layer_fixture_read(f.y, LCL_DATA),
          *dx, *dy;
    layer_fixture_fill(f.layer->params[0], LCL_DATA, 6);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    free(y);
    y = layer_fixture_read(f.y, LCL_DATA);
    CHECK_OK(lcl_blob_need_diff(f.x, &err));
    CHECK_OK(lcl_blob_need_diff(f.y, &err));
    for (int i = 0; i < 2; i++)
        CHECK_OK(lcl_blob_need_diff(f.layer->params[i], &err));
    layer_fixture_fill(f.y, LCL_DIFF, 7);
    CHECK_OK(lcl_layer_backward(f.layer, &err));
    dx = layer_fixture_read(f.x, LCL_DIFF);
    dy = layer_fixture_read(f.y, LCL_DIFF);
    for (int i = 0; i < 15; i++)
        ck_assert_float_eq_tol(dx[i],
                               dy[0] * testing_value(6, (size_t)i) +
                                   dy[1] * testing_value(6, (size_t)(15 + i)),
                               1e-5f);
    for (size_t o = 0; o < 2; o++) {
        float wanted = 0;
        for (size_t i = 0; i < 15; i++)
            wanted += x[i] * testing_value(6, o * 15 + i);
        ck_assert_float_eq_tol(y[o], wanted, 1e-5f);
    }
    free(x);
    free(y);
    free(dx);
    free(dy);
    drop(&f);
}
END_TEST

/* Bottoms of different blocks: the odd one is converted to the net's. */
START_TEST(bottoms_of_one_block)
{
    lcl_device *dev = testing_device();
    lcl_blob *x = lcl_blob_create(dev, "x"), *label = lcl_blob_create(dev, "label");
    lcl_blob *loss = lcl_blob_create(dev, "loss"), *bottoms[] = {x, label};
    lcl_layer_env env = {.dev = dev, .block = 16, .vector = 16};
    Caffe__LayerParameter param = CAFFE__LAYER_PARAMETER__INIT;
    const float xs[10] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 5}, labels[] = {0, 1, 1, 0, 0};
    float value;
    lcl_layer *l;
    lcl_error err;

    param.name = "loss";
    param.type = "SoftmaxWithLoss";
    CHECK_OK(lcl_blob_reshape(x, 2, (int[]){5, 2}, 16, &err));
    CHECK_OK(lcl_blob_reshape(label, 1, (int[]){5}, 1, &err));
    CHECK_OK(lcl_layer_create(&l, &param, &env, 0, bottoms, 2, &loss, 1, &err));
    ck_assert_ptr_eq(l->bottoms[0], x);
    ck_assert_int_eq(l->bottoms[1]->block, 16);
    ck_assert(l->propagate[0] && !l->propagate[1]);
    ck_assert_float_eq(l->loss_weights[0], 1);
    CHECK_OK(lcl_blob_write(x, LCL_DATA, xs, &err));
    CHECK_OK(lcl_blob_write(label, LCL_DATA, labels, &err));
    CHECK_OK(lcl_layer_forward(l, &err));
    CHECK_OK(lcl_blob_read(loss, LCL_DATA, &value, &err));
    ck_assert_float_eq_tol(value, (4 * logf(2) + logf(1 + expf(5))) / 5, 1e-5f);
    lcl_layer_destroy(l);
    lcl_blob_destroy(x);
    lcl_blob_destroy(label);
    lcl_blob_destroy(loss);
}
END_TEST

static const struct {
    int from, to, n_axes, shape[3];
} conversions[] = {{1, 16, 3, {17, 2, 3}}, {16, 1, 3, {17, 2, 3}}, {4, 32, 2, {40, 7}},
                   {32, 4, 2, {5, 7}},     {8, 8, 1, {3}},         {1, 16, 1, {1}},
                   {1, 1, 0, {0}}};

START_TEST(blobs_convert)
{
    lcl_device *dev = testing_device();
    lcl_blob *from = lcl_blob_create(dev, "from"), *to = lcl_blob_create(dev, "to");
    lcl_error err;
    float *a, *b;

    CHECK_OK(lcl_blob_reshape(from, conversions[_i].n_axes, conversions[_i].shape,
                              conversions[_i].from, &err));
    CHECK_OK(lcl_blob_reshape(to, conversions[_i].n_axes, conversions[_i].shape,
                              conversions[_i].to, &err));
    size_t stored = lcl_blob_stored(to), n = lcl_blob_count(to), zeros = 0;
    float *raw = lcl_alloc(stored, sizeof *raw);
    for (size_t i = 0; i < stored; i++)
        raw[i] = 9;
    CHECK_OK(lcl_buffer_write(dev, to->data, 0, stored * sizeof *raw, raw, &err));
    layer_fixture_fill(from, LCL_DATA, 3);
    CHECK_OK(lcl_blob_convert(to, from, LCL_DATA, &err));
    a = layer_fixture_read(from, LCL_DATA);
    b = layer_fixture_read(to, LCL_DATA);
    ck_assert(memcmp(a, b, n * sizeof *a) == 0);
    CHECK_OK(lcl_buffer_read(dev, to->data, 0, stored * sizeof *raw, raw, &err));
    for (size_t i = 0; i < stored; i++)
        zeros += raw[i] == 0;
    ck_assert_uint_eq(zeros, stored - n);
    lcl_blob_destroy(from);
    lcl_blob_destroy(to);
    free(raw);
    free(a);
    free(b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("layer");
    TCase *tcase = tcase_create("layer");

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, types);
    tcase_add_test(tcase, unknown_types);
    tcase_add_test(tcase, starts_with_everything_on);
    tcase_add_test(tcase, ends_are_counted);
    tcase_add_test(tcase, vectors_divide_blocks);
    tcase_add_test(tcase, axes);
    tcase_add_test(tcase, plain_layers_are_converted_around);
    tcase_add_test(tcase, bottoms_of_one_block);
    tcase_add_loop_test(tcase, blobs_convert, 0, (int)LCL_COUNT(conversions));
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
