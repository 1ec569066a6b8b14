/* An open device: context, queue, buffers; see include/lcl/device.h. */
#include "lcl/device.h"

#include <stdlib.h>
#include <string.h>

#include "device_list.h"
#include "device_state.h"
#include "profile_state.h"
#include "text.h"
#include "tuning.h"

static lcl_status device_setup(lcl_device *dev, lcl_error *err)
{
    cl_context_properties properties[] = {
        CL_CONTEXT_PLATFORM, (cl_context_properties)dev->info.platform_id, 0};
    cl_int rc;

    dev->context = clCreateContext(properties, 1, &dev->info.id, NULL, NULL, &rc);
    if (rc == CL_SUCCESS)
        dev->queue = clCreateCommandQueue(dev->context, dev->info.id, 0, &rc);
    if (rc != CL_SUCCESS)
        return lcl_fail(err, LCL_EDEVICE, dev->info.name, "cannot open the device: %s",
                        lcl_cl_name(rc));
    return LCL_OK;
}

lcl_status lcl_device_open(lcl_device **out, const lcl_device_choice *choice,
                           lcl_error *err)
{
    lcl_device_info *list = NULL;
    size_t n = 0, chosen = 0;
    lcl_device *dev = NULL;
    lcl_status status;

    LCL_TRY(lcl_device_list(&list, &n, err));
    dev = lcl_alloc(1, sizeof *dev);
    status =
        lcl_device_choose(list, n, choice, &chosen, dev->reason, sizeof dev->reason, err);
    if (status == LCL_OK) {
        dev->info = list[chosen];
        status = device_setup(dev, err);
    }
    free(list);
    if (status != LCL_OK) {
        lcl_device_close(dev);
        return status;
    }
    dev->broken_tile = LCL_N_TILES;
    lcl_tuning_apply(dev);
    *out = dev;
    return LCL_OK;
}

lcl_device *lcl_device_create_blank(void)
{
    lcl_device *dev = lcl_alloc(1, sizeof *dev);

    dev->broken_tile = LCL_N_TILES;
    dev->info = (lcl_device_info){.type = CL_DEVICE_TYPE_CPU,
                                  .name = "no device",
                                  .compute_units = 1,
                                  .largest_allocation = SIZE_MAX,
                                  .largest_work_group = 1};
    return dev;
}

bool lcl_device_is_blank(const lcl_device *dev)
{
    return !dev->context;
}

void lcl_device_close(lcl_device *dev)
{
    if (!dev)
        return;
    lcl_profile_destroy(dev);
    lcl_device_release_programs(dev);
    for (int i = 0; i < LCL_N_SCRATCH; i++)
        lcl_buffer_release(&dev->scratch[i]);
    if (dev->queue) {
        clFinish(dev->queue);
        clReleaseCommandQueue(dev->queue);
    }
    for (int i = 0; i < LCL_N_LETTERS; i++) {
        if (dev->letters[i].sent)
            clReleaseEvent(dev->letters[i].sent);
        free(dev->letters[i].bytes);
    }
    if (dev->context)
        clReleaseContext(dev->context);
    free(dev->warning);
    free(dev);
}

const lcl_device_info *lcl_device_get_info(const lcl_device *dev)
{
    return &dev->info;
}

const char *lcl_device_reason(const lcl_device *dev)
{
    return dev->reason;
}

const char *lcl_device_warning(const lcl_device *dev)
{
    return dev->warning;
}

bool lcl_device_is_cpu(const lcl_device *dev)
{
    return (dev->info.type & CL_DEVICE_TYPE_CPU) != 0;
}

cl_context lcl_device_context(lcl_device *dev)
{
    return dev->context;
}

cl_command_queue lcl_device_queue(lcl_device *dev)
{
    return dev->queue;
}

lcl_status lcl_device_flush(lcl_device *dev, lcl_error *err)
{
    cl_int rc = lcl_device_is_blank(dev) ? CL_SUCCESS : clFlush(dev->queue);

    return rc == CL_SUCCESS ? LCL_OK
                            : lcl_fail(err, LCL_EDEVICE, dev->info.name,
                                       "starting the device: %s", lcl_cl_name(rc));
}

lcl_status lcl_device_finish(lcl_device *dev, lcl_error *err)
{
    cl_int rc = lcl_device_is_blank(dev) ? CL_SUCCESS : clFinish(dev->queue);

    return rc == CL_SUCCESS ? LCL_OK
                            : lcl_fail(err, LCL_EDEVICE, dev->info.name,
                                       "waiting for the device: %s", lcl_cl_name(rc));
}

void lcl_device_dry(lcl_device *dev, bool on)
{
    dev->dry = on;
}

bool lcl_device_is_dry(const lcl_device *dev)
{
    return dev->dry || lcl_device_is_blank(dev);
}

/* ---- Faults on purpose ------------------------------------------------------------- */

void lcl_device_fault(lcl_device *dev, lcl_fault kind, unsigned n)
{
    dev->faults[kind] = n;
}

bool lcl_device_faulty(lcl_device *dev, lcl_fault kind)
{
    return dev->faults[kind] > 0 && --dev->faults[kind] == 0;
}

void lcl_device_break_tile(lcl_device *dev, lcl_tile tile, int value)
{
    dev->broken_tile = tile;
    dev->broken_value = value;
}

bool lcl_device_is_broken(const lcl_device *dev)
{
    return dev->broken_tile != LCL_N_TILES &&
           lcl_tile_get(dev, dev->broken_tile) == dev->broken_value;
}

/* ---- Memory ------------------------------------------------------------------------ */

static double device_megabytes(cl_ulong bytes)
{
    return (double)bytes / (1024.0 * 1024.0);
}

static lcl_status device_no_memory(const lcl_device *dev, size_t size, const char *what,
                                   cl_int rc, lcl_error *err)
{
    lcl_status status =
        lcl_fail(err, LCL_EDEVICE, dev->info.name,
                 "no memory for %s: %.1f MB needed; the device has %.1f MB in all, at "
                 "most %.1f MB "
                 "in one piece (%s)",
                 what, device_megabytes(size), device_megabytes(dev->info.global_memory),
                 device_megabytes(dev->info.largest_allocation), lcl_cl_name(rc));

    return lcl_hint(err, status, "a smaller batch_size needs less memory");
}

/* Oclgrind's check for uninitialised memory does not see fills, so there it is a write.
 */
static cl_int device_write_fill(lcl_device *dev, cl_mem buffer, size_t offset,
                                size_t size, float value)
{
    size_t n = size / sizeof value;
    float *values = lcl_alloc(n, sizeof *values);
    cl_int rc;

    for (size_t i = 0; i < n; i++)
        values[i] = value;
    rc = clEnqueueWriteBuffer(dev->queue, buffer, CL_TRUE, offset, size, values, 0, NULL,
                              lcl_profile_slot(dev, "fill"));
    free(values);
    return rc;
}

static cl_int device_fill(lcl_device *dev, cl_mem buffer, size_t offset, size_t size,
                          float value)
{
    if (strcmp(dev->info.platform_name, "Oclgrind") == 0)
        return device_write_fill(dev, buffer, offset, size, value);
    return clEnqueueFillBuffer(dev->queue, buffer, &value, sizeof value, offset, size, 0,
                               NULL, lcl_profile_slot(dev, "fill"));
}

lcl_status lcl_buffer_create(cl_mem *out, lcl_device *dev, size_t size, const char *what,
                             lcl_error *err)
{
    cl_int rc = CL_SUCCESS;
    cl_mem buffer = NULL;

    *out = NULL;
    if (size > SIZE_MAX - 3 || size > dev->info.largest_allocation)
        return device_no_memory(dev, size, what, CL_INVALID_BUFFER_SIZE, err);
    if (lcl_device_is_blank(dev))
        return LCL_OK;
    size = size < 4 ? 4 : (size + 3) / 4 * 4;
    if (lcl_device_faulty(dev, LCL_FAULT_ALLOC))
        rc = CL_MEM_OBJECT_ALLOCATION_FAILURE;
    else
        buffer = clCreateBuffer(dev->context, CL_MEM_READ_WRITE, size, NULL, &rc);
    /* Many drivers find the memory only when it is first used. */
    if (rc == CL_SUCCESS)
        rc = device_fill(dev, buffer, 0, size, 0.0f);
    if (rc != CL_SUCCESS) {
        lcl_buffer_release(&buffer);
        return device_no_memory(dev, size, what, rc, err);
    }
    *out = buffer;
    return LCL_OK;
}

lcl_status lcl_device_scratch(cl_mem *out, lcl_device *dev, int index, size_t size,
                              lcl_error *err)
{
    if (size > dev->scratch_size[index]) {
        lcl_buffer_release(&dev->scratch[index]);
        dev->scratch_size[index] = 0;
        LCL_TRY(
            lcl_buffer_create(&dev->scratch[index], dev, size, "scratch memory", err));
        dev->scratch_size[index] = size;
    }
    *out = dev->scratch[index];
    return LCL_OK;
}

void lcl_buffer_release(cl_mem *buffer)
{
    if (*buffer)
        clReleaseMemObject(*buffer);
    *buffer = NULL;
}

static lcl_status device_copied(const lcl_device *dev, const char *what, size_t size,
                                cl_int rc, lcl_error *err)
{
    return rc == CL_SUCCESS ? LCL_OK
                            : lcl_fail(err, LCL_EDEVICE, dev->info.name,
                                       "%s %zu bytes: %s", what, size, lcl_cl_name(rc));
}

lcl_status lcl_buffer_read(lcl_device *dev, cl_mem buffer, size_t offset, size_t size,
                           void *out, lcl_error *err)
{
    cl_int rc = CL_SUCCESS;

    if (lcl_device_is_blank(dev))
        memset(out, 0, size);
    else if (lcl_device_faulty(dev, LCL_FAULT_COPY))
        rc = CL_OUT_OF_RESOURCES;
    else if (size > 0)
        rc = clEnqueueReadBuffer(dev->queue, buffer, CL_TRUE, offset, size, out, 0, NULL,
                                 lcl_profile_slot(dev, "read"));
    return device_copied(dev, "reading", size, rc, err);
}

/* Writes what is small without waiting for the device: a wait takes as long as many kernels. */
static cl_int device_post(lcl_device *dev, cl_mem buffer, size_t offset, size_t size,
                          const void *in)
{
    lcl_letter *letter = &dev->letters[dev->n_posted % LCL_N_LETTERS];
    cl_int rc = letter->sent ? clWaitForEvents(1, &letter->sent) : CL_SUCCESS;

    if (rc != CL_SUCCESS)
        return rc;
    if (letter->sent)
        clReleaseEvent(letter->sent);
    letter->sent = NULL;
    if (!letter->bytes)
        letter->bytes = lcl_alloc(LCL_LETTER_SIZE, 1);
    memcpy(letter->bytes, in, size);
    rc = clEnqueueWriteBuffer(dev->queue, buffer, CL_FALSE, offset, size, letter->bytes,
                              0, NULL, &letter->sent);
    dev->n_posted += rc == CL_SUCCESS;
    return rc;
}

lcl_status lcl_buffer_write(lcl_device *dev, cl_mem buffer, size_t offset, size_t size,
                            const void *in, lcl_error *err)
{
    cl_int rc = CL_SUCCESS;

    if (lcl_device_is_blank(dev))
        return LCL_OK;
    if (lcl_device_faulty(dev, LCL_FAULT_COPY))
        rc = CL_OUT_OF_RESOURCES;
    else if (size > 0 && size <= LCL_LETTER_SIZE && !dev->profile)
        rc = device_post(dev, buffer, offset, size, in);
    else if (size > 0)
        rc = clEnqueueWriteBuffer(dev->queue, buffer, CL_TRUE, offset, size, in, 0, NULL,
                                  lcl_profile_slot(dev, "write"));
    return device_copied(dev, "writing", size, rc, err);
}

lcl_status lcl_buffer_fill(lcl_device *dev, cl_mem buffer, size_t offset, size_t size,
                           float value, lcl_error *err)
{
    cl_int rc = CL_SUCCESS;

    if (lcl_device_is_dry(dev))
        return LCL_OK;
    if (lcl_device_faulty(dev, LCL_FAULT_COPY))
        rc = CL_OUT_OF_RESOURCES;
    else if (size > 0)
        rc = device_fill(dev, buffer, offset, size, value);
    return device_copied(dev, "filling", size, rc, err);
}

lcl_status lcl_buffer_copy(lcl_device *dev, cl_mem from, size_t from_offset, cl_mem to,
                           size_t to_offset, size_t size, lcl_error *err)
{
    cl_int rc = CL_SUCCESS;

    if (lcl_device_is_dry(dev))
        return LCL_OK;
    if (lcl_device_faulty(dev, LCL_FAULT_COPY))
        rc = CL_OUT_OF_RESOURCES;
    else if (size > 0)
        rc = clEnqueueCopyBuffer(dev->queue, from, to, from_offset, to_offset, size, 0,
                                 NULL, lcl_profile_slot(dev, "copy"));
    return device_copied(dev, "copying", size, rc, err);
}
