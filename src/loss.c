/* What losses share: how they are normalised, their labels, and all of a simple loss but
 * its kernels. */
#include "loss.h"

#include <stdlib.h>

#include "text.h"

enum { MAX_BOTTOMS = 3 };

lcl_normalization lcl_loss_normalization(const lcl_layer *l, lcl_normalization fallback)
{
    const Caffe__LossParameter *p = l->param->loss_param;

    if (p && p->has_normalization)
        return p->normalization;
    if (p && p->has_normalize)
        return p->normalize ? CAFFE__LOSS_PARAMETER__NORMALIZATION_MODE__VALID
                            : CAFFE__LOSS_PARAMETER__NORMALIZATION_MODE__BATCH_SIZE;
    return fallback;
}

float lcl_loss_normaliser(lcl_normalization mode, size_t full, size_t batch)
{
    switch (mode) {
    case CAFFE__LOSS_PARAMETER__NORMALIZATION_MODE__FULL: return (float)full;
    case CAFFE__LOSS_PARAMETER__NORMALIZATION_MODE__BATCH_SIZE: return (float)batch;
    case CAFFE__LOSS_PARAMETER__NORMALIZATION_MODE__NONE: return 1;
    default: return 0;
    }
}

lcl_status lcl_loss_check_batch(const lcl_layer *l, lcl_error *err)
{
    const lcl_blob *a = l->bottoms[0], *b = l->bottoms[1];

    if (lcl_blob_count(a) == 0)
        return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE, "'%s' is empty",
                              a->name);
    if (a->n_axes > 0 && b->n_axes > 0 && a->shape[0] == b->shape[0])
        return LCL_OK;
    return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                          "'%s' and '%s' must have the same first dimension, but have %d "
                          "and %d",
                          a->name, b->name, lcl_blob_dim(a, 0), lcl_blob_dim(b, 0));
}

lcl_status lcl_loss_check_counts(const lcl_layer *l, lcl_error *err)
{
    const lcl_blob *a = l->bottoms[0], *b = l->bottoms[1];

    if (lcl_blob_count(a) == lcl_blob_count(b))
        return LCL_OK;
    return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                          "'%s' has %zu values, but '%s' has %zu", a->name,
                          lcl_blob_count(a), b->name, lcl_blob_count(b));
}

lcl_status lcl_loss_check_labels(const lcl_layer *l, int i, lcl_error *err)
{
    const lcl_blob *labels = l->bottoms[i];
    char shape[128];

    if (lcl_blob_dim(labels, 0) == lcl_blob_dim(l->bottoms[0], 0) &&
        lcl_blob_image_count(labels) == 1)
        return LCL_OK;
    lcl_blob_shape_text(labels, shape, sizeof shape);
    return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                          "one label is needed for each of %d images, but '%s' is %s",
                          lcl_blob_dim(l->bottoms[0], 0), labels->name, shape);
}

static void release_sums(lcl_loss *s)
{
    lcl_buffer_release(&s->losses);
    lcl_buffer_release(&s->counted);
    lcl_buffer_release(&s->divisor);
    s->size = 0;
}

static lcl_status need_sums(lcl_layer *l, size_t size, lcl_error *err)
{
    lcl_loss *s = l->state;

    if (size <= s->size)
        return LCL_OK;
    release_sums(s);
    LCL_TRY(lcl_buffer_create(&s->losses, l->dev, size, l->param->name, err));
    LCL_TRY(lcl_buffer_create(&s->counted, l->dev, size, l->param->name, err));
    LCL_TRY(lcl_buffer_create(&s->divisor, l->dev, sizeof(float), l->param->name, err));
    s->size = size;
    return LCL_OK;
}

/* <prefix>_<name> of cl/<file>.cl. */
static lcl_status get_kernel(lcl_layer *l, lcl_kernel **out, const char *file,
                             const char *prefix, const char *name,
                             const lcl_define *defines, size_t n, lcl_error *err)
{
    char *full = lcl_format("%s_%s", prefix, name);
    lcl_status status =
        lcl_layer_kernel(l, out, file, full, l->bottoms[0]->block, defines, n, err);

    free(full);
    return status;
}

lcl_status lcl_loss_reshape(lcl_layer *l, const lcl_axis_view *v, float normaliser,
                            const char *file, const lcl_define *defines, size_t n,
                            lcl_error *err)
{
    lcl_loss *s = l->state;
    size_t vector = (size_t)lcl_layer_vector(l, l->bottoms[0]->block);

    LCL_TRY(lcl_blob_reshape(l->tops[0], 0, NULL, 1, err));
    s->range = (lcl_range){v->lanes, (size_t)v->items, v->n_blocks};
    s->n_images = v->n_images;
    s->n_sums = (cl_int)lcl_axis_view_sums(v);
    s->normaliser = normaliser;
    LCL_TRY(need_sums(l, (size_t)s->n_sums * vector * sizeof(float), err));
    LCL_TRY(get_kernel(l, &s->forward, file, file, "forward", defines, n, err));
    LCL_TRY(get_kernel(l, &s->backward, file, file, "backward", defines, n, err));
    return get_kernel(l, &s->sum, file, "loss", "sum", defines, n, err);
}

lcl_status lcl_loss_reshape_classes(lcl_layer *l, int axis, lcl_blob *prob,
                                    const char *file, lcl_axis_view *v, lcl_error *err)
{
    const Caffe__LossParameter *p = l->param->loss_param;
    const lcl_blob *x = l->bottoms[0];
    lcl_normalization mode =
        lcl_loss_normalization(l, CAFFE__LOSS_PARAMETER__NORMALIZATION_MODE__VALID);

    LCL_TRY(lcl_blob_reshape(prob, x->n_axes, x->shape, x->block, err));
    *v = lcl_axis_view_of(l, x, axis);
    const lcl_define defines[] = {{"OUTER", v->outer},
                                  {"CHANNELS", v->channels},
                                  {"INNER", v->inner},
                                  {"HAS_IGNORE", p && p->has_ignore_label},
                                  {"IGNORE_LABEL", p ? p->ignore_label : 0}};
    float normaliser = lcl_loss_normaliser(mode, lcl_axis_view_positions(v),
                                           lcl_blob_count_range(x, 0, axis));
    return lcl_loss_reshape(l, v, normaliser, file, defines, LCL_COUNT(defines), err);
}

lcl_status lcl_loss_add_up(lcl_layer *l, lcl_error *err)
{
    lcl_loss *s = l->state;
    lcl_arg args[] = {LCL_ARG(s->losses),        LCL_ARG(s->counted),
                      LCL_ARG(s->n_sums),        LCL_ARG(s->normaliser),
                      LCL_ARG(l->tops[0]->data), LCL_ARG(s->divisor)};
    const lcl_range one = {1, 1, 1};

    return lcl_kernel_run(l->dev, s->sum, one, one, args, 6, err);
}

/* The bottoms' data first; gives their number. */
static size_t bottom_args(const lcl_layer *l, lcl_arg *args)
{
    for (int i = 0; i < l->n_bottoms; i++)
        args[i] = (lcl_arg)LCL_ARG(l->bottoms[i]->data);
    return (size_t)l->n_bottoms;
}

lcl_status lcl_loss_forward(lcl_layer *l, lcl_error *err)
{
    lcl_loss *s = l->state;
    lcl_arg args[MAX_BOTTOMS + 3];
    size_t n = bottom_args(l, args);

    args[n++] = (lcl_arg)LCL_ARG(s->losses);
    args[n++] = (lcl_arg)LCL_ARG(s->counted);
    args[n++] = (lcl_arg)LCL_ARG(s->n_images);
    LCL_TRY(lcl_kernel_run(l->dev, s->forward, s->range, (lcl_range){0}, args, n, err));
    return lcl_loss_add_up(l, err);
}

static lcl_status backward_to(lcl_layer *l, int i, cl_float weight, lcl_error *err)
{
    lcl_loss *s = l->state;
    lcl_arg args[MAX_BOTTOMS + 4];
    size_t n = bottom_args(l, args);

    args[n++] = (lcl_arg)LCL_ARG(l->bottoms[i]->diff);
    args[n++] = (lcl_arg)LCL_ARG(s->n_images);
    args[n++] = (lcl_arg)LCL_ARG(weight);
    args[n++] = (lcl_arg)LCL_ARG(s->divisor);
    return lcl_kernel_run(l->dev, s->backward, s->range, (lcl_range){0}, args, n, err);
}

lcl_status lcl_loss_backward(lcl_layer *l, lcl_error *err)
{
    if (l->propagate[0])
        LCL_TRY(backward_to(l, 0, l->loss_weights[0], err));
    return l->propagate[1] ? backward_to(l, 1, -l->loss_weights[0], err) : LCL_OK;
}

void lcl_loss_destroy(lcl_layer *l)
{
    release_sums(l->state);
}
