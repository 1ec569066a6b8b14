/* Files of stored cases in memory, as a folder of them is on disk. */
#ifndef LCL_GOLDEN_FILES_H
#define LCL_GOLDEN_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lcl/error.h"

typedef struct {
    char *path; /* "layers/relu/top_0.npy"; owned */
    uint64_t hash;
    char *bytes; /* owned; a NUL follows them */
    size_t size;
} lcl_golden_file;

/* {0} is empty. */
typedef struct {
    lcl_golden_file *list; /* owned */
    size_t n;
} lcl_golden_files;

void lcl_golden_files_free(lcl_golden_files *files);
/* Adds a copy. */
void lcl_golden_files_add(lcl_golden_files *files, const char *path, const void *bytes,
                          size_t size);
/* Adds the array <folder>/<kind>_<i>.npy. */
void lcl_golden_files_add_array(lcl_golden_files *files, const char *folder,
                                const char *kind, int i, const float *values, int n_axes,
                                const int *shape);
/* Adds the files of a tar archive that gzip packed; LCL_EDATA where it is none. */
lcl_status lcl_golden_files_unpack(lcl_golden_files *files, const void *packed,
                                   size_t size, lcl_error *err);

/* The file of that path among `files`, or on disk where that is NULL. free(*out), which ends
 * in a NUL. */
bool lcl_golden_has(const lcl_golden_files *files, const char *path);
lcl_status lcl_golden_read(const lcl_golden_files *files, char **out, size_t *size,
                           const char *path, lcl_error *err);

#endif
