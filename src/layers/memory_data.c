/* MemoryData: batches out of the caller's memory, which lcl_net_feed names. Tops: images
 * (batch_size, channels, height, width) and labels (batch_size). */
#include "lcl/layer.h"

#include <limits.h>

typedef struct {
    int shape[4];
    const float *images, *labels; /* borrowed from the caller; NULL before it gave any */
    size_t n, position;           /* of images: how many, and the next batch's first */
} memory_data_state;

static lcl_status memory_data_setup(lcl_layer *l, lcl_error *err)
{
    const Caffe__MemoryDataParameter *p = l->param->memory_data_param;
    memory_data_state *s = l->state;
    const uint32_t given[4] = {p ? p->batch_size : 0, p ? p->channels : 0,
                               p ? p->height : 0, p ? p->width : 0};
    static const char *const names[4] = {"batch_size", "channels", "height", "width"};

    for (int i = 0; i < 4; i++) {
        if (given[i] < 1 || given[i] > INT_MAX)
            return lcl_layer_fail(l, p, names[i], err, LCL_EPROTO,
                                  "batch_size, channels, height and width must be given "
                                  "and at least 1: %s is %u",
                                  names[i], given[i]);
        s->shape[i] = (int)given[i];
    }
    return LCL_OK;
}

static lcl_status memory_data_reshape(lcl_layer *l, lcl_error *err)
{
    memory_data_state *s = l->state;

    LCL_TRY(lcl_blob_reshape(l->tops[0], 4, s->shape, l->env->block, err));
    return lcl_blob_reshape(l->tops[1], 1, s->shape, l->env->block, err);
}

static lcl_status memory_data_feed(lcl_layer *l, const float *images, const float *labels,
                                   size_t n, lcl_error *err)
{
    memory_data_state *s = l->state;
    size_t batch = (size_t)s->shape[0];

    if (!images || !labels || n == 0 || n % batch != 0)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_EUSAGE,
                              "needs images and labels for whole batches of %zu, not for "
                              "%zu",
                              batch, images && labels ? n : 0);
    s->images = images;
    s->labels = labels;
    s->n = n;
    s->position = 0;
    return LCL_OK;
}

static lcl_status memory_data_forward(lcl_layer *l, lcl_error *err)
{
    memory_data_state *s = l->state;
    size_t count = lcl_blob_image_count(l->tops[0]);

    if (!s->images) {
        lcl_layer_fail(l, NULL, NULL, err, LCL_EDATA, "nobody has given it images yet");
        return lcl_hint(err, LCL_EDATA, "programs do so with lcl_net_feed");
    }
    LCL_TRY(lcl_blob_write(l->tops[0], LCL_DATA, s->images + s->position * count, err));
    LCL_TRY(lcl_blob_write(l->tops[1], LCL_DATA, s->labels + s->position, err));
    s->position = (s->position + (size_t)s->shape[0]) % s->n;
    return LCL_OK;
}

const lcl_layer_type lcl_layer_memory_data = {
    .name = "MemoryData",
    .min_tops = 2,
    .max_tops = 2,
    .is_source = true,
    .state_size = sizeof(memory_data_state),
    .setup = memory_data_setup,
    .reshape = memory_data_reshape,
    .forward = memory_data_forward,
    .feed = memory_data_feed,
};
