/* PReLU: y = x where x > 0, else a * x, with a parameter a for each channel or,
 * channel_shared, one for all. Shapes: y as x. In place allowed. Kernels:
 * cl/channel_map.cl, cl/channel_sum.cl. */
#include "channelwise.h"

typedef struct {
    lcl_channels channels;
    lcl_kernel *forward, *backward; /* borrowed from the device */
    lcl_channel_sum sum;
    lcl_kept kept; /* x, where it is overwritten by y */
} prelu_state;

static lcl_status prelu_setup(lcl_layer *l, lcl_error *err)
{
    const Caffe__PReLUParameter *p = l->param->prelu_param;
    const lcl_blob *x = l->bottoms[0];

    if (x->n_axes < 2)
        return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                              "'%s' must have at least 2 axes, images and channels",
                              x->name);
    return lcl_channel_param(l, p && p->channel_shared ? 0 : 1, &x->shape[1],
                             p ? p->filler : NULL, 0.25f, err);
}

static lcl_status prelu_reshape(lcl_layer *l, lcl_error *err)
{
    prelu_state *s = l->state;
    const lcl_channels *c = &s->channels;
    const lcl_blob *slopes = l->params[0];
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];

    if (x->n_axes < 2 || (slopes->n_axes == 1 && x->shape[1] != slopes->shape[0]))
        return lcl_layer_fail(l, NULL, NULL, err, LCL_ESHAPE,
                              "has slopes for %zu channels, but '%s' has %d",
                              lcl_blob_count(slopes), x->name, lcl_blob_dim(x, 1));
    if (y != x)
        LCL_TRY(lcl_blob_reshape(y, x->n_axes, x->shape, x->block, err));
    s->channels =
        lcl_channels_of(x, slopes->n_axes ? 2 : 0, lcl_blob_count(slopes), false);
    LCL_TRY(lcl_channel_map_get(&s->forward, l, c, "x > 0 ? x : s * x", err));
    LCL_TRY(lcl_channel_map_get(&s->backward, l, c, "x > 0 ? d : s * d", err));
    return lcl_channel_sum_get(&s->sum, l, c, "x > 0 ? (vec)0 : d * x", err);
}

static lcl_status prelu_forward(lcl_layer *l, lcl_error *err)
{
    prelu_state *s = l->state;
    lcl_blob *x = l->bottoms[0];
    cl_mem slopes = l->params[0]->data;

    if (l->tops[0] == x)
        LCL_TRY(lcl_keep_data(&s->kept, x, err));
    return lcl_channel_map_run(l->dev, s->forward, &s->channels, x->data, x->data, slopes,
                               slopes, l->tops[0]->data, err);
}

static lcl_status prelu_backward(lcl_layer *l, lcl_error *err)
{
    prelu_state *s = l->state;
    const lcl_blob *x = l->bottoms[0], *y = l->tops[0];
    cl_mem input = x == y ? s->kept.data : x->data, slopes = l->params[0]->data;

    if (l->param_propagate[0])
        LCL_TRY(lcl_channel_sum_run(l->dev, &s->sum, &s->channels, input, y->diff,
                                    l->params[0]->diff, l->accumulate[0], err));
    if (!l->propagate[0])
        return LCL_OK;
    return lcl_channel_map_run(l->dev, s->backward, &s->channels, input, y->diff, slopes,
                               slopes, x->diff, err);
}

static void prelu_destroy(lcl_layer *l)
{
    prelu_state *s = l->state;

    lcl_keep_release(&s->kept);
}

const lcl_layer_type lcl_layer_prelu = {
    .name = "PReLU",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 1,
    .in_place = true,
    .state_size = sizeof(prelu_state),
    .setup = prelu_setup,
    .reshape = prelu_reshape,
    .forward = prelu_forward,
    .backward = prelu_backward,
    .destroy = prelu_destroy,
};
