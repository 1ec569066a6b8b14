/* JSON files. */
#ifndef LCL_JSON_FILE_H
#define LCL_JSON_FILE_H

#include <jansson.h>

#include "lcl/error.h"

/* Writes `root`, which is freed, whole or not at all; `what` names it in errors. LCL_EDATA where
 * it is NULL: a string was no UTF-8, say a driver's name. */
lcl_status lcl_json_write(json_t *root, const char *path, const char *what,
                          lcl_error *err);

#endif
