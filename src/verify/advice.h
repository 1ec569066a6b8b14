/* What to do about checks that failed. */
#ifndef LCL_VERIFY_ADVICE_H
#define LCL_VERIFY_ADVICE_H

#include "verify/report.h"

/* A sentence or two each, most specific first; *out is an array of n new strings, to be freed
 * with lcl_list_free. None where nothing failed. */
char **lcl_verify_advice(const lcl_verify_device *device, size_t *n);

#endif
