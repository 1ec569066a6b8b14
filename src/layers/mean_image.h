/* The mean image that transform_param.mean_file names. */
#ifndef LCL_MEAN_IMAGE_H
#define LCL_MEAN_IMAGE_H

#include "lcl/layer.h"

/* {0} is none. */
typedef struct {
    int channels, height, width;
    const float *values; /* NULL: there is none */
    lcl_proto *file;     /* whose values they are, or */
    float *owned;
} lcl_mean_image;

/* The layer's transform_param names one. On failure there is nothing to free. */
lcl_status lcl_mean_image_read(lcl_mean_image *out, const lcl_layer *l, lcl_error *err);
void lcl_mean_image_free(lcl_mean_image *mean);

#endif
