/* Measures what a device can do at most, in about a tenth of a second. */
#include <stdlib.h>

#include "lcl/profile.h"
#include "text.h"

#define CHAINS 12        /* of multiply-adds that do not depend on each other */
#define COPY_VECTORS 256 /* of a work-item */
#define LEAST_SECONDS 5e-3
#define REPEATS 5

typedef struct {
    lcl_device *dev;
    int vector;
    lcl_range items, group;
} peak;

/* Enqueues n steps of work. */
typedef lcl_status peak_run(const peak *p, lcl_kernel *kernel, cl_mem a, cl_mem b, int n,
                            lcl_error *err);

static lcl_status time_once(const peak *p, peak_run *run, lcl_kernel *kernel, cl_mem a,
                            cl_mem b, int n, double *seconds, lcl_error *err)
{
    const double start = lcl_now();

    LCL_TRY(run(p, kernel, a, b, n, err));
    LCL_TRY(lcl_device_finish(p->dev, err));
    *seconds = lcl_now() - start;
    return LCL_OK;
}

/* Steps a second, the best of some runs of as many steps as take long enough. */
static lcl_status measure(const peak *p, peak_run *run, lcl_kernel *kernel, cl_mem a,
                          cl_mem b, double *rate, lcl_error *err)
{
    double seconds = 0;
    int n = 1;

    LCL_TRY(time_once(p, run, kernel, a, b, n, &seconds, err)); /* compiles */
    for (;; n *= 2) {
        LCL_TRY(time_once(p, run, kernel, a, b, n, &seconds, err));
        if (seconds >= LEAST_SECONDS || n >= 1 << 24)
            break;
    }
    *rate = n / seconds;
    for (int i = 0; i < REPEATS; i++) {
        LCL_TRY(time_once(p, run, kernel, a, b, n, &seconds, err));
        if (n / seconds > *rate)
            *rate = n / seconds;
    }
    return LCL_OK;
}

static lcl_status run_multiply_add(const peak *p, lcl_kernel *kernel, cl_mem out,
                                   cl_mem b, int n, lcl_error *err)
{
    const float factor = 0.75f, addend = 0.5f;
    const lcl_arg args[] = {LCL_ARG(out), LCL_ARG(n), LCL_ARG(factor), LCL_ARG(addend)};

    (void)b;
    return lcl_kernel_run(p->dev, kernel, p->items, p->group, args, LCL_COUNT(args), err);
}

/* A step is a copy of the whole buffer. */
static lcl_status run_copy(const peak *p, lcl_kernel *kernel, cl_mem in, cl_mem out,
                           int n, lcl_error *err)
{
    const bool cpu = lcl_device_is_cpu(p->dev);
    const cl_int count = COPY_VECTORS;
    const cl_ulong first = cpu ? COPY_VECTORS : 1, step = cpu ? 1 : p->items.x;
    const lcl_arg args[] = {LCL_ARG(in), LCL_ARG(out), LCL_ARG(count), LCL_ARG(first),
                            LCL_ARG(step)};

    for (int i = 0; i < n; i++)
        LCL_TRY(lcl_kernel_run(p->dev, kernel, p->items, p->group, args, LCL_COUNT(args),
                               err));
    return LCL_OK;
}

static lcl_status get_kernel(const peak *p, lcl_kernel **out, const char *name,
                             lcl_error *err)
{
    const lcl_define defines[] = {{"B", p->vector},
                                  {"V", p->vector},
                                  {"CHAINS", CHAINS},
                                  {"MULTIPLY_ADD", 0, "fma"}};

    return lcl_kernel_get(out, p->dev, "peak", name, defines, LCL_COUNT(defines), err);
}

static lcl_status measure_flops(peak p, double *flops, lcl_error *err)
{
    const lcl_device_info *info = lcl_device_get_info(p.dev);
    lcl_kernel *kernel;
    cl_mem out = NULL;
    double rate = 0;

    p.items.x = p.group.x * 16 * (info->compute_units ? info->compute_units : 1);
    LCL_TRY(get_kernel(&p, &kernel, "peak_multiply_add", err));
    LCL_TRY(lcl_buffer_create(&out, p.dev, p.items.x * (size_t)p.vector * sizeof(float),
                              "results", err));
    lcl_status status = measure(&p, run_multiply_add, kernel, out, NULL, &rate, err);
    lcl_buffer_release(&out);
    *flops = rate * 2.0 * CHAINS * p.vector * (double)p.items.x;
    return status;
}

/* Large enough for no cache, where the device has that much. */
static size_t copy_size(const lcl_device_info *info)
{
    size_t size = (size_t)128 << 20;

    while (size > (size_t)1 << 20 &&
           (size > info->largest_allocation || 4 * size > info->global_memory))
        size /= 2;
    return size;
}

static lcl_status measure_bandwidth(peak p, double *bandwidth, lcl_error *err)
{
    const size_t size = copy_size(lcl_device_get_info(p.dev));
    lcl_kernel *kernel;
    cl_mem in = NULL, out = NULL;
    double rate = 0;

    p.items.x = size / sizeof(float) / (size_t)p.vector / COPY_VECTORS;
    if (p.items.x % p.group.x != 0)
        p.group.x = 1;
    LCL_TRY(get_kernel(&p, &kernel, "peak_copy", err));
    lcl_status status = lcl_buffer_create(&in, p.dev, size, "memory to read", err);
    if (status == LCL_OK)
        status = lcl_buffer_create(&out, p.dev, size, "memory to write", err);
    if (status == LCL_OK)
        status = measure(&p, run_copy, kernel, in, out, &rate, err);
    lcl_buffer_release(&in);
    lcl_buffer_release(&out);
    *bandwidth = rate * 2.0 * (double)size;
    return status;
}

lcl_status lcl_device_peak(lcl_device *dev, double *flops, double *bandwidth,
                           lcl_error *err)
{
    const bool cpu = lcl_device_is_cpu(dev);
    const size_t largest = lcl_device_get_info(dev)->largest_work_group;
    const peak p = {.dev = dev,
                    .vector = lcl_device_vector(dev),
                    .group = {cpu || largest < 64 ? 1 : 64, 1, 1}};

    LCL_TRY(measure_flops(p, flops, err));
    return measure_bandwidth(p, bandwidth, err);
}
