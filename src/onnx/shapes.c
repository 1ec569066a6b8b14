/* Layers that move values and compute none: Concat, Slice, Crop, Tile, Flatten and Reshape,
 * BatchReindex, Filter, Parameter. */
#include <stdlib.h>

#include "onnx/onnx.h"
#include "text.h"

/* Joining or cutting along the images makes another number of them. */
static lcl_status leave_batch(lcl_onnx *x, int axis, lcl_error *err)
{
    return axis == 0 ? lcl_onnx_fix_batch(x, err) : LCL_OK;
}

lcl_status lcl_onnx_concat(lcl_onnx *x, lcl_error *err)
{
    const lcl_layer *l = x->layer;
    const Caffe__ConcatParameter *p = l->param->concat_param;
    const int axis = !p ? 1 : p->has_concat_dim ? (int)p->concat_dim : p->axis;

    LCL_TRY(leave_batch(x, lcl_onnx_axis(l->net_tops[0], axis), err));
    const char **in = lcl_onnx_bottoms(x);
    const char *y = lcl_onnx_node(x, "Concat", in, (size_t)l->n_bottoms);
    lcl_onnx_int(x, "axis", lcl_onnx_axis(l->net_tops[0], axis));
    free(in);
    lcl_onnx_set_top(x, 0, y);
    return LCL_OK;
}

/* How many places along the axis each top has. */
static const char *sizes_of_tops(lcl_onnx *x, int axis)
{
    const lcl_layer *l = x->layer;
    const size_t n = (size_t)l->n_tops;
    int64_t *sizes = lcl_alloc(n, sizeof *sizes);

    for (size_t i = 0; i < n; i++)
        sizes[i] = l->net_tops[i]->shape[axis];
    const char *tensor = lcl_onnx_numbers(x, "split", sizes, n);
    free(sizes);
    return tensor;
}

lcl_status lcl_onnx_slice(lcl_onnx *x, lcl_error *err)
{
    const lcl_layer *l = x->layer;
    const Caffe__SliceParameter *p = l->param->slice_param;
    const int given = !p ? 1 : p->has_slice_dim ? (int)p->slice_dim : p->axis;
    const int axis = lcl_onnx_axis(l->net_bottoms[0], given);

    LCL_TRY(leave_batch(x, axis, err));
    const char *top =
        LCL_ONNX_NODE(x, "Split", lcl_onnx_bottom(x, 0), sizes_of_tops(x, axis));
    lcl_onnx_int(x, "axis", axis);
    for (int i = 0; i < l->n_tops; i++)
        lcl_onnx_set_top(x, i, i ? lcl_onnx_next_output(x) : top);

    return LCL_OK;
}

/* The shape of bottom 1 is the prototxt's. */
lcl_status lcl_onnx_crop(lcl_onnx *x, lcl_error *err)
{
    const lcl_layer *l = x->layer;
    const Caffe__CropParameter *p = l->param->crop_param;
    const lcl_blob *top = l->net_tops[0];
    const int axis = lcl_onnx_axis(l->net_bottoms[0], p ? p->axis : 2);
    int64_t starts[LCL_MAX_AXES], ends[LCL_MAX_AXES], axes[LCL_MAX_AXES];
    size_t n = 0;

    LCL_TRY(leave_batch(x, axis, err));
    for (int i = axis; i < top->n_axes; i++, n++) {
        const bool given = p && p->n_offset > 0;
        axes[n] = i;
        starts[n] = given ? p->offset[p->n_offset > 1 ? n : 0] : 0;
        ends[n] = starts[n] + top->shape[i];
    }
    const char *y = LCL_ONNX_NODE(
        x, "Slice", lcl_onnx_bottom(x, 0), lcl_onnx_numbers(x, "starts", starts, n),
        lcl_onnx_numbers(x, "ends", ends, n), lcl_onnx_numbers(x, "axes", axes, n));
    lcl_onnx_set_top(x, 0, y);
    return LCL_OK;
}

lcl_status lcl_onnx_tile(lcl_onnx *x, lcl_error *err)
{
    const lcl_layer *l = x->layer;
    const lcl_blob *b = l->net_bottoms[0];
    const int axis = lcl_onnx_axis(b, l->param->tile_param->axis);
    int64_t times[LCL_MAX_AXES];

    LCL_TRY(leave_batch(x, axis, err));
    for (int i = 0; i < b->n_axes; i++)
        times[i] = i == axis ? l->param->tile_param->tiles : 1;
    const char *numbers = lcl_onnx_numbers(x, "repeats", times, (size_t)b->n_axes);
    lcl_onnx_set_top(x, 0, LCL_ONNX_NODE(x, "Tile", lcl_onnx_bottom(x, 0), numbers));
    return LCL_OK;
}

lcl_status lcl_onnx_view_layer(lcl_onnx *x, lcl_error *err)
{
    const lcl_layer *l = x->layer;

    (void)err;
    lcl_onnx_set_top(
        x, 0, lcl_onnx_view(x, lcl_onnx_bottom(x, 0), l->net_bottoms[0], l->net_tops[0]));
    return LCL_OK;
}

lcl_status lcl_onnx_batch_reindex(lcl_onnx *x, lcl_error *err)
{
    LCL_TRY(lcl_onnx_fix_batch(x, err));
    const char *images = lcl_onnx_cast(x, lcl_onnx_bottom(x, 1), LCL_ONNX_INT64);
    const char *y = LCL_ONNX_NODE(x, "Gather", lcl_onnx_bottom(x, 0), images);
    lcl_onnx_int(x, "axis", 0);
    lcl_onnx_set_top(x, 0, y);
    return LCL_OK;
}

lcl_status lcl_onnx_filter(lcl_onnx *x, lcl_error *err)
{
    static const int64_t flat = -1;
    const lcl_layer *l = x->layer;
    const char *selector = lcl_onnx_bottom(x, l->n_bottoms - 1);

    (void)err;
    if (l->net_bottoms[l->n_bottoms - 1]->n_axes > 1)
        selector = lcl_onnx_reshape(x, selector, &flat, 1);
    selector = lcl_onnx_cast(x, selector, LCL_ONNX_BOOL);
    for (int i = 0; i < l->n_tops; i++) {
        const char *y = LCL_ONNX_NODE(x, "Compress", lcl_onnx_bottom(x, i), selector);
        lcl_onnx_int(x, "axis", 0);
        lcl_onnx_set_top(x, i, y);
    }
    lcl_onnx_choose_images(x);
    return LCL_OK;
}

lcl_status lcl_onnx_parameter(lcl_onnx *x, lcl_error *err)
{
    const char *tensor;

    LCL_TRY(lcl_onnx_param(x, x->layer, 0, &tensor, err));
    lcl_onnx_set_top(x, 0, tensor);
    return LCL_OK;
}
