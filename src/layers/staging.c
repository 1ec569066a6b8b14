/* A ring of slots between the thread that fills them and the device. */
#include "staging.h"

#include <stdlib.h>

#include "prefetch.h"
#include "text.h"

/* Slots that are taken, their copies still under way: one that comes back is that old, so
 * nobody waits for its copies. */
#define IN_FLIGHT 3

typedef struct {
    void *memory;    /* owned */
    cl_event copied; /* of the last copy enqueued, or NULL: the queue is in order */
} staging_slot;

struct lcl_staging {
    const lcl_layer *layer; /* borrowed */
    lcl_staging_fill fill;
    void *context;
    lcl_prefetch *prefetch;
    staging_slot *slots;             /* owned */
    size_t n_slots, oldest, n_taken; /* slots oldest.. are taken */
};

static lcl_status fill_slot(void *context, size_t number, lcl_error *err)
{
    lcl_staging *s = context;

    return s->fill(s->context, s->slots[number].memory, err);
}

lcl_status lcl_staging_start(lcl_staging **out, const lcl_layer *l, size_t n_ahead,
                             size_t size, lcl_staging_fill fill, void *context,
                             lcl_error *err)
{
    lcl_staging *s = lcl_alloc(1, sizeof *s);

    s->layer = l;
    s->fill = fill;
    s->context = context;
    s->n_slots = n_ahead + IN_FLIGHT;
    s->slots = lcl_alloc(s->n_slots, sizeof *s->slots);
    for (size_t i = 0; i < s->n_slots; i++)
        s->slots[i].memory = lcl_alloc(size, 1);
    lcl_status status = lcl_prefetch_start(&s->prefetch, s->n_slots, fill_slot, s, err);
    if (status == LCL_OK)
        *out = s;
    else
        lcl_staging_stop(s);
    return status;
}

void lcl_staging_stop(lcl_staging *s)
{
    if (!s)
        return;
    lcl_prefetch_stop(s->prefetch);
    lcl_device_finish(s->layer->dev, NULL);
    for (size_t i = 0; i < s->n_slots; i++) {
        if (s->slots[i].copied)
            clReleaseEvent(s->slots[i].copied);
        free(s->slots[i].memory);
    }
    free(s->slots);
    free(s);
}

static lcl_status copied(const lcl_staging *s, cl_int code, lcl_error *err)
{
    if (code == CL_SUCCESS)
        return LCL_OK;
    return lcl_layer_fail(s->layer, NULL, NULL, err, LCL_EDEVICE,
                          "copying a batch to the device failed: %s", lcl_cl_name(code));
}

/* Waits for the copies of the slot that was taken first and gives it back. */
static lcl_status give_oldest(lcl_staging *s, lcl_error *err)
{
    cl_event *event = &s->slots[s->oldest].copied;

    if (*event) {
        LCL_TRY(copied(s, clWaitForEvents(1, event), err));
        clReleaseEvent(*event);
        *event = NULL;
    }
    lcl_prefetch_give(s->prefetch, s->oldest);
    s->oldest = (s->oldest + 1) % s->n_slots;
    s->n_taken--;
    return LCL_OK;
}

lcl_status lcl_staging_next(lcl_staging *s, const void **slot, lcl_error *err)
{
    size_t number;
    bool waited;

    if (s->n_taken == IN_FLIGHT)
        LCL_TRY(give_oldest(s, err));
    LCL_TRY(lcl_prefetch_take(s->prefetch, &number, &waited, err));
    s->n_taken++;
    *slot = s->slots[number].memory;
    return LCL_OK;
}

lcl_status lcl_staging_copy(lcl_staging *s, const void *from, size_t size, cl_mem to,
                            size_t offset, lcl_error *err)
{
    staging_slot *slot = &s->slots[(s->oldest + s->n_taken - 1) % s->n_slots];
    cl_event event = NULL;

    LCL_TRY(lcl_buffer_send(s->layer->dev, to, offset, size, from, &event, err));
    if (slot->copied)
        clReleaseEvent(slot->copied);
    slot->copied = event;
    return LCL_OK;
}
