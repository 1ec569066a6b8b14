/* A format of image files: what image.c and the files that know one share. */
#ifndef LCL_IMAGE_KIND_H
#define LCL_IMAGE_KIND_H

#include <stdbool.h>

#include "image.h"

typedef struct {
    const char *name; /* "PNG" */
    /* True where the bytes start as such a file does. */
    bool (*knows)(const uint8_t *bytes, size_t size);
    lcl_status (*decode)(lcl_image *out, const uint8_t *bytes, size_t size,
                         lcl_image_color color, const char *name, lcl_error *err);
    lcl_status (*encode)(const lcl_image *image, uint8_t **out, size_t *size,
                         lcl_error *err);
} lcl_image_kind;

extern const lcl_image_kind lcl_png_image, lcl_jpeg_image;

/* Takes memory for the pixels of out->height x width x channels; LCL_EDATA where that is
 * no size of an image. */
lcl_status lcl_image_allocate(lcl_image *out, const char *name, lcl_error *err);

#endif
