/* Direct convolution: picks tiles and ranges for the kernels of cl/convolution.cl. */
#include <string.h>

#include "layers/convolution.h"
#include "text.h"
#include "tile.h"

#define MAX_OWN 13 /* defines of one kernel beside those of all */

lcl_status lcl_convolution_direct_kernel(lcl_layer *l, lcl_kernel **out, const char *name,
                                         const lcl_spatial *z, const lcl_define *own,
                                         size_t n_own, lcl_error *err)
{
    lcl_define defines[LCL_CONVOLUTION_DEFINES + MAX_OWN];
    size_t n = lcl_convolution_defines(l, z, defines);

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
    return lcl_convolution_direct_kernel(l, &d->forward, "convolution_forward", &s->s,
                                         own, LCL_COUNT(own), err);
}

/* Rows of the kernel that the same input row sees are so far apart. */
static int row_step(const lcl_spatial *z)
{
    int step = 1;

    while (step * z->dilation[1] % z->stride[1] != 0)
        step++;
    return step;
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
                              {"R_STEP", row_step(&s->s)},
                              {"DATA_BIAS", s->transposed && s->bias}};
    d->data_range.y = lcl_tile_count(channels, rows) * (size_t)s->group;
    d->data_range.z = (size_t)in[0] * (size_t)in[1];
    return lcl_convolution_direct_kernel(l, &d->backward_data,
                                         "convolution_backward_data", &s->s, own,
                                         LCL_COUNT(own), err);
}

static lcl_status get_unpool(lcl_layer *l, lcl_error *err)
{
    static const lcl_define own[] = {{"UNPOOL", 1}};
    convolution_state *s = l->state;

    return s->epilogue.places
               ? lcl_convolution_direct_kernel(l, &s->direct.unpool, "convolution_unpool",
                                               &s->s, own, 1, err)
               : LCL_OK;
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

    LCL_TRY(get_backward_data(l, err));
    LCL_TRY(get_unpool(l, err));
    d->data_range.x = lcl_convolution_lanes(l);
    d->data_range.z *= s->n_blocks;
    return lcl_convolution_direct_prepare_weights(l, err);
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
