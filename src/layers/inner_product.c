/* InnerProduct: y = W x + b over all axes from `axis` on. Bottom (M... x I...), top
 * (M... x O), parameters W (O x I, or I x O with `transpose`) and b (O). Kernels:
 * cl/gemm.cl through lcl_gemm, cl/reduce.cl. */
#include <limits.h>
#include <string.h>

#include "bias_sum.h"
#include "lcl/layer.h"
#include "text.h"

typedef struct {
    int axis;
    size_t inputs, outputs, blocks; /* blocks of images times the axes before `axis` */
    bool bias, transpose;
    bool relu;            /* fused: the top is max(y, 0) */
    lcl_kernel *sum_rows; /* borrowed from the device */
} inner_product_state;

static lcl_status inner_product_setup(lcl_layer *l, lcl_error *err)
{
    inner_product_state *s = l->state;
    const Caffe__InnerProductParameter *p = l->param->inner_product_param;
    const lcl_blob *x = l->bottoms[0];
    int shape[2];

    if (!p)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_EPROTO,
                              "inner_product_param is missing: num_output is needed");
    LCL_TRY(lcl_layer_axis(l, x, p->axis, p, "axis", &s->axis, err));
    if (p->num_output < 1 || p->num_output > INT_MAX)
        return lcl_layer_fail(l, p, "num_output", err, LCL_EPROTO,
                              "num_output must be at least 1");
    s->inputs = lcl_blob_count_range(x, s->axis, x->n_axes);
    if (s->inputs < 1 || s->inputs > INT_MAX)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_ESHAPE, "the bottom is empty");
    s->outputs = p->num_output;
    s->bias = p->bias_term;
    s->transpose = p->transpose;
    l->plain = s->axis == 0;
    shape[0] = s->transpose ? (int)s->inputs : (int)s->outputs;
    shape[1] = s->transpose ? (int)s->outputs : (int)s->inputs;
    LCL_TRY(lcl_layer_add_param(l, 2, shape, p->weight_filler, err));
    if (s->bias) {
        int n = (int)s->outputs;
        LCL_TRY(lcl_layer_add_param(l, 1, &n, p->bias_filler, err));
    }
    return LCL_OK;
}

static bool is_plain(const lcl_layer *l)
{
    return l->bottoms[0]->block == 1;
}

static lcl_status inner_product_forward(lcl_layer *l, lcl_error *err);
static lcl_status backward_data(lcl_layer *l, lcl_error *err);
static lcl_status backward_weights(lcl_layer *l, lcl_error *err);

/* Asks for the products' kernels, so that they are built with all others. */
static lcl_status get_product_kernels(lcl_layer *l, lcl_error *err)
{
    lcl_device_dry(l->dev, true);
    lcl_status status = inner_product_forward(l, err);
    if (status == LCL_OK && l->phase == CAFFE__PHASE__TRAIN)
        status = backward_weights(l, err);
    if (status == LCL_OK && l->phase == CAFFE__PHASE__TRAIN)
        status = backward_data(l, err);
    lcl_device_dry(l->dev, false);
    return status;
}

static lcl_status inner_product_reshape(lcl_layer *l, lcl_error *err)
{
    inner_product_state *s = l->state;
    const lcl_blob *x = l->bottoms[0];
    int shape[LCL_MAX_AXES];

    if (lcl_blob_count_range(x, s->axis, x->n_axes) != s->inputs)
        return lcl_layer_fail(
            l, NULL, NULL, err, LCL_ESHAPE,
            "the bottom has %zu elements from axis %d on; the weights are "
            "for %zu",
            lcl_blob_count_range(x, s->axis, x->n_axes), s->axis, s->inputs);
    for (int i = 0; i < s->axis; i++)
        shape[i] = x->shape[i];
    shape[s->axis] = (int)s->outputs;
    LCL_TRY(lcl_blob_reshape(l->tops[0], s->axis + 1, shape, x->block, err));
    s->blocks = lcl_blob_stored(x) / (s->inputs * (size_t)x->block);
    LCL_TRY(lcl_bias_sum_get(&s->sum_rows, l->dev, err));
    return get_product_kernels(l, err);
}

/* y = W x: blocked, y[block][O][B] = W x[block][I][B]; plain, y[M][O] = x[M][I] W^T. */
static lcl_status inner_product_forward(lcl_layer *l, lcl_error *err)
{
    inner_product_state *s = l->state;
    const size_t b = (size_t)l->bottoms[0]->block;
    lcl_matrix w = {l->params[0]->data, s->transpose ? s->outputs : s->inputs, 0,
                    s->transpose};
    lcl_gemm_args g;

    if (is_plain(l)) {
        w.transposed = !s->transpose;
        g = (lcl_gemm_args){.m = s->blocks,
                            .n = s->outputs,
                            .k = s->inputs,
                            .batch = 1,
                            .a = {l->bottoms[0]->data, s->inputs, 0, false},
                            .b = w,
                            .c = {l->tops[0]->data, s->outputs, 0, false},
                            .column_bias = s->bias ? l->params[1]->data : NULL};
    } else {
        g = (lcl_gemm_args){.m = s->outputs,
                            .n = b,
                            .k = s->inputs,
                            .batch = s->blocks,
                            .a = w,
                            .b = {l->bottoms[0]->data, b, s->inputs * b, false},
                            .c = {l->tops[0]->data, b, s->outputs * b, false},
                            .row_bias = s->bias ? l->params[1]->data : NULL};
    }
    g.relu = s->relu;
    return lcl_gemm(l->env->blas, &g, err);
}

/* dx = W^T dy in the same forms. */
static lcl_status backward_data(lcl_layer *l, lcl_error *err)
{
    inner_product_state *s = l->state;
    const size_t b = (size_t)l->bottoms[0]->block;
    lcl_matrix w = {l->params[0]->data, s->transpose ? s->outputs : s->inputs, 0,
                    !s->transpose};
    lcl_gemm_args g;

    if (is_plain(l)) {
        w.transposed = s->transpose;
        g = (lcl_gemm_args){.m = s->blocks,
                            .n = s->inputs,
                            .k = s->outputs,
                            .batch = 1,
                            .a = {l->tops[0]->diff, s->outputs, 0, false},
                            .b = w,
                            .c = {l->bottoms[0]->diff, s->inputs, 0, false}};
    } else {
        g = (lcl_gemm_args){.m = s->inputs,
                            .n = b,
                            .k = s->outputs,
                            .batch = s->blocks,
                            .a = w,
                            .b = {l->tops[0]->diff, b, s->outputs * b, false},
                            .c = {l->bottoms[0]->diff, b, s->inputs * b, false}};
    }
    return lcl_gemm(l->env->blas, &g, err);
}

/* dW = dy x^T, or x dy^T for a transposed W, summed over the images. */
static lcl_status backward_weights(lcl_layer *l, lcl_error *err)
{
    inner_product_state *s = l->state;
    const size_t b = (size_t)l->bottoms[0]->block;
    const cl_mem x = l->bottoms[0]->data, dy = l->tops[0]->diff;
    const size_t left = s->transpose ? s->inputs : s->outputs;
    const size_t right = s->transpose ? s->outputs : s->inputs;
    lcl_gemm_args g = {.m = left,
                       .n = right,
                       .a.buffer = s->transpose ? x : dy,
                       .b.buffer = s->transpose ? dy : x,
                       .c = {l->params[0]->diff, right, 0, false},
                       .sum = true,
                       .beta = l->accumulate[0] ? 1.0f : 0.0f};

    if (is_plain(l)) {
        g.batch = 1;
        g.k = s->blocks;
        g.a.ld = left;
        g.a.transposed = true;
        g.b.ld = right;
    } else {
        g.batch = s->blocks;
        g.k = g.a.ld = g.b.ld = b;
        g.a.stride = left * b;
        g.b.stride = right * b;
        g.b.transposed = true;
    }
    return lcl_gemm(l->env->blas, &g, err);
}

/* db = dy summed over the images. */
static lcl_status backward_bias(lcl_layer *l, lcl_error *err)
{
    const inner_product_state *s = l->state;

    return lcl_bias_sum_run(l, s->sum_rows, l->tops[0]->diff, s->blocks, s->outputs,
                            (size_t)l->bottoms[0]->block, l->accumulate[1], err);
}

static lcl_status inner_product_backward(lcl_layer *l, lcl_error *err)
{
    inner_product_state *s = l->state;

    if (l->param_propagate[0])
        LCL_TRY(backward_weights(l, err));
    if (s->bias && l->param_propagate[1])
        LCL_TRY(backward_bias(l, err));
    return l->propagate[0] ? backward_data(l, err) : LCL_OK;
}

/* A ReLU in place; it keeps its backward pass. */
static lcl_status inner_product_fuse(lcl_layer *l, lcl_layer *const *next, size_t n,
                                     lcl_fused *taken, lcl_error *err)
{
    inner_product_state *s = l->state;

    s->relu =
        n == 1 && strcmp(next[0]->type->name, "ReLU") == 0 &&
        next[0]->tops[0] == next[0]->bottoms[0] &&
        !(next[0]->param->relu_param && next[0]->param->relu_param->negative_slope != 0);
    *taken = s->relu ? LCL_FUSED_FORWARD : LCL_FUSED_NOTHING;
    return get_product_kernels(l, err);
}

static double inner_product_flops(const lcl_layer *l)
{
    const inner_product_state *s = l->state;

    return 2.0 * (double)lcl_blob_count(l->tops[0]) * (double)s->inputs;
}

const lcl_layer_type lcl_layer_inner_product = {
    .name = "InnerProduct",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 1,
    .state_size = sizeof(inner_product_state),
    .setup = inner_product_setup,
    .reshape = inner_product_reshape,
    .forward = inner_product_forward,
    .backward = inner_product_backward,
    .fuse = inner_product_fuse,
    .flops = inner_product_flops,
};
