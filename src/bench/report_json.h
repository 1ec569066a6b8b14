/* Reports as JSON, in the schema that bench/README.md describes. */
#ifndef LCL_BENCH_REPORT_JSON_H
#define LCL_BENCH_REPORT_JSON_H

#include "bench/report.h"
#include "lcl/error.h"

#define LCL_BENCH_SCHEMA "lenet-cl bench"
#define LCL_BENCH_SCHEMA_VERSION 1

/* Writes the whole file or leaves it as it was. */
lcl_status lcl_bench_write_json(const lcl_bench_report *report, const char *path,
                                lcl_error *err);
/* Adds the file's devices to *report; some may be there after a failure too. */
lcl_status lcl_bench_read_json(lcl_bench_report *report, const char *path,
                               lcl_error *err);

#endif
