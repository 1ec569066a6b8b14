/* Data: batches of records and labels from a database or IDX files, read ahead by a
 * thread. */
#include <stdlib.h>

#include "lcl/layer.h"
#include "prefetch.h"
#include "rng.h"
#include "source.h"
#include "text.h"
#include "transform.h"

/* Batches whose copy to the device may still be under way when the next one is enqueued.
 * A slot comes back once its copy is done; by then that is long past, so nobody waits. */
#define IN_FLIGHT 2
#define MAX_PREFETCH 1024

/* A batch in host memory as the device wants it. */
typedef struct {
    float *data, *label; /* owned; label NULL without a label top */
    cl_event copied;     /* of the last enqueued copy, or NULL */
} slot;

typedef struct {
    lcl_source *source;
    lcl_transform *transform;
    lcl_prefetch *prefetch;
    int shape[3]; /* of a transformed record */
    size_t batch_size, image_count, block;
    float *images; /* the batch being made, row-major; the thread's */
    slot *slots;
    size_t n_slots, oldest, n_in_flight; /* slots oldest.. are in flight */
} state;

/* ---- On the thread ---------------------------------------------------------------- */

static lcl_status fill(void *context, size_t number, lcl_error *err)
{
    lcl_layer *l = context;
    state *st = l->state;
    slot *to = &st->slots[number];
    float *images = st->block == 1 ? to->data : st->images;

    for (size_t i = 0; i < st->batch_size; i++) {
        lcl_record record;
        bool wrapped;
        LCL_TRY(lcl_source_next(st->source, &record, &wrapped, err));
        if (wrapped)
            LCL_LOG(l->env->log, "Restarting data prefetching from start.");
        LCL_TRY(
            lcl_transform_run(st->transform, &record, images + i * st->image_count, err));
        if (to->label)
            to->label[i] = (float)record.label;
    }
    if (st->block > 1)
        lcl_pack(to->data, images, st->batch_size, st->image_count, st->block);
    return LCL_OK;
}

/* ---- Setting up ------------------------------------------------------------------- */

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

static lcl_status start_reading(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    const lcl_blob *data = l->tops[0];

    st->block = (size_t)data->block;
    st->image_count = lcl_blob_image_count(data);
    if (st->block > 1)
        st->images = lcl_alloc(lcl_blob_count(data), sizeof *st->images);
    st->n_slots = l->param->data_param->prefetch + IN_FLIGHT;
    st->slots = lcl_alloc(st->n_slots, sizeof *st->slots);
    for (size_t i = 0; i < st->n_slots; i++) {
        st->slots[i].data = lcl_alloc(lcl_blob_stored(data), sizeof(float));
        if (l->n_tops > 1)
            st->slots[i].label = lcl_alloc(lcl_blob_stored(l->tops[1]), sizeof(float));
    }
    return lcl_prefetch_start(&st->prefetch, st->n_slots, fill, l, err);
}

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    int shape[4] = {(int)st->batch_size, st->shape[0], st->shape[1], st->shape[2]};

    LCL_TRY(lcl_blob_reshape(l->tops[0], 4, shape, l->env->block, err));
    if (l->n_tops > 1)
        LCL_TRY(lcl_blob_reshape(l->tops[1], 1, shape, l->env->block, err));
    return st->prefetch ? LCL_OK : start_reading(l, err);
}

/* ---- Running ---------------------------------------------------------------------- */

static cl_int enqueue(const lcl_blob *to, const float *from, cl_event *done)
{
    return clEnqueueWriteBuffer(lcl_device_queue(to->dev), to->data, CL_FALSE, 0,
                                lcl_blob_stored(to) * sizeof *from, from, 0, NULL, done);
}

static cl_int copy_to_device(lcl_layer *l, slot *s)
{
    /* The queue is in order: the last copy done means both are. */
    cl_int code = enqueue(l->tops[0], s->data, s->label ? NULL : &s->copied);

    if (code == CL_SUCCESS && s->label)
        code = enqueue(l->tops[1], s->label, &s->copied);
    return code;
}

/* Waits for the oldest copy under way and gives its slot back. */
static cl_int give_oldest(state *st)
{
    slot *s = &st->slots[st->oldest];
    cl_int code = clWaitForEvents(1, &s->copied);

    clReleaseEvent(s->copied);
    s->copied = NULL;
    lcl_prefetch_give(st->prefetch, st->oldest);
    st->oldest = (st->oldest + 1) % st->n_slots;
    st->n_in_flight--;
    return code;
}

static lcl_status forward(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    size_t number;
    bool waited;

    LCL_TRY(lcl_prefetch_take(st->prefetch, &number, &waited, err));
    cl_int code = copy_to_device(l, &st->slots[number]);
    if (code == CL_SUCCESS && ++st->n_in_flight > IN_FLIGHT)
        code = give_oldest(st);
    if (code != CL_SUCCESS)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_EDEVICE,
                              "copying a batch to the device failed: %s",
                              lcl_cl_name(code));
    return LCL_OK;
}

static void destroy(lcl_layer *l)
{
    state *st = l->state;

    lcl_prefetch_stop(st->prefetch);
    if (st->slots)
        lcl_device_finish(l->dev, NULL);
    for (size_t i = 0; i < st->n_slots; i++) {
        if (st->slots[i].copied)
            clReleaseEvent(st->slots[i].copied);
        free(st->slots[i].data);
        free(st->slots[i].label);
    }
    free(st->slots);
    free(st->images);
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
