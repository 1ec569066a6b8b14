/* Tests of BatchReindex beyond the golden cases: gradients, unknown images, bad options. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'BatchReindex' "

/* Bottom 1 picks images 4, 0, 0, 2, ... of bottom 0. */
static float value(int bottom, size_t i)
{
    static const float pick[] = {4, 0, 0, 2, 3, 4, 1, 0, 0};

    return bottom == 1 ? pick[i % LCL_COUNT(pick)] : testing_value(1, i);
}

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LAYER "bottom: 'x' bottom: 's' top: 'y' ",
         .bottoms = {{5, 2, 3}, {9}},
         .value = value},
        {.layer = LAYER "bottom: 'x' bottom: 's' top: 'y' ",
         .bottoms = {{5, 3}, {2}},
         .value = value},
        {.layer = LAYER "bottom: 'x' bottom: 's' top: 'y' ",
         .bottoms = {{17, 2}, {17}},
         .value = value},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(unknown_images_are_nan)
{
    static const int shapes[][FIXTURE_MAX_AXES] = {{2, 2}, {3}};
    static const float x[4] = {1, 2, 3, 4}, b[3] = {1, 2, -1};
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f, LAYER "bottom: 'x' bottom: 'b' top: 'y'", shapes, 16,
                                16, CAFFE__PHASE__TRAIN, &err));
    layer_fixture_write(f.bottoms[0], LCL_DATA, x);
    layer_fixture_write(f.bottoms[1], LCL_DATA, b);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *y = layer_fixture_read(f.tops[0], LCL_DATA);
    ck_assert_float_eq(y[0], 3);
    ck_assert_float_eq(y[1], 4);
    for (int i = 2; i < 6; i++)
        ck_assert(isnan(y[i]));
    CHECK_OK(lcl_layer_backward(f.layer, &err));
    free(y);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{2, 3}, {2, 1}};

    layer_fixture_refuses(LAYER "bottom: 'x'\nbottom: 's' top: 'y'", shape0, LCL_ESHAPE,
                          "layer:1:32", "must have one axis, not 2");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("batch_reindex");
    TCase *cases = tcase_create("batch_reindex");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, unknown_images_are_nan);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
