/* Images picked by number: BatchReindex and Filter. All blobs are plain. */
#ifndef LCL_GATHER_H
#define LCL_GATHER_H

#include "lcl/layer.h"

/* Image i of `to` is image index[i] of `from`: NANs where that has no such image. */
lcl_status lcl_gather(const lcl_blob *from, cl_mem index, lcl_blob *to, lcl_error *err);
/* The gradient of `from` out of that of `to`. */
lcl_status lcl_gather_gradient(lcl_blob *from, cl_mem index, const lcl_blob *to,
                               lcl_error *err);

#endif
