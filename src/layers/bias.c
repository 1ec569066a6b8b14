/* Bias: y = x + b, where b has the shape of num_axes axes of x from `axis` on: a parameter,
 * or bottom 1. In place allowed. Kernels: cl/channel_map.cl, cl/channel_sum.cl. */
#include "channelwise.h"

typedef struct {
    lcl_channel_axes axes;
    lcl_channels channels;
    lcl_kernel *add; /* borrowed from the device */
    lcl_channel_sum sum;
} bias_state;

static lcl_status bias_setup(lcl_layer *l, lcl_error *err)
{
    static const Caffe__BiasParameter none = CAFFE__BIAS_PARAMETER__INIT;
    const Caffe__BiasParameter *p = l->param->bias_param ? l->param->bias_param : &none;
    bias_state *s = l->state;
    int n_axes, shape[LCL_MAX_AXES];

    s->axes = (lcl_channel_axes){l->param->bias_param, p->axis, p->num_axes};
    LCL_TRY(lcl_channel_axes_set_up(l, &s->axes, &n_axes, shape, err));
    return l->n_bottoms > 1 ? LCL_OK
                            : lcl_layer_add_param(l, n_axes, shape, p->filler, err);
}

static const lcl_blob *biases(const lcl_layer *l)
{
    return l->n_bottoms > 1 ? l->bottoms[1] : l->params[0];
}

static lcl_status bias_reshape(lcl_layer *l, lcl_error *err)
{
    bias_state *s = l->state;
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];

    LCL_TRY(lcl_channel_axes_find(l, &s->axes, biases(l), &s->channels, err));
    if (y != x)
        LCL_TRY(lcl_blob_reshape(y, x->n_axes, x->shape, x->block, err));
    LCL_TRY(lcl_channel_map_get(&s->add, l, &s->channels, "x + s", err));
    return lcl_channel_sum_get(&s->sum, l, &s->channels, "d", err);
}

static lcl_status bias_forward(lcl_layer *l, lcl_error *err)
{
    bias_state *s = l->state;
    cl_mem x = l->bottoms[0]->data, b = biases(l)->data;

    return lcl_channel_map_run(l->dev, s->add, &s->channels, x, x, b, b, l->tops[0]->data,
                               err);
}

static lcl_status bias_backward(lcl_layer *l, lcl_error *err)
{
    bias_state *s = l->state;
    const lcl_blob *x = l->bottoms[0], *y = l->tops[0];
    bool wanted = l->n_bottoms > 1 ? l->propagate[1] : l->param_propagate[0];
    bool accumulate = l->n_bottoms == 1 && l->accumulate[0];

    if (wanted)
        LCL_TRY(lcl_channel_sum_run(l->dev, &s->sum, &s->channels, y->diff, y->diff,
                                    biases(l)->diff, accumulate, err));
    if (!l->propagate[0] || x == y)
        return LCL_OK;
    return lcl_buffer_copy(l->dev, y->diff, 0, x->diff, 0,
                           lcl_blob_stored(x) * sizeof(float), err);
}

const lcl_layer_type lcl_layer_bias = {
    .name = "Bias",
    .min_bottoms = 1,
    .max_bottoms = 2,
    .min_tops = 1,
    .max_tops = 1,
    .in_place = true,
    .state_size = sizeof(bias_state),
    .setup = bias_setup,
    .reshape = bias_reshape,
    .forward = bias_forward,
    .backward = bias_backward,
};
