/* TanH: y = tanh(x). Shapes: y as x. In place allowed. */
#include "unary.h"

static lcl_status tanh_setup(lcl_layer *l, lcl_error *err)
{
    (void)err;
    return lcl_unary_set_up(l,
                            (lcl_unary){.forward = "tanh(x)", .gradient = "1 - y * y"});
}

const lcl_layer_type lcl_layer_tanh = {
    .name = "TanH",
    .in_place = true,
    .setup = tanh_setup,
    LCL_UNARY_LAYER,
};
