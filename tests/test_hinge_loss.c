/* Tests of HingeLoss beyond the golden cases: gradients in every layout, labels. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient.h"
#include "text.h"

#define LOSS "name: 'loss' type: 'HingeLoss' bottom: 'x' bottom: 'label' top: 'loss' "

static float value(int bottom, size_t i)
{
    return bottom == 1 ? (float)(i * 7 % 4) : 2 * testing_value(1, i);
}

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LOSS, .bottoms = {{5, 4}, {5}}},
        {.layer = LOSS "hinge_loss_param { norm: L2 }", .bottoms = {{17, 6}, {17, 1}}},
        {.layer = LOSS "hinge_loss_param { norm: L1 } loss_weight: 2",
         .bottoms = {{1, 2, 2, 3}, {1, 1, 1, 1}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        gradient_case c = cases[i];
        c.value = value;
        c.kink = 1;
        c.kink_range = 0.02f;
        gradient_check(&c);
    }
}
END_TEST

/* A label that is no class makes the loss NaN, so that it is seen, and has no gradient. */
START_TEST(labels_out_of_range)
{
    static const int shapes[][5] = {{2, 3}, {2}};
    static const float x[6] = {0.5f, 0.25f, -2, 1, 0.5f, -3}, labels[2] = {3, 1};
    layer_fixture f;
    lcl_error err;
    float loss;

    CHECK_OK(layer_fixture_open(&f, LOSS, shapes, 16, 16, CAFFE__PHASE__TRAIN, &err));
    layer_fixture_write(f.bottoms[0], LCL_DATA, x);
    layer_fixture_write(f.bottoms[1], LCL_DATA, labels);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    CHECK_OK(lcl_layer_backward(f.layer, &err));
    CHECK_OK(lcl_blob_read(f.tops[0], LCL_DATA, &loss, &err));
    float *dx = layer_fixture_read(f.bottoms[0], LCL_DIFF);
    ck_assert(isnan(loss));
    for (int c = 0; c < 3; c++)
        ck_assert_float_eq(dx[c], 0);
    ck_assert_float_eq_tol(dx[4], -0.5f, 1e-6f);
    free(dx);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(label_shapes)
{
    static const int many[][5] = {{3, 4}, {3, 2}}, few[][5] = {{3, 4}, {2}};
    layer_fixture f;
    lcl_error err;

    CHECK_FAILS(layer_fixture_open(&f, LOSS, many, 16, 16, CAFFE__PHASE__TRAIN, &err),
                LCL_ESHAPE,
                "one label is needed for each of 3 images, but 'label' is 3 2");
    layer_fixture_close(&f);
    CHECK_FAILS(layer_fixture_open(&f, LOSS, few, 16, 16, CAFFE__PHASE__TRAIN, &err),
                LCL_ESHAPE, "same first dimension");
    layer_fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hinge_loss");
    TCase *cases = tcase_create("hinge_loss");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, labels_out_of_range);
    tcase_add_test(cases, label_shapes);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
