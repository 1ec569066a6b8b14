/* Split: every top is the bottom. Tops share the bottom's memory; its gradient is the sum
 * of theirs, in their order. The net inserts it where several layers read a blob. */
#include "lcl/layer.h"

enum { EACH = 64 }; /* elements of a work-item */

typedef struct {
    lcl_kernel *add, *add_to; /* borrowed */
    lcl_range global;
} split_state;

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    split_state *s = l->state;
    lcl_blob *x = l->bottoms[0];
    size_t count = lcl_blob_image_count(x);
    lcl_define defines[] = {{"COUNT", (long)count}, {"EACH", EACH}};

    for (int i = 0; i < l->n_tops; i++) {
        LCL_TRY(lcl_blob_reshape(l->tops[i], x->n_axes, x->shape, x->block, err));
        lcl_blob_share_data(l->tops[i], x);
    }
    LCL_TRY(
        lcl_layer_kernel(l, &s->add, "split", "split_add", x->block, defines, 2, err));
    LCL_TRY(lcl_layer_kernel(l, &s->add_to, "split", "split_add_to", x->block, defines, 2,
                             err));
    s->global = (lcl_range){(size_t)(x->block / lcl_layer_vector(l, x->block)),
                            (count + EACH - 1) / EACH, lcl_blob_n_blocks(x)};
    return LCL_OK;
}

static lcl_status forward(lcl_layer *l, lcl_error *err)
{
    (void)l;
    (void)err;
    return LCL_OK;
}

/* Tops that nobody sends a gradient through have no diff. */
static lcl_status backward(lcl_layer *l, lcl_error *err)
{
    split_state *s = l->state;
    lcl_blob *x = l->bottoms[0];
    size_t size = lcl_blob_stored(x) * sizeof(float);
    cl_mem first = NULL;
    int n = 0;

    if (!l->propagate[0])
        return LCL_OK;
    for (int i = 0; i < l->n_tops; i++) {
        cl_mem diff = l->tops[i]->diff;
        if (!diff)
            continue;
        if (n++ == 0) {
            first = diff;
        } else if (n == 2) {
            lcl_arg args[] = {LCL_ARG(first), LCL_ARG(diff), LCL_ARG(x->diff)};
            LCL_TRY(
                lcl_kernel_run(l->dev, s->add, s->global, (lcl_range){0}, args, 3, err));
        } else {
            lcl_arg args[] = {LCL_ARG(diff), LCL_ARG(x->diff)};
            LCL_TRY(lcl_kernel_run(l->dev, s->add_to, s->global, (lcl_range){0}, args, 2,
                                   err));
        }
    }
    if (n == 0)
        return lcl_buffer_fill(l->dev, x->diff, 0, size, 0, err);
    return n == 1 ? lcl_buffer_copy(l->dev, first, 0, x->diff, 0, size, err) : LCL_OK;
}

const lcl_layer_type lcl_layer_split = {
    .name = "Split",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = LCL_MANY,
    .partial_diffs = true,
    .state_size = sizeof(split_state),
    .reshape = reshape,
    .forward = forward,
    .backward = backward,
};
