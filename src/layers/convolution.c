/* Convolution: y = w * x + b over 1, 2 or 3 spatial axes, with groups, stride, padding
 * and dilation. Bottoms (N x ... x C x spatial) and tops (N x ... x K x spatial) pair up
 * and share the parameters w (K x C/group x kernel) and b (K). Kernels:
 * cl/convolution.cl. */
#include <limits.h>
#include <string.h>

#include "lcl/layer.h"
#include "text.h"

#define MAX_SPATIAL 3

/* Sizes along depth, height and width; axes that the blobs have not count as 1. */
typedef struct {
    int in[MAX_SPATIAL], out[MAX_SPATIAL];
    int kernel[MAX_SPATIAL], stride[MAX_SPATIAL], pad[MAX_SPATIAL], dilation[MAX_SPATIAL];
} spatial;

typedef struct {
    int axis, n_spatial, group, channels, outputs; /* channels, outputs: of all groups */
    bool bias;
    spatial s;
    cl_kernel forward, backward_data, backward_weights, reduce; /* of the device */
    lcl_range forward_range, data_range, weights_range;
    cl_mem parts, bias_parts; /* partial sums of the gradients, or NULL */
    size_t n_parts;
    bool backward_ready; /* kernels and buffers of backward fit the shapes */
} convolution_state;

/* One value for every spatial axis, or one each; `h` and `w` (2-d only) come first. */
static lcl_status axis_values(const lcl_layer *l, const char *field, size_t n_values,
                              const uint32_t *values, bool has_h, uint32_t h, bool has_w,
                              uint32_t w, uint32_t missing, int out[MAX_SPATIAL],
                              lcl_error *err)
{
    const convolution_state *s = l->state;
    const void *p = l->param->convolution_param;
    const int first = MAX_SPATIAL - s->n_spatial;

    for (int i = 0; i < MAX_SPATIAL; i++)
        out[i] = (int)missing;
    if (has_h || has_w) {
        if (s->n_spatial != 2 || n_values > 0)
            return lcl_layer_fail(l, p, field, err, LCL_EPROTO,
                                  n_values > 0
                                      ? "give %s or %s_h and %s_w, not both"
                                      : "%s_h and %s_w are for 2-d convolution only",
                                  field, field, field);
        if ((has_h && h > INT_MAX) || (has_w && w > INT_MAX))
            return lcl_layer_fail(l, p, field, err, LCL_EPROTO, "%s is too large", field);
        out[1] = has_h ? (int)h : 0;
        out[2] = has_w ? (int)w : 0;
        return LCL_OK;
    }
    if (n_values > 1 && n_values != (size_t)s->n_spatial)
        return lcl_layer_fail(l, p, field, err, LCL_EPROTO,
                              "%s is given %zu times for %d spatial axes", field,
                              n_values, s->n_spatial);
    for (int i = 0; i < s->n_spatial && n_values > 0; i++) {
        uint32_t value = values[n_values > 1 ? (size_t)i : 0];
        if (value > INT_MAX)
            return lcl_layer_fail(l, p, field, err, LCL_EPROTO, "%s is too large", field);
        out[first + i] = (int)value;
    }
    return LCL_OK;
}

static lcl_status check_positive(const lcl_layer *l, const char *field, const int *values,
                                 lcl_error *err)
{
    const convolution_state *s = l->state;

    for (int i = MAX_SPATIAL - s->n_spatial; i < MAX_SPATIAL; i++)
        if (values[i] < 1)
            return lcl_layer_fail(l, l->param->convolution_param, field, err, LCL_EPROTO,
                                  "%s must be at least 1 along every axis", field);
    return LCL_OK;
}

static lcl_status read_sizes(lcl_layer *l, const Caffe__ConvolutionParameter *p,
                             lcl_error *err)
{
    convolution_state *s = l->state;
    spatial *z = &s->s;

    LCL_TRY(axis_values(l, "kernel_size", p->n_kernel_size, p->kernel_size,
                        p->has_kernel_h, p->kernel_h, p->has_kernel_w, p->kernel_w, 0,
                        z->kernel, err));
    LCL_TRY(axis_values(l, "stride", p->n_stride, p->stride, p->has_stride_h, p->stride_h,
                        p->has_stride_w, p->stride_w, 1, z->stride, err));
    LCL_TRY(axis_values(l, "pad", p->n_pad, p->pad, p->has_pad_h, p->pad_h, p->has_pad_w,
                        p->pad_w, 0, z->pad, err));
    LCL_TRY(axis_values(l, "dilation", p->n_dilation, p->dilation, false, 0, false, 0, 1,
                        z->dilation, err));
    LCL_TRY(check_positive(l, "kernel_size", z->kernel, err));
    LCL_TRY(check_positive(l, "stride", z->stride, err));
    LCL_TRY(check_positive(l, "dilation", z->dilation, err));
    for (int i = 0; i < MAX_SPATIAL - s->n_spatial; i++)
        z->kernel[i] = 1;
    return LCL_OK;
}

static lcl_status convolution_setup(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    const Caffe__ConvolutionParameter *p = l->param->convolution_param;
    const lcl_blob *x = l->bottoms[0];
    int shape[2 + MAX_SPATIAL];

    if (!p)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_EPROTO,
                              "convolution_param is missing: num_output and kernel_size "
                              "are needed");
    LCL_TRY(lcl_layer_axis(l, x, p->axis, p, "axis", &s->axis, err));
    s->n_spatial = x->n_axes - s->axis - 1;
    if (s->n_spatial < 1 || s->n_spatial > MAX_SPATIAL)
        return lcl_layer_fail(l, p, "axis", err, LCL_ESHAPE,
                              "%d spatial axes after axis %d; 1 to %d can be convolved",
                              s->n_spatial, s->axis, MAX_SPATIAL);
    LCL_TRY(read_sizes(l, p, err));
    s->channels = x->shape[s->axis];
    s->bias = p->bias_term;
    if (p->num_output < 1 || p->num_output > INT_MAX)
        return lcl_layer_fail(l, p, "num_output", err, LCL_EPROTO,
                              "num_output must be at least 1");
    if (p->group < 1 || s->channels % (int)p->group != 0 || p->num_output % p->group != 0)
        return lcl_layer_fail(l, p, "group", err, LCL_ESHAPE,
                              "group %u must divide the %d channels and the %u outputs",
                              p->group, s->channels, p->num_output);
    s->group = (int)p->group;
    s->outputs = (int)p->num_output;
    l->plain = s->axis == 0;
    shape[0] = s->outputs;
    shape[1] = s->channels / s->group;
    memcpy(shape + 2, s->s.kernel + MAX_SPATIAL - s->n_spatial,
           (size_t)s->n_spatial * sizeof *shape);
    LCL_TRY(lcl_layer_add_param(l, 2 + s->n_spatial, shape, p->weight_filler, err));
    if (s->bias)
        LCL_TRY(lcl_layer_add_param(l, 1, shape, p->bias_filler, err));
    return LCL_OK;
}

static lcl_status output_sizes(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    const lcl_blob *x = l->bottoms[0];
    spatial *z = &s->s;

    for (int i = 0; i < MAX_SPATIAL; i++) {
        const int axis = x->n_axes - MAX_SPATIAL + i;
        const long extent = (long)z->dilation[i] * (z->kernel[i] - 1) + 1;
        z->in[i] = i < MAX_SPATIAL - s->n_spatial ? 1 : x->shape[axis];
        const long room = (long)z->in[i] + 2L * z->pad[i] - extent;
        if (room < 0)
            return lcl_layer_fail(
                l, l->param->convolution_param, "kernel_size", err, LCL_ESHAPE,
                "a kernel of %ld (kernel_size %d, dilation %d) does not fit "
                "into %d with padding %d",
                extent, z->kernel[i], z->dilation[i], z->in[i], z->pad[i]);
        z->out[i] = (int)(room / z->stride[i]) + 1;
    }
    return LCL_OK;
}

/* The constants of cl/convolution.cl, then `n_own` of one kernel. */
#define MAX_DEFINES 32
static lcl_status get_kernel(lcl_layer *l, cl_kernel *out, const char *name,
                             const lcl_define *own, size_t n_own, lcl_error *err)
{
    const convolution_state *s = l->state;
    const spatial *z = &s->s;
    static const char *const axes[][6] = {{"D", "OD", "KD", "SD", "PD", "DD"},
                                          {"H", "OH", "KH", "SH", "PH", "DH"},
                                          {"W", "OW", "KW", "SW", "PW", "DW"}};
    lcl_define defines[MAX_DEFINES] = {
        {"G", s->group}, {"C", s->channels / s->group}, {"K", s->outputs / s->group}};
    size_t n = 3;

    for (int i = 0; i < MAX_SPATIAL; i++) {
        const int values[] = {z->in[i],     z->out[i], z->kernel[i],
                              z->stride[i], z->pad[i], z->dilation[i]};
        for (size_t j = 0; j < LCL_COUNT(values); j++)
            defines[n++] = (lcl_define){axes[i][j], values[j]};
    }
    memcpy(defines + n, own, n_own * sizeof *own);
    return lcl_layer_kernel(l, out, "convolution", name, l->bottoms[0]->block, defines,
                            n + n_own, err);
}

static size_t tiles(int n, int tile)
{
    return (size_t)((n + tile - 1) / tile);
}

/* Blocks of images (each with all axes before `axis` but the first). */
static size_t n_blocks(const lcl_layer *l, const lcl_blob *b)
{
    const convolution_state *s = l->state;

    if (s->axis == 0)
        return 1;
    return lcl_blob_n_blocks(b) * lcl_blob_count_range(b, 1, s->axis);
}

static lcl_status get_forward(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    const int outputs = s->outputs / s->group, *out = s->s.out;
    int rows, columns;

    lcl_blas_tile((size_t)outputs, (size_t)out[2], 1, 24, &rows, &columns);
    const lcl_define own[] = {{"FORWARD", 1},
                              {"KT", rows},
                              {"PT", columns},
                              {"K_TILES", (long)tiles(outputs, rows)},
                              {"BIAS", s->bias}};
    s->forward_range.y = tiles(outputs, rows) * (size_t)s->group;
    s->forward_range.z = (size_t)out[0] * (size_t)out[1];
    return get_kernel(l, &s->forward, "convolution_forward", own, LCL_COUNT(own), err);
}

static lcl_status get_backward_data(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    const int channels = s->channels / s->group, *in = s->s.in, stride = s->s.stride[2];
    const int width = (in[2] + stride - 1) / stride;
    int rows, columns;

    lcl_blas_tile((size_t)channels, (size_t)width, 1, 24, &rows, &columns);
    const lcl_define own[] = {{"BACKWARD_DATA", 1},
                              {"CT", rows},
                              {"PT", columns},
                              {"C_TILES", (long)tiles(channels, rows)},
                              {"X_TILES", (long)tiles(width, columns)}};
    s->data_range.y = tiles(channels, rows) * (size_t)s->group;
    s->data_range.z = (size_t)in[0] * (size_t)in[1];
    return get_kernel(l, &s->backward_data, "convolution_backward_data", own,
                      LCL_COUNT(own), err);
}

/* Taps of a kernel row that a work-item takes: all of a short row, part of a long one. */
static int taps_tile(int kernel)
{
    return kernel <= 7 ? kernel : (kernel + 1) / 2 <= 7 ? (kernel + 1) / 2 : 7;
}

static lcl_status get_backward_weights(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    const int channels = s->channels / s->group, outputs = s->outputs / s->group;
    const int *kernel = s->s.kernel, taps = taps_tile(kernel[2]);
    int rows, columns;

    lcl_blas_tile((size_t)outputs, (size_t)channels, taps, 25, &rows, &columns);
    const lcl_define own[] = {{"BACKWARD_WEIGHTS", 1},
                              {"KT", rows},
                              {"CT", columns},
                              {"XT", taps},
                              {"K_TILES", (long)tiles(outputs, rows)},
                              {"C_TILES", (long)tiles(channels, columns)},
                              {"T_TILES", (long)tiles(kernel[2], taps)}};
    s->weights_range.y = tiles(outputs, rows) * tiles(channels, columns) *
                         tiles(kernel[2], taps) * (size_t)s->group * (size_t)kernel[0] *
                         (size_t)kernel[1];
    LCL_TRY(get_kernel(l, &s->backward_weights, "convolution_backward_weights", own,
                       LCL_COUNT(own), err));
    return lcl_kernel_get(&s->reduce, l->dev, "reduce", "reduce_parts", NULL, 0, err);
}

/* Shares of the blocks, so that a small layer still gives every compute unit work. */
static size_t choose_shares(const lcl_layer *l, size_t blocks)
{
    const convolution_state *s = l->state;
    const size_t wanted = 8 * (size_t)lcl_device_get_info(l->dev)->compute_units;
    const size_t items = s->weights_range.y * s->weights_range.x;
    size_t shares = 1;

    while (items * shares < wanted && shares * 2 <= blocks)
        shares *= 2;
    return shares;
}

static lcl_status allocate_parts(lcl_layer *l, size_t n_parts, lcl_error *err)
{
    convolution_state *s = l->state;

    if (n_parts == s->n_parts)
        return LCL_OK;
    lcl_buffer_release(&s->parts);
    lcl_buffer_release(&s->bias_parts);
    s->n_parts = n_parts;
    if (n_parts == 1)
        return LCL_OK;
    LCL_TRY(lcl_buffer_create(&s->parts, l->dev,
                              n_parts * lcl_blob_count(l->params[0]) * sizeof(float),
                              l->param->name, err));
    return lcl_buffer_create(&s->bias_parts, l->dev,
                             n_parts * (size_t)s->outputs * sizeof(float), l->param->name,
                             err);
}

static lcl_status prepare_backward(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    const size_t blocks = n_blocks(l, l->bottoms[0]), lanes = s->forward_range.x;

    if (s->backward_ready)
        return LCL_OK;
    s->data_range.x = s->weights_range.x = lanes;
    LCL_TRY(get_backward_data(l, err));
    LCL_TRY(get_backward_weights(l, err));
    s->data_range.z *= blocks;
    s->weights_range.z = choose_shares(l, blocks);
    LCL_TRY(allocate_parts(l, s->weights_range.z * lanes, err));
    s->backward_ready = true;
    return LCL_OK;
}

static lcl_status convolution_reshape(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    const lcl_blob *x = l->bottoms[0];
    const size_t blocks = n_blocks(l, x);
    int shape[LCL_MAX_AXES];

    if (x->n_axes != s->axis + 1 + s->n_spatial || x->shape[s->axis] != s->channels)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_ESHAPE,
                              "the bottom must keep %d channels and %d axes", s->channels,
                              s->axis + 1 + s->n_spatial);
    for (int i = 1; i < l->n_bottoms; i++)
        if (!lcl_blob_same_shape(l->bottoms[i], x))
            return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                                  "all bottoms must have the same shape");
    LCL_TRY(output_sizes(l, err));
    memcpy(shape, x->shape, sizeof shape);
    shape[s->axis] = s->outputs;
    memcpy(shape + s->axis + 1, s->s.out + MAX_SPATIAL - s->n_spatial,
           (size_t)s->n_spatial * sizeof *shape);
    for (int i = 0; i < l->n_tops; i++)
        LCL_TRY(lcl_blob_reshape(l->tops[i], x->n_axes, shape, x->block, err));
    LCL_TRY(get_forward(l, err));
    s->forward_range.x = (size_t)(x->block / lcl_layer_vector(l, x->block));
    s->forward_range.z *= blocks;
    s->backward_ready = false;
    return l->phase == CAFFE__PHASE__TRAIN ? prepare_backward(l, err) : LCL_OK;
}

static lcl_status convolution_forward(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    const cl_mem bias = s->bias ? l->params[1]->data : l->params[0]->data;

    for (int i = 0; i < l->n_bottoms; i++) {
        const lcl_arg args[] = {LCL_ARG(l->bottoms[i]->data), LCL_ARG(l->params[0]->data),
                                LCL_ARG(bias), LCL_ARG(l->tops[i]->data)};
        LCL_TRY(lcl_kernel_run(l->dev, s->forward, s->forward_range, (lcl_range){0}, args,
                               LCL_COUNT(args), err));
    }
    return LCL_OK;
}

static lcl_status sum_parts(lcl_layer *l, cl_mem parts, lcl_blob *param,
                            cl_int accumulate, lcl_error *err)
{
    convolution_state *s = l->state;
    const cl_int n_parts = (cl_int)s->n_parts, count = (cl_int)lcl_blob_count(param);
    const lcl_arg args[] = {LCL_ARG(parts), LCL_ARG(n_parts), LCL_ARG(count),
                            LCL_ARG(param->diff), LCL_ARG(accumulate)};

    return lcl_kernel_run(l->dev, s->reduce, (lcl_range){.x = (size_t)count},
                          (lcl_range){0}, args, LCL_COUNT(args), err);
}

/* The gradients of both parameters from bottom and top i; later pairs add to the first.
 */
static lcl_status backward_weights(lcl_layer *l, int i, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_blob *w = l->params[0], *b = s->bias ? l->params[1] : NULL;
    const cl_int with_bias = b && l->param_propagate[1];
    const cl_int blocks = (cl_int)n_blocks(l, l->bottoms[i]);
    const cl_int add = l->accumulate[0] || i > 0;
    const cl_int add_bias = l->accumulate[1] || i > 0;
    const bool whole = s->n_parts == 1;
    const cl_int add_now = whole && add, add_bias_now = whole && add_bias;
    const cl_mem dw = whole ? w->diff : s->parts;
    const cl_mem db = !whole ? s->bias_parts : with_bias ? b->diff : w->diff;
    const lcl_arg args[] = {LCL_ARG(l->tops[i]->diff),
                            LCL_ARG(l->bottoms[i]->data),
                            LCL_ARG(dw),
                            LCL_ARG(db),
                            LCL_ARG(blocks),
                            LCL_ARG(add_now),
                            LCL_ARG(with_bias),
                            LCL_ARG(add_bias_now)};

    LCL_TRY(lcl_kernel_run(l->dev, s->backward_weights, s->weights_range, (lcl_range){0},
                           args, LCL_COUNT(args), err));
    if (whole)
        return LCL_OK;
    LCL_TRY(sum_parts(l, s->parts, w, add, err));
    return with_bias ? sum_parts(l, s->bias_parts, b, add_bias, err) : LCL_OK;
}

static lcl_status convolution_backward(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;

    LCL_TRY(prepare_backward(l, err));
    for (int i = 0; i < l->n_bottoms; i++) {
        if (l->param_propagate[0] || (s->bias && l->param_propagate[1]))
            LCL_TRY(backward_weights(l, i, err));
        if (!l->propagate[i])
            continue;
        const lcl_arg args[] = {LCL_ARG(l->tops[i]->diff), LCL_ARG(l->params[0]->data),
                                LCL_ARG(l->bottoms[i]->diff)};
        LCL_TRY(lcl_kernel_run(l->dev, s->backward_data, s->data_range, (lcl_range){0},
                               args, LCL_COUNT(args), err));
    }
    return LCL_OK;
}

static void convolution_destroy(lcl_layer *l)
{
    convolution_state *s = l->state;

    lcl_buffer_release(&s->parts);
    lcl_buffer_release(&s->bias_parts);
}

const lcl_layer_type lcl_layer_convolution = {
    .name = "Convolution",
    .min_bottoms = 1,
    .max_bottoms = LCL_MANY,
    .min_tops = 1,
    .max_tops = LCL_MANY,
    .equal_ends = true,
    .state_size = sizeof(convolution_state),
    .setup = convolution_setup,
    .reshape = convolution_reshape,
    .forward = convolution_forward,
    .backward = convolution_backward,
    .destroy = convolution_destroy,
};
