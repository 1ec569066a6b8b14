/* Tests of SoftmaxWithLoss beyond the golden cases: gradients in every layout, labels
 * that are none, label shapes. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient.h"
#include "text.h"

#define LOSS                                                                             \
    "name: 'loss' type: 'SoftmaxWithLoss' bottom: 'x' bottom: 'label' top: 'loss' "

/* Labels 0..3; scores else. */
static float value(int bottom, size_t i)
{
    return bottom == 1 ? (float)(i * 7 % 4) : 2 * testing_value(1, i);
}

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LOSS, .bottoms = {{17, 5}, {17}}},
        {.layer = LOSS "loss_weight: 3", .bottoms = {{3, 4}, {3, 1, 1, 1}}},
        {.layer = LOSS "loss_param { normalization: NONE }",
         .bottoms = {{3, 4, 2, 3}, {3, 2, 3}}},
        {.layer = LOSS "loss_param { ignore_label: 2 } loss_weight: 5",
         .bottoms = {{5, 4, 3}, {5, 3}}},
        {.layer = LOSS "softmax_param { axis: 2 } loss_weight: 6",
         .bottoms = {{3, 2, 4}, {3, 2}}},
        {.layer = LOSS "softmax_param { axis: 0 } loss_weight: 6",
         .bottoms = {{5, 3}, {3}}},
        {.layer = LOSS "loss_weight: 6", .bottoms = {{3, 4, 2}, {6}}},
        {.layer = LOSS "top: 'prob' loss_weight: 2 loss_weight: 0",
         .bottoms = {{1, 6}, {1}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        gradient_case c = cases[i];
        c.value = value;
        gradient_check(&c);
    }
}
END_TEST

/* Runs the layer on scores x (3 x 4) with three labels; gives the loss, and fills dx. */
static float run(const char *text, const float *labels, float dx[12])
{
    static const int shapes[][5] = {{3, 4}, {3}};
    static const float x[12] = {0, 1, 2, 3, 3, 2, 1, 0, 1, 1, 1, 1};
    layer_fixture f;
    lcl_error err;
    float loss;

    CHECK_OK(layer_fixture_open(&f, text, shapes, 16, 16, CAFFE__PHASE__TRAIN, &err));
    layer_fixture_write(f.bottoms[0], LCL_DATA, x);
    layer_fixture_write(f.bottoms[1], LCL_DATA, labels);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    CHECK_OK(lcl_layer_backward(f.layer, &err));
    CHECK_OK(lcl_blob_read(f.tops[0], LCL_DATA, &loss, &err));
    CHECK_OK(lcl_blob_read(f.bottoms[0], LCL_DIFF, dx, &err));
    layer_fixture_close(&f);
    return loss;
}

START_TEST(by_hand)
{
    static const float labels[3] = {3, 0, 2};
    float dx[12], sum = 1 + expf(-1) + expf(-2) + expf(-3);

    ck_assert_float_eq_tol(run(LOSS, labels, dx), (2 * logf(sum) + logf(4)) / 3, 1e-6f);
    ck_assert_float_eq_tol(dx[3], (1 / sum - 1) / 3, 1e-6f);
    ck_assert_float_eq_tol(dx[8], 0.25f / 3, 1e-6f);
    ck_assert_float_eq_tol(dx[10], -0.75f / 3, 1e-6f);
}
END_TEST

/* A label that is no class makes the loss NaN, so that it is seen, and has no gradient.
 */
START_TEST(labels_out_of_range)
{
    static const float bad[][3] = {{3, 4, 2}, {3, -1, 2}, {3, 1e9f, 2}, {3, NAN, 2}};
    float dx[12];

    for (size_t i = 0; i < LCL_COUNT(bad); i++) {
        ck_assert(isnan(run(LOSS, bad[i], dx)));
        ck_assert_float_eq_tol(dx[8], 0.25f / 3, 1e-6f);
        for (int k = 4; k < 8; k++)
            ck_assert_float_eq(dx[k], 0);
    }
    ck_assert_float_eq_tol(run(LOSS "loss_param { ignore_label: 4 }", bad[0], dx) * 2,
                           logf(1 + expf(-1) + expf(-2) + expf(-3)) + logf(4), 1e-6f);
}
END_TEST

START_TEST(label_shapes)
{
    static const int few[][5] = {{3, 4}, {2}}, many[][5] = {{3, 4}, {3, 4}};
    layer_fixture f;
    lcl_error err;

    CHECK_FAILS(layer_fixture_open(&f, LOSS, few, 16, 16, CAFFE__PHASE__TRAIN, &err),
                LCL_ESHAPE, "'x' is 3 4 (12): one label is needed for each of 3");
    ck_assert_ptr_nonnull(strstr(err.message, "'label' is 2 (2)"));
    layer_fixture_close(&f);
    CHECK_FAILS(layer_fixture_open(&f, LOSS, many, 16, 16, CAFFE__PHASE__TRAIN, &err),
                LCL_ESHAPE, "one label is needed");
    layer_fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("softmax_with_loss");
    TCase *cases = tcase_create("softmax_with_loss");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, by_hand);
    tcase_add_test(cases, labels_out_of_range);
    tcase_add_test(cases, label_shapes);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
