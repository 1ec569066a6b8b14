/* Data: batches of records and labels from a database or IDX files, read ahead by a
 * thread. */
#include "feed.h"
#include "lcl/layer.h"
#include "rng.h"
#include "source.h"
#include "transform.h"

#define MAX_PREFETCH 1024

typedef struct {
    lcl_source *source;
    lcl_transform *transform;
    lcl_feed *feed;
    int shape[3]; /* of a transformed record */
    size_t batch_size;
} state;

/* On the feed's thread. */
static lcl_status fill(lcl_layer *l, float *const *values, lcl_error *err)
{
    state *st = l->state;
    size_t count = lcl_blob_image_count(l->tops[0]);

    for (size_t i = 0; i < st->batch_size; i++) {
        lcl_record record;
        bool wrapped;
        LCL_TRY(lcl_source_next(st->source, &record, &wrapped, err));
        if (wrapped)
            LCL_LOG(l->env->log, "Restarting data prefetching from start.");
        LCL_TRY(lcl_transform_run(st->transform, &record, values[0] + i * count, err));
        if (l->n_tops > 1)
            values[1][i] = (float)record.label;
    }
    return LCL_OK;
}

static lcl_status check_param(const lcl_layer *l, lcl_error *err)
{
    const Caffe__DataParameter *p = l->param->data_param;

    if (!p || !p->source || !*p->source)
        return lcl_layer_fail(l, p, NULL, err, LCL_EPROTO, "data_param has no source");
    if (!p->batch_size || p->batch_size > INT32_MAX)
        return lcl_layer_fail(l, p, "batch_size", err, LCL_EPROTO,
                              "batch_size must be a number from 1");
    if (!p->prefetch || p->prefetch > MAX_PREFETCH)
        return lcl_layer_fail(l, p, "prefetch", err, LCL_EPROTO,
                              "prefetch is %u, not 1 to %d", (unsigned)p->prefetch,
                              MAX_PREFETCH);
    return LCL_OK;
}

/* Moves a random number of records on, fewer than rand_skip. */
static lcl_status skip_records(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    unsigned limit = l->param->data_param->rand_skip;
    unsigned n = limit ? lcl_rng_next(l->env->rng) % limit : 0;
    lcl_record record;
    bool wrapped;

    if (limit)
        LCL_LOG(l->env->log, "Skipping first %u data points.", n);
    n = (unsigned)(n % lcl_source_count(st->source));
    for (unsigned i = 0; i < n; i++)
        LCL_TRY(lcl_source_next(st->source, &record, &wrapped, err));
    return LCL_OK;
}

static lcl_status setup(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    lcl_record first;
    bool wrapped;

    LCL_TRY(check_param(l, err));
    const Caffe__DataParameter *p = l->param->data_param;
    st->batch_size = p->batch_size;
    LCL_TRY(lcl_source_open(&st->source, p->source, err));
    LCL_LOG(l->env->log, "Opened %s %s", lcl_source_kind_name(st->source), p->source);
    LCL_TRY(lcl_transform_create(&st->transform, l, err));
    LCL_TRY(lcl_source_next(st->source, &first, &wrapped, err));
    LCL_TRY(lcl_transform_set_shape(st->transform, &first, st->shape, err));
    lcl_source_rewind(st->source);
    LCL_LOG(l->env->log, "output data size: %zu,%d,%d,%d", st->batch_size, st->shape[0],
            st->shape[1], st->shape[2]);
    return skip_records(l, err);
}

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    const int shape[] = {(int)st->batch_size, st->shape[0], st->shape[1], st->shape[2]};

    return lcl_feed_images(&st->feed, l, shape, l->param->data_param->prefetch, fill,
                           err);
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
    lcl_source_close(st->source);
}

const lcl_layer_type lcl_layer_data = {
    .name = "Data",
    .min_tops = 1,
    .max_tops = 2,
    .is_source = true,
    .state_size = sizeof(state),
    .setup = setup,
    .reshape = reshape,
    .forward = forward,
    .destroy = destroy,
};
