/* Exp: y = base ^ (scale * x + shift); base -1 is e. Shapes: y as x. In place allowed. */
#include <math.h>

#include "unary.h"

static lcl_status exp_setup(lcl_layer *l, lcl_error *err)
{
    static const Caffe__ExpParameter none = CAFFE__EXP_PARAMETER__INIT;
    const Caffe__ExpParameter *p = l->param->exp_param ? l->param->exp_param : &none;
    float log_base;

    LCL_TRY(lcl_unary_log_base(l, p->base, l->param->exp_param, &log_base, err));
    return lcl_unary_set_up(l, (lcl_unary){.forward = "b * exp(a * x)",
                                           .gradient = "a * y",
                                           .a = log_base * p->scale,
                                           .b = expf(log_base * p->shift),
                                           .infinite = true});
}

const lcl_layer_type lcl_layer_exp = {
    .name = "Exp",
    .in_place = true,
    .setup = exp_setup,
    LCL_UNARY_LAYER,
};
