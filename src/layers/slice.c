/* Slice: the bottom cut along an axis, at slice_points or into equal pieces. */
#include <string.h>

#include "window.h"

static const Caffe__SliceParameter none = CAFFE__SLICE_PARAMETER__INIT;

static const Caffe__SliceParameter *param_of(const lcl_layer *l)
{
    return l->param->slice_param ? l->param->slice_param : &none;
}

static lcl_status slice_setup(lcl_layer *l, lcl_error *err)
{
    const Caffe__SliceParameter *p = param_of(l);
    const lcl_pieces_axis axis = {p,       p->has_axis,  p->has_slice_dim,
                                  p->axis, p->slice_dim, "slice_dim"};

    if (p->n_slice_point && p->n_slice_point != (size_t)l->n_tops - 1)
        return lcl_layer_fail(l, p, "slice_point", err, LCL_EPROTO,
                              "%d tops need %d slice points, but there are %zu",
                              l->n_tops, l->n_tops - 1, p->n_slice_point);
    return lcl_pieces_set_up(l->state, l, l->n_tops, &axis, err);
}

/* Where piece i of an axis of `size` ends. */
static size_t piece_end(const lcl_layer *l, int i, size_t size)
{
    const Caffe__SliceParameter *p = param_of(l);

    if (i == l->n_tops - 1)
        return size;
    return p->n_slice_point ? p->slice_point[i]
                            : size / (size_t)l->n_tops * ((size_t)i + 1);
}

static lcl_status check_pieces(const lcl_layer *l, size_t size, lcl_error *err)
{
    const Caffe__SliceParameter *p = param_of(l);
    size_t start = 0;

    if (p->n_slice_point == 0 && size % (size_t)l->n_tops != 0)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_ESHAPE,
                              "an axis of %zu cannot be cut into %d equal pieces", size,
                              l->n_tops);
    for (int i = 0; i < l->n_tops; i++) {
        size_t end = piece_end(l, i, size);
        if (end <= start || end > size)
            return lcl_layer_fail(l, p->n_slice_point ? p : NULL, "slice_point", err,
                                  LCL_ESHAPE,
                                  "slice points must rise and lie within the axis, which "
                                  "has %zu: top %d would be %zu to %zu",
                                  size, i, start, end);
        start = end;
    }
    return LCL_OK;
}

static lcl_status slice_reshape(lcl_layer *l, lcl_error *err)
{
    lcl_pieces *s = l->state;
    const lcl_blob *x = l->bottoms[0];
    size_t size = (size_t)x->shape[s->axis], start = 0;
    int shape[LCL_MAX_AXES];

    memcpy(shape, x->shape, sizeof shape);
    LCL_TRY(check_pieces(l, size, err));
    for (int i = 0; i < l->n_tops; i++) {
        size_t end = piece_end(l, i, size);
        shape[s->axis] = (int)(end - start);
        LCL_TRY(lcl_blob_reshape(l->tops[i], x->n_axes, shape, x->block, err));
        start = end;
    }
    return lcl_pieces_find(s, x, l->tops, l->n_tops, err);
}

static lcl_status slice_forward(lcl_layer *l, lcl_error *err)
{
    lcl_pieces *s = l->state;

    for (int i = 0; i < l->n_tops; i++)
        LCL_TRY(lcl_window_get(&s->windows[i], l->dev, l->bottoms[0]->data,
                               l->tops[i]->data, err));
    return LCL_OK;
}

static lcl_status slice_backward(lcl_layer *l, lcl_error *err)
{
    lcl_pieces *s = l->state;

    for (int i = 0; l->propagate[0] && i < l->n_tops; i++)
        LCL_TRY(lcl_window_put(&s->windows[i], l->dev, l->bottoms[0]->diff,
                               l->tops[i]->diff, err));
    return LCL_OK;
}

static void slice_destroy(lcl_layer *l)
{
    lcl_pieces_release(l->state);
}

const lcl_layer_type lcl_layer_slice = {
    .name = "Slice",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = LCL_MANY,
    .state_size = sizeof(lcl_pieces),
    .setup = slice_setup,
    .reshape = slice_reshape,
    .forward = slice_forward,
    .backward = slice_backward,
    .destroy = slice_destroy,
};
