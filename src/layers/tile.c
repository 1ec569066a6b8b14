/* Tile: the bottom `tiles` times side by side along an axis. */
#include <limits.h>
#include <string.h>

#include "elementwise.h"
#include "lcl/layer.h"

typedef struct {
    int axis;
    cl_int tiles, width;
    lcl_elements elements;          /* of the bottom */
    lcl_kernel *forward, *backward; /* borrowed from the device */
} tile_state;

static lcl_status tile_setup(lcl_layer *l, lcl_error *err)
{
    tile_state *s = l->state;
    const Caffe__TileParameter *p = l->param->tile_param;

    if (!p || !p->has_tiles || p->tiles < 1)
        return lcl_layer_fail(
            l, p, p && p->has_tiles ? "tiles" : NULL, err, LCL_EPROTO,
            "tiles, how often to repeat the bottom, must be at least 1");
    s->tiles = p->tiles;
    LCL_TRY(lcl_layer_axis(l, l->bottoms[0], p->axis, p, "axis", &s->axis, err));
    l->plain = s->axis == 0;
    return LCL_OK;
}

static lcl_status tile_reshape(lcl_layer *l, lcl_error *err)
{
    tile_state *s = l->state;
    const lcl_blob *x = l->bottoms[0];
    size_t run = lcl_blob_count_range(x, s->axis, x->n_axes) * (size_t)x->block;
    int shape[LCL_MAX_AXES];

    memcpy(shape, x->shape, sizeof shape);
    if (shape[s->axis] > INT_MAX / s->tiles)
        return lcl_layer_fail(l, l->param->tile_param, "tiles", err, LCL_ESHAPE,
                              "%d tiles of %d are too many", s->tiles, shape[s->axis]);
    shape[s->axis] *= s->tiles;
    LCL_TRY(lcl_blob_reshape(l->tops[0], x->n_axes, shape, x->block, err));
    s->elements = lcl_elements_in_runs(l->dev, lcl_blob_stored(x), run);
    s->width = (cl_int)(run / (size_t)s->elements.vector);
    LCL_TRY(lcl_elements_kernel(&s->elements, l->dev, &s->forward, "tile", "tile_forward",
                                err));
    return lcl_elements_kernel(&s->elements, l->dev, &s->backward, "tile",
                               "tile_backward", err);
}

static lcl_status run(lcl_layer *l, lcl_kernel *kernel, cl_mem from, cl_mem to,
                      lcl_error *err)
{
    tile_state *s = l->state;
    const lcl_arg args[] = {LCL_ARG(s->width), LCL_ARG(s->tiles), LCL_ARG(from),
                            LCL_ARG(to)};

    return lcl_elements_run(&s->elements, l->dev, kernel, args, 4, err);
}

static lcl_status tile_forward(lcl_layer *l, lcl_error *err)
{
    tile_state *s = l->state;

    return run(l, s->forward, l->bottoms[0]->data, l->tops[0]->data, err);
}

static lcl_status tile_backward(lcl_layer *l, lcl_error *err)
{
    tile_state *s = l->state;

    if (!l->propagate[0])
        return LCL_OK;
    return run(l, s->backward, l->tops[0]->diff, l->bottoms[0]->diff, err);
}

const lcl_layer_type lcl_layer_tile = {
    .name = "Tile",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 1,
    .state_size = sizeof(tile_state),
    .setup = tile_setup,
    .reshape = tile_reshape,
    .forward = tile_forward,
    .backward = tile_backward,
};
