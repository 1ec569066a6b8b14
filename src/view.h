/* Layers whose top is the bottom in another shape: Flatten and Reshape. */
#ifndef LCL_VIEW_H
#define LCL_VIEW_H

#include "shape.h"

/* Whether the layer must be plain: the images are others than the bottom's. Call in setup. */
bool lcl_view_mixes_images(const lcl_layer *l, const lcl_shape *top);
/* The top takes the shape, which has as many elements, and the bottom's memory. */
lcl_status lcl_view_reshape(lcl_layer *l, const lcl_shape *top, lcl_error *err);
lcl_status lcl_view_forward(lcl_layer *l, lcl_error *err);
lcl_status lcl_view_backward(lcl_layer *l, lcl_error *err);

#endif
