/* ArgMax: where the top_k largest values along an axis are, or with out_max_val these values. Top:
 * as the bottom, but top_k along the axis. Without an axis, of all values of an image: N x 1 x
 * top_k, or N x 2 x top_k with the values behind the places. No gradient. */
#include "axis_view.h"
#include "text.h"

typedef struct {
    int axis;           /* -1: none */
    lcl_kernel *kernel; /* borrowed from the device */
    lcl_range range;
} argmax_state;

static const Caffe__ArgMaxParameter none = CAFFE__ARG_MAX_PARAMETER__INIT;

static const Caffe__ArgMaxParameter *param_of(const lcl_layer *l)
{
    return l->param->argmax_param ? l->param->argmax_param : &none;
}

static lcl_status argmax_setup(lcl_layer *l, lcl_error *err)
{
    argmax_state *s = l->state;
    const Caffe__ArgMaxParameter *p = param_of(l);

    s->axis = -1;
    if (p->has_axis)
        LCL_TRY(lcl_layer_axis(l, l->bottoms[0], p->axis, p, "axis", &s->axis, err));
    else if (l->bottoms[0]->n_axes == 0)
        return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                              "'%s' has no images", l->bottoms[0]->name);
    l->plain = s->axis == 0;
    return LCL_OK;
}

static lcl_status shape_top(lcl_layer *l, lcl_error *err)
{
    const argmax_state *s = l->state;
    const Caffe__ArgMaxParameter *p = param_of(l);
    const lcl_blob *x = l->bottoms[0];
    int n_axes = s->axis < 0 && x->n_axes < 3 ? 3 : x->n_axes, shape[LCL_MAX_AXES];

    for (int i = 0; i < n_axes; i++)
        shape[i] = s->axis >= 0 || i == 0 ? x->shape[i] : 1;
    shape[s->axis < 0 ? 2 : s->axis] = (int)p->top_k;
    if (s->axis < 0 && p->out_max_val)
        shape[1] = 2;
    return lcl_blob_reshape(l->tops[0], n_axes, shape, x->block, err);
}

static lcl_axis_view view_of(const lcl_layer *l)
{
    const argmax_state *s = l->state;
    const lcl_blob *x = l->bottoms[0];

    return s->axis < 0 ? lcl_axis_view_flat(l, x, (int)lcl_blob_image_count(x))
                       : lcl_axis_view_of(l, x, s->axis);
}

static lcl_status argmax_reshape(lcl_layer *l, lcl_error *err)
{
    argmax_state *s = l->state;
    const Caffe__ArgMaxParameter *p = param_of(l);
    lcl_axis_view v = view_of(l);

    if (p->top_k < 1 || p->top_k > (unsigned)v.channels)
        return lcl_layer_fail(l, p, "top_k", err, LCL_ESHAPE,
                              "top_k is %u; it must be from 1 to the %d values", p->top_k,
                              v.channels);
    LCL_TRY(shape_top(l, err));
    const lcl_define defines[] = {
        {"OUTER", v.outer},        {"CHANNELS", v.channels},
        {"INNER", v.inner},        {"RUNS", v.runs},
        {"TOP_K", (long)p->top_k}, {"INDICES", s->axis < 0 || !p->out_max_val},
        {"VALUES", p->out_max_val}};
    s->range = lcl_axis_view_range(&v);
    return lcl_layer_kernel(l, &s->kernel, "argmax", "argmax", l->bottoms[0]->block,
                            defines, LCL_COUNT(defines), err);
}

static lcl_status argmax_forward(lcl_layer *l, lcl_error *err)
{
    argmax_state *s = l->state;
    const lcl_arg args[] = {LCL_ARG(l->bottoms[0]->data), LCL_ARG(l->tops[0]->data)};

    return lcl_kernel_run(l->dev, s->kernel, s->range, (lcl_range){0}, args, 2, err);
}

const lcl_layer_type lcl_layer_argmax = {
    .name = "ArgMax",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 1,
    .no_backward = 1,
    .state_size = sizeof(argmax_state),
    .setup = argmax_setup,
    .reshape = argmax_reshape,
    .forward = argmax_forward,
};
