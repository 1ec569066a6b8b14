/* HDF5 files: Caffe's models, solver states and data sets of numbers. */
#ifndef LCL_HDF5_FILE_H
#define LCL_HDF5_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "lcl/error.h"

#define LCL_HDF5_MAX_AXES 32

typedef struct lcl_hdf5 lcl_hdf5;

typedef struct {
    int n_axes; /* 0: one value */
    int shape[LCL_HDF5_MAX_AXES];
    size_t count;
    float *values; /* row-major; free() it */
} lcl_hdf5_array;

/* Names below are paths in the file, such as "data/conv1/0". Several threads may use
 * files of their own. */

/* By content; false where there is no such file. */
bool lcl_hdf5_is(const char *path);
lcl_status lcl_hdf5_open(lcl_hdf5 **out, const char *path, lcl_error *err);
void lcl_hdf5_close(lcl_hdf5 *f);

bool lcl_hdf5_has(const lcl_hdf5 *f, const char *name);
bool lcl_hdf5_is_group(const lcl_hdf5 *f, const char *name);
/* The names in a group, in alphabetical order; lcl_list_free them. */
lcl_status lcl_hdf5_list(const lcl_hdf5 *f, const char *group, char ***names, size_t *n,
                         lcl_error *err);
/* A data set of whatever type of number, packed or not. */
lcl_status lcl_hdf5_read(const lcl_hdf5 *f, const char *name, lcl_hdf5_array *out,
                         lcl_error *err);
lcl_status lcl_hdf5_read_int(const lcl_hdf5 *f, const char *name, int *out,
                             lcl_error *err);
/* free(*out). */
lcl_status lcl_hdf5_read_string(const lcl_hdf5 *f, const char *name, char **out,
                                lcl_error *err);

/* A new file in memory, to be filled and saved. Groups on the way to a name are made. */
lcl_status lcl_hdf5_create(lcl_hdf5 **out, const char *path, lcl_error *err);
lcl_status lcl_hdf5_add_group(lcl_hdf5 *f, const char *name, lcl_error *err);
lcl_status lcl_hdf5_add(lcl_hdf5 *f, const char *name, int n_axes, const int *shape,
                        const float *values, lcl_error *err);
lcl_status lcl_hdf5_add_int(lcl_hdf5 *f, const char *name, int value, lcl_error *err);
lcl_status lcl_hdf5_add_string(lcl_hdf5 *f, const char *name, const char *value,
                               lcl_error *err);
/* Writes it to its path as lcl_file_write does: whole or not at all. */
lcl_status lcl_hdf5_save(lcl_hdf5 *f, lcl_error *err);

/* Adds rows (along axis 0) to data set `name` of the file at `path`; makes the data set
 * where there is none. Rows of another size than those there are an error. */
lcl_status lcl_hdf5_append(const char *path, const char *name, int n_axes,
                           const int *shape, const float *values, lcl_error *err);

#endif
