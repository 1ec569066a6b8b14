/* Layers that work value by value: activations and the like. */
#include <math.h>
#include <stdlib.h>

#include "onnx/onnx.h"

/* y = op(x). */
static lcl_status apply(lcl_onnx *x, const char *op)
{
    lcl_onnx_set_top(x, 0, LCL_ONNX_NODE(x, op, lcl_onnx_bottom(x, 0)));
    return LCL_OK;
}

/* The same with one option. */
static lcl_status apply_with(lcl_onnx *x, const char *op, const char *option, float value)
{
    const char *y = LCL_ONNX_NODE(x, op, lcl_onnx_bottom(x, 0));

    lcl_onnx_float(x, option, value);
    lcl_onnx_set_top(x, 0, y);
    return LCL_OK;
}

/* scale * t + shift, without what changes nothing. */
static const char *linear(lcl_onnx *x, const char *t, float scale, float shift)
{
    if (scale != 1)
        t = LCL_ONNX_NODE(x, "Mul", t, lcl_onnx_scalar(x, "scale", scale));
    if (shift != 0)
        t = LCL_ONNX_NODE(x, "Add", t, lcl_onnx_scalar(x, "shift", shift));
    return t;
}

lcl_status lcl_onnx_relu(lcl_onnx *x, lcl_error *err)
{
    const Caffe__ReLUParameter *p = x->layer->param->relu_param;

    (void)err;
    return p && p->negative_slope != 0
               ? apply_with(x, "LeakyRelu", "alpha", p->negative_slope)
               : apply(x, "Relu");
}

lcl_status lcl_onnx_elu(lcl_onnx *x, lcl_error *err)
{
    const Caffe__ELUParameter *p = x->layer->param->elu_param;

    (void)err;
    return apply_with(x, "Elu", "alpha", p ? p->alpha : 1);
}

lcl_status lcl_onnx_sigmoid(lcl_onnx *x, lcl_error *err)
{
    (void)err;
    return apply(x, "Sigmoid");
}

lcl_status lcl_onnx_tanh(lcl_onnx *x, lcl_error *err)
{
    (void)err;
    return apply(x, "Tanh");
}

lcl_status lcl_onnx_absval(lcl_onnx *x, lcl_error *err)
{
    (void)err;
    return apply(x, "Abs");
}

lcl_status lcl_onnx_bnll(lcl_onnx *x, lcl_error *err)
{
    (void)err;
    return apply(x, "Softplus");
}

/* A slope for each channel, or one. */
lcl_status lcl_onnx_prelu(lcl_onnx *x, lcl_error *err)
{
    const lcl_layer *l = x->layer;
    const int n_axes = l->net_bottoms[0]->n_axes - 1;
    int shape[LCL_MAX_AXES];
    const char *slopes;

    for (int i = 0; i < n_axes; i++)
        shape[i] = 1;
    if (l->params[0]->n_axes > 0)
        shape[0] = l->params[0]->shape[0];
    LCL_TRY(lcl_onnx_param_as(x, l, 0, n_axes, shape, &slopes, err));
    lcl_onnx_set_top(x, 0, LCL_ONNX_NODE(x, "PRelu", lcl_onnx_bottom(x, 0), slopes));
    return LCL_OK;
}

lcl_status lcl_onnx_clip(lcl_onnx *x, lcl_error *err)
{
    const Caffe__ClipParameter *p = x->layer->param->clip_param;
    const char *min = lcl_onnx_scalar(x, "min", p->min);
    const char *max = lcl_onnx_scalar(x, "max", p->max);

    (void)err;
    lcl_onnx_set_top(x, 0, LCL_ONNX_NODE(x, "Clip", lcl_onnx_bottom(x, 0), min, max));
    return LCL_OK;
}

/* The natural logarithm of a base, of which -1 stands for e. */
static float log_of(float base)
{
    return base == -1 ? 1 : logf(base);
}

lcl_status lcl_onnx_exp(lcl_onnx *x, lcl_error *err)
{
    static const Caffe__ExpParameter none = CAFFE__EXP_PARAMETER__INIT;
    const Caffe__ExpParameter *p = x->layer->param->exp_param;

    (void)err;
    p = p ? p : &none;
    const float log_base = log_of(p->base);
    const char *t = linear(x, lcl_onnx_bottom(x, 0), log_base * p->scale, 0);
    t = LCL_ONNX_NODE(x, "Exp", t);
    lcl_onnx_set_top(x, 0, linear(x, t, expf(log_base * p->shift), 0));
    return LCL_OK;
}

lcl_status lcl_onnx_log(lcl_onnx *x, lcl_error *err)
{
    static const Caffe__LogParameter none = CAFFE__LOG_PARAMETER__INIT;
    const Caffe__LogParameter *p = x->layer->param->log_param;

    (void)err;
    p = p ? p : &none;
    const char *t = linear(x, lcl_onnx_bottom(x, 0), p->scale, p->shift);
    t = LCL_ONNX_NODE(x, "Log", t);
    lcl_onnx_set_top(x, 0, linear(x, t, 1 / log_of(p->base), 0));
    return LCL_OK;
}

/* A power of 0, or of a constant, is a constant whatever the bottom has: NANs too. */
static const char *constant(lcl_onnx *x, float value)
{
    const char *shape = LCL_ONNX_NODE(x, "Shape", lcl_onnx_bottom(x, 0));

    return LCL_ONNX_NODE(x, "Expand", lcl_onnx_scalar(x, "value", value), shape);
}

lcl_status lcl_onnx_power(lcl_onnx *x, lcl_error *err)
{
    static const Caffe__PowerParameter none = CAFFE__POWER_PARAMETER__INIT;
    const Caffe__PowerParameter *p = x->layer->param->power_param;

    (void)err;
    p = p ? p : &none;
    if (p->power * p->scale == 0) {
        const float value = p->power == 0 ? 1 : powf(p->shift, p->power);
        lcl_onnx_set_top(x, 0, constant(x, value));
        return LCL_OK;
    }
    const char *t = linear(x, lcl_onnx_bottom(x, 0), p->scale, p->shift);
    if (p->power == 0.5f)
        t = LCL_ONNX_NODE(x, "Sqrt", t);
    else if (p->power == 2)
        t = LCL_ONNX_NODE(x, "Mul", t, t);
    else if (p->power == -1)
        t = LCL_ONNX_NODE(x, "Reciprocal", t);
    else if (p->power != 1)
        t = LCL_ONNX_NODE(x, "Pow", t, lcl_onnx_scalar(x, "power", p->power));
    lcl_onnx_set_top(x, 0, t);
    return LCL_OK;
}

lcl_status lcl_onnx_swish(lcl_onnx *x, lcl_error *err)
{
    const Caffe__SwishParameter *p = x->layer->param->swish_param;
    const char *bottom = lcl_onnx_bottom(x, 0);

    (void)err;
    const char *t = LCL_ONNX_NODE(x, "Sigmoid", linear(x, bottom, p ? p->beta : 1, 0));
    lcl_onnx_set_top(x, 0, LCL_ONNX_NODE(x, "Mul", bottom, t));
    return LCL_OK;
}

lcl_status lcl_onnx_threshold(lcl_onnx *x, lcl_error *err)
{
    const Caffe__ThresholdParameter *p = x->layer->param->threshold_param;
    const char *threshold = lcl_onnx_scalar(x, "threshold", p ? p->threshold : 0);

    (void)err;
    const char *t = LCL_ONNX_NODE(x, "Greater", lcl_onnx_bottom(x, 0), threshold);
    lcl_onnx_set_top(x, 0, lcl_onnx_cast(x, t, LCL_ONNX_FLOAT));
    return LCL_OK;
}

/* Drops nothing in tests. */
lcl_status lcl_onnx_dropout(lcl_onnx *x, lcl_error *err)
{
    (void)err;
    lcl_onnx_set_top(x, 0, lcl_onnx_bottom(x, 0));
    return LCL_OK;
}

/* ---- Of several bottoms ------------------------------------------------------------ */

/* The bottoms' sum, each times its coefficient. */
static const char *sum(lcl_onnx *x, const Caffe__EltwiseParameter *p, const char **in,
                       size_t n)
{
    for (size_t i = 0; i < p->n_coeff && i < n; i++)
        in[i] = linear(x, in[i], p->coeff[i], 0);
    return lcl_onnx_node(x, n == 2 ? "Add" : "Sum", in, n);
}

static const char *product(lcl_onnx *x, const char *const *in, size_t n)
{
    const char *t = in[0];

    for (size_t i = 1; i < n; i++)
        t = LCL_ONNX_NODE(x, "Mul", t, in[i]);
    return t;
}

lcl_status lcl_onnx_eltwise(lcl_onnx *x, lcl_error *err)
{
    static const Caffe__EltwiseParameter none = CAFFE__ELTWISE_PARAMETER__INIT;
    const Caffe__EltwiseParameter *p = x->layer->param->eltwise_param;
    const size_t n = (size_t)x->layer->n_bottoms;
    const char **in = lcl_onnx_bottoms(x), *t;

    (void)err;
    p = p ? p : &none;
    if (p->operation == CAFFE__ELTWISE_PARAMETER__ELTWISE_OP__SUM)
        t = sum(x, p, in, n);
    else if (p->operation == CAFFE__ELTWISE_PARAMETER__ELTWISE_OP__PROD)
        t = product(x, in, n);
    else
        t = lcl_onnx_node(x, "Max", in, n);
    free(in);
    lcl_onnx_set_top(x, 0, t);
    return LCL_OK;
}
