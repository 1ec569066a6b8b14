/* Caffe's fillers: initial values of parameters. */
#ifndef LCL_FILLER_H
#define LCL_FILLER_H

#include "caffe.pb-c.h"
#include "lcl/error.h"
#include "rng.h"

/* Fills `values` (row-major, of `shape`) as FillerParameter says; NULL is constant 0.
 * values NULL: only checks the message. An unknown type or bad option is LCL_EPROTO with *bad_field naming the field. */
lcl_status lcl_filler_fill(float *values, int n_axes, const int *shape,
                           const Caffe__FillerParameter *filler, lcl_rng *rng,
                           const char **bad_field, lcl_error *err);
/* The i-th filler's name; NULL behind the last. */
const char *lcl_filler_name(size_t i);

#endif
