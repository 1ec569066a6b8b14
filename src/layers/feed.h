/* Batches that a thread makes ahead of their use and that are copied to a data layer's
 * tops. */
#ifndef LCL_FEED_H
#define LCL_FEED_H

#include "lcl/layer.h"

#define LCL_FEED_AHEAD 4 /* batches, where the prototxt cannot say */

typedef struct lcl_feed lcl_feed;

/* Writes the next batch: values[i] is top i, row-major. Runs on the thread. */
typedef lcl_status (*lcl_feed_fill)(lcl_layer *l, float *const *values, lcl_error *err);

/* The layer's tops have their shapes. Keeps n_ahead batches ready; on a blank device there is
 * nothing to feed, and *out is NULL. */
lcl_status lcl_feed_start(lcl_feed **out, lcl_layer *l, size_t n_ahead,
                          lcl_feed_fill fill, lcl_error *err);
/* Shapes top 0 as images and top 1, where there is one, as a label each. */
lcl_status lcl_feed_shape(lcl_layer *l, const int shape[4], lcl_error *err);
/* The same; starts the feed if it has not been yet. */
lcl_status lcl_feed_images(lcl_feed **feed, lcl_layer *l, const int shape[4],
                           size_t n_ahead, lcl_feed_fill fill, lcl_error *err);
/* Enqueues the copies of the next batch. */
lcl_status lcl_feed_forward(lcl_feed *f, lcl_error *err);
void lcl_feed_stop(lcl_feed *f);

#endif
