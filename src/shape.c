/* Shapes that a prototxt gives. */
#include "shape.h"

#include <limits.h>

lcl_status lcl_shape_take(lcl_shape *out, const lcl_layer *l,
                          const Caffe__BlobShape *from, lcl_error *err)
{
    if (from->n_dim > LCL_MAX_AXES)
        return lcl_layer_fail(l, from, "dim", err, LCL_ESHAPE,
                              "a shape can have no more than %d dimensions, this has %zu",
                              LCL_MAX_AXES, from->n_dim);
    *out = (lcl_shape){.n_axes = (int)from->n_dim};
    for (size_t i = 0; i < from->n_dim; i++) {
        if (from->dim[i] < 1 || from->dim[i] > INT_MAX)
            return lcl_layer_fail(l, from, "dim", err, LCL_ESHAPE,
                                  "dimension %zu is %lld; it must be from 1 to %d", i,
                                  (long long)from->dim[i], INT_MAX);
        out->shape[i] = (int)from->dim[i];
    }
    return LCL_OK;
}
