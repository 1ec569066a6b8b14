/* Clip: y = x, but at least min and at most max. Shapes: y as x. In place allowed: every
 * gradient then passes, as in Caffe. */
#include "unary.h"

static lcl_status clip_setup(lcl_layer *l, lcl_error *err)
{
    const Caffe__ClipParameter *p = l->param->clip_param;

    if (!p)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_EPROTO,
                              "clip_param is missing: min and max are needed");
    return lcl_unary_set_up(l,
                            (lcl_unary){.forward = "fmax(a, fmin(x, b))",
                                        .gradient = "x >= a && x <= b ? (vec)1 : (vec)0",
                                        .a = p->min,
                                        .b = p->max});
}

const lcl_layer_type lcl_layer_clip = {
    .name = "Clip",
    .in_place = true,
    .setup = clip_setup,
    LCL_UNARY_LAYER,
};
