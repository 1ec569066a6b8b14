/* Layers whose top is the bottom in another shape: they share memory, so nothing moves. */
#include "view.h"

bool lcl_view_mixes_images(const lcl_layer *l, const lcl_shape *top)
{
    const lcl_blob *x = l->bottoms[0];

    return x->n_axes == 0 || top->n_axes == 0 || top->shape[0] != x->shape[0];
}

lcl_status lcl_view_reshape(lcl_layer *l, const lcl_shape *top, lcl_error *err)
{
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];

    if (!l->plain && lcl_view_mixes_images(l, top))
        return lcl_layer_fail(l, NULL, NULL, err, LCL_ESHAPE,
                              "had as many images in its top as in '%s' when the net was "
                              "made, and must keep that",
                              x->name);
    LCL_TRY(lcl_blob_reshape(y, top->n_axes, top->shape, x->block, err));
    lcl_blob_share_data(y, x);
    return LCL_OK;
}

lcl_status lcl_view_forward(lcl_layer *l, lcl_error *err)
{
    (void)l;
    (void)err;
    return LCL_OK;
}

/* The net may have given both one diff. */
lcl_status lcl_view_backward(lcl_layer *l, lcl_error *err)
{
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];

    if (!l->propagate[0] || x->diff == y->diff)
        return LCL_OK;
    return lcl_buffer_copy(l->dev, y->diff, 0, x->diff, 0,
                           lcl_blob_stored(x) * sizeof(float), err);
}
