/* What a benchmark found: devices, each with its rows. */
#include "bench/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* ---- Groups ------------------------------------------------------------------------ */

const lcl_bench_group lcl_bench_groups[] = {
    {"peak", "Peak arithmetic", LCL_BENCH_GFLOPS, true,
     "Chains of fp32 multiply-adds. Shares below are of the best one."},
    {"bandwidth", "Memory bandwidth", LCL_BENCH_GBS, true,
     "Global memory. Shares below are of the better one."},
    {"launch", "Kernel launches", LCL_BENCH_MICROSECONDS, false,
     "A kernel that does next to nothing."},
    {"gemm", "Matrix products", LCL_BENCH_GFLOPS, false,
     "Rows x columns x depth of the product."},
    {"convolution", "Convolutions", LCL_BENCH_GFLOPS, false,
     "Operations are those of the definition: Winograd does fewer, so it can pass the "
     "peak."},
    {"training", "LeNet training", LCL_BENCH_IMAGES, false,
     "An iteration: batch from a data set, forward, backward, update."},
    {"inference", "LeNet inference", LCL_BENCH_IMAGES, false,
     "Host to host: write images, run, read probabilities. Device: forward passes "
     "alone."},
    {"start", "Start-up", LCL_BENCH_SECONDS, false,
     "A whole process that trains LeNet for one iteration; cold: no kernel is cached."},
    {"accuracy", "Time to 90 % on Fashion-MNIST", LCL_BENCH_SECONDS, false,
     "LeNet with the usual recipe, a test every 250 iterations, data reading included."},
    {0},
};

const lcl_bench_group *lcl_bench_group_find(const char *name)
{
    for (const lcl_bench_group *g = lcl_bench_groups; g->name; g++)
        if (strcmp(g->name, name) == 0)
            return g;
    return NULL;
}

const char *lcl_bench_unit(lcl_bench_measure measure)
{
    static const char *const units[] = {"GFLOP/s", "GB/s", "images/s", "us", "s"};

    return units[measure];
}

bool lcl_bench_more_is_better(lcl_bench_measure measure)
{
    return measure < LCL_BENCH_MICROSECONDS;
}

/* ---- What rows say ----------------------------------------------------------------- */

static bool is_measured(const lcl_bench_row *row)
{
    return row && !row->skipped && !row->wrong && row->time.min > 0;
}

double lcl_bench_value(const lcl_bench_row *row)
{
    if (!is_measured(row))
        return 0;
    const lcl_bench_group *group = lcl_bench_group_find(row->group);
    if (!group)
        return 0;
    switch (group->measure) {
    case LCL_BENCH_GFLOPS: return 1e-9 * row->flop / row->time.min;
    case LCL_BENCH_GBS: return 1e-9 * row->bytes / row->time.min;
    case LCL_BENCH_IMAGES: return row->images / row->time.min;
    case LCL_BENCH_MICROSECONDS: return 1e6 * row->time.min;
    case LCL_BENCH_SECONDS: break;
    }
    return row->time.min;
}

double lcl_bench_share(const lcl_bench_device *device, const lcl_bench_row *row)
{
    double least = 0; /* seconds that the peaks allow */

    if (!is_measured(row))
        return 0;
    const lcl_bench_group *group = lcl_bench_group_find(row->group);
    if (!group || group->sets_peak)
        return 0;
    if (device->flops > 0)
        least = row->flop / device->flops;
    if (device->bandwidth > 0)
        least = fmax(least, row->bytes / device->bandwidth);
    return least / row->time.min;
}

double lcl_bench_ratio(const lcl_bench_row *first, const lcl_bench_row *row)
{
    return is_measured(first) && is_measured(row) ? first->time.min / row->time.min : 0;
}

/* ---- Statistics -------------------------------------------------------------------- */

static int compare_seconds(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Between the sorted values where it falls between two of them. */
static double quantile(const double *sorted, size_t n, double part)
{
    double place = part * (double)(n - 1);
    size_t below = (size_t)place;
    double rest = place - (double)below;

    return rest > 0 ? sorted[below] + rest * (sorted[below + 1] - sorted[below])
                    : sorted[below];
}

lcl_bench_time lcl_bench_statistics(double *seconds, size_t n)
{
    qsort(seconds, n, sizeof *seconds, compare_seconds);
    double median = quantile(seconds, n, 0.5);
    double range = quantile(seconds, n, 0.75) - quantile(seconds, n, 0.25);
    return (lcl_bench_time){.min = seconds[0],
                            .median = median,
                            .spread = median > 0 ? range / median : 0,
                            .repeats = n};
}

/* ---- Building and freeing ---------------------------------------------------------- */

lcl_bench_device *lcl_bench_add_device(lcl_bench_report *report)
{
    report->devices =
        lcl_resize(report->devices, report->n_devices + 1, sizeof *report->devices);
    lcl_bench_device *device = &report->devices[report->n_devices++];
    *device = (lcl_bench_device){0};
    return device;
}

lcl_bench_row *lcl_bench_add_row(lcl_bench_device *device, const char *group,
                                 const char *name, const char *variant)
{
    device->rows = lcl_resize(device->rows, device->n_rows + 1, sizeof *device->rows);
    lcl_bench_row *row = &device->rows[device->n_rows++];
    *row = (lcl_bench_row){.group = lcl_strdup(group),
                           .name = lcl_strdup(name),
                           .variant = lcl_strdup(variant),
                           .error = -1};
    return row;
}

const lcl_bench_row *lcl_bench_find_row(const lcl_bench_device *device,
                                        const lcl_bench_row *like)
{
    for (size_t i = 0; i < device->n_rows; i++) {
        const lcl_bench_row *row = &device->rows[i];
        if (strcmp(row->group, like->group) == 0 && strcmp(row->name, like->name) == 0 &&
            strcmp(row->variant, like->variant) == 0)
            return row;
    }
    return NULL;
}

bool lcl_bench_is_first(const lcl_bench_report *report, size_t device,
                        const lcl_bench_row *row)
{
    for (size_t i = 0; i < device; i++)
        if (lcl_bench_find_row(&report->devices[i], row))
            return false;
    return true;
}

bool lcl_bench_any_wrong(const lcl_bench_report *report)
{
    for (size_t d = 0; d < report->n_devices; d++)
        for (size_t r = 0; r < report->devices[d].n_rows; r++)
            if (report->devices[d].rows[r].wrong)
                return true;
    return false;
}

static void free_device(lcl_bench_device *device)
{
    char *const texts[] = {device->name,     device->kind,   device->vendor,
                           device->version,  device->driver, device->platform,
                           device->lenet_cl, device->date,   device->host};

    for (size_t i = 0; i < LCL_COUNT(texts); i++)
        free(texts[i]);
    for (size_t i = 0; i < device->n_rows; i++) {
        free(device->rows[i].group);
        free(device->rows[i].name);
        free(device->rows[i].variant);
        free(device->rows[i].skipped);
    }
    free(device->rows);
}

void lcl_bench_report_free(lcl_bench_report *report)
{
    for (size_t i = 0; i < report->n_devices; i++)
        free_device(&report->devices[i]);
    free(report->devices);
    *report = (lcl_bench_report){0};
}
