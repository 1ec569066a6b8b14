/* Filling the error value; see include/lcl/error.h. */
#include "lcl/error.h"

#include <stdarg.h>
#include <stdio.h>

lcl_status lcl_fail(lcl_error *err, lcl_status status, const char *where,
                    const char *format, ...)
{
    if (err && err->status == LCL_OK) {
        va_list args;

        err->status = status;
        snprintf(err->where, sizeof err->where, "%s", where ? where : "");
        va_start(args, format);
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
        err->excerpt[0] = err->hint[0] = '\0';
    }
    return status;
}

lcl_status lcl_hint(lcl_error *err, lcl_status status, const char *format, ...)
{
    if (!err)
        return status;
    if (err->hint[0] == '\0') {
        va_list args;

        va_start(args, format);
        vsnprintf(err->hint, sizeof err->hint, format, args);
        va_end(args);
    }
    return err->status;
}
