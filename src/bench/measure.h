/* Running one thing again and again, and how long it takes. */
#ifndef LCL_BENCH_MEASURE_H
#define LCL_BENCH_MEASURE_H

#include "bench/report.h"
#include "lcl/device.h"

/* Enqueues one run of `what`. */
typedef lcl_status lcl_bench_run(void *what, lcl_error *err);

/* Seconds of one of n runs; the device is waited for at the end. */
lcl_status lcl_bench_time_runs(double *seconds, lcl_device *dev, int n,
                               lcl_bench_run *run, void *what, lcl_error *err);
/* How many runs take at least 10 ms. */
lcl_status lcl_bench_choose_runs(int *n, lcl_device *dev, lcl_bench_run *run, void *what,
                                 lcl_error *err);

/* Times runs for about `budget` seconds, in repeats of as many runs as take at least 10 ms;
 * the device is waited for at the end of each repeat. At least three repeats, whatever they
 * take; the first run is not counted. */
lcl_status lcl_bench_measure_run(lcl_bench_time *out, lcl_device *dev, double budget,
                                 lcl_bench_run *run, void *what, lcl_error *err);

#endif
