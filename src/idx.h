/* MNIST's own files: images (idx3) and labels (idx1), plain or gzip, whole in memory. */
#ifndef LCL_IDX_H
#define LCL_IDX_H

#include <stddef.h>
#include <stdint.h>

#include "lcl/error.h"

typedef struct {
    size_t count;
    int height, width;
    uint8_t *pixels; /* count x height x width; owned */
    uint8_t *labels; /* count; owned */
} lcl_idx;

/* Reads both files; labels_path NULL: the file of the images' name with "images" and
 * "idx3" changed to "labels" and "idx1", with or without .gz. Fills *out only on success.
 */
lcl_status lcl_idx_read(lcl_idx *out, const char *images_path, const char *labels_path,
                        lcl_error *err);
void lcl_idx_free(lcl_idx *idx);

#endif
