/* Direct convolution: picks tiles and ranges for the kernels of cl/convolution.cl. */
#include <string.h>

#include "layers/convolution.h"
#include "text.h"
#include "tile.h"

static lcl_status get_kernel(lcl_layer *l, lcl_kernel **out, const char *name,
                             const lcl_define *own, size_t n_own, lcl_error *err)
{
    lcl_define defines[LCL_CONVOLUTION_DEFINES + 8];
    size_t n = lcl_convolution_defines(l, defines);

    memcpy(defines + n, own, n_own * sizeof *own);
    return lcl_layer_kernel(l, out, "convolution", name, l->bottoms[0]->block, defines,
                            n + n_own, err);
}

static lcl_status get_forward(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_direct *d = &s->direct;
    const int outputs = s->outputs / s->group, *out = s->s.out;
    int rows, columns;

    const lcl_convolution_epilogue *e = &s->epilogue;

    lcl_blas_tile((size_t)outputs, (size_t)(out[2] / e->pool_w), e->pool_h * e->pool_w,
                  lcl_tile_get(l->dev, LCL_TILE_FORWARD), &rows, &columns);
    columns *= e->pool_w;
    const lcl_define own[] = {{"FORWARD", 1},
                              {"KT", rows},
                              {"PT", columns},
                              {"K_TILES", (long)lcl_tile_count(outputs, rows)}};
    d->forward_range.y = lcl_tile_count(outputs, rows) * (size_t)s->group;
    d->forward_range.z = (size_t)out[0] * (size_t)(out[1] / e->pool_h);
    return get_kernel(l, &d->forward, "convolution_forward", own, LCL_COUNT(own), err);
}

static lcl_status get_backward_data(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_direct *d = &s->direct;
    const int channels = s->channels / s->group, *in = s->s.in, stride = s->s.stride[2];
    const int width = (in[2] + stride - 1) / stride;
    int rows, columns;

    lcl_blas_tile((size_t)channels, (size_t)width, 1,
                  lcl_tile_get(l->dev, LCL_TILE_BACKWARD_DATA), &rows, &columns);
    const lcl_define own[] = {{"BACKWARD_DATA", 1},
                              {"CT", rows},
                              {"PT", columns},
                              {"C_TILES", (long)lcl_tile_count(channels, rows)},
                              {"X_TILES", (long)lcl_tile_count(width, columns)},
                              {"DATA_BIAS", s->transposed && s->bias}};
    d->data_range.y = lcl_tile_count(channels, rows) * (size_t)s->group;
    d->data_range.z = (size_t)in[0] * (size_t)in[1];
    return get_kernel(l, &d->backward_data, "convolution_backward_data", own,
                      LCL_COUNT(own), err);
}

/* Taps of a kernel row that a work-item takes: all of them, or a part of a very long one. */
static int taps_tile(int kernel)
{
    return kernel <= 11 ? kernel : (kernel + 1) / 2 <= 11 ? (kernel + 1) / 2 : 11;
}

/* Vectors of sums; one more than other kernels have, for all of a 5 x 5 kernel. */
static int weights_registers(const lcl_layer *l)
{
    return lcl_tile_get(l->dev, LCL_TILE_BACKWARD_WEIGHTS) + 1;
}

/* Where dy is spread from a pool on the fly, a work-item takes all rows of the kernel, so
 * that this is done once for all taps. */
static int rows_tile(const lcl_layer *l)
{
    const convolution_state *s = l->state;
    const int *kernel = s->s.kernel;

    return s->epilogue.places && kernel[1] * kernel[2] <= weights_registers(l) ? kernel[1]
                                                                               : 1;
}

static lcl_status get_backward_weights(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_direct *d = &s->direct;
    const int channels = s->channels / s->group, outputs = s->outputs / s->group;
    const int *kernel = s->s.kernel, tap_rows = rows_tile(l), taps = taps_tile(kernel[2]);
    int rows, columns;

    lcl_blas_tile((size_t)outputs, (size_t)channels, taps * tap_rows,
                  weights_registers(l), &rows, &columns);
    const lcl_define own[] = {{"BACKWARD_WEIGHTS", 1},
                              {"KT", rows},
                              {"CT", columns},
                              {"YT", tap_rows},
                              {"XT", taps},
                              {"K_TILES", (long)lcl_tile_count(outputs, rows)},
                              {"C_TILES", (long)lcl_tile_count(channels, columns)},
                              {"T_TILES", (long)lcl_tile_count(kernel[2], taps)}};
    d->weights_range.y = lcl_tile_count(outputs, rows) *
                         lcl_tile_count(channels, columns) *
                         lcl_tile_count(kernel[2], taps) * (size_t)s->group *
                         (size_t)kernel[0] * (size_t)(kernel[1] / tap_rows);
    LCL_TRY(get_kernel(l, &d->backward_weights, "convolution_backward_weights", own,
                       LCL_COUNT(own), err));
    return lcl_kernel_get(&d->reduce, l->dev, "reduce", "reduce_parts", NULL, 0, err);
}

static lcl_status get_unpool(lcl_layer *l, lcl_error *err)
{
    static const lcl_define own[] = {{"UNPOOL", 1}};
    convolution_state *s = l->state;

    return s->epilogue.places
               ? get_kernel(l, &s->direct.unpool, "convolution_unpool", own, 1, err)
               : LCL_OK;
}

/* Shares of the blocks, so that a small layer still gives every compute unit work. */
static size_t choose_shares(const lcl_layer *l, size_t blocks)
{
    const convolution_state *s = l->state;
    const lcl_convolution_direct *d = &s->direct;
    const size_t wanted = 8 * (size_t)lcl_device_get_info(l->dev)->compute_units;
    const size_t items = d->weights_range.y * d->weights_range.x;
    size_t shares = 1;

    while (items * shares < wanted && shares * 2 <= blocks)
        shares *= 2;
    return shares;
}

static lcl_status allocate_parts(lcl_layer *l, size_t n_parts, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_direct *d = &s->direct;

    if (n_parts == d->n_parts)
        return LCL_OK;
    lcl_buffer_release(&d->parts);
    lcl_buffer_release(&d->bias_parts);
    d->n_parts = n_parts;
    if (n_parts == 1)
        return LCL_OK;
    LCL_TRY(lcl_buffer_create(&d->parts, l->dev,
                              n_parts * lcl_blob_count(l->params[0]) * sizeof(float),
                              l->param->name, err));
    return lcl_buffer_create(&d->bias_parts, l->dev,
                             n_parts * (size_t)s->outputs * sizeof(float), l->param->name,
                             err);
}

lcl_status lcl_convolution_direct_reshape(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;

    LCL_TRY(get_forward(l, err));
    s->direct.forward_range.x = lcl_convolution_lanes(l);
    s->direct.forward_range.z *= s->n_blocks;
    return LCL_OK;
}

lcl_status lcl_convolution_direct_prepare_backward(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_direct *d = &s->direct;
    const size_t lanes = lcl_convolution_lanes(l);

    LCL_TRY(get_backward_data(l, err));
    LCL_TRY(get_backward_weights(l, err));
    LCL_TRY(get_unpool(l, err));
    d->data_range.x = d->weights_range.x = lanes;
    d->data_range.z *= s->n_blocks;
    d->weights_range.z = choose_shares(l, s->n_blocks);
    return allocate_parts(l, d->weights_range.z * lanes, err);
}

/* Kernels without a bias take anything for it. */
static cl_mem bias_of(const lcl_layer *l)
{
    const convolution_state *s = l->state;

    return s->bias ? l->params[1]->data : l->params[0]->data;
}

lcl_status lcl_convolution_direct_map(lcl_layer *l, cl_mem x, cl_mem y, lcl_error *err)
{
    convolution_state *s = l->state;
    const cl_mem bias = bias_of(l);
    const lcl_arg args[] = {LCL_ARG(x), LCL_ARG(l->params[0]->data), LCL_ARG(bias),
                            LCL_ARG(y), LCL_ARG(s->epilogue.buffer)};

    return lcl_kernel_run(l->dev, s->direct.forward, s->direct.forward_range,
                          (lcl_range){0}, args, LCL_COUNT(args), err);
}

lcl_status lcl_convolution_direct_forward(lcl_layer *l, int i, lcl_error *err)
{
    return lcl_convolution_direct_map(l, l->bottoms[i]->data,
                                      lcl_convolution_top(l, i)->data, err);
}

static lcl_status sum_parts(lcl_layer *l, cl_mem parts, lcl_blob *param,
                            cl_int accumulate, lcl_error *err)
{
    const lcl_convolution_direct *d = &((convolution_state *)l->state)->direct;
    const cl_int n_parts = (cl_int)d->n_parts, count = (cl_int)lcl_blob_count(param);
    const lcl_arg args[] = {LCL_ARG(parts), LCL_ARG(n_parts), LCL_ARG(count),
                            LCL_ARG(param->diff), LCL_ARG(accumulate)};

    return lcl_kernel_run(l->dev, d->reduce, (lcl_range){.x = (size_t)count},
                          (lcl_range){0}, args, LCL_COUNT(args), err);
}

/* Later pairs add to the first. The bias of a transposed one is not dy's. */
lcl_status lcl_convolution_direct_weights(lcl_layer *l, int i, cl_mem dy, cl_mem x,
                                          lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_direct *d = &s->direct;
    lcl_blob *w = l->params[0], *b = s->bias && !s->transposed ? l->params[1] : NULL;
    const cl_int with_bias = b && l->param_propagate[1];
    const cl_int blocks = (cl_int)s->n_blocks;
    const cl_int add = l->accumulate[0] || i > 0;
    const cl_int add_bias = l->accumulate[1] || i > 0;
    const bool whole = d->n_parts == 1;
    const cl_int add_now = whole && add, add_bias_now = whole && add_bias;
    const cl_mem dw = whole ? w->diff : d->parts;
    const cl_mem db = !whole ? d->bias_parts : with_bias ? b->diff : w->diff;
    const lcl_arg args[] = {LCL_ARG(dy),          LCL_ARG(s->epilogue.buffer),
                            LCL_ARG(x),           LCL_ARG(dw),
                            LCL_ARG(db),          LCL_ARG(blocks),
                            LCL_ARG(add_now),     LCL_ARG(with_bias),
                            LCL_ARG(add_bias_now)};

    LCL_TRY(lcl_kernel_run(l->dev, d->backward_weights, d->weights_range, (lcl_range){0},
                           args, LCL_COUNT(args), err));
    if (whole)
        return LCL_OK;
    LCL_TRY(sum_parts(l, d->parts, w, add, err));
    return with_bias ? sum_parts(l, d->bias_parts, b, add_bias, err) : LCL_OK;
}

/* dy before the pool, in scratch memory where there was one. */
static lcl_status unpooled_diff(lcl_layer *l, int i, cl_mem *dy, lcl_error *err)
{
    convolution_state *s = l->state;
    const cl_mem dq = lcl_convolution_top(l, i)->diff;

    *dy = dq;
    if (!s->epilogue.places)
        return LCL_OK;
    LCL_TRY(lcl_device_scratch(dy, l->dev, 0, lcl_blob_stored(l->tops[i]) * sizeof(float),
                               err));
    const lcl_arg args[] = {LCL_ARG(dq), LCL_ARG(s->epilogue.places), LCL_ARG(*dy)};
    const lcl_range range = {s->direct.data_range.x, (size_t)s->outputs,
                             s->n_blocks * (size_t)s->s.out[0]};
    return lcl_kernel_run(l->dev, s->direct.unpool, range, (lcl_range){0}, args,
                          LCL_COUNT(args), err);
}

lcl_status lcl_convolution_direct_adjoint(lcl_layer *l, cl_mem dy, cl_mem dx,
                                          lcl_error *err)
{
    convolution_state *s = l->state;
    const cl_mem bias = bias_of(l);
    const lcl_arg args[] = {LCL_ARG(dy), LCL_ARG(l->params[0]->data), LCL_ARG(bias),
                            LCL_ARG(dx)};

    return lcl_kernel_run(l->dev, s->direct.backward_data, s->direct.data_range,
                          (lcl_range){0}, args, LCL_COUNT(args), err);
}

lcl_status lcl_convolution_direct_backward(lcl_layer *l, int i, lcl_error *err)
{
    convolution_state *s = l->state;
    cl_mem dy;

    if (l->param_propagate[0] || (s->bias && l->param_propagate[1]))
        LCL_TRY(lcl_convolution_direct_weights(l, i, lcl_convolution_top(l, i)->diff,
                                               l->bottoms[i]->data, err));
    if (!l->propagate[i])
        return LCL_OK;
    LCL_TRY(unpooled_diff(l, i, &dy, err));
    return lcl_convolution_direct_adjoint(l, dy, l->bottoms[i]->diff, err);
}

void lcl_convolution_direct_release(lcl_layer *l)
{
    lcl_convolution_direct *d = &((convolution_state *)l->state)->direct;

    lcl_buffer_release(&d->parts);
    lcl_buffer_release(&d->bias_parts);
}
