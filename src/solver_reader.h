/* Reads blobs back while the device goes on: a request is enqueued now and taken later.
 */
#ifndef LCL_SOLVER_READER_H
#define LCL_SOLVER_READER_H

#include "lcl/net.h"

typedef struct lcl_reader lcl_reader;

/* Of the net's outputs, in their order. The net must outlive the reader. */
lcl_reader *lcl_reader_of_outputs(const lcl_net *net);
/* Of all tops with a loss weight. */
lcl_reader *lcl_reader_of_losses(const lcl_net *net);
void lcl_reader_destroy(lcl_reader *r);

/* Enqueues reading the blobs as they are after everything enqueued before. */
lcl_status lcl_reader_request(lcl_reader *r, lcl_error *err);
size_t lcl_reader_n_requests(const lcl_reader *r);
/* Waits for the oldest request: all values, row-major, one blob after the other. They are
 * valid until the next take. */
lcl_status lcl_reader_take(lcl_reader *r, const float **values, size_t *count,
                           lcl_error *err);
/* The same as the sum of loss weight x value. */
lcl_status lcl_reader_take_loss(lcl_reader *r, float *loss, lcl_error *err);

/* The name of the output that value i belongs to. */
const char *lcl_reader_name(const lcl_reader *r, size_t i);
/* "loss = 0.31 (* 1 = 0.31 loss)": value i of a reader of outputs as Caffe writes it. */
void lcl_reader_line(const lcl_reader *r, size_t i, double value, char *out, size_t size);

#endif
