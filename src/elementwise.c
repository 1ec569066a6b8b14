/* Layers that treat every value by itself: how their kernels walk a blob's buffer. */
#include "elementwise.h"

#include <assert.h>

enum {
    MAX_ARGS = 16,
    CPU_ITEMS = 64,     /* enough to balance the cores */
    CPU_MIN_CHUNK = 64, /* vectors; fewer cost less than starting a work-item */
    GPU_GROUP = 64
};

static size_t round_up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit;
}

lcl_elements lcl_elements_of(const lcl_blob *b)
{
    return lcl_elements_in_runs(b->dev, lcl_blob_stored(b), lcl_blob_stored(b));
}

lcl_elements lcl_elements_in_runs(lcl_device *dev, size_t count, size_t run)
{
    bool cpu = lcl_device_is_cpu(dev);
    size_t vector = (size_t)lcl_device_vector(dev), chunk = 1;

    while (run % vector != 0)
        vector /= 2;
    size_t n = count / vector;
    if (cpu) {
        chunk = round_up(n, CPU_ITEMS);
        chunk = chunk < CPU_MIN_CHUNK ? CPU_MIN_CHUNK : chunk;
    }
    lcl_elements e = {.n = (cl_int)n, .chunk = (cl_int)chunk, .vector = (int)vector};
    e.global.x = round_up(n, chunk);
    if (!cpu) {
        e.global.x = round_up(e.global.x, GPU_GROUP) * GPU_GROUP;
        e.local.x = GPU_GROUP;
    }
    return e;
}

lcl_status lcl_elements_kernel(const lcl_elements *e, lcl_device *dev, lcl_kernel **out,
                               const char *file, const char *kernel, lcl_error *err)
{
    const lcl_define defines[] = {{"B", e->vector}, {"V", e->vector}};

    return lcl_kernel_get(out, dev, file, kernel, defines, 2, err);
}

lcl_status lcl_elements_run(const lcl_elements *e, lcl_device *dev, lcl_kernel *kernel,
                            const lcl_arg *args, size_t n_args, lcl_error *err)
{
    lcl_arg all[MAX_ARGS] = {LCL_ARG(e->n), LCL_ARG(e->chunk)};

    assert(n_args + 2 <= MAX_ARGS);
    for (size_t i = 0; i < n_args; i++)
        all[i + 2] = args[i];
    if (e->n == 0)
        return LCL_OK;
    return lcl_kernel_run(dev, kernel, e->global, e->local, all, n_args + 2, err);
}

lcl_status lcl_keep_data(lcl_kept *k, const lcl_blob *b, lcl_error *err)
{
    size_t size = lcl_blob_stored(b) * sizeof(float);

    if (size > k->size) {
        lcl_keep_release(k);
        LCL_TRY(lcl_buffer_create(&k->data, b->dev, size, b->name, err));
        k->size = size;
    }
    return lcl_buffer_copy(b->dev, b->data, 0, k->data, 0, size, err);
}

void lcl_keep_release(lcl_kept *k)
{
    lcl_buffer_release(&k->data);
    k->size = 0;
}
