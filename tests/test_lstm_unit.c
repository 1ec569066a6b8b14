/* Tests of LSTMUnit beyond the golden case: gradients, beginnings of sequences, shapes. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient.h"
#include "text.h"

#define UNIT                                                                             \
    "name: 'unit' type: 'LSTMUnit' bottom: 'c0' bottom: 'x' bottom: 'cont' top: 'c' "    \
    "top: 'h'"

static float value(int bottom, size_t i)
{
    return bottom == 2 ? (float)(i % 2) : testing_value((unsigned)bottom, i);
}

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = UNIT, .bottoms = {{1, 2, 4}, {1, 2, 16}, {1, 2}}},
        {.layer = UNIT, .bottoms = {{1, 3, 3}, {1, 3, 12}, {1, 3}}},
        {.layer = UNIT, .bottoms = {{1, 1, 16}, {1, 1, 64}, {1, 1}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        gradient_case c = cases[i];
        c.value = value;
        gradient_check(&c);
    }
}
END_TEST

/* Open gates but for g: c = cont c0 + tanh(g), and h = tanh(c). */
START_TEST(by_hand)
{
    static const int shapes[][5] = {{1, 2, 1}, {1, 2, 4}, {1, 2}};
    static const float before[2] = {2, 2}, cont[2] = {1, 0};
    static const float x[8] = {100, 100, 100, 1, 100, 100, 100, 1};
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f, UNIT, shapes, 16, 16, CAFFE__PHASE__TEST, &err));
    layer_fixture_write(f.bottoms[0], LCL_DATA, before);
    layer_fixture_write(f.bottoms[1], LCL_DATA, x);
    layer_fixture_write(f.bottoms[2], LCL_DATA, cont);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *c = layer_fixture_read(f.tops[0], LCL_DATA);
    float *h = layer_fixture_read(f.tops[1], LCL_DATA);
    ck_assert_float_eq_tol(c[0], 2 + tanhf(1), 1e-5f);
    ck_assert_float_eq_tol(c[1], tanhf(1), 1e-5f);
    ck_assert_float_eq_tol(h[1], tanhf(tanhf(1)), 1e-5f);
    free(c);
    free(h);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(shapes)
{
    static const int bad[][3][5] = {{{1, 2, 4}, {1, 2, 15}, {1, 2}},
                                    {{2, 2, 4}, {2, 2, 16}, {2, 2}},
                                    {{1, 2, 4}, {1, 2, 16}, {1, 3}},
                                    {{1, 8}, {1, 2, 16}, {1, 2}}};

    for (size_t i = 0; i < LCL_COUNT(bad); i++) {
        layer_fixture f;
        lcl_error err;
        CHECK_FAILS(layer_fixture_open(&f, UNIT, bad[i], 1, 1, CAFFE__PHASE__TRAIN, &err),
                    LCL_ESHAPE, "must be 1 x N x D, 1 x N x 4D and 1 x N");
        layer_fixture_close(&f);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lstm_unit");
    TCase *cases = tcase_create("lstm_unit");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, by_hand);
    tcase_add_test(cases, shapes);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
