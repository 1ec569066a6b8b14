/* Arrays in NumPy's .npy files. */
#ifndef LCL_NPY_H
#define LCL_NPY_H

#include <stddef.h>

#include "lcl/error.h"
#include "text.h"

#define LCL_NPY_MAX_AXES 32
/* Bytes at the start of a file in which its header ends; longer ones are refused. */
#define LCL_NPY_HEADER ((size_t)65536)

typedef struct {
    int n_axes; /* 0: one value */
    int shape[LCL_NPY_MAX_AXES];
    size_t count;
    float *values; /* row-major; free() it */
} lcl_npy;

/* Reads an array of little-endian float16, float32, float64, int32, int64 or of uint8, in C or
 * Fortran order; its header and the file's size are checked. A float64 that no float32 can
 * hold is an error. On failure out->values is NULL. */
lcl_status lcl_npy_read(lcl_npy *out, const char *path, lcl_error *err);
/* The same from the file's bytes; `name` stands for the path in messages. */
lcl_status lcl_npy_parse(lcl_npy *out, const char *name, const char *bytes, size_t size,
                         lcl_error *err);
/* Only the shape, from the first LCL_NPY_HEADER bytes, or all where there are fewer;
 * *file_size is the size of the whole. out->values stays NULL. */
lcl_status lcl_npy_parse_shape(lcl_npy *out, size_t *file_size, const char *name,
                               const char *bytes, size_t size, lcl_error *err);

/* Writes float32. */
lcl_status lcl_npy_write(const char *path, const float *values, int n_axes,
                         const int *shape, lcl_error *err);
/* Adds the bytes of such a file to `out`. */
void lcl_npy_encode(lcl_text *out, const float *values, int n_axes, const int *shape);

#endif
