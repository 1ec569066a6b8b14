/* Layers whose outputs are each a function of one input: a formula and a driver. */
#ifndef LCL_UNARY_H
#define LCL_UNARY_H

#include "elementwise.h"
#include "lcl/layer.h"

/* The state of such a layer. Its setup fills the first part through lcl_unary_set_up. */
typedef struct {
    /* OpenCL expressions over vec: y of x, and dy/dx of x and y (NULL: there is none). They
     * may use a, b and c. In place x is what forward left there, y, as in Caffe. */
    const char *forward, *gradient;
    cl_float a, b, c;
    bool keeps_input; /* in place too, the gradient's x is the input */
    bool infinite;    /* some finite x give a y or a gradient that is not */

    lcl_kernel *forward_kernel, *backward_kernel; /* borrowed from the device */
    lcl_elements elements;
    lcl_kept kept;
} lcl_unary;

lcl_status lcl_unary_set_up(lcl_layer *l, lcl_unary formula);
/* log(base) of Exp's and Log's options, in which base -1 stands for e. */
lcl_status lcl_unary_log_base(const lcl_layer *l, float base, const void *message,
                              float *out, lcl_error *err);
lcl_status lcl_unary_reshape(lcl_layer *l, lcl_error *err);
lcl_status lcl_unary_forward(lcl_layer *l, lcl_error *err);
lcl_status lcl_unary_backward(lcl_layer *l, lcl_error *err);
void lcl_unary_destroy(lcl_layer *l);

/* All of such a layer's table but the name, setup and whether it works in place. */
#define LCL_UNARY_LAYER                                                                  \
    .min_bottoms = 1, .max_bottoms = 1, .min_tops = 1, .max_tops = 1,                    \
    .state_size = sizeof(lcl_unary), .reshape = lcl_unary_reshape,                       \
    .forward = lcl_unary_forward, .backward = lcl_unary_backward,                        \
    .destroy = lcl_unary_destroy

#endif
