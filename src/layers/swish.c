/* Swish: y = x / (1 + exp(-beta * x)). Shapes: y as x. In place allowed. */
#include "unary.h"

static lcl_status swish_setup(lcl_layer *l, lcl_error *err)
{
    const Caffe__SwishParameter *p = l->param->swish_param;

    (void)err;
    return lcl_unary_set_up(
        l, (lcl_unary){.forward = "x / (1 + exp(-a * x))",
                       .gradient = "a * y + (1 - a * y) / (1 + exp(-a * x))",
                       .a = p ? p->beta : 1,
                       .keeps_input = true});
}

const lcl_layer_type lcl_layer_swish = {
    .name = "Swish",
    .in_place = true,
    .setup = swish_setup,
    LCL_UNARY_LAYER,
};
