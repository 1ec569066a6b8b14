/* What a benchmark found: devices, each with its rows. */
#ifndef LCL_BENCH_REPORT_H
#define LCL_BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>

/* Seconds of one run, over repeats. */
typedef struct {
    double min, median;
    double spread; /* interquartile range, as a part of the median */
    size_t repeats;
} lcl_bench_time;

/* One thing that was measured, or why it was not. */
typedef struct {
    char *group;         /* owned; a name of lcl_bench_groups */
    char *name;          /* owned; "lenet_conv1", "batch 64" */
    char *variant;       /* owned; "forward", "own"; may be "" */
    char *skipped;       /* owned; the reason, or NULL */
    bool wrong;          /* the numbers computed are; not timed then */
    double error;        /* worst, as a part of the largest magnitude; < 0: not checked */
    lcl_bench_time time; /* repeats 0: none */
    double flop, bytes, images; /* of one run; 0: does not count */
} lcl_bench_row;

/* A device, and where, when and by what it was measured. Strings are owned. */
typedef struct {
    char *name, *kind, *vendor, *version, *driver, *platform;
    double compute_units, clock_mhz, memory; /* bytes */
    char *lenet_cl;                          /* its version */
    char *date;                              /* ISO 8601 */
    char *host;                              /* processor, threads, system */
    bool quick;
    double flops, bandwidth; /* measured peaks a second; 0: not known */
    lcl_bench_row *rows;     /* owned */
    size_t n_rows;
} lcl_bench_device;

typedef struct {
    lcl_bench_device *devices; /* owned */
    size_t n_devices;
} lcl_bench_report;

/* What a group's rows are compared by. */
typedef enum {
    LCL_BENCH_GFLOPS,
    LCL_BENCH_GBS,
    LCL_BENCH_IMAGES,
    LCL_BENCH_MICROSECONDS,
    LCL_BENCH_SECONDS
} lcl_bench_measure;

typedef struct {
    const char *name;  /* as --only takes it */
    const char *title; /* as a heading */
    lcl_bench_measure measure;
    bool sets_peak;   /* its best row is what others' shares are of: always measured */
    const char *note; /* a line that explains it */
} lcl_bench_group;

/* In the order of running; the last has no name. */
extern const lcl_bench_group lcl_bench_groups[];
/* NULL where there is none of that name. */
const lcl_bench_group *lcl_bench_group_find(const char *name);

/* "GFLOP/s"; and whether more of it is better. */
const char *lcl_bench_unit(lcl_bench_measure measure);
bool lcl_bench_more_is_better(lcl_bench_measure measure);
/* The row's best value in the unit of its group; 0 where it was not measured
 * (NULL: not either). */
double lcl_bench_value(const lcl_bench_row *row);
/* How near the row's best run comes to what the device's measured peaks allow (1: at the
 * limit that binds, of arithmetic or of memory); 0: not known. */
double lcl_bench_share(const lcl_bench_device *device, const lcl_bench_row *row);
/* How many times as fast as `first` `row` is; 0 where one of them was not measured. */
double lcl_bench_ratio(const lcl_bench_row *first, const lcl_bench_row *row);

/* Sorts the seconds. n > 0. */
lcl_bench_time lcl_bench_statistics(double *seconds, size_t n);

/* Empty ones, added and owned by the report (the device). */
lcl_bench_device *lcl_bench_add_device(lcl_bench_report *report);
lcl_bench_row *lcl_bench_add_row(lcl_bench_device *device, const char *group,
                                 const char *name, const char *variant);
/* NULL where there is none. */
const lcl_bench_row *lcl_bench_find_row(const lcl_bench_device *device,
                                        const lcl_bench_row *like);
/* True where no earlier device has such a row: the one at which tables show it. */
bool lcl_bench_is_first(const lcl_bench_report *report, size_t device,
                        const lcl_bench_row *row);
bool lcl_bench_any_wrong(const lcl_bench_report *report);
void lcl_bench_report_free(lcl_bench_report *report);

#endif
