/* Split: tops are the bottom itself; its gradient is the sum of theirs. */
#include "lcl/layer.h"
#include "net_text.h"
#include "text.h"

enum { MOST = 4 };

static const struct {
    int block, vector, n_axes, shape[4];
} layouts[] = {{1, 1, 4, {3, 2, 9, 10}}, {16, 16, 2, {5, 7}}, {16, 16, 4, {17, 3, 9, 5}},
               {32, 4, 3, {40, 65, 2}},  {8, 2, 1, {3}},      {1, 1, 0, {0}}};

typedef struct {
    lcl_layer_env env;
    Caffe__LayerParameter param;
    lcl_blob *x, *tops[MOST];
    lcl_layer *layer;
} fixture;

static void make(fixture *f, int layout, int n_tops)
{
    lcl_device *dev = testing_device();
    lcl_error err;

    *f = (fixture){.env = {.dev = dev,
                           .block = layouts[layout].block,
                           .vector = layouts[layout].vector}};
    caffe__layer_parameter__init(&f->param);
    f->param.name = "split";
    f->param.type = "Split";
    f->x = lcl_blob_create(dev, "x");
    for (int i = 0; i < n_tops; i++)
        f->tops[i] = lcl_blob_create(dev, "y");
    CHECK_OK(lcl_blob_reshape(f->x, layouts[layout].n_axes, layouts[layout].shape,
                              layouts[layout].block, &err));
    CHECK_OK(lcl_layer_create(&f->layer, &f->param, &f->env, 0, &f->x, 1, f->tops, n_tops,
                              &err));
}

static void drop(fixture *f)
{
    lcl_layer_destroy(f->layer);
    lcl_blob_destroy(f->x);
    for (int i = 0; i < MOST; i++)
        lcl_blob_destroy(f->tops[i]);
}

/* The gradient of x where those tops whose bit is set have one. */
static void check_sum(int layout, int n_tops, unsigned with_diff)
{
    fixture f;
    lcl_error err;

    make(&f, layout, n_tops);
    size_t n = lcl_blob_count(f.x), stored = lcl_blob_stored(f.x);
    float *sum = lcl_alloc(n, sizeof *sum), *dy = lcl_alloc(n, sizeof *dy);
    float *raw = lcl_alloc(stored, sizeof *raw), lanes = 0, all = 0;
    CHECK_OK(lcl_blob_need_diff(f.x, &err));
    for (int t = 0; t < n_tops; t++) {
        if (!(with_diff >> t & 1))
            continue;
        for (size_t i = 0; i < n; i++) {
            dy[i] = testing_value((unsigned)t, i);
            sum[i] += dy[i];
        }
        CHECK_OK(lcl_blob_need_diff(f.tops[t], &err));
        CHECK_OK(lcl_blob_write(f.tops[t], LCL_DIFF, dy, &err));
    }
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    CHECK_OK(lcl_layer_backward(f.layer, &err));
    CHECK_OK(lcl_blob_read(f.x, LCL_DIFF, dy, &err));
    for (size_t i = 0; i < n; i++) {
        ck_assert_float_eq(dy[i], sum[i]);
        all += dy[i] * dy[i];
    }
    CHECK_OK(
        lcl_buffer_read(testing_device(), f.x->diff, 0, stored * sizeof *raw, raw, &err));
    for (size_t i = 0; i < stored; i++)
        lanes += raw[i] * raw[i];
    ck_assert_float_le(lanes, all * 1.0001f);
    drop(&f);
    free(sum);
    free(dy);
    free(raw);
}

START_TEST(sums_gradients)
{
    check_sum(_i, 2, 3);
    check_sum(_i, 4, 15);
    check_sum(_i, 4, 5);
    check_sum(_i, 3, 4);
    check_sum(_i, 1, 1);
    check_sum(_i, 2, 0);
}
END_TEST

START_TEST(shares_memory)
{
    const int larger[] = {90, 40};
    fixture f;
    lcl_error err;

    make(&f, 1, 2);
    ck_assert_ptr_eq(f.tops[0]->data, f.x->data);
    ck_assert_ptr_eq(f.tops[1]->data, f.x->data);
    CHECK_OK(lcl_blob_need_diff(f.tops[0], &err));
    CHECK_OK(lcl_blob_reshape(f.x, 2, larger, 16, &err));
    CHECK_OK(lcl_layer_reshape(f.layer, &err));
    ck_assert_ptr_eq(f.tops[0]->data, f.x->data);
    ck_assert_int_eq(f.tops[1]->shape[0], 90);
    float *dy = lcl_alloc(3600, sizeof *dy);
    CHECK_OK(lcl_blob_write(f.tops[0], LCL_DIFF, dy, &err));
    free(dy);
    drop(&f);
}
END_TEST

START_TEST(no_gradient_wanted)
{
    fixture f;
    lcl_error err;

    make(&f, 1, 2);
    f.layer->propagate[0] = false;
    CHECK_OK(lcl_layer_backward(f.layer, &err));
    ck_assert_ptr_null(f.x->diff);
    drop(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("split");
    TCase *tcase = tcase_create("split");

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, sums_gradients, 0, (int)LCL_COUNT(layouts));
    tcase_add_test(tcase, shares_memory);
    tcase_add_test(tcase, no_gradient_wanted);
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
