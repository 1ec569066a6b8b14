/* What verifying found: devices, each with its checks. */
#include "verify/report.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

const lcl_verify_group lcl_verify_groups[] = {
    {"layers", "Layers, forward and backward, against results of Caffe"},
    {"winograd", "Convolutions by Winograd's transforms and directly, against plain C"},
    {"sums", "Sums of many numbers, against plain C"},
    {"layouts", "Conversions of layouts"},
    {"gemm", "Matrix products, against plain C"},
    {"nets", "Nets with fused layers and without"},
    {"data", "Batches of data sets on the device, against the host's"},
    {"updates", "Updates of the solvers, against plain C"},
    {"repeats", "The same bits a second time"},
    {NULL, NULL},
};

lcl_verify_device *lcl_verify_add_device(lcl_verify_report *report)
{
    report->devices =
        lcl_resize(report->devices, report->n_devices + 1, sizeof *report->devices);
    report->devices[report->n_devices] = (lcl_verify_device){0};
    return &report->devices[report->n_devices++];
}

lcl_verify_check *lcl_verify_add_check(lcl_verify_device *device)
{
    device->checks =
        lcl_resize(device->checks, device->n_checks + 1, sizeof *device->checks);
    device->checks[device->n_checks] = (lcl_verify_check){0};
    return &device->checks[device->n_checks++];
}

void lcl_verify_report_free(lcl_verify_report *report)
{
    for (size_t d = 0; d < report->n_devices; d++) {
        lcl_verify_device *device = &report->devices[d];
        for (size_t i = 0; i < device->n_checks; i++) {
            free(device->checks[i].row);
            free(device->checks[i].name);
            free(device->checks[i].where);
            free(device->checks[i].failure);
            free(device->checks[i].skipped);
        }
        free(device->checks);
    }
    free(report->devices);
    *report = (lcl_verify_report){0};
}

bool lcl_verify_passed(const lcl_verify_check *check)
{
    return !check->failure && !check->skipped && check->error <= check->limit;
}

bool lcl_verify_failed(const lcl_verify_check *check)
{
    return !check->skipped && !lcl_verify_passed(check);
}

lcl_verify_counts lcl_verify_count(const lcl_verify_device *device)
{
    lcl_verify_counts n = {0};

    for (size_t i = 0; i < device->n_checks; i++) {
        n.passed += lcl_verify_passed(&device->checks[i]);
        n.failed += lcl_verify_failed(&device->checks[i]);
        n.skipped += device->checks[i].skipped != NULL;
    }
    return n;
}

size_t lcl_verify_row_length(const lcl_verify_device *device, size_t first)
{
    const lcl_verify_check *a = &device->checks[first];
    size_t n = 1;

    while (first + n < device->n_checks && strcmp(a[n].group, a->group) == 0 &&
           strcmp(a[n].row, a->row) == 0)
        n++;
    return n;
}

bool lcl_verify_any_failed(const lcl_verify_report *report)
{
    for (size_t d = 0; d < report->n_devices; d++)
        if (lcl_verify_count(&report->devices[d]).failed > 0)
            return true;
    return false;
}
