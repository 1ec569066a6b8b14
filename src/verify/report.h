/* What verifying found: devices, each with its checks. */
#ifndef LCL_VERIFY_REPORT_H
#define LCL_VERIFY_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "lcl/device.h"

/* How it was computed, where that may differ. */
typedef struct {
    int block;   /* B; 0: does not matter */
    bool direct; /* without Winograd's transforms */
    bool fused;  /* layers that follow each other as one */
} lcl_verify_mode;

/* One comparison of what the device computed with what is right. Rows of a report sum up
 * checks of one name that follow each other. Strings are owned. */
typedef struct {
    const char *group; /* a name of lcl_verify_groups; borrowed */
    char *row;         /* "Convolution" */
    char *name;        /* within the row: "convolution_k3"; may be "" */
    lcl_verify_mode mode;
    double error, limit; /* of the largest magnitude of what is right */
    char *where;         /* the array the worst error is in: "top_0"; may be "" */
    char *failure;       /* why it could not be run, or NULL */
    char *skipped;       /* why it was not run, or NULL */
} lcl_verify_check;

/* A device and how it was verified. */
typedef struct {
    lcl_device_info info;
    int block, vector; /* of nets on it */
    bool quick;
    double seconds;
    lcl_verify_check *checks; /* owned */
    size_t n_checks;
} lcl_verify_device;

typedef struct {
    lcl_verify_device *devices; /* owned */
    size_t n_devices;
} lcl_verify_report;

typedef struct {
    const char *name;  /* as --only takes it */
    const char *title; /* as a heading */
} lcl_verify_group;

/* In the order of running; the last has no name. */
extern const lcl_verify_group lcl_verify_groups[];

/* An empty one, owned by the report. */
lcl_verify_device *lcl_verify_add_device(lcl_verify_report *report);
/* An empty one, owned by the device. */
lcl_verify_check *lcl_verify_add_check(lcl_verify_device *device);
void lcl_verify_report_free(lcl_verify_report *report);

/* It ran and its error is within the limit. */
bool lcl_verify_passed(const lcl_verify_check *check);
bool lcl_verify_failed(const lcl_verify_check *check);

typedef struct {
    size_t passed, failed, skipped;
} lcl_verify_counts;
lcl_verify_counts lcl_verify_count(const lcl_verify_device *device);
/* The number of checks from `first` on that are one row. */
size_t lcl_verify_row_length(const lcl_verify_device *device, size_t first);
bool lcl_verify_any_failed(const lcl_verify_report *report);

#endif
