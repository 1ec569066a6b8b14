/* A ring of batches in host memory between the thread that makes them and the device. */
#include "feed.h"

#include <stdlib.h>

#include "prefetch.h"
#include "text.h"

/* Batches whose copy to the device may still be under way when the next one is enqueued.
 * A slot comes back once its copy is done; by then that is long past, so nobody waits. */
#define IN_FLIGHT 2

/* A batch in host memory as the device wants it. */
typedef struct {
    float **tops;    /* one each; owned */
    cl_event copied; /* of the last enqueued copy, or NULL */
} slot;

struct lcl_feed {
    lcl_layer *layer;
    lcl_feed_fill fill;
    lcl_prefetch *prefetch;
    size_t n_tops;
    float **rows;   /* the batch being made, where a top is not row-major; the thread's */
    float **values; /* where the fill function writes; not owned */
    slot *slots;
    size_t n_slots, oldest, n_in_flight; /* slots oldest.. are in flight */
};

/* Blocks of one image, or of one value an image, are row-major already. */
static bool is_packed(const lcl_blob *b)
{
    return b->block > 1 && lcl_blob_image_count(b) > 1;
}

/* ---- On the thread ---------------------------------------------------------------- */

static lcl_status fill_slot(void *context, size_t number, lcl_error *err)
{
    lcl_feed *f = context;
    float **to = f->slots[number].tops;

    for (size_t i = 0; i < f->n_tops; i++)
        f->values[i] = f->rows[i] ? f->rows[i] : to[i];
    LCL_TRY(f->fill(f->layer, f->values, err));
    for (size_t i = 0; i < f->n_tops; i++) {
        const lcl_blob *top = f->layer->tops[i];
        if (f->rows[i])
            lcl_pack(to[i], f->rows[i], (size_t)top->shape[0], lcl_blob_image_count(top),
                     (size_t)top->block);
    }
    return LCL_OK;
}

/* ---- Starting and stopping -------------------------------------------------------- */

static void allocate(lcl_feed *f)
{
    f->rows = lcl_alloc(f->n_tops, sizeof *f->rows);
    f->values = lcl_alloc(f->n_tops, sizeof *f->values);
    f->slots = lcl_alloc(f->n_slots, sizeof *f->slots);
    for (size_t i = 0; i < f->n_tops; i++)
        if (is_packed(f->layer->tops[i]))
            f->rows[i] = lcl_alloc(lcl_blob_count(f->layer->tops[i]), sizeof(float));
    for (size_t s = 0; s < f->n_slots; s++) {
        f->slots[s].tops = lcl_alloc(f->n_tops, sizeof(float *));
        for (size_t i = 0; i < f->n_tops; i++)
            f->slots[s].tops[i] =
                lcl_alloc(lcl_blob_stored(f->layer->tops[i]), sizeof(float));
    }
}

lcl_status lcl_feed_start(lcl_feed **out, lcl_layer *l, size_t n_ahead,
                          lcl_feed_fill fill, lcl_error *err)
{
    *out = NULL;
    if (lcl_device_is_blank(l->dev))
        return LCL_OK;
    lcl_feed *f = lcl_alloc(1, sizeof *f);
    f->layer = l;
    f->fill = fill;
    f->n_tops = (size_t)l->n_tops;
    f->n_slots = n_ahead + IN_FLIGHT;
    allocate(f);
    lcl_status status = lcl_prefetch_start(&f->prefetch, f->n_slots, fill_slot, f, err);
    if (status == LCL_OK)
        *out = f;
    else
        lcl_feed_stop(f);
    return status;
}

lcl_status lcl_feed_images(lcl_feed **feed, lcl_layer *l, const int shape[4],
                           size_t n_ahead, lcl_feed_fill fill, lcl_error *err)
{
    LCL_TRY(lcl_blob_reshape(l->tops[0], 4, shape, l->env->block, err));
    if (l->n_tops > 1)
        LCL_TRY(lcl_blob_reshape(l->tops[1], 1, shape, l->env->block, err));
    return *feed ? LCL_OK : lcl_feed_start(feed, l, n_ahead, fill, err);
}

static void free_list(float **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(list[i]);
    free(list);
}

void lcl_feed_stop(lcl_feed *f)
{
    if (!f)
        return;
    lcl_prefetch_stop(f->prefetch);
    lcl_device_finish(f->layer->dev, NULL);
    for (size_t i = 0; i < f->n_slots; i++) {
        if (f->slots[i].copied)
            clReleaseEvent(f->slots[i].copied);
        free_list(f->slots[i].tops, f->n_tops);
    }
    free_list(f->rows, f->n_tops);
    free(f->values);
    free(f->slots);
    free(f);
}

/* ---- Running ---------------------------------------------------------------------- */

static cl_int copy_to_device(lcl_feed *f, slot *s)
{
    cl_int code = CL_SUCCESS;

    for (size_t i = 0; i < f->n_tops && code == CL_SUCCESS; i++) {
        const lcl_blob *top = f->layer->tops[i];
        /* The queue is in order: the last copy done means all are. */
        cl_event *done = i + 1 == f->n_tops ? &s->copied : NULL;
        code = clEnqueueWriteBuffer(lcl_device_queue(top->dev), top->data, CL_FALSE, 0,
                                    lcl_blob_stored(top) * sizeof(float), s->tops[i], 0,
                                    NULL, done);
    }
    return code;
}

/* Waits for the oldest copy under way and gives its slot back. */
static cl_int give_oldest(lcl_feed *f)
{
    slot *s = &f->slots[f->oldest];
    cl_int code = clWaitForEvents(1, &s->copied);

    clReleaseEvent(s->copied);
    s->copied = NULL;
    lcl_prefetch_give(f->prefetch, f->oldest);
    f->oldest = (f->oldest + 1) % f->n_slots;
    f->n_in_flight--;
    return code;
}

lcl_status lcl_feed_forward(lcl_feed *f, lcl_error *err)
{
    size_t number;
    bool waited;

    LCL_TRY(lcl_prefetch_take(f->prefetch, &number, &waited, err));
    cl_int code = copy_to_device(f, &f->slots[number]);
    if (code == CL_SUCCESS && ++f->n_in_flight > IN_FLIGHT)
        code = give_oldest(f);
    if (code != CL_SUCCESS)
        return lcl_layer_fail(f->layer, NULL, NULL, err, LCL_EDEVICE,
                              "copying a batch to the device failed: %s",
                              lcl_cl_name(code));
    return LCL_OK;
}
