/* NumPy's .npz files: zip archives of .npy files, each named as its array with ".npy" behind. */
#ifndef LCL_NPZ_H
#define LCL_NPZ_H

#include "npy.h"

typedef struct lcl_npz lcl_npz;

/* ---- Reading ----------------------------------------------------------------------- */

lcl_status lcl_npz_open(lcl_npz **out, const char *path, lcl_error *err);
void lcl_npz_close(lcl_npz *z);
/* The arrays, in the order of the archive; names without ".npy". Borrowed. */
size_t lcl_npz_n(const lcl_npz *z);
const char *lcl_npz_name(const lcl_npz *z, size_t i);
/* Array i, whose values take the caller's memory: ask for its shape first. As of
 * lcl_npy_parse_shape and lcl_npy_parse. */
lcl_status lcl_npz_read_shape(lcl_npz *z, size_t i, lcl_npy *out, lcl_error *err);
lcl_status lcl_npz_read(lcl_npz *z, size_t i, lcl_npy *out, lcl_error *err);

/* ---- Writing ----------------------------------------------------------------------- */

/* A new archive in memory, to be filled and saved. Values are stored as they are, float32. */
lcl_status lcl_npz_create(lcl_npz **out, const char *path, lcl_error *err);
/* `name` is UTF-8; one that is there already is an error. */
lcl_status lcl_npz_add(lcl_npz *z, const char *name, const float *values, int n_axes,
                       const int *shape, lcl_error *err);
/* Writes it, with an array at least, to its path as lcl_file_write does: whole or not at all.
 * Nothing can be added any more. */
lcl_status lcl_npz_save(lcl_npz *z, lcl_error *err);

#endif
