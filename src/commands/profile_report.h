/* What a profiled device did, as a table and as a trace. */
#ifndef LCL_PROFILE_REPORT_H
#define LCL_PROFILE_REPORT_H

#include <stdio.h>

#include "lcl/net.h"
#include "lcl/profile.h"

/* Per layer and pass, and per kernel of it: how often, how long, and how near to the device's
 * peak, which is measured now. The nets tell what their layers have to do. */
lcl_status lcl_profile_print(FILE *stream, lcl_device *dev, lcl_net *const *nets,
                             size_t n_nets, lcl_error *err);

/* A JSON file in the format of Chrome's tracing, which Perfetto reads too: the layers, and
 * within them the kernels. */
lcl_status lcl_profile_write(const char *path, lcl_device *dev, lcl_error *err);

#endif
