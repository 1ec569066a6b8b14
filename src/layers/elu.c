/* ELU: y = x where x > 0, else alpha * (exp(x) - 1). Shapes: y as x. In place allowed. */
#include "unary.h"

static lcl_status elu_setup(lcl_layer *l, lcl_error *err)
{
    const Caffe__ELUParameter *p = l->param->elu_param;

    (void)err;
    return lcl_unary_set_up(l, (lcl_unary){.forward = "x > 0 ? x : a * (exp(x) - 1)",
                                           .gradient = "x > 0 ? (vec)1 : a + y",
                                           .a = p ? p->alpha : 1});
}

const lcl_layer_type lcl_layer_elu = {
    .name = "ELU",
    .in_place = true,
    .setup = elu_setup,
    LCL_UNARY_LAYER,
};
