/* What a device ran and for how long, by the device's own clock. */
#ifndef LCL_PROFILE_H
#define LCL_PROFILE_H

#include <stdint.h>

#include "lcl/device.h"

/* A kernel, or a copy ("read", "write", "fill", "copy"). Names are borrowed. */
typedef struct {
    const char *layer, *pass; /* as lcl_profile_label had them; "" before the first */
    const char *what;
    size_t run; /* number of the label: several events of a layer's pass share it */
    uint64_t start, end; /* nanoseconds of the device's clock */
} lcl_profile_event;

/* Records everything enqueued from now on: the device gets a new queue. */
lcl_status lcl_profile_start(lcl_device *dev, lcl_error *err);
/* What is enqueued next belongs to that layer and pass ("forward"). Both strings must last
 * until the profile is read. Does nothing where nothing is recorded. */
void lcl_profile_label(lcl_device *dev, const char *layer, const char *pass);
/* Waits for the device. The events, in order, are the device's, until the next label or
 * launch. *n_lost counts those after LCL_PROFILE_MAX. */
#define LCL_PROFILE_MAX ((size_t)2000000)
lcl_status lcl_profile_read(lcl_device *dev, const lcl_profile_event **events, size_t *n,
                            size_t *n_lost, lcl_error *err);

/* Measures the most floating-point operations (as multiply-adds) and bytes of memory, read
 * and written, that the device does in a second. */
lcl_status lcl_device_peak(lcl_device *dev, double *flops, double *bandwidth,
                           lcl_error *err);

#endif
