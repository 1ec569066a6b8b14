/* Records the events of a device's queue. Events are read and given back some thousands at a
 * time, so that a long training does not hold them all. */
#include <stdlib.h>

#include "device_state.h"
#include "profile_state.h"
#include "text.h"

#define PROFILE_HELD 4096 /* events held before the finished ones are read */

struct lcl_profile {
    lcl_profile_event *events; /* owned; the last n_held of them have no times yet */
    size_t n, capacity, n_lost;
    cl_event *held; /* owned */
    size_t n_held, held_capacity;
    const char *layer, *pass;
    size_t run;
};

lcl_status lcl_profile_start(lcl_device *dev, lcl_error *err)
{
    cl_command_queue queue;
    cl_int rc;

    if (dev->profile)
        return LCL_OK;
    LCL_TRY(lcl_device_finish(dev, err));
    queue =
        clCreateCommandQueue(dev->context, dev->info.id, CL_QUEUE_PROFILING_ENABLE, &rc);
    if (rc != CL_SUCCESS)
        return lcl_fail(err, LCL_EDEVICE, dev->info.name, "cannot profile: %s",
                        lcl_cl_name(rc));
    clReleaseCommandQueue(dev->queue);
    dev->queue = queue;
    dev->profile = lcl_alloc(1, sizeof *dev->profile);
    dev->profile->layer = dev->profile->pass = "";
    return LCL_OK;
}

void lcl_profile_destroy(lcl_device *dev)
{
    lcl_profile *p = dev->profile;

    if (!p)
        return;
    for (size_t i = 0; i < p->n_held; i++)
        if (p->held[i])
            clReleaseEvent(p->held[i]);
    free(p->held);
    free(p->events);
    free(p);
    dev->profile = NULL;
}

void lcl_profile_label(lcl_device *dev, const char *layer, const char *pass)
{
    lcl_profile *p = dev->profile;

    if (!p)
        return;
    p->layer = layer;
    p->pass = pass;
    p->run++;
}

/* The time of an event that is over; a command that was never enqueued has taken none. */
static lcl_status read_time(cl_event event, lcl_profile_event *out, lcl_error *err)
{
    cl_ulong start = 0, end = 0;
    cl_int rc = CL_SUCCESS;

    if (event)
        rc = clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof start,
                                     &start, NULL);
    if (event && rc == CL_SUCCESS)
        rc = clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end,
                                     NULL);
    if (rc != CL_SUCCESS)
        return lcl_fail(err, LCL_EDEVICE, out->what, "the event's time: %s",
                        lcl_cl_name(rc));
    out->start = start;
    out->end = end;
    return LCL_OK;
}

static bool is_over(cl_event event)
{
    cl_int status = CL_COMPLETE;

    if (event)
        clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status,
                       NULL);
    return status <= CL_COMPLETE;
}

/* Reads and gives back the events that are over, up to the first that is not. */
static lcl_status collect(lcl_profile *p, lcl_error *err)
{
    lcl_profile_event *first = p->events + p->n - p->n_held;
    size_t n = 0;
    lcl_status status = LCL_OK;

    for (; n < p->n_held && is_over(p->held[n]) && status == LCL_OK; n++) {
        status = read_time(p->held[n], &first[n], err);
        if (p->held[n])
            clReleaseEvent(p->held[n]);
    }
    p->n_held -= n;
    for (size_t i = 0; i < p->n_held; i++)
        p->held[i] = p->held[i + n];
    return status;
}

cl_event *lcl_profile_slot(lcl_device *dev, const char *what)
{
    lcl_profile *p = dev->profile;

    if (!p)
        return NULL;
    if (p->n == LCL_PROFILE_MAX) {
        p->n_lost++;
        return NULL;
    }
    if (p->n_held >= PROFILE_HELD && p->n_held == p->held_capacity)
        collect(p, NULL);
    if (p->n_held == p->held_capacity) {
        p->held_capacity += PROFILE_HELD;
        p->held = lcl_resize(p->held, p->held_capacity, sizeof(cl_event));
    }
    if (p->n == p->capacity) {
        p->capacity = p->capacity ? 2 * p->capacity : PROFILE_HELD;
        p->events = lcl_resize(p->events, p->capacity, sizeof *p->events);
    }
    p->events[p->n++] = (lcl_profile_event){p->layer, p->pass, what, p->run, 0, 0};
    p->held[p->n_held] = NULL;
    return &p->held[p->n_held++];
}

lcl_status lcl_profile_read(lcl_device *dev, const lcl_profile_event **events, size_t *n,
                            size_t *n_lost, lcl_error *err)
{
    lcl_profile *p = dev->profile;

    *events = NULL;
    *n = *n_lost = 0;
    if (!p)
        return LCL_OK;
    LCL_TRY(lcl_device_finish(dev, err));
    LCL_TRY(collect(p, err));
    *events = p->events;
    *n = p->n;
    *n_lost = p->n_lost;
    return LCL_OK;
}
