/* Sigmoid: y = 1 / (1 + exp(-x)). Shapes: y as x. In place allowed. */
#include "unary.h"

static lcl_status sigmoid_setup(lcl_layer *l, lcl_error *err)
{
    (void)err;
    return lcl_unary_set_up(
        l, (lcl_unary){.forward = "1 / (1 + exp(-x))", .gradient = "y * (1 - y)"});
}

const lcl_layer_type lcl_layer_sigmoid = {
    .name = "Sigmoid",
    .in_place = true,
    .setup = sigmoid_setup,
    LCL_UNARY_LAYER,
};
