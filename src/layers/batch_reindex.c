/* BatchReindex: image i of the top is image b[i] of bottom 0, where b is bottom 1, of one axis. A
 * number that bottom 0 has not gives NANs. */
#include <string.h>

#include "gather.h"

static lcl_status batch_reindex_setup(lcl_layer *l, lcl_error *err)
{
    const lcl_blob *x = l->bottoms[0];

    if (x->n_axes == 0)
        return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                              "'%s' has no images", x->name);
    l->plain = true;
    return LCL_OK;
}

static lcl_status batch_reindex_reshape(lcl_layer *l, lcl_error *err)
{
    const lcl_blob *x = l->bottoms[0], *index = l->bottoms[1];
    int shape[LCL_MAX_AXES];

    if (index->n_axes != 1)
        return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                              "the numbers, '%s', must have one axis, not %d",
                              index->name, index->n_axes);
    memcpy(shape, x->shape, sizeof shape);
    shape[0] = index->shape[0];
    return lcl_blob_reshape(l->tops[0], x->n_axes, shape, x->block, err);
}

static lcl_status batch_reindex_forward(lcl_layer *l, lcl_error *err)
{
    return lcl_gather(l->bottoms[0], l->bottoms[1]->data, l->tops[0], err);
}

static lcl_status batch_reindex_backward(lcl_layer *l, lcl_error *err)
{
    if (!l->propagate[0])
        return LCL_OK;
    return lcl_gather_gradient(l->bottoms[0], l->bottoms[1]->data, l->tops[0], err);
}

const lcl_layer_type lcl_layer_batch_reindex = {
    .name = "BatchReindex",
    .min_bottoms = 2,
    .max_bottoms = 2,
    .min_tops = 1,
    .max_tops = 1,
    .no_backward = 2,
    .setup = batch_reindex_setup,
    .reshape = batch_reindex_reshape,
    .forward = batch_reindex_forward,
    .backward = batch_reindex_backward,
};
