/* Tries values of tiles one after the other; see tune.h. */
#include "bench/tune.h"

#include <math.h>
#include <stdlib.h>

#include "bench/folder.h"
#include "bench/tune_work.h"
#include "text.h"
#include "tuning.h"

#define MARGIN 0.02 /* less of a difference is noise */

/* Why a value was kept or not. */
typedef enum { KEPT, NOT_FASTER, SLOWER, WRONG, FAILED, STOPPED } verdict;

typedef struct {
    lcl_bench bench; /* what makes work */
    const lcl_tune_options *options;
    const char *path;
    lcl_tuning tuning;
    double end; /* on lcl_now's clock */
    lcl_tune_works works;
    lcl_tune_result *result;
} tune;

static bool is_stopped(const tune *t)
{
    return t->options->stopped && t->options->stopped();
}

/* ---- One value --------------------------------------------------------------------- */

/* Compares all works with their candidates. *time: the mean ratio. */
static verdict measure(tune *t, const lcl_bench_work *candidates, int value, double *time)
{
    double medians = 0, highs = 0;

    for (size_t i = 0; i < t->works.n; i++) {
        lcl_tune_ratio r;
        if (is_stopped(t))
            return STOPPED;
        if (lcl_tune_compare(&r, &t->works, i, &t->bench, &candidates[i], value, NULL) !=
            LCL_OK)
            return FAILED;
        medians += log(r.median);
        highs += log(r.high);
        *time = exp(medians / (double)(i + 1));
        if (r.low > 1 + MARGIN)
            return SLOWER;
    }
    return exp(highs / (double)t->works.n) < 1 - MARGIN ? KEPT : NOT_FASTER;
}

/* A gain is measured twice: of many values that are no faster one may seem so. */
static verdict check_and_measure(tune *t, lcl_bench_work *candidates, int value,
                                 double *time, lcl_error *err)
{
    for (size_t i = 0; i < t->works.n; i++) {
        if (is_stopped(t))
            return STOPPED;
        lcl_status status =
            lcl_tune_make_checked(&candidates[i], &t->works, i, &t->bench, value, err);
        if (status != LCL_OK)
            return status == LCL_EDATA ? WRONG : FAILED;
    }
    verdict v = measure(t, candidates, value, time);
    return v == KEPT ? measure(t, candidates, value, time) : v;
}

static void print_trial(const tune *t, int value, verdict v, double time,
                        const lcl_error *err)
{
    static const char *const names[] = {"kept", "not faster", "slower", "wrong",
                                        "failed"};
    FILE *out = t->options->out;
    char ratio[16] = "";

    lcl_log_progress(t->options->log, NULL);
    if (!out || v == STOPPED)
        return;
    if (time > 0)
        snprintf(ratio, sizeof ratio, "%.3f", time);
    fprintf(out, "  %-24s%8d%8d%10s  %s%s%s\n", lcl_tile_describe(t->works.tile)->name,
            lcl_tile_get(t->bench.dev, t->works.tile), value, ratio, names[v],
            err->message[0] ? ": " : "", err->message);
    fflush(out);
}

static verdict try_value(tune *t, int value)
{
    lcl_bench_work candidates[LCL_TUNE_WORKS] = {0};
    lcl_error err = {0};
    double time = 0;

    lcl_log_progress(t->options->log, "tune: %s %d, %.0f s left",
                     lcl_tile_describe(t->works.tile)->name, value, t->end - lcl_now());
    const verdict v = check_and_measure(t, candidates, value, &time, &err);
    for (size_t i = 0; i < LCL_TUNE_WORKS; i++)
        lcl_bench_work_release(&candidates[i]);
    print_trial(t, value, v, time, &err);
    return v;
}

/* ---- All values -------------------------------------------------------------------- */

/* The untried value nearest to the present one; n_allowed where all were tried. */
static size_t next_index(const tune *t, lcl_tile tile)
{
    const lcl_tile_info *info = lcl_tile_describe(tile);
    const size_t present = lcl_tile_index(tile, lcl_tile_get(t->bench.dev, tile));
    size_t best = info->n_allowed, distance = info->n_allowed;

    for (size_t i = 0; i < info->n_allowed; i++) {
        const size_t d = i > present ? i - present : present - i;
        if (!(t->tuning.tried[tile] & UINT32_C(1) << i) && i != present && d < distance) {
            best = i;
            distance = d;
        }
    }
    return best;
}

static size_t count_left(const tune *t, lcl_tile tile)
{
    const size_t present = lcl_tile_index(tile, lcl_tile_get(t->bench.dev, tile));
    size_t n = 0;

    if (!lcl_tune_uses(&t->bench, tile))
        return 0;
    for (size_t i = 0; i < lcl_tile_describe(tile)->n_allowed; i++)
        n += !(t->tuning.tried[tile] & UINT32_C(1) << i) && i != present;
    return n;
}

static void keep(tune *t, lcl_tile tile, int value)
{
    const size_t old = lcl_tile_index(tile, lcl_tile_get(t->bench.dev, tile));

    t->tuning.tried[tile] |= UINT32_C(1) << old; /* it is slower */
    t->tuning.is_set[tile] = value != lcl_tile_default(t->bench.dev, tile);
    t->tuning.values[tile] = value;
    lcl_tile_set(t->bench.dev, tile, value);
    t->result->n_kept++;
}

/* False where time is up or the user stopped it. */
static bool tune_tile(tune *t, lcl_tile tile, lcl_status *status, lcl_error *err)
{
    const lcl_tile_info *info = lcl_tile_describe(tile);
    bool made = false, goes_on = true;
    size_t index;

    while (goes_on && *status == LCL_OK &&
           (index = next_index(t, tile)) < info->n_allowed) {
        if (lcl_now() >= t->end || is_stopped(t))
            return false;
        lcl_log_progress(t->options->log, "tune: %s, %.0f s left", info->name,
                         t->end - lcl_now());
        if (!made)
            lcl_tune_works_make(&t->works, &t->bench, tile);
        made = true;
        const verdict v =
            t->works.n > 0 ? try_value(t, info->allowed[index]) : NOT_FASTER;
        goes_on = v != STOPPED;
        if (v == KEPT) {
            keep(t, tile, info->allowed[index]);
            lcl_tune_works_release(&t->works);
            made = false;
        }
        if (goes_on) {
            t->tuning.tried[tile] |= UINT32_C(1) << index;
            t->result->n_tried++;
            *status = lcl_tuning_write(&t->tuning, lcl_device_get_info(t->bench.dev),
                                       t->path, err);
        }
    }
    return goes_on;
}

/* A record that cannot be read is a new one; opening the device has told of it. */
static void read_record(tune *t)
{
    lcl_device *dev = t->bench.dev;

    if (!t->options->restart)
        lcl_tuning_read(&t->tuning, lcl_device_get_info(dev), t->path, NULL);
    for (lcl_tile tile = 0; tile < LCL_N_TILES; tile++)
        if (lcl_tune_uses(&t->bench, tile))
            lcl_tile_set(dev, tile,
                         t->tuning.is_set[tile] ? t->tuning.values[tile]
                                                : lcl_tile_default(dev, tile));
}

lcl_status lcl_tune(lcl_device *dev, const char *path, const lcl_tune_options *options,
                    lcl_tune_result *result, lcl_error *err)
{
    const lcl_bench_options bench_options = {.gemm = options->gemm};
    tune t = {.bench = {.options = &bench_options, .dev = dev},
              .options = options,
              .path = path,
              .end = lcl_now() + options->seconds,
              .result = result};
    lcl_status status = LCL_OK;

    *result = (lcl_tune_result){0};
    read_record(&t);
    if (options->out)
        fprintf(options->out, "  %-24s%8s%8s%10s\n", "tile", "now", "tried", "time");
    for (lcl_tile tile = 0; tile < LCL_N_TILES && status == LCL_OK; tile++) {
        if (!lcl_tune_uses(&t.bench, tile))
            continue;
        const bool goes_on = tune_tile(&t, tile, &status, err);
        lcl_tune_works_release(&t.works);
        if (!goes_on)
            break;
    }
    for (lcl_tile tile = 0; tile < LCL_N_TILES; tile++)
        result->n_left += count_left(&t, tile);
    lcl_log_progress(options->log, NULL);
    if (t.bench.folder)
        lcl_bench_remove_folder(t.bench.folder);
    free(t.bench.folder);
    return status;
}
