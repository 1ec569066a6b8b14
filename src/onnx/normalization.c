/* Layers that centre and scale: Scale, Bias, BatchNorm, MVN, LRN. */
#include <stdlib.h>

#include "onnx/onnx.h"
#include "text.h"

/* ---- Scale and Bias ---------------------------------------------------------------- */

/* Axes behind those that weights of n_axes axes belong to, which begin at `axis`. */
static int n_behind(const lcl_blob *b, int axis, int n_axes)
{
    return n_axes == 0 ? 0 : b->n_axes - lcl_onnx_axis(b, axis) - n_axes;
}

/* Parameter i with axes of 1 behind its own, so that it goes with the bottom. Along axis 0 it has
 * a value for each image. */
static lcl_status param_along(lcl_onnx *x, int i, int axis, const char **tensor,
                              lcl_error *err)
{
    const lcl_blob *p = x->layer->params[i], *b = x->layer->net_bottoms[0];
    const int behind = n_behind(b, axis, p->n_axes);
    int shape[LCL_MAX_AXES];

    if (p->n_axes > 0 && lcl_onnx_axis(b, axis) == 0)
        LCL_TRY(lcl_onnx_fix_batch(x, err));
    for (int k = 0; k < p->n_axes + behind; k++)
        shape[k] = k < p->n_axes ? p->shape[k] : 1;
    return lcl_onnx_param_as(x, x->layer, i, p->n_axes + behind, shape, tensor, err);
}

/* Bottom 1 with such axes. */
static const char *bottom_along(lcl_onnx *x, int axis)
{
    const lcl_blob *weights = x->layer->net_bottoms[1];
    const int behind = n_behind(x->layer->net_bottoms[0], axis, weights->n_axes);
    int64_t dims[LCL_MAX_AXES];

    if (behind == 0)
        return lcl_onnx_bottom(x, 1);
    for (int k = 0; k < weights->n_axes + behind; k++)
        dims[k] = k < weights->n_axes ? 0 : 1;
    return lcl_onnx_reshape(x, lcl_onnx_bottom(x, 1), dims,
                            (size_t)(weights->n_axes + behind));
}

/* op(bottom 0, bottom 1 or parameter 0). */
static lcl_status combine(lcl_onnx *x, const char *op, int axis, const char **out,
                          lcl_error *err)
{
    const char *weights;

    if (x->layer->n_bottoms > 1)
        weights = bottom_along(x, axis);
    else
        LCL_TRY(param_along(x, 0, axis, &weights, err));
    *out = LCL_ONNX_NODE(x, op, lcl_onnx_bottom(x, 0), weights);
    return LCL_OK;
}

static int scale_axis(const lcl_layer *l)
{
    return l->param->scale_param ? l->param->scale_param->axis : 1;
}

lcl_status lcl_onnx_scale(lcl_onnx *x, lcl_error *err)
{
    const lcl_layer *l = x->layer;
    const int bias_index = l->n_bottoms > 1 ? 0 : 1;
    const char *t, *bias;

    LCL_TRY(combine(x, "Mul", scale_axis(l), &t, err));
    if (l->n_params > bias_index) {
        LCL_TRY(param_along(x, bias_index, scale_axis(l), &bias, err));
        t = LCL_ONNX_NODE(x, "Add", t, bias);
    }
    lcl_onnx_set_top(x, 0, t);
    return LCL_OK;
}

lcl_status lcl_onnx_bias(lcl_onnx *x, lcl_error *err)
{
    const Caffe__BiasParameter *p = x->layer->param->bias_param;
    const char *t;

    LCL_TRY(combine(x, "Add", p ? p->axis : 1, &t, err));
    lcl_onnx_set_top(x, 0, t);
    return LCL_OK;
}

/* ---- BatchNorm --------------------------------------------------------------------- */

/* A constant of `value` for each channel. */
static const char *same_for_all(lcl_onnx *x, const char *what, int channels, float value)
{
    float *values = lcl_alloc((size_t)channels, sizeof *values);

    for (int i = 0; i < channels; i++)
        values[i] = value;
    return lcl_onnx_floats(x, what, 1, &channels, values);
}

/* The mean (parameter 0) or variance (1): sums, divided by their weight (2). */
static lcl_status statistic(lcl_onnx *x, int i, const char *what, const char **tensor,
                            lcl_error *err)
{
    const lcl_layer *l = x->layer;
    float *values, *weight;

    LCL_TRY(lcl_onnx_param_values(l, 2, &weight, err));
    const float factor = *weight == 0 ? 0 : 1 / *weight;
    free(weight);
    LCL_TRY(lcl_onnx_param_values(l, i, &values, err));
    for (int k = 0; k < l->params[i]->shape[0]; k++)
        values[k] *= factor;
    *tensor = lcl_onnx_floats(x, what, 1, l->params[i]->shape, values);
    return LCL_OK;
}

/* The Scale layer behind, if its weights are one a channel: nobody else takes the top. */
static const lcl_layer *channel_scale(const lcl_onnx *x)
{
    const lcl_layer *l = lcl_onnx_follower(x, "Scale");

    if (!l || l->n_bottoms > 1 || l->params[0]->n_axes != 1)
        return NULL;
    return lcl_onnx_axis(l->net_bottoms[0], scale_axis(l)) == 1 ? l : NULL;
}

/* One node, with a Scale layer behind it in it. */
static lcl_status from_stored(lcl_onnx *x, float eps, lcl_error *err)
{
    const lcl_layer *scale = channel_scale(x);
    const int channels = x->layer->params[0]->shape[0];
    const char *in[5] = {lcl_onnx_bottom(x, 0)};

    LCL_TRY(statistic(x, 0, "mean", &in[3], err));
    LCL_TRY(statistic(x, 1, "variance", &in[4], err));
    if (scale)
        LCL_TRY(lcl_onnx_param(x, scale, 0, &in[1], err));
    else
        in[1] = same_for_all(x, "scale", channels, 1);
    if (scale && scale->n_params > 1)
        LCL_TRY(lcl_onnx_param(x, scale, 1, &in[2], err));
    else
        in[2] = same_for_all(x, "shift", channels, 0);
    const char *y = lcl_onnx_node(x, "BatchNormalization", in, 5);
    lcl_onnx_float(x, "epsilon", eps);
    if (scale)
        lcl_onnx_absorb(x, scale);
    lcl_onnx_set_top(x, 0, y);
    return LCL_OK;
}

static const char *mean_over(lcl_onnx *x, const char *t, const int64_t *axes, size_t n)
{
    const char *mean = LCL_ONNX_NODE(x, "ReduceMean", t);

    lcl_onnx_ints(x, "axes", axes, n);
    lcl_onnx_int(x, "keepdims", 1);
    return mean;
}

/* t less its mean over some axes; *variance is the mean of the square of that. */
static const char *centre(lcl_onnx *x, const char *t, const int64_t *axes, size_t n,
                          const char **variance)
{
    const char *centred = LCL_ONNX_NODE(x, "Sub", t, mean_over(x, t, axes, n));

    if (variance)
        *variance = mean_over(x, LCL_ONNX_NODE(x, "Mul", centred, centred), axes, n);
    return centred;
}

/* By the mean and variance of the batch that is there. */
static void from_batch(lcl_onnx *x, float eps)
{
    const int n_axes = x->layer->net_bottoms[0]->n_axes;
    int64_t axes[LCL_MAX_AXES] = {0};
    const char *variance;

    for (int i = 2; i < n_axes; i++)
        axes[i - 1] = i;
    const char *t = centre(x, lcl_onnx_bottom(x, 0), axes, (size_t)n_axes - 1, &variance);
    variance = LCL_ONNX_NODE(x, "Add", variance, lcl_onnx_scalar(x, "eps", eps));
    lcl_onnx_set_top(x, 0,
                     LCL_ONNX_NODE(x, "Div", t, LCL_ONNX_NODE(x, "Sqrt", variance)));
}

lcl_status lcl_onnx_batch_norm(lcl_onnx *x, lcl_error *err)
{
    const Caffe__BatchNormParameter *p = x->layer->param->batch_norm_param;
    const float eps = p ? p->eps : 1e-5f;

    if (!p || !p->has_use_global_stats || p->use_global_stats)
        return from_stored(x, eps, err);
    from_batch(x, eps);
    return LCL_OK;
}

/* ---- MVN --------------------------------------------------------------------------- */

lcl_status lcl_onnx_mvn(lcl_onnx *x, lcl_error *err)
{
    static const int64_t axes[3] = {1, 2, 3};
    const lcl_layer *l = x->layer;
    const Caffe__MVNParameter *p = l->param->mvn_param;
    const int skip = p && p->across_channels ? 0 : 1;
    const bool normalize = !p || p->normalize_variance;
    const char *variance = NULL;

    (void)err;
    const char *t =
        lcl_onnx_view(x, lcl_onnx_bottom(x, 0), l->net_bottoms[0], l->net_tops[0]);
    t = centre(x, t, axes + skip, 3 - (size_t)skip, normalize ? &variance : NULL);
    if (normalize) {
        const char *eps = lcl_onnx_scalar(x, "eps", p ? p->eps : 1e-9f);
        const char *deviation = LCL_ONNX_NODE(x, "Sqrt", variance);
        t = LCL_ONNX_NODE(x, "Div", t, LCL_ONNX_NODE(x, "Add", deviation, eps));
    }
    lcl_onnx_set_top(x, 0, t);
    return LCL_OK;
}

/* ---- LRN --------------------------------------------------------------------------- */

/* x * (1 + alpha * mean of the squares in the window) ^ -beta; padding counts as zeros. */
static const char *within_channel(lcl_onnx *x, const Caffe__LRNParameter *p)
{
    const int64_t n = p->local_size, pad = (n - 1) / 2;
    const char *bottom = lcl_onnx_bottom(x, 0);

    const char *t = LCL_ONNX_NODE(x, "Mul", bottom, bottom);
    t = LCL_ONNX_NODE(x, "AveragePool", t);
    lcl_onnx_ints(x, "kernel_shape", (int64_t[]){n, n}, 2);
    lcl_onnx_ints(x, "pads", (int64_t[]){pad, pad, pad, pad}, 4);
    lcl_onnx_int(x, "count_include_pad", 1);
    t = LCL_ONNX_NODE(x, "Mul", t, lcl_onnx_scalar(x, "alpha", p->alpha));
    t = LCL_ONNX_NODE(x, "Add", t, lcl_onnx_scalar(x, "one", 1));
    t = LCL_ONNX_NODE(x, "Pow", t, lcl_onnx_scalar(x, "minus_beta", -p->beta));
    return LCL_ONNX_NODE(x, "Mul", bottom, t);
}

static const char *across_channels(lcl_onnx *x, const Caffe__LRNParameter *p)
{
    const char *y = LCL_ONNX_NODE(x, "LRN", lcl_onnx_bottom(x, 0));

    lcl_onnx_int(x, "size", p->local_size);
    lcl_onnx_float(x, "alpha", p->alpha);
    lcl_onnx_float(x, "beta", p->beta);
    lcl_onnx_float(x, "bias", p->k);
    return y;
}

lcl_status lcl_onnx_lrn(lcl_onnx *x, lcl_error *err)
{
    static const Caffe__LRNParameter none = CAFFE__LRNPARAMETER__INIT;
    const Caffe__LRNParameter *p = x->layer->param->lrn_param;

    (void)err;
    p = p ? p : &none;
    lcl_onnx_set_top(x, 0,
                     p->norm_region == CAFFE__LRNPARAMETER__NORM_REGION__WITHIN_CHANNEL
                         ? within_channel(x, p)
                         : across_channels(x, p));
    return LCL_OK;
}
