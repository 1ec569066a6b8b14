/* The recording side of include/lcl/profile.h, for device.c and program.c. */
#ifndef LCL_PROFILE_STATE_H
#define LCL_PROFILE_STATE_H

#include "lcl/profile.h"

/* Where the next command's event goes; NULL (as OpenCL takes it) where nothing is recorded.
 * Valid until the next call. */
cl_event *lcl_profile_slot(lcl_device *dev, const char *what);
void lcl_profile_destroy(lcl_device *dev);

#endif
