/* What starting a kernel costs that does next to nothing. */
#include <stdlib.h>

#include "bench/bench.h"
#include "text.h"

#define SLOTS 1024 /* places that launches out of order count at */

typedef struct {
    lcl_device *dev;
    cl_command_queue queue; /* the device's, or one out of order */
    cl_kernel kernel;
    cl_mem counts;
    size_t items;
    bool spread;   /* over the slots, so that launches do not depend on each other */
    bool finishes; /* after each launch */
    int launches;
} launch_run;

static lcl_status fail(int code, const char *what, lcl_error *err)
{
    return lcl_fail(err, LCL_EDEVICE, "", "%s: %s", what, lcl_cl_name(code));
}

static lcl_status run_launch(void *what, lcl_error *err)
{
    launch_run *l = what;
    cl_int first = l->spread ? (cl_int)((size_t)(l->launches % SLOTS) * l->items) : 0;
    const size_t one = 1;
    cl_int code = clSetKernelArg(l->kernel, 0, sizeof l->counts, &l->counts);

    if (code == CL_SUCCESS)
        code = clSetKernelArg(l->kernel, 1, sizeof first, &first);
    if (code == CL_SUCCESS)
        code = clEnqueueNDRangeKernel(l->queue, l->kernel, 1, NULL, &l->items, &one, 0,
                                      NULL, NULL);
    l->launches++;
    /* A launch that reuses a slot must not overtake the one before it there. */
    bool waits = l->finishes || (l->spread && l->launches % SLOTS == 0);
    if (code == CL_SUCCESS && waits)
        code = clFinish(l->queue);
    return code == CL_SUCCESS ? LCL_OK : fail(code, "launching a kernel", err);
}

/* One launch in each slot. */
static lcl_status run_spread(void *what, lcl_error *err)
{
    launch_run *l = what;

    for (int i = 0; i < SLOTS; i++)
        LCL_TRY(run_launch(l, err));
    return LCL_OK;
}

/* Every launch has counted once at every place of its slot. */
static lcl_status check_launch(void *what, double *error, lcl_error *err)
{
    const launch_run *l = what;
    const size_t n = l->items * (l->spread ? SLOTS : 1);
    cl_int *counts = lcl_alloc(n, sizeof *counts);
    cl_int right = l->spread ? l->launches / SLOTS : l->launches;
    lcl_status status =
        lcl_buffer_read(l->dev, l->counts, 0, n * sizeof *counts, counts, err);

    *error = 0;
    for (size_t i = 0; i < n; i++)
        if (counts[i] != right)
            *error = 1;
    free(counts);
    return status;
}

static lcl_status prepare(launch_run *l, lcl_error *err)
{
    cl_uint units = lcl_device_get_info(l->dev)->compute_units;
    cl_int code = CL_SUCCESS;

    l->items = 2 * (units ? units : 1);
    l->queue = l->spread ? NULL : lcl_device_queue(l->dev);
    lcl_kernel *kernel;
    LCL_TRY(lcl_kernel_get(&kernel, l->dev, "bench", "bench_count", NULL, 0, err));
    LCL_TRY(lcl_kernel_cl(&l->kernel, l->dev, kernel, err));
    LCL_TRY(lcl_buffer_create(&l->counts, l->dev, SLOTS * l->items * sizeof(cl_int),
                              "counts of launches", err));
    /* Another queue does not wait for the zeros that the device's own writes. */
    LCL_TRY(lcl_device_finish(l->dev, err));
    if (l->spread)
        l->queue = clCreateCommandQueue(lcl_device_context(l->dev),
                                        lcl_device_get_info(l->dev)->id,
                                        CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
    return code == CL_SUCCESS ? LCL_OK : fail(code, "no queue out of order", err);
}

static void measure(lcl_bench *b, const char *name, bool spread, bool finishes)
{
    launch_run l = {.dev = b->dev, .spread = spread, .finishes = finishes};
    lcl_error err = {0};

    if (!lcl_bench_wants(b, name))
        return;
    if (prepare(&l, &err) != LCL_OK) {
        lcl_bench_skip(b, name, "", err.message);
    } else {
        const lcl_bench_case c = {
            .name = name,
            .variant = "",
            .run = spread ? run_spread : run_launch,
            .parts = spread ? SLOTS : 1,
            .check = check_launch,
        };
        lcl_bench_do(b, &c, &l);
    }
    if (spread && l.queue)
        clReleaseCommandQueue(l.queue);
    lcl_buffer_release(&l.counts);
}

void lcl_bench_launch(lcl_bench *b)
{
    measure(b, "independent", true, false);
    measure(b, "dependent", false, false);
    measure(b, "waited for", false, true);
}
