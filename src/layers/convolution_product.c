/* Convolution as a matrix product: y = W columns(x), dW = dy columns(x)^T, and dx is the sum of
 * what W^T dy says of each column. */
#include "bias_sum.h"
#include "layers/convolution.h"
#include "text.h"

#define MIN_CHANNELS 8 /* fewer make products of poor shapes */
#define LONG_SUM 256   /* vectors that a weight's gradient is the sum of */

enum { SCRATCH_COLUMNS };

static size_t product(const int sizes[MAX_SPATIAL])
{
    return (size_t)sizes[0] * (size_t)sizes[1] * (size_t)sizes[2];
}

bool lcl_convolution_is_narrow(const lcl_layer *l)
{
    const convolution_state *s = l->state;

    return lcl_device_is_cpu(l->dev) && s->group == 1 && !l->env->direct &&
           l->bottoms[0]->block == 1;
}

static bool needs_columns(const convolution_state *s)
{
    return !lcl_convolution_is_pointwise(&s->s);
}

bool lcl_convolution_product_suits(const lcl_layer *l)
{
    const convolution_state *s = l->state;
    const bool pools = s->epilogue.pool_h * s->epilogue.pool_w > 1;
    const bool suits = product(s->s.kernel) == 1 && s->group == 1 && !l->env->direct &&
                       (!needs_columns(s) || !lcl_device_is_cpu(l->dev)) &&
                       s->channels >= MIN_CHANNELS && s->outputs >= MIN_CHANNELS;

    return !pools && (suits || lcl_convolution_is_narrow(l));
}

/* Values that an output sees, and floats of one of them in a block: rows and columns of the
 * columns' matrix. */
static size_t n_rows(const convolution_state *s)
{
    return (size_t)s->channels * product(s->s.kernel);
}

static size_t n_columns(const lcl_layer *l)
{
    const convolution_state *s = l->state;

    return product(s->s.out) * (size_t)l->bottoms[0]->block;
}

static lcl_matrix columns_matrix(const lcl_layer *l, cl_mem columns)
{
    return (lcl_matrix){columns, n_columns(l), n_rows(l->state) * n_columns(l), false};
}

static lcl_matrix top_matrix(const lcl_layer *l, cl_mem top)
{
    const convolution_state *s = l->state;

    return (lcl_matrix){top, n_columns(l), (size_t)s->outputs * n_columns(l), false};
}

/* Asks for the kernels of the products that `pass` enqueues, which are then built with all
 * others. */
static lcl_status run_dry(lcl_layer *l, lcl_status (*pass)(lcl_layer *, int, lcl_error *),
                          lcl_error *err)
{
    lcl_device_dry(l->dev, true);
    lcl_status status = pass(l, 0, err);
    lcl_device_dry(l->dev, false);
    return status;
}

static lcl_status get_kernel(lcl_layer *l, lcl_kernel **out, const char *name,
                             lcl_error *err)
{
    const convolution_state *s = l->state;
    lcl_define defines[LCL_CONVOLUTION_DEFINES];
    const size_t n = lcl_convolution_defines(l, &s->s, defines);

    return lcl_layer_kernel(l, out, "im2col", name, l->bottoms[0]->block, defines, n,
                            err);
}

lcl_status lcl_convolution_product_reshape(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_product *p = &s->product;

    p->columns_range = (lcl_range){lcl_convolution_lanes(l), n_rows(s), s->n_blocks};
    if (needs_columns(s))
        LCL_TRY(get_kernel(l, &p->columns, "im2col_forward", err));
    return run_dry(l, lcl_convolution_product_forward, err);
}

/* On a CPU, where images lie side by side and a weight's gradient is a sum of many of them. */
static bool takes_direct_weights(const lcl_layer *l)
{
    const convolution_state *s = l->state;

    return lcl_device_is_cpu(l->dev) && l->bottoms[0]->block > 1 &&
           product(s->s.out) * s->n_blocks >= LONG_SUM;
}

lcl_status lcl_convolution_product_prepare_backward(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_product *p = &s->product;
    const size_t rows = (size_t)s->s.in[0] * (size_t)s->s.in[1];

    p->images_range =
        (lcl_range){lcl_convolution_lanes(l), (size_t)s->channels * rows, s->n_blocks};
    if (needs_columns(s))
        LCL_TRY(get_kernel(l, &p->images, "im2col_backward", err));
    LCL_TRY(takes_direct_weights(l) ? lcl_convolution_direct_prepare_weights(l, err)
                                    : lcl_bias_sum_get(&p->sum_rows, l->dev, err));
    return run_dry(l, lcl_convolution_product_backward, err);
}

static lcl_status run_im2col(lcl_layer *l, lcl_kernel *kernel, lcl_range range,
                             cl_mem from, cl_mem to, lcl_error *err)
{
    const lcl_arg args[] = {LCL_ARG(from), LCL_ARG(to)};

    return lcl_kernel_run(l->dev, kernel, range, (lcl_range){0}, args, LCL_COUNT(args),
                          err);
}

/* Room for the columns of all blocks; `direct` where none is needed. */
static lcl_status columns_buffer(lcl_layer *l, cl_mem direct, cl_mem *out, lcl_error *err)
{
    const convolution_state *s = l->state;

    *out = direct;
    if (!needs_columns(s))
        return LCL_OK;
    return lcl_device_scratch(out, l->dev, SCRATCH_COLUMNS,
                              s->n_blocks * n_rows(s) * n_columns(l) * sizeof(float),
                              err);
}

/* The columns of bottom i. */
static lcl_status make_columns(lcl_layer *l, int i, cl_mem *out, lcl_error *err)
{
    const convolution_state *s = l->state;
    const cl_mem x = l->bottoms[i]->data;

    LCL_TRY(columns_buffer(l, x, out, err));
    return needs_columns(s)
               ? run_im2col(l, s->product.columns, s->product.columns_range, x, *out, err)
               : LCL_OK;
}

lcl_status lcl_convolution_product_forward(lcl_layer *l, int i, lcl_error *err)
{
    const convolution_state *s = l->state;
    cl_mem columns;

    LCL_TRY(make_columns(l, i, &columns, err));
    const lcl_gemm_args g = {.m = (size_t)s->outputs,
                             .n = n_columns(l),
                             .k = n_rows(s),
                             .batch = s->n_blocks,
                             .a = {l->params[0]->data, n_rows(s), 0, false},
                             .b = columns_matrix(l, columns),
                             .c = top_matrix(l, lcl_convolution_top(l, i)->data),
                             .row_bias = s->bias ? l->params[1]->data : NULL,
                             .relu = s->epilogue.relu};
    return lcl_gemm(l->env->blas, &g, err);
}

/* Later pairs add to the first. */
static lcl_status backward_weights(lcl_layer *l, int i, lcl_error *err)
{
    const convolution_state *s = l->state;
    cl_mem columns;

    LCL_TRY(make_columns(l, i, &columns, err));
    lcl_gemm_args g = {.m = (size_t)s->outputs,
                       .n = n_rows(s),
                       .k = n_columns(l),
                       .batch = s->n_blocks,
                       .a = top_matrix(l, lcl_convolution_top(l, i)->diff),
                       .b = columns_matrix(l, columns),
                       .c = {l->params[0]->diff, n_rows(s), 0, false},
                       .sum = true,
                       .beta = l->accumulate[0] || i > 0 ? 1.0f : 0.0f};
    g.b.transposed = true;
    return lcl_gemm(l->env->blas, &g, err);
}

static lcl_status backward_data(lcl_layer *l, int i, lcl_error *err)
{
    const convolution_state *s = l->state;
    const cl_mem dx = l->bottoms[i]->diff;
    cl_mem columns;

    LCL_TRY(columns_buffer(l, dx, &columns, err));
    const lcl_gemm_args g = {.m = n_rows(s),
                             .n = n_columns(l),
                             .k = (size_t)s->outputs,
                             .batch = s->n_blocks,
                             .a = {l->params[0]->data, n_rows(s), 0, true},
                             .b = top_matrix(l, lcl_convolution_top(l, i)->diff),
                             .c = columns_matrix(l, columns)};
    LCL_TRY(lcl_gemm(l->env->blas, &g, err));
    return needs_columns(s) ? run_im2col(l, s->product.images, s->product.images_range,
                                         columns, dx, err)
                            : LCL_OK;
}

static lcl_status backward_params(lcl_layer *l, int i, lcl_error *err)
{
    const convolution_state *s = l->state;
    const lcl_blob *top = lcl_convolution_top(l, i);
    const bool weights = l->param_propagate[0], bias = s->bias && l->param_propagate[1];

    if (!weights && !bias)
        return LCL_OK;
    if (takes_direct_weights(l))
        return lcl_convolution_direct_weights(l, i, top->diff, l->bottoms[i]->data, err);
    if (weights)
        LCL_TRY(backward_weights(l, i, err));
    return bias ? lcl_convolution_sum_diff(l, i, s->product.sum_rows, top, err) : LCL_OK;
}

lcl_status lcl_convolution_product_backward(lcl_layer *l, int i, lcl_error *err)
{
    LCL_TRY(backward_params(l, i, err));
    return l->propagate[i] ? backward_data(l, i, err) : LCL_OK;
}
