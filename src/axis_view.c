/* A blob seen around one of its axes: what softmax, accuracy and their like walk over. */
#include "axis_view.h"

enum { CPU_SUMS = 256, GPU_SUMS = 4096 };

static size_t lanes_of(const lcl_layer *l, const lcl_blob *b)
{
    return (size_t)(b->block / lcl_layer_vector(l, b->block));
}

static int items_of(const lcl_layer *l, const lcl_axis_view *v)
{
    size_t most = lcl_device_is_cpu(l->dev) ? CPU_SUMS : GPU_SUMS;
    size_t positions = (size_t)v->outer * (size_t)v->inner;
    size_t across = v->n_blocks * v->lanes, items = across < most ? most / across : 1;

    return (int)(items < positions ? items : positions);
}

/* Channels lie apart: on a CPU neighbours use what comes with a line, and the next. */
static int runs_of(const lcl_layer *l, int inner)
{
    int runs = lcl_device_is_cpu(l->dev) ? 8 : 1;

    while (inner % runs != 0)
        runs--;
    return runs;
}

lcl_axis_view lcl_axis_view_of(const lcl_layer *l, const lcl_blob *b, int axis)
{
    lcl_axis_view v = {.n_blocks = 1,
                       .lanes = lanes_of(l, b),
                       .n_images = 1,
                       .outer = 1,
                       .channels = b->shape[axis],
                       .inner = (int)lcl_blob_count_range(b, axis + 1, b->n_axes)};

    if (axis > 0) {
        v.n_blocks = lcl_blob_n_blocks(b);
        v.n_images = b->shape[0];
        v.outer = (int)lcl_blob_count_range(b, 1, axis);
    }
    v.runs = runs_of(l, v.inner);
    v.items = items_of(l, &v);
    return v;
}

lcl_axis_view lcl_axis_view_flat(const lcl_layer *l, const lcl_blob *b, int channels)
{
    lcl_axis_view v = {.n_blocks = lcl_blob_n_blocks(b),
                       .lanes = lanes_of(l, b),
                       .n_images = lcl_blob_dim(b, 0),
                       .outer = (int)lcl_blob_image_count(b) / channels,
                       .channels = channels,
                       .inner = 1,
                       .runs = 1};

    v.items = items_of(l, &v);
    return v;
}

lcl_range lcl_axis_view_range(const lcl_axis_view *v)
{
    return (lcl_range){v->lanes, (size_t)v->outer * (size_t)(v->inner / v->runs),
                       v->n_blocks};
}

size_t lcl_axis_view_positions(const lcl_axis_view *v)
{
    return (size_t)v->n_images * (size_t)v->outer * (size_t)v->inner;
}

size_t lcl_axis_view_sums(const lcl_axis_view *v)
{
    return v->n_blocks * (size_t)v->items * v->lanes;
}

bool lcl_axis_labels_need_plain(const lcl_layer *l, int axis)
{
    return axis == 0 || lcl_blob_dim(l->bottoms[1], 0) != lcl_blob_dim(l->bottoms[0], 0);
}

lcl_status lcl_axis_check_labels(const lcl_layer *l, int axis, lcl_error *err)
{
    const lcl_blob *x = l->bottoms[0], *labels = l->bottoms[1];
    size_t positions =
        lcl_blob_count_range(x, 0, axis) * lcl_blob_count_range(x, axis + 1, x->n_axes);
    char shape[128], label_shape[128];

    if (lcl_blob_count(labels) == positions &&
        (l->plain || !lcl_axis_labels_need_plain(l, axis)))
        return LCL_OK;
    lcl_blob_shape_text(x, shape, sizeof shape);
    lcl_blob_shape_text(labels, label_shape, sizeof label_shape);
    lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                   "'%s' is %s: one label is needed for each of %zu predictions, but "
                   "'%s' is %s",
                   x->name, shape, positions, labels->name, label_shape);
    return lcl_hint(err, LCL_ESHAPE,
                    "predictions N x C x H x W with classes along axis 1 need labels "
                    "N x H x W");
}
