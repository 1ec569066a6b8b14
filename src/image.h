/* JPEG and PNG images, read, written and resized as OpenCV does it, whose pixels nets were
 * trained on. */
#ifndef LCL_IMAGE_H
#define LCL_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "lcl/error.h"

typedef struct {
    int channels; /* 1: grey, 3: blue, green, red, 4: and alpha */
    int height, width;
    uint8_t *pixels; /* height x width x channels; owned */
} lcl_image;

typedef enum {
    LCL_IMAGE_AS_IS, /* the channels that the file has */
    LCL_IMAGE_GRAY,
    LCL_IMAGE_COLOR, /* three */
} lcl_image_color;

/* The kind is found out from the content. `name` stands for the place in messages. What is
 * damaged or cut off is an error. */
lcl_status lcl_image_decode(lcl_image *out, const void *bytes, size_t size,
                            lcl_image_color color, const char *name, lcl_error *err);
lcl_status lcl_image_read(lcl_image *out, const char *path, lcl_image_color color,
                          lcl_error *err);
void lcl_image_free(lcl_image *image);

/* `type` is "png", "jpg" or "jpeg" (of quality 95), with or without a dot; free(*out). */
lcl_status lcl_image_encode(const lcl_image *image, const char *type, uint8_t **out,
                            size_t *size, lcl_error *err);

/* The part of `image` at (y, x), which must lie in it, resized to height x width by linear
 * interpolation. */
lcl_image lcl_image_resize_part(const lcl_image *image, int y, int x, int part_height,
                                int part_width, int height, int width);
/* The whole image. */
void lcl_image_resize(lcl_image *image, int height, int width);

/* channels x height x width values, as a Datum has them. */
void lcl_image_to_planes(const lcl_image *image, uint8_t *out);

#endif
