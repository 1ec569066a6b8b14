/* LSTM, RNN and LSTMUnit, step by step: ONNX's own LSTM cannot begin a sequence in the middle. */
#include <stdlib.h>

#include "layers/recurrent.h"
#include "onnx/onnx.h"
#include "text.h"

enum { N_GATES = 4 }; /* of an LSTM cell: i, f, o, g */

typedef struct {
    const char *h, *c; /* 1 x N x D; c of LSTM only */
} state;

/* What all steps share. */
typedef struct {
    const lcl_recurrent *layer;
    const char *w_hidden, *from_input,
        *from_static; /* W_h; W_x x + b; W_static, or NULL */
    const char *cont; /* T x N x 1 */
} sequence;

/* ---- Products ---------------------------------------------------------------------- */

/* `t` as rows of `columns`, times the transpose of parameter `weights`, plus `bias` where that is
 * a parameter. */
static lcl_status product(lcl_onnx *x, const char *t, int weights, int bias,
                          const char **out, lcl_error *err)
{
    const char *in[3] = {t};

    LCL_TRY(lcl_onnx_param(x, x->layer, weights, &in[1], err));
    if (bias >= 0)
        LCL_TRY(lcl_onnx_param(x, x->layer, bias, &in[2], err));
    *out = lcl_onnx_node(x, "Gemm", in, bias >= 0 ? 3 : 2);
    lcl_onnx_int(x, "transB", 1);
    return LCL_OK;
}

static const char *as_rows(lcl_onnx *x, const char *t, size_t columns)
{
    const int64_t dims[2] = {-1, (int64_t)columns};

    return lcl_onnx_reshape(x, t, dims, 2);
}

/* rows of `columns` as steps of streams. */
static const char *as_steps(lcl_onnx *x, const char *t, size_t steps, size_t streams)
{
    const int64_t dims[3] = {(int64_t)steps, (int64_t)streams, -1};

    return lcl_onnx_reshape(x, t, dims, 3);
}

/* Places first to last along an axis. */
static const char *part(lcl_onnx *x, const char *t, int64_t axis, int64_t first,
                        int64_t last)
{
    const int64_t end = last + 1;

    return LCL_ONNX_NODE(x, "Slice", t, lcl_onnx_numbers(x, "starts", &first, 1),
                         lcl_onnx_numbers(x, "ends", &end, 1),
                         lcl_onnx_numbers(x, "axes", &axis, 1));
}

/* ---- Cells ------------------------------------------------------------------------- */

/* A step of LSTM cells; `gates`, 1 x N x 4D, are not yet squashed. */
static state lstm_cell(lcl_onnx *x, const char *gates, const char *cont, const char *c,
                       int units)
{
    const int64_t sizes[N_GATES] = {units, units, units, units};
    const char *in =
        LCL_ONNX_NODE(x, "Split", gates, lcl_onnx_numbers(x, "split", sizes, N_GATES));
    const char *forget = lcl_onnx_next_output(x), *out = lcl_onnx_next_output(x);
    const char *fresh = lcl_onnx_next_output(x);
    state s;

    lcl_onnx_int(x, "axis", 2);
    in = LCL_ONNX_NODE(x, "Sigmoid", in);
    forget = LCL_ONNX_NODE(x, "Mul", LCL_ONNX_NODE(x, "Sigmoid", forget), cont);
    out = LCL_ONNX_NODE(x, "Sigmoid", out);
    fresh = LCL_ONNX_NODE(x, "Tanh", fresh);
    s.c = LCL_ONNX_NODE(x, "Add", LCL_ONNX_NODE(x, "Mul", forget, c),
                        LCL_ONNX_NODE(x, "Mul", in, fresh));
    s.h = LCL_ONNX_NODE(x, "Mul", out, LCL_ONNX_NODE(x, "Tanh", s.c));
    return s;
}

/* Step t. */
static state step(lcl_onnx *x, const sequence *q, state before, int64_t t)
{
    const lcl_recurrent *r = q->layer;
    const char *cont = part(x, q->cont, 0, t, t);
    const char *h = LCL_ONNX_NODE(x, "Mul", before.h, cont);
    const char *gates = LCL_ONNX_NODE(x, "MatMul", h, q->w_hidden);

    gates = LCL_ONNX_NODE(x, "Add", part(x, q->from_input, 0, t, t), gates);
    if (q->from_static)
        gates = LCL_ONNX_NODE(x, "Add", gates, q->from_static);
    if (r->cell->n_hidden > 1)
        return lstm_cell(x, gates, cont, before.c, (int)r->units);
    return (state){.h = LCL_ONNX_NODE(x, "Tanh", gates)};
}

/* ---- Layers ------------------------------------------------------------------------ */

static const char *zeros(lcl_onnx *x, const lcl_recurrent *r)
{
    const int shape[3] = {1, (int)r->streams, (int)r->units};

    return lcl_onnx_floats(x, "zeros", 3, shape,
                           lcl_alloc(r->streams * r->units, sizeof(float)));
}

/* The states before the first step: the last bottoms, or zeros. */
static state begin(lcl_onnx *x, const lcl_recurrent *r)
{
    const int first = r->has_static ? 3 : 2;
    state s;

    if (!r->exposed) {
        s.h = s.c = zeros(x, r);
        return s;
    }
    s.h = lcl_onnx_bottom(x, first);
    s.c = r->cell->n_hidden > 1 ? lcl_onnx_bottom(x, first + 1) : NULL;
    return s;
}

/* What does not depend on the steps before: the input's, the bias's and the static input's part
 * of the gates. Parameters: W_x, b, W_static where there is one, W_h. */
static lcl_status prepare(lcl_onnx *x, sequence *q, lcl_error *err)
{
    const lcl_recurrent *r = q->layer;
    const int64_t cont_shape[3] = {(int64_t)r->steps, (int64_t)r->streams, 1};
    const char *t = as_rows(x, lcl_onnx_bottom(x, 0), r->inputs);

    LCL_TRY(product(x, t, 0, 1, &t, err));
    q->from_input = as_steps(x, t, r->steps, r->streams);
    if (r->has_static) {
        t = as_rows(x, lcl_onnx_bottom(x, 2), r->static_inputs);
        LCL_TRY(product(x, t, 2, -1, &t, err));
        q->from_static = as_steps(x, t, 1, r->streams);
    }
    LCL_TRY(lcl_onnx_param(x, x->layer, r->has_static ? 3 : 2, &t, err));
    q->w_hidden = LCL_ONNX_NODE(x, "Transpose", t);
    lcl_onnx_ints(x, "perm", (int64_t[]){1, 0}, 2);
    q->cont = lcl_onnx_reshape(x, lcl_onnx_bottom(x, 1), cont_shape, 3);
    return LCL_OK;
}

/* The states of all steps as one tensor, and for RNN what it makes of them. */
static lcl_status output(lcl_onnx *x, const lcl_recurrent *r, const char *const *hidden,
                         const char **out, lcl_error *err)
{
    const int w_out = r->has_static ? 4 : 3;

    *out = lcl_onnx_node(x, "Concat", hidden, r->steps);
    lcl_onnx_int(x, "axis", 0);
    if (!r->cell->output)
        return LCL_OK;
    *out = as_rows(x, *out, r->units);
    LCL_TRY(product(x, *out, w_out, w_out + 1, out, err));
    *out = LCL_ONNX_NODE(x, "Tanh", as_steps(x, *out, r->steps, r->streams));
    return LCL_OK;
}

static lcl_status run(lcl_onnx *x, const char **hidden, lcl_error *err)
{
    const lcl_recurrent *r = x->layer->state;
    sequence q = {.layer = r};
    const char *out;

    LCL_TRY(lcl_onnx_fix_batch(x, err));
    LCL_TRY(prepare(x, &q, err));
    state s = begin(x, r);
    for (size_t t = 0; t < r->steps; t++) {
        s = step(x, &q, s, (int64_t)t);
        hidden[t] = s.h;
    }
    LCL_TRY(output(x, r, hidden, &out, err));
    if (r->exposed && r->cell->n_hidden > 1)
        lcl_onnx_set_top(x, 2, s.c);
    if (r->exposed)
        lcl_onnx_set_top(x, 1, s.h);
    lcl_onnx_set_top(x, 0, out);
    return LCL_OK;
}

static lcl_status recurrent(lcl_onnx *x, lcl_error *err)
{
    const lcl_recurrent *r = x->layer->state;
    const char **hidden = lcl_alloc(r->steps, sizeof *hidden);
    lcl_status status = run(x, hidden, err);

    free(hidden);
    return status;
}

lcl_status lcl_onnx_lstm(lcl_onnx *x, lcl_error *err)
{
    return recurrent(x, err);
}

lcl_status lcl_onnx_rnn(lcl_onnx *x, lcl_error *err)
{
    return recurrent(x, err);
}

/* Bottoms: c before, gates, cont (1 x N). Tops: c, h. */
lcl_status lcl_onnx_lstm_unit(lcl_onnx *x, lcl_error *err)
{
    const lcl_blob *c = x->layer->net_bottoms[0];
    const int64_t dims[3] = {1, c->shape[1], 1};

    LCL_TRY(lcl_onnx_fix_batch(x, err));
    const char *cont = lcl_onnx_reshape(x, lcl_onnx_bottom(x, 2), dims, 3);
    const state s =
        lstm_cell(x, lcl_onnx_bottom(x, 1), cont, lcl_onnx_bottom(x, 0), c->shape[2]);
    lcl_onnx_set_top(x, 0, s.c);
    lcl_onnx_set_top(x, 1, s.h);
    return LCL_OK;
}
