/* Concat: the bottoms side by side along an axis. All other dimensions are the same. */
#include <limits.h>
#include <string.h>

#include "window.h"

static lcl_status concat_setup(lcl_layer *l, lcl_error *err)
{
    static const Caffe__ConcatParameter none = CAFFE__CONCAT_PARAMETER__INIT;
    const Caffe__ConcatParameter *p =
        l->param->concat_param ? l->param->concat_param : &none;
    const lcl_pieces_axis axis = {p,       p->has_axis,   p->has_concat_dim,
                                  p->axis, p->concat_dim, "concat_dim"};

    return lcl_pieces_set_up(l->state, l, l->n_bottoms, &axis, err);
}

static lcl_status check_bottom(const lcl_layer *l, int axis, const lcl_blob *b,
                               lcl_error *err)
{
    const lcl_blob *first = l->bottoms[0];
    char shape[160], first_shape[160];
    bool fits = b->n_axes == first->n_axes;

    for (int i = 0; fits && i < b->n_axes; i++)
        fits = i == axis || b->shape[i] == first->shape[i];
    if (fits)
        return LCL_OK;
    lcl_blob_shape_text(b, shape, sizeof shape);
    lcl_blob_shape_text(first, first_shape, sizeof first_shape);
    return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                          "'%s' is %s and '%s' is %s: they must be the same but along "
                          "axis %d",
                          first->name, first_shape, b->name, shape, axis);
}

static lcl_status concat_reshape(lcl_layer *l, lcl_error *err)
{
    lcl_pieces *s = l->state;
    const lcl_blob *x = l->bottoms[0];
    int shape[LCL_MAX_AXES];
    size_t size = 0;

    for (int i = 0; i < l->n_bottoms; i++) {
        LCL_TRY(check_bottom(l, s->axis, l->bottoms[i], err));
        size += (size_t)l->bottoms[i]->shape[s->axis];
    }
    if (size > INT_MAX)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_ESHAPE, "the top is too large");
    memcpy(shape, x->shape, sizeof shape);
    shape[s->axis] = (int)size;
    LCL_TRY(lcl_blob_reshape(l->tops[0], x->n_axes, shape, x->block, err));
    return lcl_pieces_find(s, l->tops[0], l->bottoms, l->n_bottoms, err);
}

static lcl_status concat_forward(lcl_layer *l, lcl_error *err)
{
    lcl_pieces *s = l->state;

    for (int i = 0; i < l->n_bottoms; i++)
        LCL_TRY(lcl_window_put(&s->windows[i], l->dev, l->tops[0]->data,
                               l->bottoms[i]->data, err));
    return LCL_OK;
}

static lcl_status concat_backward(lcl_layer *l, lcl_error *err)
{
    lcl_pieces *s = l->state;

    for (int i = 0; i < l->n_bottoms; i++)
        if (l->propagate[i])
            LCL_TRY(lcl_window_get(&s->windows[i], l->dev, l->tops[0]->diff,
                                   l->bottoms[i]->diff, err));
    return LCL_OK;
}

static void concat_destroy(lcl_layer *l)
{
    lcl_pieces_release(l->state);
}

const lcl_layer_type lcl_layer_concat = {
    .name = "Concat",
    .min_bottoms = 1,
    .max_bottoms = LCL_MANY,
    .min_tops = 1,
    .max_tops = 1,
    .state_size = sizeof(lcl_pieces),
    .setup = concat_setup,
    .reshape = concat_reshape,
    .forward = concat_forward,
    .backward = concat_backward,
    .destroy = concat_destroy,
};
