/* A thread that makes batches ahead of their use, through a bounded queue of slots. */
#ifndef LCL_PREFETCH_H
#define LCL_PREFETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "lcl/error.h"

typedef struct lcl_prefetch lcl_prefetch;

/* Fills slot `slot` (0..n_slots) with the next batch; runs on the thread. */
typedef lcl_status (*lcl_prefetch_fill)(void *context, size_t slot, lcl_error *err);

lcl_status lcl_prefetch_start(lcl_prefetch **out, size_t n_slots, lcl_prefetch_fill fill,
                              void *context, lcl_error *err);
/* Ends the thread and frees. */
void lcl_prefetch_stop(lcl_prefetch *p);
/* The next full slot, in order; waits where there is none (*waited is then true). An error
 * of fill comes out here once the batches before it are taken. */
lcl_status lcl_prefetch_take(lcl_prefetch *p, size_t *slot, bool *waited, lcl_error *err);
/* Gives a taken slot back to be filled again; slots come back in the order taken. */
void lcl_prefetch_give(lcl_prefetch *p, size_t slot);

#endif
