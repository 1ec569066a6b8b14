/* Softmax: y = exp(x) / sum of exp(x) along an axis. Shapes: y as x. In place allowed. */
#include "axis_view.h"
#include "text.h"

typedef struct {
    int axis;
    lcl_kernel *forward, *backward; /* borrowed from the device */
    lcl_range range;
} softmax_state;

static lcl_status softmax_setup(lcl_layer *l, lcl_error *err)
{
    softmax_state *s = l->state;
    const Caffe__SoftmaxParameter *p = l->param->softmax_param;

    LCL_TRY(lcl_layer_axis(l, l->bottoms[0], p ? p->axis : 1, p, "axis", &s->axis, err));
    l->plain = s->axis == 0;
    return LCL_OK;
}

static lcl_status softmax_reshape(lcl_layer *l, lcl_error *err)
{
    softmax_state *s = l->state;
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];

    if (y != x)
        LCL_TRY(lcl_blob_reshape(y, x->n_axes, x->shape, x->block, err));
    lcl_axis_view v = lcl_axis_view_of(l, x, s->axis);
    const lcl_define defines[] = {{"OUTER", v.outer},
                                  {"CHANNELS", v.channels},
                                  {"INNER", v.inner},
                                  {"RUNS", v.runs}};
    s->range = lcl_axis_view_range(&v);
    LCL_TRY(lcl_layer_kernel(l, &s->forward, "softmax", "softmax_forward", x->block,
                             defines, LCL_COUNT(defines), err));
    return lcl_layer_kernel(l, &s->backward, "softmax", "softmax_backward", x->block,
                            defines, LCL_COUNT(defines), err);
}

static lcl_status softmax_forward(lcl_layer *l, lcl_error *err)
{
    softmax_state *s = l->state;
    lcl_arg args[] = {LCL_ARG(l->bottoms[0]->data), LCL_ARG(l->tops[0]->data)};
    const lcl_range any = {0};

    return lcl_kernel_run(l->dev, s->forward, s->range, any, args, 2, err);
}

static lcl_status softmax_backward(lcl_layer *l, lcl_error *err)
{
    softmax_state *s = l->state;
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];
    lcl_arg args[] = {LCL_ARG(y->data), LCL_ARG(y->diff), LCL_ARG(x->diff)};
    const lcl_range any = {0};

    if (!l->propagate[0])
        return LCL_OK;
    return lcl_kernel_run(l->dev, s->backward, s->range, any, args, 3, err);
}

const lcl_layer_type lcl_layer_softmax = {
    .name = "Softmax",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 1,
    .in_place = true,
    .state_size = sizeof(softmax_state),
    .setup = softmax_setup,
    .reshape = softmax_reshape,
    .forward = softmax_forward,
    .backward = softmax_backward,
};
