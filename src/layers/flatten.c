/* Flatten: axes `axis` to `end_axis` become one. The top shares the bottom's memory. */
#include "view.h"

static lcl_status flat_shape(lcl_layer *l, lcl_shape *top, lcl_error *err)
{
    const Caffe__FlattenParameter *p = l->param->flatten_param;
    const lcl_blob *x = l->bottoms[0];
    int axis, end;

    LCL_TRY(lcl_layer_axis(l, x, p ? p->axis : 1, p, "axis", &axis, err));
    LCL_TRY(lcl_layer_axis(l, x, p ? p->end_axis : -1, p, "end_axis", &end, err));
    if (end < axis)
        return lcl_layer_fail(l, p, p && p->has_end_axis ? "end_axis" : "axis", err,
                              LCL_ESHAPE, "end_axis %d comes before axis %d", end, axis);
    *top = (lcl_shape){0};
    for (int i = 0; i < axis; i++)
        top->shape[top->n_axes++] = x->shape[i];
    top->shape[top->n_axes++] = (int)lcl_blob_count_range(x, axis, end + 1);
    for (int i = end + 1; i < x->n_axes; i++)
        top->shape[top->n_axes++] = x->shape[i];
    return LCL_OK;
}

static lcl_status flatten_setup(lcl_layer *l, lcl_error *err)
{
    lcl_shape top;

    LCL_TRY(flat_shape(l, &top, err));
    l->plain = lcl_view_mixes_images(l, &top);
    return LCL_OK;
}

static lcl_status flatten_reshape(lcl_layer *l, lcl_error *err)
{
    lcl_shape top;

    LCL_TRY(flat_shape(l, &top, err));
    return lcl_view_reshape(l, &top, err);
}

const lcl_layer_type lcl_layer_flatten = {
    .name = "Flatten",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 1,
    .is_view = true,
    .setup = flatten_setup,
    .reshape = flatten_reshape,
    .forward = lcl_view_forward,
    .backward = lcl_view_backward,
};
