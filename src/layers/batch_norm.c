/* BatchNorm: y = (x - mean) / sqrt(variance + eps) of each channel, over the batch in
 * training (or as use_global_stats says), else by what training left in the parameters: moving
 * sums of means (C) and variances (C), and the sum of their weights (1). Nothing is learned.
 * Shapes: x and y (N, C, ...). In place allowed. */
#include "lcl/layer.h"
#include "text.h"

enum { GPU_EACH = 64 }; /* elements of a channel that a work-item handles */

typedef struct {
    cl_float eps, fraction;
    bool stored; /* use the parameters */
    bool keep;   /* the top: in place, where backward has no x */
    lcl_kernel *sums, *mean, *squares, *deviation, *from_stored, *forward;
    lcl_kernel *products, *means, *backward, *backward_stored; /* all borrowed */
    lcl_range range, channels;
    cl_int n_images, blocks;
    cl_float count;  /* values of a channel */
    cl_mem parts[2]; /* sums that work-items leave */
    cl_mem stats;    /* see cl/batch_norm.cl */
    cl_mem kept;     /* the top, where `keep` */
} batch_norm_state;

static lcl_status setup(lcl_layer *l, lcl_error *err)
{
    batch_norm_state *s = l->state;
    const Caffe__BatchNormParameter *p = l->param->batch_norm_param;
    const lcl_blob *x = l->bottoms[0];

    if (x->n_axes < 2)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_ESHAPE,
                              "bottom '%s' has %d axes; channels are axis 1", x->name,
                              x->n_axes);
    for (size_t i = 0; i < l->param->n_param; i++)
        if (l->param->param[i]->lr_mult != 0)
            return lcl_layer_fail(
                l, l->param->param[i], "lr_mult", err, LCL_EPROTO,
                "BatchNorm's parameters are statistics and not learned: "
                "lr_mult must be 0");
    s->eps = p ? p->eps : 1e-5f;
    s->fraction = p ? p->moving_average_fraction : 0.999f;
    s->stored = p && p->has_use_global_stats ? p->use_global_stats
                                             : l->phase == CAFFE__PHASE__TEST;
    const int shapes[3] = {x->shape[1], x->shape[1], 1};
    for (int i = 0; i < 3; i++) {
        LCL_TRY(lcl_layer_add_param(l, 1, &shapes[i], NULL, err));
        l->param_propagate[i] = false;
    }
    return LCL_OK;
}

static lcl_status get_kernels(lcl_layer *l, const lcl_define *defines, size_t n,
                              lcl_error *err)
{
    batch_norm_state *s = l->state;
    const struct {
        lcl_kernel **kernel;
        const char *name;
    } kernels[] = {{&s->sums, "batch_norm_sums"},
                   {&s->mean, "batch_norm_mean"},
                   {&s->squares, "batch_norm_squares"},
                   {&s->deviation, "batch_norm_deviation"},
                   {&s->from_stored, "batch_norm_stored"},
                   {&s->forward, "batch_norm_forward"},
                   {&s->products, "batch_norm_products"},
                   {&s->means, "batch_norm_means"},
                   {&s->backward, "batch_norm_backward"},
                   {&s->backward_stored, "batch_norm_backward_stored"}};

    for (size_t i = 0; i < LCL_COUNT(kernels); i++)
        LCL_TRY(lcl_layer_kernel(l, kernels[i].kernel, "batch_norm", kernels[i].name,
                                 l->bottoms[0]->block, defines, n, err));
    return LCL_OK;
}

static void release(batch_norm_state *s)
{
    lcl_buffer_release(&s->parts[0]);
    lcl_buffer_release(&s->parts[1]);
    lcl_buffer_release(&s->stats);
    lcl_buffer_release(&s->kept);
}

static lcl_status need_memory(lcl_layer *l, lcl_error *err)
{
    batch_norm_state *s = l->state;
    const lcl_blob *x = l->bottoms[0];
    const size_t vector = (size_t)lcl_layer_vector(l, x->block) * sizeof(float);
    const size_t parts = s->range.x * s->range.y * s->range.z * vector;
    const size_t stats = 4 * (size_t)x->shape[1] * sizeof(float);
    const char *name = l->param->name;

    release(s);
    for (int i = 0; i < 2; i++)
        LCL_TRY(lcl_buffer_create(&s->parts[i], l->dev, parts, name, err));
    if (s->keep)
        LCL_TRY(lcl_buffer_create(&s->kept, l->dev, lcl_blob_stored(x) * sizeof(float),
                                  name, err));
    return lcl_buffer_create(&s->stats, l->dev, stats, name, err);
}

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    batch_norm_state *s = l->state;
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];
    const long count = (long)lcl_blob_count_range(x, 2, x->n_axes);
    const long each = lcl_device_is_cpu(l->dev) ? count : GPU_EACH;

    if (x->n_axes < 2 || (size_t)x->shape[1] != lcl_blob_count(l->params[0]) ||
        lcl_blob_count(x) == 0)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_ESHAPE,
                              "bottom '%s' must have %zu channels, and values", x->name,
                              lcl_blob_count(l->params[0]));
    const long shares = (count + each - 1) / each;
    s->keep = x == y && !s->stored;
    const lcl_define defines[] = {{"CHANNELS", x->shape[1]},
                                  {"COUNT", count},
                                  {"EACH", each},
                                  {"SHARES", shares},
                                  {"KEEP", s->keep}};
    if (y != x)
        LCL_TRY(lcl_blob_reshape(y, x->n_axes, x->shape, x->block, err));
    s->channels.x = (size_t)x->shape[1];
    s->range = (lcl_range){(size_t)(x->block / lcl_layer_vector(l, x->block)),
                           s->channels.x * (size_t)shares, lcl_blob_n_blocks(x)};
    s->n_images = x->shape[0];
    s->blocks = (cl_int)s->range.z;
    s->count = (float)x->shape[0] * (float)count;
    LCL_TRY(need_memory(l, err));
    return get_kernels(l, defines, LCL_COUNT(defines), err);
}

static lcl_status run(lcl_layer *l, lcl_kernel *kernel, lcl_range range,
                      const lcl_arg *args, size_t n, lcl_error *err)
{
    return lcl_kernel_run(l->dev, kernel, range, (lcl_range){0}, args, n, err);
}

static lcl_status stored_statistics(lcl_layer *l, lcl_error *err)
{
    batch_norm_state *s = l->state;
    lcl_arg args[] = {LCL_ARG(l->params[0]->data), LCL_ARG(l->params[1]->data),
                      LCL_ARG(l->params[2]->data), LCL_ARG(s->eps), LCL_ARG(s->stats)};

    return run(l, s->from_stored, s->channels, args, LCL_COUNT(args), err);
}

static lcl_status batch_statistics(lcl_layer *l, lcl_error *err)
{
    batch_norm_state *s = l->state;
    cl_mem x = l->bottoms[0]->data;
    lcl_arg sums[] = {LCL_ARG(x), LCL_ARG(s->parts[0]), LCL_ARG(s->n_images)};
    lcl_arg mean[] = {LCL_ARG(s->parts[0]), LCL_ARG(s->blocks), LCL_ARG(s->count),
                      LCL_ARG(s->stats)};
    lcl_arg squares[] = {LCL_ARG(x), LCL_ARG(s->stats), LCL_ARG(s->parts[0]),
                         LCL_ARG(s->n_images)};
    lcl_arg deviation[] = {LCL_ARG(s->parts[0]),        LCL_ARG(s->blocks),
                           LCL_ARG(s->count),           LCL_ARG(s->eps),
                           LCL_ARG(s->fraction),        LCL_ARG(s->stats),
                           LCL_ARG(l->params[0]->data), LCL_ARG(l->params[1]->data),
                           LCL_ARG(l->params[2]->data)};

    LCL_TRY(run(l, s->sums, s->range, sums, LCL_COUNT(sums), err));
    LCL_TRY(run(l, s->mean, s->channels, mean, LCL_COUNT(mean), err));
    LCL_TRY(run(l, s->squares, s->range, squares, LCL_COUNT(squares), err));
    return run(l, s->deviation, s->channels, deviation, LCL_COUNT(deviation), err);
}

static lcl_status forward(lcl_layer *l, lcl_error *err)
{
    batch_norm_state *s = l->state;
    cl_mem kept = s->keep ? s->kept : s->stats;
    lcl_arg args[] = {LCL_ARG(l->bottoms[0]->data), LCL_ARG(s->stats),
                      LCL_ARG(l->tops[0]->data), LCL_ARG(kept)};

    LCL_TRY(s->stored ? stored_statistics(l, err) : batch_statistics(l, err));
    return run(l, s->forward, s->range, args, LCL_COUNT(args), err);
}

static lcl_status backward(lcl_layer *l, lcl_error *err)
{
    batch_norm_state *s = l->state;
    cl_mem dy = l->tops[0]->diff, dx = l->bottoms[0]->diff;
    cl_mem x = s->keep ? s->kept : l->bottoms[0]->data;
    lcl_arg stored[] = {LCL_ARG(dy), LCL_ARG(s->stats), LCL_ARG(dx)};
    lcl_arg products[] = {LCL_ARG(x), LCL_ARG(dy), LCL_ARG(s->stats),
                          LCL_ARG(s->parts[0]), LCL_ARG(s->parts[1])};
    lcl_arg means[] = {LCL_ARG(s->parts[0]), LCL_ARG(s->parts[1]), LCL_ARG(s->blocks),
                       LCL_ARG(s->count), LCL_ARG(s->stats)};
    lcl_arg args[] = {LCL_ARG(x), LCL_ARG(dy), LCL_ARG(s->stats), LCL_ARG(dx),
                      LCL_ARG(s->n_images)};

    if (!l->propagate[0])
        return LCL_OK;
    if (s->stored)
        return run(l, s->backward_stored, s->range, stored, LCL_COUNT(stored), err);
    LCL_TRY(run(l, s->products, s->range, products, LCL_COUNT(products), err));
    LCL_TRY(run(l, s->means, s->channels, means, LCL_COUNT(means), err));
    return run(l, s->backward, s->range, args, LCL_COUNT(args), err);
}

static void destroy(lcl_layer *l)
{
    release(l->state);
}

const lcl_layer_type lcl_layer_batch_norm = {
    .name = "BatchNorm",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 1,
    .in_place = true,
    .state_size = sizeof(batch_norm_state),
    .setup = setup,
    .reshape = reshape,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
