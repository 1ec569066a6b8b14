/* Filter: the images of each bottom but the last whose value in the last one, the selector, is
 * not 0. How many these are decides on the shape of the tops, so that each forward pass waits for
 * the selector and reads it; the layers behind are then shaped again. */
#include <stdlib.h>
#include <string.h>

#include "gather.h"
#include "text.h"

typedef struct {
    cl_mem index; /* numbers of the images that were selected; owned */
    size_t size;  /* bytes */
} filter_state;

static const lcl_blob *selector_of(const lcl_layer *l)
{
    return l->bottoms[l->n_bottoms - 1];
}

static lcl_status filter_setup(lcl_layer *l, lcl_error *err)
{
    if (l->n_tops != l->n_bottoms - 1)
        return lcl_layer_fail(
            l, l->param, "top", err, LCL_EPROTO,
            "takes a top for each bottom but the last, the selector: %d, "
            "but has %d",
            l->n_bottoms - 1, l->n_tops);
    l->plain = true;
    return LCL_OK;
}

static lcl_status check_bottoms(const lcl_layer *l, lcl_error *err)
{
    const lcl_blob *selector = selector_of(l);

    if (selector->n_axes == 0 || lcl_blob_count(selector) != (size_t)selector->shape[0])
        return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                              "the selector, '%s', must have one value an image",
                              selector->name);
    for (int i = 0; i < l->n_tops; i++)
        if (lcl_blob_dim(l->bottoms[i], 0) != selector->shape[0])
            return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                                  "'%s' has %d images, but the selector, '%s', has %d",
                                  l->bottoms[i]->name, lcl_blob_dim(l->bottoms[i], 0),
                                  selector->name, selector->shape[0]);
    return LCL_OK;
}

/* Tops of n images. */
static lcl_status shape_tops(lcl_layer *l, int n, lcl_error *err)
{
    int shape[LCL_MAX_AXES];

    for (int i = 0; i < l->n_tops; i++) {
        const lcl_blob *x = l->bottoms[i];
        memcpy(shape, x->shape, sizeof shape);
        shape[0] = n;
        LCL_TRY(lcl_blob_reshape(l->tops[i], x->n_axes, shape, x->block, err));
    }
    return LCL_OK;
}

/* All images, until a forward pass knows better. */
static lcl_status filter_reshape(lcl_layer *l, lcl_error *err)
{
    filter_state *s = l->state;
    size_t size = lcl_blob_count(selector_of(l)) * sizeof(float);

    LCL_TRY(check_bottoms(l, err));
    if (size > s->size) {
        lcl_buffer_release(&s->index);
        s->size = size;
        LCL_TRY(lcl_buffer_create(&s->index, l->dev, size, l->param->name, err));
    }
    return shape_tops(l, selector_of(l)->shape[0], err);
}

/* Reads the selector; `index` has room for as many numbers. */
static lcl_status select_images(lcl_layer *l, float *index, int *n, lcl_error *err)
{
    filter_state *s = l->state;
    const lcl_blob *selector = selector_of(l);

    *n = 0;
    LCL_TRY(lcl_blob_read(selector, LCL_DATA, index, err));
    for (int i = 0; i < selector->shape[0]; i++)
        if (index[i] != 0)
            index[(*n)++] = (float)i;
    if (*n == 0)
        return lcl_layer_fail(
            l, NULL, NULL, err, LCL_EDATA,
            "the selector, '%s', is 0 for all images of the batch: there "
            "is nothing to go on with",
            selector->name);
    return lcl_buffer_write(l->dev, s->index, 0, (size_t)*n * sizeof *index, index, err);
}

static lcl_status filter_forward(lcl_layer *l, lcl_error *err)
{
    filter_state *s = l->state;
    float *index = lcl_alloc(lcl_blob_count(selector_of(l)), sizeof *index);
    int n;
    lcl_status status = select_images(l, index, &n, err);

    free(index);
    LCL_TRY(status);
    LCL_TRY(shape_tops(l, n, err));
    for (int i = 0; i < l->n_tops; i++)
        LCL_TRY(lcl_gather(l->bottoms[i], s->index, l->tops[i], err));
    return LCL_OK;
}

static lcl_status filter_backward(lcl_layer *l, lcl_error *err)
{
    filter_state *s = l->state;

    if (l->propagate[l->n_bottoms - 1])
        return lcl_layer_fail(l, l->param, "bottom", err, LCL_EPROTO,
                              "cannot backpropagate to the selector, '%s'",
                              selector_of(l)->name);
    for (int i = 0; i < l->n_tops; i++)
        if (l->propagate[i])
            LCL_TRY(lcl_gather_gradient(l->bottoms[i], s->index, l->tops[i], err));
    return LCL_OK;
}

static void filter_destroy(lcl_layer *l)
{
    filter_state *s = l->state;

    lcl_buffer_release(&s->index);
}

const lcl_layer_type lcl_layer_filter = {
    .name = "Filter",
    .min_bottoms = 2,
    .max_bottoms = LCL_MANY,
    .min_tops = 1,
    .max_tops = LCL_MANY,
    .reshapes = true,
    .state_size = sizeof(filter_state),
    .setup = filter_setup,
    .reshape = filter_reshape,
    .forward = filter_forward,
    .backward = filter_backward,
    .destroy = filter_destroy,
};
