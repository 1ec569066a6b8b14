/* Scale: y = s * x, or s * x + b with bias_term. s, of the shape of num_axes axes of x from
 * `axis` on, is a parameter or bottom 1; b, of the same shape, a parameter. In place
 * allowed. Kernels: cl/channel_map.cl, cl/channel_sum.cl. */
#include "channelwise.h"

typedef struct {
    lcl_channel_axes axes;
    lcl_channels channels;
    lcl_kernel *forward, *backward; /* borrowed from the device */
    lcl_channel_sum scale_sum, bias_sum;
    lcl_blob *scales; /* params[0] or bottom 1 */
    int bias;         /* index of its parameter, or -1 */
    lcl_kept kept;    /* x, where it is overwritten by y */
} scale_state;

static lcl_status scale_setup(lcl_layer *l, lcl_error *err)
{
    static const Caffe__ScaleParameter none = CAFFE__SCALE_PARAMETER__INIT;
    const Caffe__ScaleParameter *p =
        l->param->scale_param ? l->param->scale_param : &none;
    scale_state *s = l->state;
    int n_axes, shape[LCL_MAX_AXES];

    s->axes = (lcl_channel_axes){l->param->scale_param, p->axis, p->num_axes};
    s->bias = -1;
    LCL_TRY(lcl_channel_axes_set_up(l, &s->axes, &n_axes, shape, err));
    if (l->n_bottoms == 1)
        LCL_TRY(lcl_channel_param(l, n_axes, shape, p->filler, 1, err));
    if (!p->bias_term)
        return LCL_OK;
    s->bias = l->n_params;
    l->plain = l->plain || (l->n_bottoms > 1 && n_axes > 0);
    return lcl_layer_add_param(l, n_axes, shape, p->bias_filler, err);
}

static lcl_status scale_reshape(lcl_layer *l, lcl_error *err)
{
    scale_state *s = l->state;
    const lcl_channels *c = &s->channels;
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];

    s->scales = l->n_bottoms > 1 ? l->bottoms[1] : l->params[0];
    LCL_TRY(lcl_channel_axes_find(l, &s->axes, s->scales, &s->channels, err));
    if (s->bias >= 0 && !lcl_blob_same_shape(s->scales, l->params[s->bias]))
        return lcl_layer_fail(l, NULL, NULL, err, LCL_ESHAPE,
                              "bottom 1 no longer has the shape of the bias");
    if (y != x)
        LCL_TRY(lcl_blob_reshape(y, x->n_axes, x->shape, x->block, err));
    LCL_TRY(
        lcl_channel_map_get(&s->forward, l, c, s->bias < 0 ? "x * s" : "x * s + t", err));
    LCL_TRY(lcl_channel_map_get(&s->backward, l, c, "d * s", err));
    LCL_TRY(lcl_channel_sum_get(&s->bias_sum, l, c, "d", err));
    return lcl_channel_sum_get(&s->scale_sum, l, c, "d * x", err);
}

static lcl_status scale_forward(lcl_layer *l, lcl_error *err)
{
    scale_state *s = l->state;
    lcl_blob *x = l->bottoms[0];
    cl_mem scales = s->scales->data;

    if (l->tops[0] == x)
        LCL_TRY(lcl_keep_data(&s->kept, x, err));
    return lcl_channel_map_run(l->dev, s->forward, &s->channels, x->data, x->data, scales,
                               s->bias < 0 ? scales : l->params[s->bias]->data,
                               l->tops[0]->data, err);
}

static lcl_status scale_backward(lcl_layer *l, lcl_error *err)
{
    scale_state *s = l->state;
    const lcl_channels *c = &s->channels;
    const lcl_blob *x = l->bottoms[0], *y = l->tops[0];
    cl_mem input = x == y ? s->kept.data : x->data;
    bool wanted = l->n_bottoms > 1 ? l->propagate[1] : l->param_propagate[0];
    bool accumulate = l->n_bottoms == 1 && l->accumulate[0];

    if (s->bias >= 0 && l->param_propagate[s->bias])
        LCL_TRY(lcl_channel_sum_run(l->dev, &s->bias_sum, c, y->diff, y->diff,
                                    l->params[s->bias]->diff, l->accumulate[s->bias],
                                    err));
    if (wanted)
        LCL_TRY(lcl_channel_sum_run(l->dev, &s->scale_sum, c, input, y->diff,
                                    s->scales->diff, accumulate, err));
    if (!l->propagate[0])
        return LCL_OK;
    return lcl_channel_map_run(l->dev, s->backward, c, y->diff, y->diff, s->scales->data,
                               s->scales->data, x->diff, err);
}

static void scale_destroy(lcl_layer *l)
{
    scale_state *s = l->state;

    lcl_keep_release(&s->kept);
}

const lcl_layer_type lcl_layer_scale = {
    .name = "Scale",
    .min_bottoms = 1,
    .max_bottoms = 2,
    .min_tops = 1,
    .max_tops = 1,
    .in_place = true,
    .state_size = sizeof(scale_state),
    .setup = scale_setup,
    .reshape = scale_reshape,
    .forward = scale_forward,
    .backward = scale_backward,
    .destroy = scale_destroy,
};
