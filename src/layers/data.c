/* Data: batches of records and labels from a database or IDX files, read ahead by a
 * thread. */
#include "feed.h"
#include "lcl/layer.h"
#include "resident.h"
#include "rng.h"
#include "source.h"
#include "transform.h"

#define MAX_PREFETCH 1024

typedef struct {
    lcl_source *source;
    lcl_transform *transform;
    lcl_resident *resident; /* NULL: batches come from the feed */
    lcl_feed *feed;
    int shape[3]; /* of a transformed record */
    size_t batch_size;
    size_t n_skipped; /* records before the first one used */
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

/* Goes to record n of the source, as often round as it takes. */
static lcl_status go_to_record(const state *st, size_t n, lcl_error *err)
{
    lcl_record record;
    bool wrapped;

    lcl_source_rewind(st->source);
    for (size_t i = n % lcl_source_count(st->source); i > 0; i--)
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
    lcl_source_take_turns(st->source, l->env->turn, l->env->n_others);
    LCL_LOG(l->env->log, "Opened %s %s", lcl_source_kind_name(st->source), p->source);
    LCL_TRY(lcl_transform_create(&st->transform, l, err));
    LCL_TRY(lcl_source_next(st->source, &first, &wrapped, err));
    LCL_TRY(lcl_transform_set_shape(st->transform, &first, st->shape, err));
    LCL_LOG(l->env->log, "output data size: %zu,%d,%d,%d", st->batch_size, st->shape[0],
            st->shape[1], st->shape[2]);
    if (p->rand_skip) {
        st->n_skipped = lcl_rng_next(l->env->rng) % p->rand_skip;
        LCL_LOG(l->env->log, "Skipping first %zu data points.", st->n_skipped);
    }
    return go_to_record(st, st->n_skipped, err);
}

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    const int shape[] = {(int)st->batch_size, st->shape[0], st->shape[1], st->shape[2]};
    const size_t n_ahead = l->param->data_param->prefetch;

    LCL_TRY(lcl_feed_shape(l, shape, err));
    if (st->feed || st->resident)
        return LCL_OK;
    LCL_TRY(lcl_resident_create(&st->resident, l, &st->source, st->transform,
                                st->n_skipped, n_ahead, err));
    return st->resident ? LCL_OK : lcl_feed_start(&st->feed, l, n_ahead, fill, err);
}

/* From the batch that comes next on, records come from the host. */
static lcl_status leave_device(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    const size_t n_used = lcl_resident_n_used(st->resident);

    lcl_resident_destroy(st->resident);
    st->resident = NULL;
    LCL_TRY(go_to_record(st, st->n_skipped + n_used, err));
    lcl_transform_skip(st->transform, n_used);
    return lcl_feed_start(&st->feed, l, l->param->data_param->prefetch, fill, err);
}

static lcl_status forward(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    bool kept = false;

    if (st->resident)
        LCL_TRY(lcl_resident_forward(st->resident, &kept, err));
    if (kept)
        return LCL_OK;
    if (st->resident)
        LCL_TRY(leave_device(l, err));
    return lcl_feed_forward(st->feed, err);
}

static void destroy(lcl_layer *l)
{
    state *st = l->state;

    lcl_resident_destroy(st->resident);
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
