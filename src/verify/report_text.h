/* Reports as text, as a whole and bit by bit. */
#ifndef LCL_VERIFY_REPORT_TEXT_H
#define LCL_VERIFY_REPORT_TEXT_H

#include <stdio.h>

#include "verify/report.h"

/* What device it is and how it was verified. */
void lcl_verify_print_device(FILE *out, const lcl_verify_device *device);
/* The row that begins with check `first`, below its group's heading where it is the first. */
void lcl_verify_print_row(FILE *out, const lcl_verify_device *device, size_t first);
/* What failed, what to do about it, and the count. */
void lcl_verify_print_end(FILE *out, const lcl_verify_device *device);

/* All of that for all devices. Written whole or not at all. */
lcl_status lcl_verify_write_text(const lcl_verify_report *report, const char *path,
                                 lcl_error *err);

#endif
