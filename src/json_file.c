/* Writes JSON files. */
#include "json_file.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

lcl_status lcl_json_write(json_t *root, const char *path, const char *what,
                          lcl_error *err)
{
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) : NULL;

    json_decref(root);
    if (!text)
        return lcl_fail(err, LCL_EDATA, path, "%s cannot be written as JSON", what);
    lcl_status status = lcl_file_write(path, text, strlen(text), err);
    free(text);
    return status;
}
