/* BNLL: y = log(1 + exp(x)). Shapes: y as x. In place the gradient is that at y, as in
 * Caffe. */
#include "unary.h"

static lcl_status bnll_setup(lcl_layer *l, lcl_error *err)
{
    (void)err;
    return lcl_unary_set_up(
        l, (lcl_unary){.forward = "(x > 0 ? x : (vec)0) + log_1_plus(exp(-fabs(x)))",
                       .gradient = "1 / (1 + exp(-x))"});
}

const lcl_layer_type lcl_layer_bnll = {
    .name = "BNLL",
    .in_place = true,
    .setup = bnll_setup,
    LCL_UNARY_LAYER,
};
