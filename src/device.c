/* An open device: context and queue; see include/lcl/device.h. */
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

/* An OpenCL CPU device is this processor. Its driver's CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT tells
 * little: PoCL's is that of the compiler that built it. */
int lcl_device_vector(const lcl_device *dev)
{
    if (!lcl_device_is_cpu(dev))
        return 4;
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_cpu_supports("avx512f") ? 16 : __builtin_cpu_supports("avx") ? 8 : 4;
#else
    return 4;
#endif
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
