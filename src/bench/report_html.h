/* Reports as a page of charts. */
#ifndef LCL_BENCH_REPORT_HTML_H
#define LCL_BENCH_REPORT_HTML_H

#include "bench/report.h"
#include "lcl/error.h"

/* One self-contained page, readable without scripts, light or dark as the reader's system. */
lcl_status lcl_bench_write_html(const lcl_bench_report *report, const char *path,
                                lcl_error *err);

#endif
