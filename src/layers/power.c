/* Power: y = (scale * x + shift) ^ power. Shapes: y as x. In place the gradient is that at
 * y, as in Caffe. */
#include <math.h>

#include "unary.h"

/* What is slow or undefined as a general power. */
static lcl_unary special_case(float power, float scale, float shift)
{
    if (power * scale == 0)
        return (lcl_unary){.forward = "(vec)c",
                           .gradient = "(vec)0",
                           .c = power == 0 ? 1 : powf(shift, power)};
    if (power == 1)
        return (lcl_unary){.forward = "a * x + b", .gradient = "(vec)a"};
    if (power == 2)
        return (lcl_unary){.forward = "(a * x + b) * (a * x + b)",
                           .gradient = "2 * a * (a * x + b)"};
    if (power == 3)
        return (lcl_unary){.forward = "(a * x + b) * (a * x + b) * (a * x + b)",
                           .gradient = "3 * a * (a * x + b) * (a * x + b)"};
    if (power == -1)
        return (lcl_unary){.forward = "1 / (a * x + b)", .gradient = "-a * y * y"};
    if (power == 0.5f)
        return (lcl_unary){.forward = "sqrt(a * x + b)",
                           .gradient = "0.5f * a * y / (a * x + b)"};
    if (power != floorf(power))
        return (lcl_unary){.forward = "exp(c * log(a * x + b))",
                           .gradient = "c * a * y / (a * x + b)",
                           .c = power};
    return (lcl_unary){.forward = "pow(a * x + b, c)",
                       .gradient = "c * a * y / (a * x + b)",
                       .c = power};
}

static lcl_status power_setup(lcl_layer *l, lcl_error *err)
{
    const Caffe__PowerParameter *p = l->param->power_param;
    float scale = p ? p->scale : 1, shift = p ? p->shift : 0;
    lcl_unary formula = special_case(p ? p->power : 1, scale, shift);

    (void)err;
    formula.a = scale;
    formula.b = shift;
    formula.infinite = true;
    return lcl_unary_set_up(l, formula);
}

const lcl_layer_type lcl_layer_power = {
    .name = "Power",
    .in_place = true,
    .setup = power_setup,
    LCL_UNARY_LAYER,
};
