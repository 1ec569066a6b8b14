/* AbsVal: y = |x|. Shapes: y as x. Not in place. */
#include "unary.h"

static lcl_status absval_setup(lcl_layer *l, lcl_error *err)
{
    (void)err;
    return lcl_unary_set_up(l, (lcl_unary){.forward = "fabs(x)", .gradient = "sign(x)"});
}

const lcl_layer_type lcl_layer_absval = {
    .name = "AbsVal",
    .setup = absval_setup,
    LCL_UNARY_LAYER,
};
