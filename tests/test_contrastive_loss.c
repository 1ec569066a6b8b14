/* Tests of ContrastiveLoss beyond the golden cases: gradients in every layout, shapes. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient.h"
#include "text.h"

#define LOSS                                                                             \
    "name: 'loss' type: 'ContrastiveLoss' bottom: 'a' bottom: 'b' bottom: 'y' top: "     \
    "'loss' "

static float value(int bottom, size_t i)
{
    return bottom == 2 ? (float)(i % 2) : testing_value((unsigned)bottom, i);
}

/* Unlike pairs well within the margin: no kinks. */
START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LOSS "contrastive_loss_param { margin: 6 }",
         .bottoms = {{6, 3}, {6, 3}, {6}}},
        {.layer = LOSS "contrastive_loss_param { margin: 20 legacy_version: true }",
         .bottoms = {{17, 4}, {17, 4, 1, 1}, {17, 1}}},
        {.layer = LOSS "contrastive_loss_param { margin: 0.001 } loss_weight: 0.4",
         .bottoms = {{3, 8}, {3, 8}, {3}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        gradient_case c = cases[i];
        c.value = value;
        gradient_check(&c);
    }
}
END_TEST

/* Pairs at distance 0.5: unlike ones fall short of the margin 1. */
START_TEST(by_hand)
{
    static const int shapes[][5] = {{2, 2}, {2, 2}, {2}};
    static const float a[4] = {0.3f, 0.4f, 0, 0}, b[4] = {0, 0, 0.3f, 0.4f},
                       y[2] = {1, 0};
    static const struct {
        const char *text;
        float loss, of_second; /* gradient of the first value of a's second vector */
    } cases[] = {{LOSS, (0.25f + 0.25f) / 4, 0.3f * 0.5f / 0.5001f / 2},
                 {LOSS "contrastive_loss_param { legacy_version: true }",
                  (0.25f + 0.75f) / 4, 0.3f / 2},
                 {LOSS "contrastive_loss_param { margin: 0.5 }", 0.25f / 4, 0}};
    layer_fixture f;
    lcl_error err;

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        CHECK_OK(layer_fixture_open(&f, cases[i].text, shapes, 16, 16,
                                    CAFFE__PHASE__TRAIN, &err));
        layer_fixture_write(f.bottoms[0], LCL_DATA, a);
        layer_fixture_write(f.bottoms[1], LCL_DATA, b);
        layer_fixture_write(f.bottoms[2], LCL_DATA, y);
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        CHECK_OK(lcl_layer_backward(f.layer, &err));
        float *loss = layer_fixture_read(f.tops[0], LCL_DATA);
        float *da = layer_fixture_read(f.bottoms[0], LCL_DIFF);
        float *db = layer_fixture_read(f.bottoms[1], LCL_DIFF);
        ck_assert_float_eq_tol(loss[0], cases[i].loss, 1e-6f);
        ck_assert_float_eq_tol(da[0], 0.15f, 1e-6f);
        ck_assert_float_eq_tol(da[2], cases[i].of_second, 1e-6f);
        ck_assert_float_eq_tol(db[2], -cases[i].of_second, 1e-6f);
        free(loss);
        free(da);
        free(db);
        layer_fixture_close(&f);
    }
}
END_TEST

START_TEST(shapes)
{
    static const int planes[][5] = {{3, 4, 2, 1}, {3, 8}, {3}},
                     longer[][5] = {{3, 4}, {3, 5}, {3}},
                     labels[][5] = {{3, 4}, {3, 4}, {3, 2}};
    layer_fixture f;
    lcl_error err;

    CHECK_FAILS(layer_fixture_open(&f, LOSS, planes, 16, 16, CAFFE__PHASE__TRAIN, &err),
                LCL_ESHAPE, "takes vectors (N x C), but 'a' is 3 4 2 1");
    layer_fixture_close(&f);
    CHECK_FAILS(layer_fixture_open(&f, LOSS, longer, 16, 16, CAFFE__PHASE__TRAIN, &err),
                LCL_ESHAPE, "'a' has 12 values, but 'b' has 15");
    layer_fixture_close(&f);
    CHECK_FAILS(layer_fixture_open(&f, LOSS, labels, 16, 16, CAFFE__PHASE__TRAIN, &err),
                LCL_ESHAPE, "one label is needed");
    layer_fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("contrastive_loss");
    TCase *cases = tcase_create("contrastive_loss");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, by_hand);
    tcase_add_test(cases, shapes);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
