/* Tests of ArgMax beyond the golden cases: ties, values, axis 0, bad options. */
#include "testing.h"

#include <stdlib.h>

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'ArgMax' "

/* The layer makes y of x, in every layout. */
static void check(const char *layer, const int shape[][FIXTURE_MAX_AXES], const float *x,
                  const float *want, const int *top, int n_axes)
{
    static const int layouts[][2] = {{1, 1}, {16, 16}, {8, 4}};
    layer_fixture f;
    lcl_error err;

    for (size_t i = 0; i < LCL_COUNT(layouts); i++) {
        CHECK_OK(layer_fixture_open(&f, layer, shape, layouts[i][0], layouts[i][1],
                                    CAFFE__PHASE__TRAIN, &err));
        ck_assert(!f.layer->propagate[0]);
        ck_assert_int_eq(f.tops[0]->n_axes, n_axes);
        for (int a = 0; a < n_axes; a++)
            ck_assert_int_eq(f.tops[0]->shape[a], top[a]);
        layer_fixture_write(f.bottoms[0], LCL_DATA, x);
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        float *y = layer_fixture_read(f.tops[0], LCL_DATA);
        for (size_t k = 0; k < lcl_blob_count(f.tops[0]); k++)
            ck_assert_float_eq(y[k], want[k]);
        free(y);
        layer_fixture_close(&f);
    }
}

START_TEST(of_equal_values_the_later_first)
{
    static const int shape[][FIXTURE_MAX_AXES] = {{2, 4}}, top[] = {2, 1, 3};
    static const float x[] = {1, 3, 3, 2, -5, -5, -5, -5}, y[] = {2, 1, 3, 3, 2, 1};

    check(LAYER "bottom: 'x' top: 'y' argmax_param { top_k: 3 }", shape, x, y, top, 3);
}
END_TEST

START_TEST(values_behind_places)
{
    static const int shape[][FIXTURE_MAX_AXES] = {{2, 2, 2}}, top[] = {2, 2, 1};
    static const float x[] = {1, 3, -3, 2, 5, -5, -5, -5}, y[] = {1, 3, 0, 5};

    check(LAYER "bottom: 'x' top: 'y' argmax_param { out_max_val: true }", shape, x, y,
          top, 3);
}
END_TEST

START_TEST(along_axis_0)
{
    static const int shape[][FIXTURE_MAX_AXES] = {{3, 2}}, top[] = {1, 2};
    static const float x[] = {1, 3, -3, 4, 5, -5}, y[] = {2, 1}, values[] = {5, 4};

    check(LAYER "bottom: 'x' top: 'y' argmax_param { axis: 0 }", shape, x, y, top, 2);
    check(LAYER "bottom: 'x' top: 'y' argmax_param { axis: 0 out_max_val: true }", shape,
          x, values, top, 2);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape1[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape2[][FIXTURE_MAX_AXES] = {{2, 3}};

    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' argmax_param {\ntop_k: 4 }", shape0,
                          LCL_ESHAPE, "layer:2:1",
                          "top_k is 4; it must be from 1 to the 3 values");
    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' argmax_param {\ntop_k: 0 }", shape1,
                          LCL_ESHAPE, "layer:2:1", "top_k is 0");
    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' argmax_param {\naxis: -3 }", shape2,
                          LCL_ESHAPE, "layer:2:1", "axis -3 does not exist");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("argmax");
    TCase *cases = tcase_create("argmax");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, of_equal_values_the_later_first);
    tcase_add_test(cases, values_behind_places);
    tcase_add_test(cases, along_axis_0);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
