/* Layers whose outputs are each a function of one input: what is the same for all. */
#include "unary.h"

#include <math.h>

lcl_status lcl_unary_set_up(lcl_layer *l, lcl_unary formula)
{
    *(lcl_unary *)l->state = formula;
    return LCL_OK;
}

lcl_status lcl_unary_log_base(const lcl_layer *l, float base, const void *message,
                              float *out, lcl_error *err)
{
    if (base != -1 && !(base > 0 && isfinite(base)))
        return lcl_layer_fail(l, message, "base", err, LCL_EPROTO,
                              "base is %g; it must be above 0, or -1 for e",
                              (double)base);
    *out = base == -1 ? 1 : logf(base);
    return LCL_OK;
}

lcl_status lcl_unary_reshape(lcl_layer *l, lcl_error *err)
{
    lcl_unary *s = l->state;
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];

    if (y != x)
        LCL_TRY(lcl_blob_reshape(y, x->n_axes, x->shape, x->block, err));
    s->elements = lcl_elements_of(x);
    const lcl_define defines[] = {{"B", s->elements.vector},
                                  {"V", s->elements.vector},
                                  {"FORWARD", 0, s->forward},
                                  {"GRADIENT", 0, s->gradient ? s->gradient : "0"}};
    LCL_TRY(lcl_kernel_get(&s->forward_kernel, l->dev, "unary", "unary_forward", defines,
                           4, err));
    return lcl_kernel_get(&s->backward_kernel, l->dev, "unary", "unary_backward", defines,
                          4, err);
}

lcl_status lcl_unary_forward(lcl_layer *l, lcl_error *err)
{
    lcl_unary *s = l->state;
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];
    lcl_arg args[] = {LCL_ARG(s->a), LCL_ARG(s->b), LCL_ARG(s->c), LCL_ARG(x->data),
                      LCL_ARG(y->data)};

    if (s->keeps_input && y == x)
        LCL_TRY(lcl_keep_data(&s->kept, x, err));
    LCL_TRY(lcl_elements_run(&s->elements, l->dev, s->forward_kernel, args, 5, err));
    return s->infinite ? lcl_blob_clear_lanes(y, LCL_DATA, err) : LCL_OK;
}

lcl_status lcl_unary_backward(lcl_layer *l, lcl_error *err)
{
    lcl_unary *s = l->state;
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];
    cl_mem input = s->keeps_input && y == x ? s->kept.data : x->data;
    lcl_arg args[] = {LCL_ARG(s->a),    LCL_ARG(s->b),    LCL_ARG(s->c),   LCL_ARG(input),
                      LCL_ARG(y->data), LCL_ARG(y->diff), LCL_ARG(x->diff)};

    if (!l->propagate[0])
        return LCL_OK;
    LCL_TRY(lcl_elements_run(&s->elements, l->dev, s->backward_kernel, args, 7, err));
    return s->infinite ? lcl_blob_clear_lanes(x, LCL_DIFF, err) : LCL_OK;
}

void lcl_unary_destroy(lcl_layer *l)
{
    lcl_unary *s = l->state;

    lcl_keep_release(&s->kept);
}
