/* Tests of LSTM and RNN beyond the golden cases: gradients, sequences in pieces, what is
 * refused. The file that includes this defines TYPE, and STATES and N_STATES: the bottoms and
 * tops that expose_hidden adds. */
#ifndef LCL_RECURRENT_CASES_H
#define LCL_RECURRENT_CASES_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient.h"
#include "testing.h"
#include "text.h"

#define ENDS "name: 'r' type: '" TYPE "' bottom: 'x' bottom: 'cont' top: 'y' "
#define PARAM                                                                            \
    "num_output: 3 weight_filler { type: 'uniform' min: -1 max: 1 } "                    \
    "bias_filler { type: 'uniform' min: -1 max: 1 } "
#define LAYER ENDS "recurrent_param { " PARAM "}"
#define EXPOSED ENDS STATES "recurrent_param { " PARAM "expose_hidden: true }"

enum { STEPS = 4, STREAMS = 3, INPUTS = 2, UNITS = 3 };

/* The first step begins sequences, and some later ones do. */
static float value(int bottom, size_t i)
{
    if (bottom == 1)
        return i < STREAMS || i % 5 == 0 ? 0 : 1;
    return testing_value((unsigned)bottom, i);
}

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LAYER, .bottoms = {{4, 3, 2}, {4, 3}}},
        {.layer = LAYER "bottom: 'fixed'", .bottoms = {{3, 3, 2, 2}, {3, 3}, {3, 4}}},
        {.layer = ENDS "recurrent_param { num_output: 16 }",
         .bottoms = {{1, 3, 1}, {1, 3}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        gradient_case c = cases[i];
        c.value = value;
        c.threshold = 2e-3f;
        gradient_check(&c);
    }
}
END_TEST

/* Runs the layer on steps `from` and on of a sequence; gives the top's values (free them). */
static float *run(layer_fixture *f, size_t from)
{
    const size_t steps = (size_t)f->bottoms[0]->shape[0];
    float x[STEPS * STREAMS * INPUTS], cont[STEPS * STREAMS];
    lcl_error err;

    for (size_t i = 0; i < steps * STREAMS * INPUTS; i++)
        x[i] = value(0, from * STREAMS * INPUTS + i);
    for (size_t i = 0; i < steps * STREAMS; i++)
        cont[i] = value(1, from * STREAMS + i);
    layer_fixture_write(f->bottoms[0], LCL_DATA, x);
    layer_fixture_write(f->bottoms[1], LCL_DATA, cont);
    CHECK_OK(lcl_layer_forward(f->layer, &err));
    return layer_fixture_read(f->tops[0], LCL_DATA);
}

/* The parameters come from the same seed in each. */
static void open(layer_fixture *f, const char *text, const int shapes[][5])
{
    lcl_error err;

    CHECK_OK(layer_fixture_open(f, text, shapes, 16, 16, CAFFE__PHASE__TRAIN, &err));
}

static void check_half(const float *whole, size_t half, float *part)
{
    const size_t n = STEPS / 2 * STREAMS * UNITS;

    for (size_t i = 0; i < n; i++)
        ck_assert_float_eq_tol(part[i], whole[half * n + i], 1e-6f);
    free(part);
}

START_TEST(in_pieces)
{
    static const int whole[][5] = {{4, 3, 2}, {4, 3}}, half[][5] = {{2, 3, 2}, {2, 3}};
    static const int exposed[][5] = {{2, 3, 2}, {2, 3}, {1, 3, 3}, {1, 3, 3}};
    layer_fixture f;
    float *y;

    open(&f, LAYER, whole);
    y = run(&f, 0);
    layer_fixture_close(&f);
    open(&f, LAYER, half);
    check_half(y, 0, run(&f, 0));
    check_half(y, 1, run(&f, 2));
    layer_fixture_close(&f);
    open(&f, EXPOSED, exposed);
    check_half(y, 0, run(&f, 0));
    for (int i = 0; i < N_STATES; i++) {
        float *state = layer_fixture_read(f.tops[1 + i], LCL_DATA);
        layer_fixture_write(f.bottoms[2 + i], LCL_DATA, state);
        free(state);
    }
    check_half(y, 1, run(&f, 2));
    layer_fixture_close(&f);
    free(y);
}
END_TEST

/* Nothing flows back into the states before the first step. */
START_TEST(no_gradient_of_states)
{
    static const int shapes[][5] = {{2, 3, 2}, {2, 3}, {1, 3, 3}, {1, 3, 3}};
    static const float ones[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    layer_fixture f;
    lcl_error err;

    open(&f, EXPOSED, shapes);
    free(run(&f, 2));
    for (int i = 0; i < N_STATES; i++)
        layer_fixture_write(f.bottoms[2 + i], LCL_DIFF, ones);
    CHECK_OK(lcl_layer_backward(f.layer, &err));
    for (int i = 0; i < N_STATES; i++) {
        float *d = layer_fixture_read(f.bottoms[2 + i], LCL_DIFF);
        for (int k = 0; k < 9; k++)
            ck_assert_float_eq(d[k], 0);
        free(d);
    }
    layer_fixture_close(&f);
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *text;
        int shapes[3][5];
        lcl_status status;
        const char *message;
    } cases[] = {
        {ENDS, {{4, 3, 2}, {4, 3}}, LCL_EPROTO, "num_output must be at least 1"},
        {LAYER,
         {{4, 3}, {4, 3}},
         LCL_ESHAPE,
         "'x' is 4 3 (12); it must be T x N x inputs"},
        {LAYER, {{4, 3, 2}, {3, 4}}, LCL_ESHAPE, "'cont' is 3 4 (12); it must be T x N"},
        {LAYER "bottom: 's'",
         {{4, 3, 2}, {4, 3}, {2, 3}},
         LCL_ESHAPE,
         "'s' is 2 3 (6); it must be N x inputs"},
        {LAYER "top: 't'",
         {{4, 3, 2}, {4, 3}},
         LCL_EPROTO,
         "without expose_hidden, but has 2"},
        {ENDS "recurrent_param { " PARAM "expose_hidden: true }",
         {{4, 3, 2}, {4, 3}},
         LCL_EPROTO,
         "with expose_hidden, and one more for a static input, but has 2"}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        layer_fixture f;
        lcl_error err;
        CHECK_FAILS(layer_fixture_open(&f, cases[i].text, cases[i].shapes, 1, 1,
                                       CAFFE__PHASE__TRAIN, &err),
                    cases[i].status, cases[i].message);
        layer_fixture_close(&f);
    }
}
END_TEST

START_TEST(number_of_steps_is_fixed)
{
    static const int shapes[][5] = {{4, 3, 2}, {4, 3}}, steps[2][3] = {{3, 3, 2}, {3, 3}};
    static const int streams[2][3] = {{4, 5, 2}, {4, 5}};
    layer_fixture f;
    lcl_error err;

    open(&f, LAYER, shapes);
    CHECK_OK(lcl_blob_reshape(f.bottoms[0], 3, streams[0], 16, &err));
    CHECK_OK(lcl_blob_reshape(f.bottoms[1], 2, streams[1], 16, &err));
    CHECK_OK(lcl_layer_reshape(f.layer, &err));
    ck_assert_int_eq(f.tops[0]->shape[1], 5);
    CHECK_OK(lcl_blob_reshape(f.bottoms[0], 3, steps[0], 16, &err));
    CHECK_OK(lcl_blob_reshape(f.bottoms[1], 2, steps[1], 16, &err));
    CHECK_FAILS(lcl_layer_reshape(f.layer, &err), LCL_ESHAPE,
                "the bottom has 3 steps, but began with 4");
    layer_fixture_close(&f);
}
END_TEST

static int recurrent_run(const char *name)
{
    Suite *suite = suite_create(name);
    TCase *cases = tcase_create(name);

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, in_pieces);
    tcase_add_test(cases, no_gradient_of_states);
    tcase_add_test(cases, refused);
    tcase_add_test(cases, number_of_steps_is_fixed);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}

#endif
