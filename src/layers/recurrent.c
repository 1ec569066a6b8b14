/* What LSTM and RNN share: all but a step of their cells. Where Caffe unrolls a net, the products
 * with inputs are made for all steps at once, and those with h one step after the other. */
#include "layers/recurrent.h"

#include <limits.h>
#include <stdlib.h>

#include "text.h"

enum { W_X, BIAS, W_AFTER };

static int w_static(void)
{
    return W_AFTER;
}

static int w_hidden(const lcl_recurrent *s)
{
    return W_AFTER + s->has_static;
}

static int w_out(const lcl_recurrent *s)
{
    return w_hidden(s) + 1;
}

static size_t n_gates(const lcl_recurrent *s)
{
    return (size_t)s->cell->n_gates * s->units;
}

/* The bottom of state j (h, c), with expose_hidden. */
static int first_state(const lcl_recurrent *s)
{
    return 2 + s->has_static;
}

/* ---- Setup ------------------------------------------------------------------------- */

static lcl_status check_ends(lcl_layer *l, lcl_error *err)
{
    lcl_recurrent *s = l->state;
    const int hidden = s->exposed ? s->cell->n_hidden : 0;
    const int bottoms = 2 + hidden, tops = 1 + hidden;

    if (l->n_bottoms < bottoms || l->n_bottoms > bottoms + 1)
        return lcl_layer_fail(
            l, l->param, "bottom", err, LCL_EPROTO,
            "takes %d bottoms %s expose_hidden, and one more for a static "
            "input, but has %d",
            bottoms, s->exposed ? "with" : "without", l->n_bottoms);
    if (l->n_tops != tops)
        return lcl_layer_fail(l, l->param, "top", err, LCL_EPROTO,
                              "takes %d %s %s expose_hidden, but has %d", tops,
                              tops == 1 ? "top" : "tops", s->exposed ? "with" : "without",
                              l->n_tops);
    s->has_static = l->n_bottoms > bottoms;
    return LCL_OK;
}

static lcl_status bad_shape(const lcl_layer *l, int i, const char *wanted, lcl_error *err)
{
    char shape[128];

    lcl_blob_shape_text(l->bottoms[i], shape, sizeof shape);
    return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                          "'%s' is %s; it must be %s", l->bottoms[i]->name, shape,
                          wanted);
}

static bool is_state(const lcl_recurrent *s, const lcl_blob *b)
{
    return b->n_axes == 3 && b->shape[0] == 1 && (size_t)b->shape[1] == s->streams &&
           (size_t)b->shape[2] == s->units;
}

static lcl_status check_shapes(const lcl_layer *l, lcl_error *err)
{
    const lcl_recurrent *s = l->state;
    const lcl_blob *x = l->bottoms[0], *cont = l->bottoms[1], *fixed = l->bottoms[2];

    if (x->n_axes < 3 || lcl_blob_count(x) == 0)
        return bad_shape(l, 0, "T x N x inputs", err);
    if (cont->n_axes != 2 || cont->shape[0] != x->shape[0] ||
        cont->shape[1] != x->shape[1])
        return bad_shape(l, 1, "T x N, as the first bottom", err);
    if (s->has_static && (fixed->n_axes < 2 || fixed->shape[0] != x->shape[1] ||
                          lcl_blob_count(fixed) == 0))
        return bad_shape(l, 2, "N x inputs", err);
    for (int i = first_state(s); i < l->n_bottoms; i++)
        if (!is_state(s, l->bottoms[i]))
            return bad_shape(l, i, "1 x N x num_output", err);
    return LCL_OK;
}

static lcl_status add_weights(lcl_layer *l, size_t rows, size_t columns, bool bias,
                              lcl_error *err)
{
    const Caffe__RecurrentParameter *p = l->param->recurrent_param;
    const int shape[2] = {(int)rows, (int)columns};

    LCL_TRY(lcl_layer_add_param(l, 2, shape, p->weight_filler, err));
    return bias ? lcl_layer_add_param(l, 1, shape, p->bias_filler, err) : LCL_OK;
}

/* In the order in which Caffe's unrolled net has them. */
static lcl_status add_params(lcl_layer *l, lcl_error *err)
{
    const lcl_recurrent *s = l->state;
    const size_t gates = n_gates(s);

    LCL_TRY(add_weights(l, gates, s->inputs, true, err));
    if (s->has_static)
        LCL_TRY(add_weights(l, gates, s->static_inputs, false, err));
    LCL_TRY(add_weights(l, gates, s->units, false, err));
    return s->cell->output ? add_weights(l, s->units, s->units, true, err) : LCL_OK;
}

lcl_status lcl_recurrent_setup(lcl_layer *l, const lcl_cell *cell, lcl_error *err)
{
    lcl_recurrent *s = l->state;
    const Caffe__RecurrentParameter *p = l->param->recurrent_param;
    const lcl_blob *x = l->bottoms[0];

    l->plain = true;
    s->cell = cell;
    if (!p || p->num_output < 1 || p->num_output > INT_MAX / 4)
        return lcl_layer_fail(l, p, "num_output", err, LCL_EPROTO,
                              "recurrent_param.num_output must be at least 1");
    s->units = p->num_output;
    s->exposed = p->expose_hidden;
    s->steps = (size_t)lcl_blob_dim(x, 0);
    s->streams = (size_t)lcl_blob_dim(x, 1);
    LCL_TRY(check_ends(l, err));
    LCL_TRY(check_shapes(l, err));
    LCL_LOG(
        l->env->log,
        "Initializing recurrent layer: assuming input batch contains %zu timesteps of "
        "%zu independent streams.",
        s->steps, s->streams);
    s->inputs = lcl_blob_count_range(x, 2, x->n_axes);
    if (s->has_static)
        s->static_inputs = lcl_blob_image_count(l->bottoms[2]);
    return add_params(l, err);
}

/* ---- Shapes ------------------------------------------------------------------------ */

static lcl_status check_inputs(const lcl_layer *l, lcl_error *err)
{
    const lcl_recurrent *s = l->state;
    const lcl_blob *x = l->bottoms[0];

    if ((size_t)x->shape[0] != s->steps)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_ESHAPE,
                              "the bottom has %d steps, but began with %zu", x->shape[0],
                              s->steps);
    if (lcl_blob_count_range(x, 2, x->n_axes) != s->inputs ||
        (s->has_static && lcl_blob_image_count(l->bottoms[2]) != s->static_inputs))
        return lcl_layer_fail(l, NULL, NULL, err, LCL_ESHAPE,
                              "the inputs of a step do not fit the weights any more");
    return LCL_OK;
}

static void release(lcl_recurrent *s)
{
    for (int i = 0; i < LCL_RNN_N_BUFFERS; i++)
        lcl_buffer_release(&s->buffers[i]);
}

static lcl_status make_buffers(lcl_layer *l, lcl_error *err)
{
    lcl_recurrent *s = l->state;
    const size_t step = s->streams * s->units, gates = s->streams * n_gates(s);
    const size_t cell = s->cell->n_hidden > 1 ? step : 0,
                 out = s->cell->output ? step : 0;
    const size_t counts[LCL_RNN_N_BUFFERS] = {
        [LCL_RNN_GATES] = s->steps * gates,   [LCL_RNN_HIDDEN] = s->steps * step,
        [LCL_RNN_CELL] = s->steps * cell,     [LCL_RNN_FIRST_HIDDEN] = step,
        [LCL_RNN_FIRST_CELL] = cell,          [LCL_RNN_CONTED] = s->steps * step,
        [LCL_RNN_CONTED_STEP] = step,         [LCL_RNN_FROM_HIDDEN] = gates,
        [LCL_RNN_FROM_STATIC] = gates,        [LCL_RNN_OUT] = s->steps * out,
        [LCL_RNN_D_GATES] = s->steps * gates, [LCL_RNN_D_GATES_STEP] = gates,
        [LCL_RNN_D_GATES_SUM] = gates,        [LCL_RNN_D_CONTED_STEP] = step,
        [LCL_RNN_D_CELL_STEP] = cell,         [LCL_RNN_D_OUT] = s->steps * out,
        [LCL_RNN_D_HIDDEN] = s->steps * out};

    release(s);
    for (int i = 0; i < LCL_RNN_N_BUFFERS; i++)
        LCL_TRY(lcl_buffer_create(&s->buffers[i], l->dev, (counts[i] + 1) * sizeof(float),
                                  l->param->name, err));
    return LCL_OK;
}

static lcl_status get_kernel(lcl_layer *l, lcl_kernel **out, const char *file,
                             const char *pass, const char *part, lcl_error *err)
{
    const lcl_recurrent *s = l->state;
    const int vector = s->step.vector;
    const lcl_define defines[] = {{"B", vector},
                                  {"V", vector},
                                  {"ROW", (long)s->units / vector},
                                  {"STEPS", (long)s->steps},
                                  {"STATIC", s->has_static},
                                  {part, 1}};
    char *name = lcl_format("%s_%s", file, pass);
    lcl_status status =
        lcl_kernel_get(out, l->dev, file, name, defines, LCL_COUNT(defines), err);

    free(name);
    return status;
}

static lcl_status get_kernels(lcl_layer *l, lcl_error *err)
{
    lcl_recurrent *s = l->state;
    const char *file = s->cell->file;

    LCL_TRY(get_kernel(l, &s->begin, "recurrent", "begin", "BEGIN", err));
    LCL_TRY(get_kernel(l, &s->forward, file, "forward", "STEP", err));
    LCL_TRY(get_kernel(l, &s->backward, file, "backward", "STEP", err));
    if (s->cell->output) {
        LCL_TRY(get_kernel(l, &s->output, file, "output", "OUTPUT", err));
        LCL_TRY(
            get_kernel(l, &s->output_backward, file, "output_backward", "OUTPUT", err));
    }
    return lcl_kernel_get(&s->add_rows, l->dev, "reduce", "reduce_parts", NULL, 0, err);
}

lcl_status lcl_recurrent_reshape(lcl_layer *l, lcl_error *err)
{
    lcl_recurrent *s = l->state;
    const int streams = l->bottoms[0]->n_axes > 1 ? l->bottoms[0]->shape[1] : 0;
    const int state[3] = {1, streams, (int)s->units};
    const int top[3] = {(int)s->steps, streams, (int)s->units};

    s->streams = (size_t)streams;
    LCL_TRY(check_shapes(l, err));
    LCL_TRY(check_inputs(l, err));
    LCL_TRY(lcl_blob_reshape(l->tops[0], 3, top, 1, err));
    for (int i = 1; i < l->n_tops; i++)
        LCL_TRY(lcl_blob_reshape(l->tops[i], 3, state, 1, err));
    const size_t step = s->streams * s->units;
    s->step = lcl_elements_in_runs(l->dev, step, s->units);
    s->all = lcl_elements_in_runs(l->dev, s->steps * step, s->units);
    LCL_TRY(make_buffers(l, err));
    return get_kernels(l, err);
}

/* ---- Products ---------------------------------------------------------------------- */

/* c (rows x out) = a (rows x in) w^T, plus the bias (which may be NULL). */
static lcl_status product(lcl_layer *l, size_t rows, cl_mem a, size_t in, int w,
                          size_t out, cl_mem c, cl_mem bias, lcl_error *err)
{
    const lcl_gemm_args g = {.m = rows,
                             .n = out,
                             .k = in,
                             .batch = 1,
                             .a = {a, in, 0, false},
                             .b = {l->params[w]->data, in, 0, true},
                             .c = {c, out, 0, false},
                             .column_bias = bias};

    return lcl_gemm(l->env->blas, &g, err);
}

/* da (rows x in) = dc (rows x out) w. */
static lcl_status product_back(lcl_layer *l, size_t rows, cl_mem dc, size_t out, int w,
                               size_t in, cl_mem da, lcl_error *err)
{
    const lcl_gemm_args g = {.m = rows,
                             .n = in,
                             .k = out,
                             .batch = 1,
                             .a = {dc, out, 0, false},
                             .b = {l->params[w]->data, in, 0, false},
                             .c = {da, in, 0, false}};

    return lcl_gemm(l->env->blas, &g, err);
}

/* dw (out x in) = dc^T a, where it is wanted. */
static lcl_status weights_back(lcl_layer *l, size_t rows, cl_mem dc, size_t out, int w,
                               size_t in, cl_mem a, lcl_error *err)
{
    const lcl_gemm_args g = {.m = out,
                             .n = in,
                             .k = rows,
                             .batch = 1,
                             .a = {dc, out, 0, true},
                             .b = {a, in, 0, false},
                             .c = {l->params[w]->diff, in, 0, false},
                             .beta = l->accumulate[w] ? 1.0f : 0.0f};

    return l->param_propagate[w] ? lcl_gemm(l->env->blas, &g, err) : LCL_OK;
}

/* sum (columns) = the rows of a added up. */
static lcl_status add_rows(lcl_layer *l, cl_mem a, size_t rows, size_t columns,
                           cl_mem sum, bool accumulate, lcl_error *err)
{
    const lcl_recurrent *s = l->state;
    const cl_int n = (cl_int)rows, count = (cl_int)columns, add = accumulate;
    const lcl_arg args[] = {LCL_ARG(a), LCL_ARG(n), LCL_ARG(count), LCL_ARG(sum),
                            LCL_ARG(add)};

    return lcl_kernel_run(l->dev, s->add_rows, (lcl_range){.x = columns}, (lcl_range){0},
                          args, LCL_COUNT(args), err);
}

static lcl_status bias_back(lcl_layer *l, size_t rows, cl_mem dc, size_t out, int b,
                            lcl_error *err)
{
    return l->param_propagate[b]
               ? add_rows(l, dc, rows, out, l->params[b]->diff, l->accumulate[b], err)
               : LCL_OK;
}

/* ---- Forward ----------------------------------------------------------------------- */

/* States before the first step: the bottoms', or those that the last pass ended with. */
static lcl_status take_states(lcl_layer *l, lcl_error *err)
{
    lcl_recurrent *s = l->state;
    const size_t size = s->streams * s->units * sizeof(float);

    for (int j = 0; j < s->cell->n_hidden; j++) {
        const cl_mem from = s->exposed ? l->bottoms[first_state(s) + j]->data
                                       : s->buffers[LCL_RNN_HIDDEN + j];
        LCL_TRY(lcl_buffer_copy(l->dev, from, s->exposed ? 0 : (s->steps - 1) * size,
                                s->buffers[LCL_RNN_FIRST_HIDDEN + j], 0, size, err));
    }
    return LCL_OK;
}

static lcl_status give_states(lcl_layer *l, lcl_error *err)
{
    lcl_recurrent *s = l->state;
    const size_t size = s->streams * s->units * sizeof(float);

    for (int j = 0; j < l->n_tops - 1; j++)
        LCL_TRY(lcl_buffer_copy(l->dev, s->buffers[LCL_RNN_HIDDEN + j],
                                (s->steps - 1) * size, l->tops[j + 1]->data, 0, size,
                                err));
    return LCL_OK;
}

static lcl_status begin(lcl_layer *l, lcl_error *err)
{
    lcl_recurrent *s = l->state;
    const lcl_arg args[] = {
        LCL_ARG(l->bottoms[1]->data), LCL_ARG(s->buffers[LCL_RNN_FIRST_HIDDEN]),
        LCL_ARG(s->buffers[LCL_RNN_CONTED]), LCL_ARG(s->buffers[LCL_RNN_CONTED_STEP])};

    return lcl_elements_run(&s->step, l->dev, s->begin, args, LCL_COUNT(args), err);
}

static lcl_status step_forward(lcl_layer *l, cl_int t, lcl_error *err)
{
    lcl_recurrent *s = l->state;
    cl_mem *b = s->buffers;
    const lcl_arg args[] = {LCL_ARG(t),
                            LCL_ARG(b[LCL_RNN_GATES]),
                            LCL_ARG(b[LCL_RNN_FROM_HIDDEN]),
                            LCL_ARG(b[LCL_RNN_FROM_STATIC]),
                            LCL_ARG(l->bottoms[1]->data),
                            LCL_ARG(b[LCL_RNN_FIRST_CELL]),
                            LCL_ARG(b[LCL_RNN_CELL]),
                            LCL_ARG(b[LCL_RNN_HIDDEN]),
                            LCL_ARG(l->tops[0]->data),
                            LCL_ARG(b[LCL_RNN_CONTED]),
                            LCL_ARG(b[LCL_RNN_CONTED_STEP])};

    LCL_TRY(product(l, s->streams, b[LCL_RNN_CONTED_STEP], s->units, w_hidden(s),
                    n_gates(s), b[LCL_RNN_FROM_HIDDEN], NULL, err));
    return lcl_elements_run(&s->step, l->dev, s->forward, args, LCL_COUNT(args), err);
}

static lcl_status output_forward(lcl_layer *l, lcl_error *err)
{
    lcl_recurrent *s = l->state;
    const int w = w_out(s);
    const cl_mem out = s->buffers[LCL_RNN_OUT];
    const lcl_arg args[] = {LCL_ARG(out), LCL_ARG(l->tops[0]->data)};

    LCL_TRY(product(l, s->steps * s->streams, s->buffers[LCL_RNN_HIDDEN], s->units, w,
                    s->units, out, l->params[w + 1]->data, err));
    return lcl_elements_run(&s->all, l->dev, s->output, args, 2, err);
}

lcl_status lcl_recurrent_forward(lcl_layer *l, lcl_error *err)
{
    lcl_recurrent *s = l->state;

    LCL_TRY(take_states(l, err));
    LCL_TRY(product(l, s->steps * s->streams, l->bottoms[0]->data, s->inputs, W_X,
                    n_gates(s), s->buffers[LCL_RNN_GATES], l->params[BIAS]->data, err));
    if (s->has_static)
        LCL_TRY(product(l, s->streams, l->bottoms[2]->data, s->static_inputs, w_static(),
                        n_gates(s), s->buffers[LCL_RNN_FROM_STATIC], NULL, err));
    LCL_TRY(begin(l, err));
    for (size_t t = 0; t < s->steps; t++)
        LCL_TRY(step_forward(l, (cl_int)t, err));
    if (s->cell->output)
        LCL_TRY(output_forward(l, err));
    return give_states(l, err);
}

/* ---- Backward ---------------------------------------------------------------------- */

/* The gradient of h of all steps, but for what each step gives the one before. */
static lcl_status output_backward(lcl_layer *l, cl_mem *dh, lcl_error *err)
{
    lcl_recurrent *s = l->state;
    const int w = w_out(s);
    const size_t rows = s->steps * s->streams, units = s->units;
    const cl_mem dy = l->tops[0]->diff, d_out = s->buffers[LCL_RNN_D_OUT];
    const lcl_arg args[] = {LCL_ARG(s->buffers[LCL_RNN_OUT]), LCL_ARG(dy),
                            LCL_ARG(d_out)};

    *dh = dy;
    if (!s->cell->output)
        return LCL_OK;
    *dh = s->buffers[LCL_RNN_D_HIDDEN];
    LCL_TRY(lcl_elements_run(&s->all, l->dev, s->output_backward, args, 3, err));
    LCL_TRY(
        weights_back(l, rows, d_out, units, w, units, s->buffers[LCL_RNN_HIDDEN], err));
    LCL_TRY(bias_back(l, rows, d_out, units, w + 1, err));
    return product_back(l, rows, d_out, units, w, units, *dh, err);
}

static lcl_status step_backward(lcl_layer *l, cl_int t, cl_mem dh, lcl_error *err)
{
    lcl_recurrent *s = l->state;
    cl_mem *b = s->buffers;
    const lcl_arg args[] = {LCL_ARG(t),
                            LCL_ARG(b[LCL_RNN_GATES]),
                            LCL_ARG(l->bottoms[1]->data),
                            LCL_ARG(b[LCL_RNN_FIRST_CELL]),
                            LCL_ARG(b[LCL_RNN_CELL]),
                            LCL_ARG(b[LCL_RNN_HIDDEN]),
                            LCL_ARG(dh),
                            LCL_ARG(b[LCL_RNN_D_CONTED_STEP]),
                            LCL_ARG(b[LCL_RNN_D_CELL_STEP]),
                            LCL_ARG(b[LCL_RNN_D_GATES]),
                            LCL_ARG(b[LCL_RNN_D_GATES_STEP])};

    LCL_TRY(lcl_elements_run(&s->step, l->dev, s->backward, args, LCL_COUNT(args), err));
    return t > 0 ? product_back(l, s->streams, b[LCL_RNN_D_GATES_STEP], n_gates(s),
                                w_hidden(s), s->units, b[LCL_RNN_D_CONTED_STEP], err)
                 : LCL_OK;
}

static lcl_status static_backward(lcl_layer *l, lcl_error *err)
{
    lcl_recurrent *s = l->state;
    const size_t gates = n_gates(s);
    const cl_mem sum = s->buffers[LCL_RNN_D_GATES_SUM];

    LCL_TRY(add_rows(l, s->buffers[LCL_RNN_D_GATES], s->steps, s->streams * gates, sum,
                     false, err));
    LCL_TRY(weights_back(l, s->streams, sum, gates, w_static(), s->static_inputs,
                         l->bottoms[2]->data, err));
    return l->propagate[2] ? product_back(l, s->streams, sum, gates, w_static(),
                                          s->static_inputs, l->bottoms[2]->diff, err)
                           : LCL_OK;
}

/* Nothing flows back into the states before the first step. */
static lcl_status clear_states(lcl_layer *l, lcl_error *err)
{
    const lcl_recurrent *s = l->state;

    for (int i = first_state(s); i < l->n_bottoms; i++)
        if (l->propagate[i])
            LCL_TRY(lcl_buffer_fill(l->dev, l->bottoms[i]->diff, 0,
                                    lcl_blob_stored(l->bottoms[i]) * sizeof(float), 0,
                                    err));
    return LCL_OK;
}

lcl_status lcl_recurrent_backward(lcl_layer *l, lcl_error *err)
{
    lcl_recurrent *s = l->state;
    const size_t rows = s->steps * s->streams, gates = n_gates(s);
    const cl_mem d_gates = s->buffers[LCL_RNN_D_GATES];
    cl_mem dh;

    LCL_TRY(output_backward(l, &dh, err));
    for (size_t t = s->steps; t-- > 0;)
        LCL_TRY(step_backward(l, (cl_int)t, dh, err));
    LCL_TRY(
        weights_back(l, rows, d_gates, gates, W_X, s->inputs, l->bottoms[0]->data, err));
    LCL_TRY(bias_back(l, rows, d_gates, gates, BIAS, err));
    LCL_TRY(weights_back(l, rows, d_gates, gates, w_hidden(s), s->units,
                         s->buffers[LCL_RNN_CONTED], err));
    if (s->has_static)
        LCL_TRY(static_backward(l, err));
    LCL_TRY(clear_states(l, err));
    return l->propagate[0] ? product_back(l, rows, d_gates, gates, W_X, s->inputs,
                                          l->bottoms[0]->diff, err)
                           : LCL_OK;
}

/* Of the products: those with the static input are made once, the others at every step. */
double lcl_recurrent_flops(const lcl_layer *l)
{
    const lcl_recurrent *s = l->state;
    const double gates = (double)n_gates(s), units = (double)s->units;
    const double a_step =
        gates * ((double)s->inputs + units) + (s->cell->output ? units * units : 0);
    const double once = s->has_static ? gates * (double)s->static_inputs : 0;

    return 2.0 * (double)s->streams * ((double)s->steps * a_step + once);
}

void lcl_recurrent_destroy(lcl_layer *l)
{
    release(l->state);
}
