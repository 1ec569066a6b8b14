/* Lists of images: a path and a label a line. */
#ifndef LCL_IMAGE_LIST_H
#define LCL_IMAGE_LIST_H

#include <stddef.h>

#include "lcl/error.h"

typedef struct {
    char *path; /* may have spaces in it; owned */
    int label;  /* what follows the last one */
} lcl_image_entry;

/* Blank lines are passed over; a list without entries is an error. */
lcl_status lcl_image_list_read(lcl_image_entry **out, size_t *n, const char *path,
                               lcl_error *err);
void lcl_image_list_free(lcl_image_entry *entries, size_t n);

#endif
