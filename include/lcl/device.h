/* One OpenCL device: finding it, memory on it, programs built for it, kernels run on it. */
#ifndef LCL_DEVICE_H
#define LCL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#include <CL/cl.h>

#include "lcl/error.h"

/* ---- Finding devices --------------------------------------------------------------- */

typedef struct {
    int platform, device; /* numbers as --platform and --device take them */
    int index;            /* number over all platforms */
    cl_platform_id platform_id;
    cl_device_id id;
    cl_device_type type; /* CL_DEVICE_TYPE_CPU, ..._GPU, ..._ACCELERATOR */
    char platform_name[128], platform_version[128];
    char name[256], vendor[128], version[128], driver[64];
    char uuid[40]; /* cl_khr_device_uuid in hex, or "" */
    cl_uint compute_units, clock_mhz;
    cl_ulong global_memory, largest_allocation, local_memory; /* bytes */
    size_t largest_work_group;
    size_t alignment;    /* of sub-buffers, bytes */
    bool unified_memory; /* shares the host's memory */
    bool usable;         /* available, has a compiler, OpenCL 1.2 or later */
    char why_not[128];   /* where not usable */
} lcl_device_info;

/* Every device of every platform, in the loader's order; broken platforms are skipped.
 * free(*out). No device at all is LCL_ENODEVICE with what to install. */
lcl_status lcl_device_list(lcl_device_info **out, size_t *n_out, lcl_error *err);

typedef enum { LCL_PREFER_ANY, LCL_PREFER_CPU, LCL_PREFER_GPU } lcl_preference;

/* What the user asked for. NULL or "": not asked.
 * platform: number, or part of the platform's name (case does not count).
 * device: number (within the platform if one was chosen, else over all), "cpu", "gpu",
 * "accelerator", the start of a uuid (8 digits or more), or part of the device's name. */
typedef struct {
    const char *platform, *device;
    lcl_preference prefer; /* among several that match; ANY: GPU, accelerator, CPU */
} lcl_device_choice;

/* ---- An open device ---------------------------------------------------------------- */

/* One device with its context, in-order queue and built programs. Other devices are left
 * alone. Not thread-safe: one thread enqueues. */
typedef struct lcl_device lcl_device;

lcl_status lcl_device_open(lcl_device **out, const lcl_device_choice *choice,
                           lcl_error *err);
/* A device without hardware, for nets that shall only have shapes and parameters: its buffers
 * are NULL and take no memory, kernels are neither built nor run, and what is read from it is
 * zeros, but for blobs' data that were written (see lcl_blob). */
lcl_device *lcl_device_create_blank(void);
bool lcl_device_is_blank(const lcl_device *dev);
void lcl_device_close(lcl_device *dev);
const lcl_device_info *lcl_device_get_info(const lcl_device *dev);
/* Why this device was taken, e.g. "the only device", "--device gpu". */
const char *lcl_device_reason(const lcl_device *dev);
/* What the user should be told after opening it: that its tuning record is damaged. NULL:
 * nothing. */
const char *lcl_device_warning(const lcl_device *dev);
bool lcl_device_is_cpu(const lcl_device *dev);
/* Floats that kernels put into a vector: those of the CPU's widest register, 4 on other devices. */
int lcl_device_vector(const lcl_device *dev);
cl_context lcl_device_context(lcl_device *dev);
cl_command_queue lcl_device_queue(lcl_device *dev);
/* Makes sure that what is enqueued starts. */
lcl_status lcl_device_flush(lcl_device *dev, lcl_error *err);
/* Waits until everything enqueued is done. */
lcl_status lcl_device_finish(lcl_device *dev, lcl_error *err);

/* "CL_OUT_OF_RESOURCES" for -5; CLBlast's own codes too. */
const char *lcl_cl_name(int code);

/* ---- Memory ------------------------------------------------------------------------ */

/* A zeroed buffer of `size` bytes (at least 4). `what` names it in the message where the
 * device has too little memory, which says what is needed and what there is. */
lcl_status lcl_buffer_create(cl_mem *out, lcl_device *dev, size_t size, const char *what,
                             lcl_error *err);
/* Releases *buffer and sets it to NULL. */
void lcl_buffer_release(cl_mem *buffer);
/* Offset and size in bytes. A read waits for all that was enqueued before; `in` can be used
 * again at once, though a small write may still be under way. */
lcl_status lcl_buffer_read(lcl_device *dev, cl_mem buffer, size_t offset, size_t size,
                           void *out, lcl_error *err);
lcl_status lcl_buffer_write(lcl_device *dev, cl_mem buffer, size_t offset, size_t size,
                            const void *in, lcl_error *err);
/* Enqueues a write; `in` must stay until it is done, which *sent (owned) tells. */
lcl_status lcl_buffer_send(lcl_device *dev, cl_mem buffer, size_t offset, size_t size,
                           const void *in, cl_event *sent, lcl_error *err);
/* Enqueue only. Offsets and sizes in bytes; `value` fills floats. */
lcl_status lcl_buffer_fill(lcl_device *dev, cl_mem buffer, size_t offset, size_t size,
                           float value, lcl_error *err);
lcl_status lcl_buffer_copy(lcl_device *dev, cl_mem from, size_t from_offset, cl_mem to,
                           size_t to_offset, size_t size, lcl_error *err);

#define LCL_N_SCRATCH 3
/* Buffer `index` (below LCL_N_SCRATCH) of the device, of at least `size` bytes, for what one
 * layer hands from one of its kernels to its next: another layer's use overwrites it. Ask
 * again before each use. Borrowed. */
lcl_status lcl_device_scratch(cl_mem *out, lcl_device *dev, int index, size_t size,
                              lcl_error *err);

/* ---- Kernels ----------------------------------------------------------------------- */

/* "#define name value" before a program, or "#define name text" where text is not NULL. */
typedef struct {
    const char *name;
    long value;
    const char *text;
} lcl_define;

/* A kernel that is built when it, or another, first runs: all that were asked for until then
 * are built together, because a compiler takes long to start. */
typedef struct lcl_kernel lcl_kernel;

/* Kernel `kernel` of cl/<file>.cl with `defines`; the same one for the same arguments.
 * Borrowed from the device. cl/lanes.cl precedes every file. */
lcl_status lcl_kernel_get(lcl_kernel **out, lcl_device *dev, const char *file,
                          const char *kernel, const lcl_define *defines, size_t n_defines,
                          lcl_error *err);
/* Builds now what was asked for and is not built. */
lcl_status lcl_device_build(lcl_device *dev, lcl_error *err);
/* Leaves out launches, fills and copies while `on`, so that what only enqueues can be called
 * to find out which kernels it needs. A blank device always is dry. */
void lcl_device_dry(lcl_device *dev, bool on);
bool lcl_device_is_dry(const lcl_device *dev);

/* The kernel's OpenCL object, built now if it was not, for a queue of the caller's own.
 * Borrowed from the device. */
lcl_status lcl_kernel_cl(cl_kernel *out, lcl_device *dev, lcl_kernel *kernel,
                         lcl_error *err);

/* A kernel argument: size and address, as clSetKernelArg wants them. */
typedef struct {
    size_t size;
    const void *value;
} lcl_arg;
#define LCL_ARG(x)                                                                       \
    {                                                                                    \
        sizeof(x), &(x)                                                                  \
    }

/* Work-items along each dimension; zeros count as 1. */
typedef struct {
    size_t x, y, z;
} lcl_range;

/* Sets the arguments and enqueues the kernel over `global`. A zero `local` leaves the choice
 * to the device: 1 x 1 x 1 on a CPU, else a divisor of global that keeps x whole, so that
 * kernels need no bounds check. */
lcl_status lcl_kernel_run(lcl_device *dev, lcl_kernel *kernel, lcl_range global,
                          lcl_range local, const lcl_arg *args, size_t n_args,
                          lcl_error *err);

#endif
