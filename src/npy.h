/* Arrays in NumPy's .npy files. */
#ifndef LCL_NPY_H
#define LCL_NPY_H

#include <stddef.h>

#include "lcl/error.h"

#define LCL_NPY_MAX_AXES 32

typedef struct {
    int n_axes; /* 0: one value */
    int shape[LCL_NPY_MAX_AXES];
    size_t count;
    float *values; /* row-major; free() it */
} lcl_npy;

/* Reads an array of little-endian float32, float64, int32, int64 or of uint8 in C order;
 * its header and the file's size are checked. On failure out->values is NULL. */
lcl_status lcl_npy_read(lcl_npy *out, const char *path, lcl_error *err);
/* Writes float32. */
lcl_status lcl_npy_write(const char *path, const float *values, int n_axes,
                         const int *shape, lcl_error *err);

#endif
