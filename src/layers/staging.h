/* Slots of host memory that a thread fills ahead of their use, and that are copied to the
 * device while it goes on. */
#ifndef LCL_STAGING_H
#define LCL_STAGING_H

#include "lcl/layer.h"

typedef struct lcl_staging lcl_staging;

/* Fills a slot; runs on the thread. */
typedef lcl_status (*lcl_staging_fill)(void *context, void *slot, lcl_error *err);

/* Keeps n_ahead slots of `size` bytes, zero at first, filled. `l` is named in errors. */
lcl_status lcl_staging_start(lcl_staging **out, const lcl_layer *l, size_t n_ahead,
                             size_t size, lcl_staging_fill fill, void *context,
                             lcl_error *err);
/* Waits for the device, ends the thread and frees. */
void lcl_staging_stop(lcl_staging *s);

/* The next filled slot, in order; the caller's until the next call. */
lcl_status lcl_staging_next(lcl_staging *s, const void **slot, lcl_error *err);
/* Enqueues a copy of `size` bytes of that slot. */
lcl_status lcl_staging_copy(lcl_staging *s, const void *from, size_t size, cl_mem to,
                            size_t offset, lcl_error *err);

#endif
