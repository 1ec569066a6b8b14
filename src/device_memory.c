/* Buffers of an open device; see include/lcl/device.h. */
#include <stdlib.h>
#include <string.h>

#include "device_state.h"
#include "profile_state.h"
#include "text.h"

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

/* ---- Writing ----------------------------------------------------------------------- */

static bool is_oclgrind(const lcl_device *dev)
{
    return strcmp(dev->info.platform_name, "Oclgrind") == 0;
}

/* Oclgrind takes a buffer for uninitialised of which a part was written, or all of it but by a
 * fill or a copy. So there the whole of the buffer that `buffer` is a part of is written. */
static cl_int write_whole(lcl_device *dev, cl_mem buffer, size_t offset, size_t size,
                          const void *in)
{
    cl_mem whole = NULL;
    size_t start = 0, total = 0;

    clGetMemObjectInfo(buffer, CL_MEM_ASSOCIATED_MEMOBJECT, sizeof whole, &whole, NULL);
    clGetMemObjectInfo(buffer, CL_MEM_OFFSET, sizeof start, &start, NULL);
    whole = whole ? whole : buffer;
    clGetMemObjectInfo(whole, CL_MEM_SIZE, sizeof total, &total, NULL);
    char *bytes = lcl_alloc(total, 1);
    cl_int rc =
        clEnqueueReadBuffer(dev->queue, whole, CL_TRUE, 0, total, bytes, 0, NULL, NULL);
    memcpy(bytes + start + offset, in, size);
    if (rc == CL_SUCCESS)
        rc = clEnqueueWriteBuffer(dev->queue, whole, CL_TRUE, 0, total, bytes, 0, NULL,
                                  NULL);
    free(bytes);
    return rc;
}

static cl_int device_write(lcl_device *dev, cl_mem buffer, cl_bool blocking,
                           size_t offset, size_t size, const void *in, cl_event *event)
{
    if (!is_oclgrind(dev))
        return clEnqueueWriteBuffer(dev->queue, buffer, blocking, offset, size, in, 0,
                                    NULL, event);
    cl_int rc = write_whole(dev, buffer, offset, size, in);
    return rc == CL_SUCCESS && event
               ? clEnqueueMarkerWithWaitList(dev->queue, 0, NULL, event)
               : rc;
}

static cl_int device_fill(lcl_device *dev, cl_mem buffer, size_t offset, size_t size,
                          float value)
{
    if (!is_oclgrind(dev))
        return clEnqueueFillBuffer(dev->queue, buffer, &value, sizeof value, offset, size,
                                   0, NULL, lcl_profile_slot(dev, "fill"));
    const size_t n = size / sizeof value;
    float *values = lcl_alloc(n, sizeof *values);
    for (size_t i = 0; i < n; i++)
        values[i] = value;
    cl_int rc = write_whole(dev, buffer, offset, size, values);
    free(values);
    return rc;
}

static cl_int device_copy(lcl_device *dev, cl_mem from, size_t from_offset, cl_mem to,
                          size_t to_offset, size_t size)
{
    if (!is_oclgrind(dev))
        return clEnqueueCopyBuffer(dev->queue, from, to, from_offset, to_offset, size, 0,
                                   NULL, lcl_profile_slot(dev, "copy"));
    char *bytes = lcl_alloc(size, 1);
    cl_int rc = clEnqueueReadBuffer(dev->queue, from, CL_TRUE, from_offset, size, bytes,
                                    0, NULL, NULL);
    if (rc == CL_SUCCESS)
        rc = write_whole(dev, to, to_offset, size, bytes);
    free(bytes);
    return rc;
}

/* ---- Buffers ----------------------------------------------------------------------- */

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
    rc = device_write(dev, buffer, CL_FALSE, offset, size, letter->bytes, &letter->sent);
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
        rc = device_write(dev, buffer, CL_TRUE, offset, size, in,
                          lcl_profile_slot(dev, "write"));
    return device_copied(dev, "writing", size, rc, err);
}

lcl_status lcl_buffer_send(lcl_device *dev, cl_mem buffer, size_t offset, size_t size,
                           const void *in, cl_event *sent, lcl_error *err)
{
    return device_copied(dev, "writing", size,
                         device_write(dev, buffer, CL_FALSE, offset, size, in, sent),
                         err);
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
        rc = device_copy(dev, from, from_offset, to, to_offset, size);
    return device_copied(dev, "copying", size, rc, err);
}
