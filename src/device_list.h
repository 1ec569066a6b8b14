/* Choosing one of the devices there are; opening it is device.c's part. */
#ifndef LCL_DEVICE_LIST_H
#define LCL_DEVICE_LIST_H

#include "lcl/device.h"

/* The device of `list` that `choice` means (NULL: the best one), and why. */
lcl_status lcl_device_choose(const lcl_device_info *list, size_t n,
                             const lcl_device_choice *choice, size_t *chosen,
                             char *reason, size_t reason_size, lcl_error *err);

/* "CPU", "GPU", "accelerator" or "other". */
const char *lcl_device_kind(const lcl_device_info *info);

#endif
