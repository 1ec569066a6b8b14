/* Reports as tables of text. */
#ifndef LCL_BENCH_REPORT_TEXT_H
#define LCL_BENCH_REPORT_TEXT_H

#include <stdio.h>

#include "bench/report.h"

/* What a device is, its group's heading, and one row: for printing while measuring. */
void lcl_bench_print_device(FILE *out, const lcl_bench_device *device);
void lcl_bench_print_heading(FILE *out, const lcl_bench_group *group);
void lcl_bench_print_row(FILE *out, const lcl_bench_device *device,
                         const lcl_bench_row *row);

/* All rows of all devices side by side, each with how many times as fast it is as the first
 * device's. */
void lcl_bench_print_comparison(FILE *out, const lcl_bench_report *report);

/* A value with three digits that count. */
void lcl_bench_number_text(double value, char *out, size_t size);

#endif
