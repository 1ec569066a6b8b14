/* Images as records: channel after channel, in memory that is used again and again. */
#ifndef LCL_PLANES_H
#define LCL_PLANES_H

#include "image.h"
#include "source.h"

/* {0} is empty; free(planes.bytes) at the end. */
typedef struct {
    uint8_t *bytes;
    size_t capacity;
} lcl_planes;

/* A record of the image's values, valid until the next call. */
lcl_record lcl_planes_record(lcl_planes *p, const lcl_image *image, int label);

/* *out is `in`, with values where that is an encoded image; valid until the next call. */
lcl_status lcl_planes_decode(lcl_planes *p, const lcl_record *in, lcl_image_color color,
                             lcl_record *out, lcl_error *err);

#endif
