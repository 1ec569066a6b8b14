/* What tiles are judged by: pieces of work, run with two values of a tile in turn. */
#ifndef LCL_BENCH_TUNE_WORK_H
#define LCL_BENCH_TUNE_WORK_H

#include "bench/bench.h"
#include "tile.h"

#define LCL_TUNE_WORKS 4 /* of a tile at most */

/* Quartiles of how many times as long a run takes with the new value as with the old one. */
typedef struct {
    double low, median, high;
} lcl_tune_ratio;

/* The work of one tile, made with its present value. */
typedef struct {
    lcl_tile tile;
    size_t n;
    lcl_bench_work work[LCL_TUNE_WORKS];
    int runs[LCL_TUNE_WORKS]; /* of a repeat */
    /* CLBlast cannot go back to the parameters it had at first. So its times are taken in
     * turn with our own product's, and compared as parts of those. */
    lcl_bench_work clock[LCL_TUNE_WORKS];
    double part[LCL_TUNE_WORKS]; /* with the present value; 0: there is no clock */
} lcl_tune_works;

/* False where nothing of what nets do on the device depends on the tile. */
bool lcl_tune_uses(const lcl_bench *b, lcl_tile tile);
/* Leaves out what the device cannot do; n is 0 where that is everything. */
void lcl_tune_works_make(lcl_tune_works *w, lcl_bench *b, lcl_tile tile);
void lcl_tune_works_release(lcl_tune_works *w);

/* A work of the tile, number i, made with `value` of its tile and run once; LCL_EDATA where
 * its results are wrong. Release *out in any case. */
lcl_status lcl_tune_make_checked(lcl_bench_work *out, const lcl_tune_works *w, size_t i,
                                 lcl_bench *b, int value, lcl_error *err);
/* Takes times of work i and of `candidate`, made with `value`, in turn. The tile has the
 * present value afterwards. */
lcl_status lcl_tune_compare(lcl_tune_ratio *out, const lcl_tune_works *w, size_t i,
                            lcl_bench *b, const lcl_bench_work *candidate, int value,
                            lcl_error *err);

#endif
