/* ReLU: y = x where x > 0, else negative_slope * x. Shapes: y as x. In place allowed. */
#include "elementwise.h"
#include "lcl/layer.h"

typedef struct {
    lcl_kernel *forward, *backward; /* borrowed from the device */
    lcl_elements elements;
    cl_float slope;
} relu_state;

static lcl_status relu_reshape(lcl_layer *l, lcl_error *err)
{
    relu_state *s = l->state;
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];

    s->slope = l->param->relu_param ? l->param->relu_param->negative_slope : 0;
    if (y != x)
        LCL_TRY(lcl_blob_reshape(y, x->n_axes, x->shape, x->block, err));
    s->elements = lcl_elements_of(x);
    LCL_TRY(lcl_elements_kernel(&s->elements, l->dev, &s->forward, "relu", "relu_forward",
                                err));
    return lcl_elements_kernel(&s->elements, l->dev, &s->backward, "relu",
                               "relu_backward", err);
}

static lcl_status relu_forward(lcl_layer *l, lcl_error *err)
{
    relu_state *s = l->state;
    lcl_elements *e = &s->elements;
    lcl_arg args[] = {LCL_ARG(e->n), LCL_ARG(e->chunk), LCL_ARG(s->slope),
                      LCL_ARG(l->bottoms[0]->data), LCL_ARG(l->tops[0]->data)};

    return lcl_kernel_run(l->dev, s->forward, e->global, e->local, args, 5, err);
}

/* In place, bottom data is what forward wrote: it has the same sign (for slopes >= 0). */
static lcl_status relu_backward(lcl_layer *l, lcl_error *err)
{
    relu_state *s = l->state;
    lcl_elements *e = &s->elements;
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];
    lcl_arg args[] = {LCL_ARG(e->n),    LCL_ARG(e->chunk), LCL_ARG(s->slope),
                      LCL_ARG(x->data), LCL_ARG(y->diff),  LCL_ARG(x->diff)};

    if (!l->propagate[0])
        return LCL_OK;
    return lcl_kernel_run(l->dev, s->backward, e->global, e->local, args, 6, err);
}

const lcl_layer_type lcl_layer_relu = {
    .name = "ReLU",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 1,
    .in_place = true,
    .state_size = sizeof(relu_state),
    .reshape = relu_reshape,
    .forward = relu_forward,
    .backward = relu_backward,
};
