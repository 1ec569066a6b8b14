/* Pieces of a page: text, numbers, style. */
#ifndef LCL_BENCH_HTML_H
#define LCL_BENCH_HTML_H

#include "bench/report.h"
#include "text.h"

#define LCL_HTML_COLOURS 6 /* classes c0, c1, ... of the style */

/* Text with what HTML would take for markup replaced. */
void lcl_html_text(lcl_text *page, const char *text);
/* Everything up to <body>, with the style sheet. */
void lcl_html_head(lcl_text *page, const char *title);

/* Arithmetic over operations a byte, with each device's limits; nothing where no device has
 * peaks. */
void lcl_html_roofline(lcl_text *page, const lcl_bench_report *report);

#endif
