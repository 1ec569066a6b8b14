/* Tests of SigmoidCrossEntropyLoss beyond the golden cases: gradients in every layout,
 * normalisation, shapes. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient.h"
#include "text.h"

#define LOSS                                                                             \
    "name: 'loss' type: 'SigmoidCrossEntropyLoss' bottom: 'x' bottom: 't' top: 'loss' "

/* Targets 0, 1 and 2, which some cases ignore; scores else. */
static float value(int bottom, size_t i)
{
    return bottom == 1 ? (float)(i * 7 % 3) : 2 * testing_value(1, i);
}

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LOSS, .bottoms = {{3, 4}, {3, 4}}},
        {.layer = LOSS "loss_param { ignore_label: 2 normalization: VALID }",
         .bottoms = {{17, 2, 3, 1}, {17, 6}}},
        {.layer = LOSS "loss_param { ignore_label: 2 normalization: FULL }",
         .bottoms = {{5, 7}, {5, 7}}},
        {.layer = LOSS "loss_weight: 3 loss_param { normalization: NONE }",
         .bottoms = {{1, 30}, {1, 30}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        gradient_case c = cases[i];
        c.value = value;
        gradient_check(&c);
    }
}
END_TEST

static float loss_of(const char *text, const float *x, const float *targets)
{
    static const int shapes[][5] = {{2, 2}, {2, 2}};
    layer_fixture f;
    lcl_error err;
    float loss;

    CHECK_OK(layer_fixture_open(&f, text, shapes, 16, 16, CAFFE__PHASE__TRAIN, &err));
    layer_fixture_write(f.bottoms[0], LCL_DATA, x);
    layer_fixture_write(f.bottoms[1], LCL_DATA, targets);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    CHECK_OK(lcl_blob_read(f.tops[0], LCL_DATA, &loss, &err));
    layer_fixture_close(&f);
    return loss;
}

/* Caffe's default is the batch size, not the number of targets that count. */
START_TEST(normalisation)
{
    static const float x[4] = {0, 0, 0, 0}, targets[4] = {0, 1, 1, 2};
    static const struct {
        const char *text;
        float values, divisor;
    } cases[] = {{LOSS, 4, 2},
                 {LOSS "loss_param { ignore_label: 2 }", 3, 2},
                 {LOSS "loss_param { ignore_label: 2 normalize: true }", 3, 3},
                 {LOSS "loss_param { ignore_label: 2 normalization: FULL }", 3, 4},
                 {LOSS "loss_param { ignore_label: 1 normalize: false }", 2, 2},
                 {LOSS "loss_param { normalization: NONE }", 4, 1}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        ck_assert_float_eq_tol(loss_of(cases[i].text, x, targets),
                               logf(2) * cases[i].values / cases[i].divisor, 1e-6f);
}
END_TEST

START_TEST(large_scores)
{
    static const float x[4] = {1e4f, -1e4f, 1e4f, -1e4f}, targets[4] = {1, 0, 0, 1};

    ck_assert_float_eq_tol(loss_of(LOSS, x, targets), 1e4f, 1e-2f);
}
END_TEST

START_TEST(shapes)
{
    static const int values[][5] = {{3, 4}, {3, 5}};
    layer_fixture f;
    lcl_error err;

    CHECK_FAILS(layer_fixture_open(&f, LOSS, values, 16, 16, CAFFE__PHASE__TRAIN, &err),
                LCL_ESHAPE, "'x' has 12 values, but 't' has 15");
    layer_fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sigmoid_cross_entropy_loss");
    TCase *cases = tcase_create("sigmoid_cross_entropy_loss");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, normalisation);
    tcase_add_test(cases, large_scores);
    tcase_add_test(cases, shapes);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
