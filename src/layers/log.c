/* Log: y = log(scale * x + shift) to a base; base -1 is e. Shapes: y as x. In place the
 * gradient is that at y, as in Caffe. */
#include "unary.h"

static lcl_status log_setup(lcl_layer *l, lcl_error *err)
{
    static const Caffe__LogParameter none = CAFFE__LOG_PARAMETER__INIT;
    const Caffe__LogParameter *p = l->param->log_param ? l->param->log_param : &none;
    float log_base;

    LCL_TRY(lcl_unary_log_base(l, p->base, l->param->log_param, &log_base, err));
    if (log_base == 0)
        return lcl_layer_fail(l, p, "base", err, LCL_EPROTO,
                              "base must not be 1: its logarithm is 0");
    return lcl_unary_set_up(l, (lcl_unary){.forward = "c * log(a * x + b)",
                                           .gradient = "a * c / (a * x + b)",
                                           .a = p->scale,
                                           .b = p->shift,
                                           .c = 1 / log_base,
                                           .infinite = true});
}

const lcl_layer_type lcl_layer_log = {
    .name = "Log",
    .in_place = true,
    .setup = log_setup,
    LCL_UNARY_LAYER,
};
