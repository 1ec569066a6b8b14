/* LRN: y = x / (k + alpha / n * sum of squares around x) ^ beta. Around: local_size channels
 * (n = local_size), or WITHIN_CHANNEL the local_size x local_size window (n its size, k = 1).
 * Shapes: x and y (N, C, H, W). */
#include "lcl/layer.h"
#include "text.h"
#include "tile.h"

enum {
    MAX_SIZE = 1 << 15,
    MAX_RADIUS = 8, /* of what sums take to each side, for a ring of their terms */
    CPU_COLUMNS = 16,
    GPU_CHUNK = 8, /* channels, or rows, of a work-item */
};

typedef struct {
    cl_float alpha, beta, k;        /* alpha: already divided by n */
    lcl_kernel *forward, *backward; /* borrowed from the device */
    lcl_range range;
    cl_mem scales; /* what x was divided by, before its power */
    size_t size;   /* bytes of it */
} lrn_state;

static const Caffe__LRNParameter none = CAFFE__LRNPARAMETER__INIT;

static const Caffe__LRNParameter *param_of(const lcl_layer *l)
{
    return l->param->lrn_param ? l->param->lrn_param : &none;
}

static bool is_within(const lcl_layer *l)
{
    return param_of(l)->norm_region == CAFFE__LRNPARAMETER__NORM_REGION__WITHIN_CHANNEL;
}

static lcl_status setup(lcl_layer *l, lcl_error *err)
{
    lrn_state *s = l->state;
    const Caffe__LRNParameter *p = param_of(l);

    if (p->local_size % 2 == 0 || p->local_size > MAX_SIZE)
        return lcl_layer_fail(l, l->param->lrn_param, "local_size", err, LCL_EPROTO,
                              "local_size must be odd and at most %d, but is %u",
                              MAX_SIZE, p->local_size);
    float n = (float)p->local_size;
    s->alpha = p->alpha / (is_within(l) ? n * n : n);
    s->beta = p->beta;
    s->k = is_within(l) ? 1 : p->k;
    return LCL_OK;
}

static lcl_status need_scales(lcl_layer *l, lcl_error *err)
{
    lrn_state *s = l->state;
    size_t size = lcl_blob_stored(l->bottoms[0]) * sizeof(float);

    if (size <= s->size)
        return LCL_OK;
    lcl_buffer_release(&s->scales);
    s->size = 0;
    LCL_TRY(lcl_buffer_create(&s->scales, l->dev, size, l->param->name, err));
    s->size = size;
    return LCL_OK;
}

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    lrn_state *s = l->state;
    const lcl_blob *x = l->bottoms[0];
    const bool within = is_within(l);

    if (x->n_axes != 4)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_ESHAPE,
                              "bottom '%s' has %d axes; LRN needs 4 (N, C, H, W)",
                              x->name, x->n_axes);
    const int channels = x->shape[1], height = x->shape[2], width = x->shape[3];
    const int radius = (int)(param_of(l)->local_size - 1) / 2;
    const int steps = within ? height : channels, others = within ? channels : height;
    const int chunk = lcl_device_is_cpu(l->dev) ? steps : GPU_CHUNK;
    const lcl_define defines[] = {
        {"CHANNELS", channels},
        {"HEIGHT", height},
        {"WIDTH", width},
        {"WITHIN", within},
        {"RADIUS", radius},
        {"CHUNK", chunk},
        {"COLUMNS", lcl_device_is_cpu(l->dev) ? CPU_COLUMNS : 1},
        {"WIDE", radius > MAX_RADIUS},
        {"THREE_QUARTERS", s->beta == 0.75f}};
    LCL_TRY(lcl_blob_reshape(l->tops[0], 4, x->shape, x->block, err));
    LCL_TRY(need_scales(l, err));
    s->range =
        (lcl_range){(size_t)(x->block / lcl_layer_vector(l, x->block)),
                    lcl_tile_count(steps, chunk) * (size_t)others, lcl_blob_n_blocks(x)};
    LCL_TRY(lcl_layer_kernel(l, &s->forward, "lrn", "lrn_forward", x->block, defines,
                             LCL_COUNT(defines), err));
    return lcl_layer_kernel(l, &s->backward, "lrn", "lrn_backward", x->block, defines,
                            LCL_COUNT(defines), err);
}

static lcl_status forward(lcl_layer *l, lcl_error *err)
{
    lrn_state *s = l->state;
    cl_int n_images = l->bottoms[0]->shape[0];
    lcl_arg args[] = {LCL_ARG(l->bottoms[0]->data),
                      LCL_ARG(l->tops[0]->data),
                      LCL_ARG(s->scales),
                      LCL_ARG(n_images),
                      LCL_ARG(s->k),
                      LCL_ARG(s->alpha),
                      LCL_ARG(s->beta)};

    return lcl_kernel_run(l->dev, s->forward, s->range, (lcl_range){0}, args,
                          LCL_COUNT(args), err);
}

static lcl_status backward(lcl_layer *l, lcl_error *err)
{
    lrn_state *s = l->state;
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];
    lcl_arg args[] = {LCL_ARG(x->data), LCL_ARG(y->data), LCL_ARG(s->scales),
                      LCL_ARG(y->diff), LCL_ARG(x->diff), LCL_ARG(s->alpha),
                      LCL_ARG(s->beta)};

    if (!l->propagate[0])
        return LCL_OK;
    return lcl_kernel_run(l->dev, s->backward, s->range, (lcl_range){0}, args,
                          LCL_COUNT(args), err);
}

static void destroy(lcl_layer *l)
{
    lcl_buffer_release(&((lrn_state *)l->state)->scales);
}

const lcl_layer_type lcl_layer_lrn = {
    .name = "LRN",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 1,
    .state_size = sizeof(lrn_state),
    .setup = setup,
    .reshape = reshape,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
