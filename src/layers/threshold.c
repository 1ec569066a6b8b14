/* Threshold: y = 1 where x > threshold, else 0. Shapes: y as x. No gradient. In place
 * allowed. */
#include "unary.h"

static lcl_status threshold_setup(lcl_layer *l, lcl_error *err)
{
    const Caffe__ThresholdParameter *p = l->param->threshold_param;

    (void)err;
    return lcl_unary_set_up(
        l, (lcl_unary){.forward = "x > a ? (vec)1 : (vec)0", .a = p ? p->threshold : 0});
}

const lcl_layer_type lcl_layer_threshold = {
    .name = "Threshold",
    .in_place = true,
    .no_backward = 1,
    .setup = threshold_setup,
    LCL_UNARY_LAYER,
};
