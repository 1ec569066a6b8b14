/* Finds faster tiles for a device, and keeps them in its record (tuning.h). */
#ifndef LCL_BENCH_TUNE_H
#define LCL_BENCH_TUNE_H

#include <stdio.h>

#include "lcl/blas.h"
#include "lcl/log.h"

typedef struct {
    double seconds;        /* begin no trial after that many */
    bool restart;          /* forget what the record says */
    lcl_gemm_backend gemm; /* who multiplies matrices in what is timed */
    bool (*stopped)(void); /* asked between measurements; NULL: never */
    lcl_log *log;          /* progress; may be NULL */
    FILE *out;             /* gets a line for each trial; may be NULL */
} lcl_tune_options;

typedef struct {
    size_t n_tried, n_kept; /* values, in this run */
    size_t n_left;          /* not tried yet */
} lcl_tune_result;

/* Goes through the tiles that the device uses and tries each allowed value that the record at
 * `path` does not name as tried. A value must give right results first; it is kept where it
 * is faster than the present one by more than the noise of their times, taken in turn, and
 * slower nowhere. The record is written after each trial, so that the run can be stopped at
 * any time and taken up by the next. The device ends with the tiles that were kept. */
lcl_status lcl_tune(lcl_device *dev, const char *path, const lcl_tune_options *options,
                    lcl_tune_result *result, lcl_error *err);

#endif
