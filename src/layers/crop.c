/* Crop: the box of bottom 0 that has the dimensions of bottom 1 from `axis` on, at `offset`. */
#include <string.h>

#include "window.h"

typedef struct {
    int axis;
    lcl_window window;
} crop_state;

static lcl_status crop_setup(lcl_layer *l, lcl_error *err)
{
    crop_state *s = l->state;
    const Caffe__CropParameter *p = l->param->crop_param;
    const lcl_blob *x = l->bottoms[0];

    LCL_TRY(lcl_layer_axis(l, x, p ? p->axis : 2, p, "axis", &s->axis, err));
    if (p && p->n_offset > 1 && p->n_offset != (size_t)(x->n_axes - s->axis))
        return lcl_layer_fail(l, p, "offset", err, LCL_EPROTO,
                              "%d axes are cropped: give one offset for all of them or "
                              "%d, not %zu",
                              x->n_axes - s->axis, x->n_axes - s->axis, p->n_offset);
    l->plain = s->axis == 0;
    return LCL_OK;
}

/* The offset along axis i >= s->axis. */
static uint32_t offset_of(const lcl_layer *l, int i)
{
    const crop_state *s = l->state;
    const Caffe__CropParameter *p = l->param->crop_param;

    if (!p || p->n_offset == 0)
        return 0;
    return p->offset[p->n_offset == 1 ? 0 : i - s->axis];
}

static lcl_status crop_reshape(lcl_layer *l, lcl_error *err)
{
    crop_state *s = l->state;
    const lcl_blob *x = l->bottoms[0], *like = l->bottoms[1];
    int shape[LCL_MAX_AXES], offset[LCL_MAX_AXES] = {0};

    if (like->n_axes < x->n_axes)
        return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                              "'%s' has %d axes, but the %d of '%s' are to be cropped",
                              like->name, like->n_axes, x->n_axes, x->name);
    memcpy(shape, x->shape, sizeof shape);
    for (int i = s->axis; i < x->n_axes; i++) {
        uint32_t at = offset_of(l, i);
        if (like->shape[i] > x->shape[i] || at > (uint32_t)(x->shape[i] - like->shape[i]))
            return lcl_layer_fail(
                l, l->param->crop_param, "offset", err, LCL_ESHAPE,
                "along axis %d '%s' has %d; %d from %u on are not in it", i, x->name,
                x->shape[i], like->shape[i], at);
        offset[i] = (int)at;
        shape[i] = like->shape[i];
    }
    LCL_TRY(lcl_blob_reshape(l->tops[0], x->n_axes, shape, x->block, err));
    return lcl_window_of(&s->window, x, l->tops[0], offset, err);
}

static lcl_status crop_forward(lcl_layer *l, lcl_error *err)
{
    crop_state *s = l->state;

    return lcl_window_get(&s->window, l->dev, l->bottoms[0]->data, l->tops[0]->data, err);
}

/* Only the shape of bottom 1 matters: its gradient is zero. */
static lcl_status crop_backward(lcl_layer *l, lcl_error *err)
{
    crop_state *s = l->state;

    for (int i = 0; i < 2; i++)
        if (l->propagate[i])
            LCL_TRY(lcl_buffer_fill(l->dev, l->bottoms[i]->diff, 0,
                                    lcl_blob_stored(l->bottoms[i]) * sizeof(float), 0,
                                    err));
    if (!l->propagate[0])
        return LCL_OK;
    return lcl_window_put(&s->window, l->dev, l->bottoms[0]->diff, l->tops[0]->diff, err);
}

const lcl_layer_type lcl_layer_crop = {
    .name = "Crop",
    .min_bottoms = 2,
    .max_bottoms = 2,
    .min_tops = 1,
    .max_tops = 1,
    .state_size = sizeof(crop_state),
    .setup = crop_setup,
    .reshape = crop_reshape,
    .forward = crop_forward,
    .backward = crop_backward,
};
