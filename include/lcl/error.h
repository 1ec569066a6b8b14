/* Status codes and the error value that every function that can fail fills. */
#ifndef LCL_ERROR_H
#define LCL_ERROR_H

/* Every function that can fail returns lcl_status and takes `lcl_error *err` last. The
 * failing function fills *err once (the first failure wins); callers clean up and pass the
 * status on unchanged. `err` may be NULL. Bugs are asserted, not returned. */
typedef enum {
    LCL_OK = 0,
    LCL_EIO = -1,       /* file missing, unreadable, truncated; disk full */
    LCL_EPROTO = -2,    /* prototxt or model is not what Caffe accepts */
    LCL_ESHAPE = -3,    /* blobs do not fit together */
    LCL_EDEVICE = -4,   /* OpenCL or CLBlast said no */
    LCL_ENODEVICE = -5, /* no device, or none like the one asked for */
    LCL_EUSAGE = -6,    /* wrong flags or arguments */
    LCL_EDATA = -7,     /* a database or data file has the wrong content */
    LCL_ESIGNAL = -8,   /* stopped by a signal */
} lcl_status;

typedef struct {
    lcl_status status;
    char where[256];    /* "lenet.prototxt:42:7", "cl/relu.cl:12", a path, or "" */
    char message[1024]; /* one line, no trailing newline, no full stop */
    char excerpt[512];  /* the source line and a caret below it, or "" */
    char hint[512];     /* what to do about it, or "" */
} lcl_error;

/* Fills *err and returns `status`. `where` may be NULL. */
lcl_status lcl_fail(lcl_error *err, lcl_status status, const char *where,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Adds a hint to the error just filled and returns its status (`status` if err is NULL). */
lcl_status lcl_hint(lcl_error *err, lcl_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Returns from the enclosing function on failure; use where nothing is held. */
#define LCL_TRY(expr)                                                                    \
    do {                                                                                 \
        lcl_status lcl_try_ = (expr);                                                    \
        if (lcl_try_ != LCL_OK)                                                          \
            return lcl_try_;                                                             \
    } while (0)

#endif
