/* ImageData: batches of image files that a list names, read and resized ahead by a thread.
 */
#include <stdlib.h>

#include "feed.h"
#include "image_list.h"
#include "planes.h"
#include "rng.h"
#include "text.h"
#include "transform.h"

typedef Caffe__ImageDataParameter image_param;

typedef struct {
    lcl_image_entry *entries; /* owned, as all below */
    size_t n_entries, entry;
    size_t *order;
    lcl_rng rng;
    lcl_transform *transform;
    lcl_planes planes; /* of the image that was read last */
    int shape[3];      /* of a transformed image */
    lcl_feed *feed;
} state;

/* ---- Images ------------------------------------------------------------------------ */

static lcl_status read_image(const lcl_layer *l, const char *name, lcl_image *image,
                             lcl_error *err)
{
    const image_param *p = l->param->image_data_param;
    char *path = lcl_format("%s%s", p->root_folder ? p->root_folder : "", name);
    lcl_status status =
        lcl_image_read(image, path, p->is_color ? LCL_IMAGE_COLOR : LCL_IMAGE_GRAY, err);

    free(path);
    if (status == LCL_OK && p->new_height)
        lcl_image_resize(image, (int)p->new_height, (int)p->new_width);
    return status;
}

/* The current entry's image as a record; valid until the next call. */
static lcl_status read_record(lcl_layer *l, lcl_record *record, lcl_error *err)
{
    state *st = l->state;
    const lcl_image_entry *entry = &st->entries[st->order[st->entry]];
    lcl_image image;

    LCL_TRY(read_image(l, entry->path, &image, err));
    *record = lcl_planes_record(&st->planes, &image, entry->label);
    lcl_image_free(&image);
    return LCL_OK;
}

static void pass_entries(const lcl_layer *l, size_t n)
{
    state *st = l->state;

    for (; n > 0; n--) {
        if (++st->entry < st->n_entries)
            continue;
        LCL_LOG(l->env->log, "Restarting data prefetching from start.");
        st->entry = 0;
        if (l->param->image_data_param->shuffle)
            lcl_rng_shuffle(&st->rng, st->order, st->n_entries);
    }
}

/* On the feed's thread. */
static lcl_status fill(lcl_layer *l, float *const *values, lcl_error *err)
{
    state *st = l->state;
    size_t count = lcl_blob_image_count(l->tops[0]);

    for (size_t i = 0; i < l->param->image_data_param->batch_size; i++) {
        lcl_record record;
        LCL_TRY(read_record(l, &record, err));
        LCL_TRY(lcl_transform_run(st->transform, &record, values[0] + i * count, err));
        values[1][i] = (float)record.label;
        pass_entries(l, 1 + l->env->n_others);
    }
    return LCL_OK;
}

/* ---- Setting up -------------------------------------------------------------------- */

static lcl_status check_param(const lcl_layer *l, lcl_error *err)
{
    const image_param *p = l->param->image_data_param;

    if (!p || !p->source || !*p->source)
        return lcl_layer_fail(l, p, NULL, err, LCL_EPROTO,
                              "image_data_param has no source");
    if (!p->batch_size || p->batch_size > INT32_MAX)
        return lcl_layer_fail(l, p, "batch_size", err, LCL_EPROTO,
                              "batch_size must be a number from 1");
    if ((p->new_height > 0) != (p->new_width > 0))
        return lcl_layer_fail(l, p, p->new_height ? "new_height" : "new_width", err,
                              LCL_EPROTO,
                              "new_height and new_width must be set together");
    if (p->new_height > 65535 || p->new_width > 65535)
        return lcl_layer_fail(l, p, "new_height", err, LCL_EPROTO,
                              "images can be no larger than 65535 x 65535");
    return LCL_OK;
}

/* Shuffles the entries and passes over fewer than rand_skip, where asked. */
static lcl_status set_order(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    const image_param *p = l->param->image_data_param;

    st->order = lcl_alloc(st->n_entries, sizeof *st->order);
    for (size_t i = 0; i < st->n_entries; i++)
        st->order[i] = i;
    if (p->shuffle) {
        LCL_LOG(l->env->log, "Shuffling data");
        lcl_rng_init(&st->rng, lcl_rng_next(l->env->rng));
        lcl_rng_shuffle(&st->rng, st->order, st->n_entries);
    }
    if (!p->rand_skip)
        return LCL_OK;
    st->entry = lcl_rng_next(l->env->rng) % p->rand_skip;
    LCL_LOG(l->env->log, "Skipping first %zu data points.", st->entry);
    if (st->entry >= st->n_entries)
        return lcl_layer_fail(l, p, "rand_skip", err, LCL_EDATA,
                              "not enough images to skip %zu: %s has %zu", st->entry,
                              p->source, st->n_entries);
    return LCL_OK;
}

static lcl_status setup(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    lcl_record first;

    LCL_TRY(check_param(l, err));
    const image_param *p = l->param->image_data_param;
    LCL_LOG(l->env->log, "Opening file %s", p->source);
    LCL_TRY(lcl_image_list_read(&st->entries, &st->n_entries, p->source, err));
    LCL_LOG(l->env->log, "A total of %zu images.", st->n_entries);
    LCL_TRY(set_order(l, err));
    pass_entries(l, l->env->turn);
    LCL_TRY(lcl_transform_create(&st->transform, l, err));
    LCL_TRY(read_record(l, &first, err));
    LCL_TRY(lcl_transform_set_shape(st->transform, &first, st->shape, err));
    LCL_LOG(l->env->log, "output data size: %u,%d,%d,%d", (unsigned)p->batch_size,
            st->shape[0], st->shape[1], st->shape[2]);
    return LCL_OK;
}

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    int n = (int)l->param->image_data_param->batch_size;
    const int shape[] = {n, st->shape[0], st->shape[1], st->shape[2]};

    return lcl_feed_images(&st->feed, l, shape, LCL_FEED_AHEAD, fill, err);
}

static lcl_status forward(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;

    return lcl_feed_forward(st->feed, err);
}

static void destroy(lcl_layer *l)
{
    state *st = l->state;

    lcl_feed_stop(st->feed);
    lcl_transform_destroy(st->transform);
    lcl_image_list_free(st->entries, st->n_entries);
    free(st->order);
    free(st->planes.bytes);
}

const lcl_layer_type lcl_layer_image_data = {
    .name = "ImageData",
    .min_tops = 2,
    .max_tops = 2,
    .is_source = true,
    .state_size = sizeof(state),
    .setup = setup,
    .reshape = reshape,
    .forward = forward,
    .destroy = destroy,
};
