/* Tests of Dropout: the mask's statistics, that the gradient has the same mask, and what
 * is refused. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "layer_fixture.h"
#include "text.h"

#define DROPOUT "name: 'drop' type: 'Dropout' bottom: 'x' top: "

enum { IMAGES = 19, COUNT = IMAGES * 401 };

static const int shape[][5] = {{IMAGES, 401}};
static const int layouts[][2] = {{1, 1}, {16, 16}, {8, 4}};

static void open_layer(layer_fixture *f, const char *text, const int layout[2])
{
    lcl_error err;

    CHECK_OK(layer_fixture_open(f, text, shape, layout[0], layout[1], CAFFE__PHASE__TRAIN,
                                &err));
}

/* Forward from ones; which values were kept. Free it. */
static float *forward_ones(layer_fixture *f)
{
    static float ones[COUNT];
    lcl_error err;

    for (int i = 0; i < COUNT; i++)
        ones[i] = 1;
    layer_fixture_write(f->bottoms[0], LCL_DATA, ones);
    CHECK_OK(lcl_layer_forward(f->layer, &err));
    return layer_fixture_read(f->tops[0], LCL_DATA);
}

static void check_mask(const char *text, float ratio, const int layout[2])
{
    static float dy[COUNT];
    layer_fixture f;
    lcl_error err;
    int n_kept = 0;

    open_layer(&f, text, layout);
    float *first = forward_ones(&f), *y = forward_ones(&f);
    ck_assert_msg(ratio == 0 || memcmp(first, y, COUNT * sizeof *y) != 0,
                  "two passes have the same mask");
    for (int i = 0; i < COUNT; i++)
        dy[i] = testing_value(3, (size_t)i);
    layer_fixture_write(f.tops[0], LCL_DIFF, dy);
    CHECK_OK(lcl_layer_backward(f.layer, &err));
    float *dx = layer_fixture_read(f.bottoms[0], LCL_DIFF);
    for (int i = 0; i < COUNT; i++) {
        ck_assert(y[i] == 0 || fabsf(y[i] - 1 / (1 - ratio)) < 1e-6f);
        ck_assert_float_eq_tol(dx[i], y[i] * dy[i], 1e-6f);
        n_kept += y[i] != 0;
    }
    double sigma = sqrt(COUNT * (double)(ratio * (1 - ratio)));
    ck_assert_double_le(fabs(n_kept - COUNT * (1 - (double)ratio)), 5 * sigma);
    free(first);
    free(y);
    free(dx);
    layer_fixture_close(&f);
}

START_TEST(masks)
{
    for (size_t k = 0; k < LCL_COUNT(layouts); k++) {
        check_mask(DROPOUT "'y'", 0.5f, layouts[k]);
        check_mask(DROPOUT "'x'", 0.5f, layouts[k]);
        check_mask(DROPOUT "'y' dropout_param { dropout_ratio: 0.2 }", 0.2f, layouts[k]);
        check_mask(DROPOUT "'y' dropout_param { dropout_ratio: 0 }", 0, layouts[k]);
    }
}
END_TEST

/* Their masks are the same in the first `count` values. Closes both. */
static void check_same(layer_fixture *f, layer_fixture *g, size_t count)
{
    float *a = forward_ones(f), *b = forward_ones(g);

    ck_assert_mem_eq(a, b, count * sizeof *a);
    free(a);
    free(b);
    layer_fixture_close(f);
    layer_fixture_close(g);
}

/* Of the same seed, in blocks of 16 images. */
START_TEST(same_seed_same_mask)
{
    layer_fixture f, g;

    open_layer(&f, DROPOUT "'y'", layouts[1]);
    open_layer(&g, DROPOUT "'x'", layouts[1]);
    check_same(&f, &g, COUNT);
}
END_TEST

/* However many floats a work-item takes at a time: one of the blob's odd number, vectors of the
 * other's, most of them several at once. */
START_TEST(vectors_have_the_same_mask)
{
    static const int even_shape[][5] = {{18, 400}};
    layer_fixture f, g;
    lcl_error err;

    open_layer(&f, DROPOUT "'y'", layouts[0]);
    CHECK_OK(layer_fixture_open(&g, DROPOUT "'y'", even_shape, layouts[0][0],
                                layouts[0][1], CAFFE__PHASE__TRAIN, &err));
    check_same(&f, &g, 18 * 400);
}
END_TEST

START_TEST(refused)
{
    static const char *const bad[] = {"1", "-0.1", "nan"};
    layer_fixture f;
    lcl_error err;

    for (size_t i = 0; i < LCL_COUNT(bad); i++) {
        char *text =
            lcl_format(DROPOUT "'y' dropout_param {\n dropout_ratio: %s }", bad[i]);
        CHECK_FAILS(layer_fixture_open(&f, text, shape, 1, 1, CAFFE__PHASE__TRAIN, &err),
                    LCL_EPROTO, "at least 0 and below 1");
        ck_assert_str_eq(err.where, "layer:2:2");
        layer_fixture_close(&f);
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dropout");
    TCase *cases = tcase_create("dropout");

    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, masks);
    tcase_add_test(cases, same_seed_same_mask);
    tcase_add_test(cases, vectors_have_the_same_mask);
    tcase_add_test(cases, refused);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
