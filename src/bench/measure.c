/* Running one thing again and again, and how long it takes. */
#include "bench/measure.h"

#include <math.h>

#include "text.h"

#define LEAST_SECONDS 0.010 /* of a repeat */
#define LEAST_REPEATS 3
#define MOST_REPEATS 200
#define MOST_RUNS 10000 /* of a repeat */

lcl_status lcl_bench_time_runs(double *seconds, lcl_device *dev, int n,
                               lcl_bench_run *run, void *what, lcl_error *err)
{
    double start = lcl_now();

    for (int i = 0; i < n; i++)
        LCL_TRY(run(what, err));
    LCL_TRY(lcl_device_finish(dev, err));
    *seconds = (lcl_now() - start) / n;
    return LCL_OK;
}

/* Runs until a repeat of that many is long enough; short runs hide behind one wait. */
lcl_status lcl_bench_choose_runs(int *n, lcl_device *dev, lcl_bench_run *run, void *what,
                                 lcl_error *err)
{
    double seconds;

    for (*n = 1; *n < MOST_RUNS;) {
        LCL_TRY(lcl_bench_time_runs(&seconds, dev, *n, run, what, err));
        if (seconds * *n >= LEAST_SECONDS)
            return LCL_OK;
        double wanted = 1.2 * LEAST_SECONDS / fmax(seconds, 1e-9);
        *n = (int)fmin(fmax(wanted, *n + 1.0), MOST_RUNS);
    }
    return LCL_OK;
}

lcl_status lcl_bench_measure_run(lcl_bench_time *out, lcl_device *dev, double budget,
                                 lcl_bench_run *run, void *what, lcl_error *err)
{
    double seconds[MOST_REPEATS];
    size_t repeats = 0;
    int n;

    LCL_TRY(lcl_bench_time_runs(&seconds[0], dev, 1, run, what, err));
    LCL_TRY(lcl_bench_choose_runs(&n, dev, run, what, err));
    double end = lcl_now() + budget;
    while (repeats < LEAST_REPEATS || (repeats < MOST_REPEATS && lcl_now() < end))
        LCL_TRY(lcl_bench_time_runs(&seconds[repeats++], dev, n, run, what, err));
    *out = lcl_bench_statistics(seconds, repeats);
    return LCL_OK;
}
