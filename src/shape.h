/* Shapes that a prototxt gives. */
#ifndef LCL_SHAPE_H
#define LCL_SHAPE_H

#include "lcl/layer.h"

typedef struct {
    int n_axes, shape[LCL_MAX_AXES];
} lcl_shape;

/* What the message says; dimensions must be 1 or more. */
lcl_status lcl_shape_take(lcl_shape *out, const lcl_layer *l,
                          const Caffe__BlobShape *from, lcl_error *err);

#endif
