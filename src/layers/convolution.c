/* Convolution: y = w * x + b over 1, 2 or 3 spatial axes, with groups, stride, padding
 * and dilation. Bottoms (N x ... x C x spatial) and tops (N x ... x K x spatial) pair up
 * and share the parameters w (K x C/group x kernel) and b (K). Kernels:
 * cl/convolution.cl. */
#include <limits.h>
#include <string.h>

#include "bias_sum.h"
#include "layers/convolution.h"
#include "text.h"

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

lcl_status lcl_convolution_read_sizes(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    const Caffe__ConvolutionParameter *p = l->param->convolution_param;
    const lcl_blob *x = l->bottoms[0];
    lcl_spatial *z = &s->s;

    if (!p)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_EPROTO,
                              "convolution_param is missing: kernel_size is needed");
    LCL_TRY(lcl_layer_axis(l, x, p->axis, p, "axis", &s->axis, err));
    l->plain = s->axis == 0;
    s->n_spatial = x->n_axes - s->axis - 1;
    if (s->n_spatial < 1 || s->n_spatial > MAX_SPATIAL)
        return lcl_layer_fail(l, p, "axis", err, LCL_ESHAPE,
                              "%d spatial axes after axis %d; 1 to %d can be convolved",
                              s->n_spatial, s->axis, MAX_SPATIAL);
    s->epilogue = (lcl_convolution_epilogue){.pool_h = 1, .pool_w = 1};
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

lcl_status lcl_convolution_setup(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    const Caffe__ConvolutionParameter *p = l->param->convolution_param;
    const lcl_blob *x = l->bottoms[0];
    int shape[2 + MAX_SPATIAL];

    LCL_TRY(lcl_convolution_read_sizes(l, err));
    s->bias = p->bias_term;
    if (p->num_output < 1 || p->num_output > INT_MAX)
        return lcl_layer_fail(l, p, "num_output", err, LCL_EPROTO,
                              "num_output must be at least 1");
    const int channels = x->shape[s->axis], outputs = (int)p->num_output;
    if (p->group < 1 || channels % (int)p->group != 0 || p->num_output % p->group != 0)
        return lcl_layer_fail(l, p, "group", err, LCL_ESHAPE,
                              "group %u must divide the %d channels and the %u outputs",
                              p->group, channels, p->num_output);
    s->group = (int)p->group;
    s->channels = s->transposed ? outputs : channels;
    s->outputs = s->transposed ? channels : outputs;
    shape[0] = s->outputs;
    shape[1] = s->channels / s->group;
    memcpy(shape + 2, s->s.kernel + MAX_SPATIAL - s->n_spatial,
           (size_t)s->n_spatial * sizeof *shape);
    LCL_TRY(lcl_layer_add_param(l, 2 + s->n_spatial, shape, p->weight_filler, err));
    if (s->bias)
        LCL_TRY(lcl_layer_add_param(l, 1, &outputs, p->bias_filler, err));
    return LCL_OK;
}

lcl_status lcl_convolution_top_sizes(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    const lcl_blob *x = l->bottoms[0];
    lcl_spatial *z = &s->s;
    int *from = s->transposed ? z->out : z->in, *to = s->transposed ? z->in : z->out;

    for (int i = 0; i < MAX_SPATIAL; i++) {
        const int axis = x->n_axes - MAX_SPATIAL + i;
        const long extent = (long)z->dilation[i] * (z->kernel[i] - 1) + 1;
        from[i] = i < MAX_SPATIAL - s->n_spatial ? 1 : x->shape[axis];
        const long room = (long)from[i] + 2L * z->pad[i] - extent;
        const long size = s->transposed
                              ? z->stride[i] * (from[i] - 1L) + extent - 2L * z->pad[i]
                          : room < 0 ? 0
                                     : room / z->stride[i] + 1;
        if (size < 1 || size > INT_MAX)
            return lcl_layer_fail(
                l, l->param->convolution_param, "kernel_size", err, LCL_ESHAPE,
                "a kernel of %ld (kernel_size %d, dilation %d) does not fit "
                "into %d with padding %d",
                extent, z->kernel[i], z->dilation[i], from[i], z->pad[i]);
        to[i] = (int)size;
    }
    s->n_blocks =
        s->axis == 0 ? 1 : lcl_blob_n_blocks(x) * lcl_blob_count_range(x, 1, s->axis);
    return LCL_OK;
}

bool lcl_convolution_is_pointwise(const lcl_spatial *z)
{
    for (int i = 0; i < MAX_SPATIAL; i++)
        if (z->kernel[i] != 1 || z->stride[i] != 1 || z->pad[i] != 0)
            return false;
    return true;
}

size_t lcl_convolution_defines(const lcl_layer *l, const lcl_spatial *z,
                               lcl_define *defines)
{
    const convolution_state *s = l->state;
    static const char *const axes[][6] = {{"D", "OD", "KD", "SD", "PD", "DD"},
                                          {"H", "OH", "KH", "SH", "PH", "DH"},
                                          {"W", "OW", "KW", "SW", "PW", "DW"}};
    size_t n = 0;

    defines[n++] = (lcl_define){"G", s->group};
    defines[n++] = (lcl_define){"C", s->channels / s->group};
    defines[n++] = (lcl_define){"K", s->outputs / s->group};
    defines[n++] = (lcl_define){"BIAS", s->bias && !s->transposed};
    defines[n++] = (lcl_define){"QH", s->epilogue.pool_h};
    defines[n++] = (lcl_define){"QW", s->epilogue.pool_w};
    defines[n++] = (lcl_define){"RELU", s->epilogue.relu};
    for (int i = 0; i < MAX_SPATIAL; i++) {
        const int values[] = {z->in[i],     z->out[i], z->kernel[i],
                              z->stride[i], z->pad[i], z->dilation[i]};
        for (size_t j = 0; j < LCL_COUNT(values); j++)
            defines[n++] = (lcl_define){axes[i][j], values[j]};
    }
    return n;
}

lcl_blob *lcl_convolution_top(const lcl_layer *l, int i)
{
    const convolution_state *s = l->state;

    return s->epilogue.top ? s->epilogue.top : l->tops[i];
}

size_t lcl_convolution_lanes(const lcl_layer *l)
{
    const int block = l->bottoms[0]->block;

    return (size_t)(block / lcl_layer_vector(l, block));
}

/* Later tops add to the first. */
lcl_status lcl_convolution_sum_diff(lcl_layer *l, int i, lcl_kernel *sum_rows,
                                    const lcl_blob *y, lcl_error *err)
{
    const convolution_state *s = l->state;
    const size_t places = lcl_blob_count_range(y, s->axis + 1, y->n_axes);

    return lcl_bias_sum_run(l, sum_rows, y->diff, s->n_blocks, (size_t)y->shape[s->axis],
                            places * (size_t)y->block, l->accumulate[1] || i > 0, err);
}

/* ---- Ways to compute --------------------------------------------------------------- */

static const struct {
    lcl_status (*reshape)(lcl_layer *l, lcl_error *err);
    lcl_status (*prepare_backward)(lcl_layer *l, lcl_error *err);
    lcl_status (*forward)(lcl_layer *l, int i, lcl_error *err);
    lcl_status (*backward)(lcl_layer *l, int i, lcl_error *err);
} ways[LCL_N_CONVOLUTION_WAYS] = {
    [LCL_CONVOLUTION_DIRECT] = {lcl_convolution_direct_reshape,
                                lcl_convolution_direct_prepare_backward,
                                lcl_convolution_direct_forward,
                                lcl_convolution_direct_backward},
    [LCL_CONVOLUTION_WINOGRAD] = {lcl_convolution_winograd_reshape,
                                  lcl_convolution_winograd_prepare_backward,
                                  lcl_convolution_winograd_forward,
                                  lcl_convolution_winograd_backward},
    [LCL_CONVOLUTION_PRODUCT] = {lcl_convolution_product_reshape,
                                 lcl_convolution_product_prepare_backward,
                                 lcl_convolution_product_forward,
                                 lcl_convolution_product_backward},
    [LCL_CONVOLUTION_ROWS] = {lcl_convolution_rows_reshape,
                              lcl_convolution_direct_prepare_backward,
                              lcl_convolution_direct_forward,
                              lcl_convolution_direct_backward},
};

static lcl_status prepare_backward(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;

    if (s->backward_ready)
        return LCL_OK;
    LCL_TRY(ways[s->way].prepare_backward(l, err));
    s->backward_ready = true;
    return LCL_OK;
}

/* Kernels and buffers for the sizes and the epilogue. */
static lcl_status prepare(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_epilogue *e = &s->epilogue;

    lcl_buffer_release(&e->places);
    if (e->pool_h * e->pool_w > 1)
        LCL_TRY(lcl_buffer_create(&e->places, l->dev, lcl_blob_stored(e->top),
                                  l->param->name, err));
    e->buffer = e->places ? e->places : lcl_convolution_top(l, 0)->data;
    s->way = lcl_convolution_winograd_suits(l)  ? LCL_CONVOLUTION_WINOGRAD
             : lcl_convolution_rows_suit(l, e)  ? LCL_CONVOLUTION_ROWS
             : lcl_convolution_product_suits(l) ? LCL_CONVOLUTION_PRODUCT
                                                : LCL_CONVOLUTION_DIRECT;
    LCL_TRY(ways[s->way].reshape(l, err));
    s->backward_ready = false;
    return l->phase == CAFFE__PHASE__TRAIN ? prepare_backward(l, err) : LCL_OK;
}

/* ---- Fusion ------------------------------------------------------------------------ */

/* A max pool whose windows tile the convolution's top. */
static bool takes_pool(const lcl_layer *l, const lcl_layer *pool,
                       lcl_convolution_epilogue *e)
{
    const convolution_state *s = l->state;
    const Caffe__PoolingParameter *p = pool->param->pooling_param;
    const int *out = s->s.out;

    if (strcmp(pool->type->name, "Pooling") != 0 || !p || e->pool_h > 1 ||
        e->pool_w > 1 || p->pool != CAFFE__POOLING_PARAMETER__POOL_METHOD__MAX ||
        p->global_pooling || p->pad > 0 || p->pad_h > 0 || p->pad_w > 0 ||
        pool->n_tops != 1 || s->n_spatial != 2)
        return false;
    e->pool_h = (int)(p->has_kernel_h ? p->kernel_h : p->kernel_size);
    e->pool_w = (int)(p->has_kernel_w ? p->kernel_w : p->kernel_size);
    const int stride_h = (int)(p->has_stride_h ? p->stride_h : p->stride);
    const int stride_w = (int)(p->has_stride_w ? p->stride_w : p->stride);
    e->top = pool->tops[0];
    return e->pool_h == stride_h && e->pool_w == stride_w &&
           e->pool_h * e->pool_w <= 16 && out[1] % e->pool_h == 0 &&
           out[2] % e->pool_w == 0 &&
           (!lcl_convolution_is_narrow(l) || lcl_convolution_rows_suit(l, e));
}

static bool takes_relu(const lcl_layer *relu, lcl_convolution_epilogue *e)
{
    const Caffe__ReLUParameter *p = relu->param->relu_param;

    if (strcmp(relu->type->name, "ReLU") != 0 || e->relu ||
        (p && p->negative_slope != 0) || relu->tops[0] != relu->bottoms[0])
        return false;
    e->relu = true;
    e->top = relu->tops[0];
    return true;
}

/* A ReLU alone keeps its own backward; behind or before a pool, `places` says it all. */
static lcl_status convolution_fuse(lcl_layer *l, lcl_layer *const *next, size_t n,
                                   lcl_fused *taken, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_epilogue e = {.pool_h = 1, .pool_w = 1, .places = s->epilogue.places};

    *taken = LCL_FUSED_NOTHING;
    if (l->n_bottoms != 1)
        return LCL_OK;
    for (size_t i = 0; i < n; i++)
        if (!takes_pool(l, next[i], &e) && !takes_relu(next[i], &e))
            return LCL_OK;
    s->epilogue = e;
    LCL_TRY(prepare(l, err));
    if (n > 0)
        *taken = s->epilogue.places ? LCL_FUSED_BOTH : LCL_FUSED_FORWARD;
    return LCL_OK;
}

lcl_status lcl_convolution_shape(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    const lcl_blob *x = l->bottoms[0];
    const int channels = s->transposed ? s->outputs : s->channels;
    const int *sizes = s->transposed ? s->s.in : s->s.out;
    int shape[LCL_MAX_AXES];

    if (x->n_axes != s->axis + 1 + s->n_spatial || x->shape[s->axis] != channels)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_ESHAPE,
                              "the bottom must keep %d channels and %d axes", channels,
                              s->axis + 1 + s->n_spatial);
    for (int i = 1; i < l->n_bottoms; i++)
        if (!lcl_blob_same_shape(l->bottoms[i], x))
            return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                                  "all bottoms must have the same shape");
    LCL_TRY(lcl_convolution_top_sizes(l, err));
    memcpy(shape, x->shape, sizeof shape);
    shape[s->axis] = s->transposed ? s->channels : s->outputs;
    memcpy(shape + s->axis + 1, sizes + MAX_SPATIAL - s->n_spatial,
           (size_t)s->n_spatial * sizeof *shape);
    for (int i = 0; i < l->n_tops; i++)
        LCL_TRY(lcl_blob_reshape(l->tops[i], x->n_axes, shape, x->block, err));
    return LCL_OK;
}

static lcl_status convolution_reshape(lcl_layer *l, lcl_error *err)
{
    LCL_TRY(lcl_convolution_shape(l, err));
    return prepare(l, err);
}

static lcl_status convolution_forward(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;

    for (int i = 0; i < l->n_bottoms; i++)
        LCL_TRY(ways[s->way].forward(l, i, err));
    return LCL_OK;
}

static lcl_status convolution_backward(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;

    LCL_TRY(prepare_backward(l, err));
    for (int i = 0; i < l->n_bottoms; i++)
        LCL_TRY(ways[s->way].backward(l, i, err));
    return LCL_OK;
}

static double convolution_flops(const lcl_layer *l)
{
    const lcl_blob *w = l->params[0];
    double sum = 0;

    for (int i = 0; i < l->n_tops; i++)
        sum += 2.0 * (double)lcl_blob_count(l->tops[i]) *
               (double)lcl_blob_count_range(w, 1, w->n_axes);
    return sum;
}

static void convolution_destroy(lcl_layer *l)
{
    convolution_state *s = l->state;

    lcl_convolution_direct_release(l);
    lcl_convolution_winograd_release(l);
    lcl_buffer_release(&s->epilogue.places);
}

const lcl_layer_type lcl_layer_convolution = {
    .name = "Convolution",
    .min_bottoms = 1,
    .max_bottoms = LCL_MANY,
    .min_tops = 1,
    .max_tops = LCL_MANY,
    .equal_ends = true,
    .state_size = sizeof(convolution_state),
    .setup = lcl_convolution_setup,
    .reshape = convolution_reshape,
    .forward = convolution_forward,
    .backward = convolution_backward,
    .fuse = convolution_fuse,
    .flops = convolution_flops,
    .destroy = convolution_destroy,
};
