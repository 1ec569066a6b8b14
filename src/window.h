/* A box of a larger array, and copies between the two: Concat, Slice and Crop. */
#ifndef LCL_WINDOW_H
#define LCL_WINDOW_H

#include "elementwise.h"
#include "lcl/layer.h"

typedef struct {
    lcl_elements elements;               /* what one run of a kernel copies */
    lcl_kernel *get_kernel, *put_kernel; /* borrowed from the device */
    /* All in vectors, the innermost axis first: the box's shape and where its rows lie in the
     * whole; the axes outside of four are runs of the kernel. */
    cl_int4 shape, stride;
    size_t start, n_outer, outer_shape[LCL_MAX_AXES], outer_stride[LCL_MAX_AXES];
} lcl_window;

/* `part` is the box of `whole`, of as many axes and the same block, that starts at offset[]. In
 * blocks it has all images. */
lcl_status lcl_window_of(lcl_window *w, const lcl_blob *whole, const lcl_blob *part,
                         const int *offset, lcl_error *err);
/* Enqueue part = the box, and the box = part. */
lcl_status lcl_window_get(const lcl_window *w, lcl_device *dev, cl_mem whole, cl_mem part,
                          lcl_error *err);
lcl_status lcl_window_put(const lcl_window *w, lcl_device *dev, cl_mem whole, cl_mem part,
                          lcl_error *err);

/* ---- A blob cut along an axis: Concat and Slice ------------------------------------ */

typedef struct {
    int axis;
    lcl_window *windows; /* owned: one for each piece */
} lcl_pieces;

/* What the prototxt says of the axis, also in the older way without negative numbers. */
typedef struct {
    const void *message;
    bool has_axis, has_dim;
    int32_t axis;
    uint32_t dim;
    const char *dim_name;
} lcl_pieces_axis;

/* Call in setup: finds the axis in bottom 0 and makes room for n pieces. */
lcl_status lcl_pieces_set_up(lcl_pieces *p, lcl_layer *l, int n, const lcl_pieces_axis *a,
                             lcl_error *err);
/* Call in reshape once all are shaped. */
lcl_status lcl_pieces_find(lcl_pieces *p, const lcl_blob *whole, lcl_blob *const *pieces,
                           int n, lcl_error *err);
void lcl_pieces_release(lcl_pieces *p);

#endif
