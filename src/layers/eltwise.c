/* Eltwise: the SUM (each times its coeff), PROD or MAX of the bottoms, all of one shape. */
#include "elementwise.h"
#include "lcl/layer.h"
#include "text.h"

#define PROD CAFFE__ELTWISE_PARAMETER__ELTWISE_OP__PROD
#define SUM CAFFE__ELTWISE_PARAMETER__ELTWISE_OP__SUM
#define MAX CAFFE__ELTWISE_PARAMETER__ELTWISE_OP__MAX

typedef struct {
    lcl_elements elements;
    lcl_kernel *sum, *scale, *product, *quotient, *max, *max_gradient; /* borrowed */
    cl_mem which; /* MAX: a byte per element, the bottom that is the top; owned */
    size_t which_size;
} eltwise_state;

static const Caffe__EltwiseParameter none = CAFFE__ELTWISE_PARAMETER__INIT;

static const Caffe__EltwiseParameter *param_of(const lcl_layer *l)
{
    return l->param->eltwise_param ? l->param->eltwise_param : &none;
}

static cl_float coefficient(const lcl_layer *l, int bottom)
{
    return param_of(l)->n_coeff ? param_of(l)->coeff[bottom] : 1;
}

static lcl_status eltwise_setup(lcl_layer *l, lcl_error *err)
{
    const Caffe__EltwiseParameter *p = param_of(l);

    if (p->n_coeff == 0)
        return LCL_OK;
    if (p->operation != SUM)
        return lcl_layer_fail(l, p, "coeff", err, LCL_EPROTO,
                              "only a SUM has coefficients");
    if (p->n_coeff != (size_t)l->n_bottoms)
        return lcl_layer_fail(l, p, "coeff", err, LCL_EPROTO,
                              "give one coeff for each of the %d bottoms, not %zu",
                              l->n_bottoms, p->n_coeff);
    return LCL_OK;
}

static lcl_status check_bottoms(const lcl_layer *l, lcl_error *err)
{
    const lcl_blob *first = l->bottoms[0];
    char shape[160], first_shape[160];

    for (int i = 1; i < l->n_bottoms; i++) {
        if (lcl_blob_same_shape(l->bottoms[i], first))
            continue;
        lcl_blob_shape_text(first, first_shape, sizeof first_shape);
        lcl_blob_shape_text(l->bottoms[i], shape, sizeof shape);
        return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                              "'%s' is %s, but '%s' is %s", first->name, first_shape,
                              l->bottoms[i]->name, shape);
    }
    return LCL_OK;
}

static lcl_status need_which(lcl_layer *l, lcl_error *err)
{
    eltwise_state *s = l->state;
    size_t size = lcl_blob_stored(l->bottoms[0]);

    if (param_of(l)->operation != MAX || size <= s->which_size)
        return LCL_OK;
    lcl_buffer_release(&s->which);
    s->which_size = size;
    return lcl_buffer_create(&s->which, l->dev, size, l->param->name, err);
}

static lcl_status eltwise_reshape(lcl_layer *l, lcl_error *err)
{
    eltwise_state *s = l->state;
    const lcl_blob *x = l->bottoms[0];
    const struct {
        lcl_kernel **kernel;
        const char *name;
    } kernels[] = {
        {&s->sum, "eltwise_sum"},         {&s->scale, "eltwise_scale"},
        {&s->product, "eltwise_product"}, {&s->quotient, "eltwise_quotient"},
        {&s->max, "eltwise_max"},         {&s->max_gradient, "eltwise_max_gradient"}};

    LCL_TRY(check_bottoms(l, err));
    LCL_TRY(lcl_blob_reshape(l->tops[0], x->n_axes, x->shape, x->block, err));
    LCL_TRY(need_which(l, err));
    s->elements = lcl_elements_of(x);
    for (size_t i = 0; i < LCL_COUNT(kernels); i++)
        LCL_TRY(lcl_elements_kernel(&s->elements, l->dev, kernels[i].kernel, "eltwise",
                                    kernels[i].name, err));
    return LCL_OK;
}

static lcl_status run(const lcl_layer *l, lcl_kernel *kernel, const lcl_arg *args,
                      size_t n, lcl_error *err)
{
    const eltwise_state *s = l->state;

    return lcl_elements_run(&s->elements, l->dev, kernel, args, n, err);
}

static lcl_status multiply(const lcl_layer *l, cl_mem a, cl_mem b, cl_mem y,
                           lcl_error *err)
{
    const eltwise_state *s = l->state;
    const lcl_arg args[] = {LCL_ARG(a), LCL_ARG(b), LCL_ARG(y)};

    return run(l, s->product, args, 3, err);
}

/* y = what a, the result for bottoms 0 to i - 1, and bottom i make. */
static lcl_status combine(lcl_layer *l, cl_mem a, int i, lcl_error *err)
{
    eltwise_state *s = l->state;
    cl_mem b = l->bottoms[i]->data, y = l->tops[0]->data;
    cl_int next = i;
    cl_float ca = i == 1 ? coefficient(l, 0) : 1, cb = coefficient(l, i);
    const lcl_arg sum[] = {LCL_ARG(ca), LCL_ARG(a), LCL_ARG(cb), LCL_ARG(b), LCL_ARG(y)};
    const lcl_arg max[] = {LCL_ARG(next), LCL_ARG(a), LCL_ARG(b), LCL_ARG(y),
                           LCL_ARG(s->which)};

    switch (param_of(l)->operation) {
    case PROD: return multiply(l, a, b, y, err);
    case MAX: return run(l, s->max, max, 5, err);
    default: return run(l, s->sum, sum, 5, err);
    }
}

static lcl_status eltwise_forward(lcl_layer *l, lcl_error *err)
{
    for (int i = 1; i < l->n_bottoms; i++)
        LCL_TRY(combine(l, i == 1 ? l->bottoms[0]->data : l->tops[0]->data, i, err));
    return LCL_OK;
}

/* dx = dy times all other bottoms, without a division. */
static lcl_status stable_product(lcl_layer *l, int i, lcl_error *err)
{
    cl_mem dx = l->bottoms[i]->diff, so_far = l->tops[0]->diff;

    for (int j = 0; j < l->n_bottoms; j++) {
        if (j == i)
            continue;
        LCL_TRY(multiply(l, so_far, l->bottoms[j]->data, dx, err));
        so_far = dx;
    }
    return LCL_OK;
}

/* dx = dy * y / x: where x is 0 it is no number, as in Caffe. */
static lcl_status quotient(lcl_layer *l, int i, lcl_error *err)
{
    eltwise_state *s = l->state;
    lcl_blob *x = l->bottoms[i], *y = l->tops[0];
    const lcl_arg args[] = {LCL_ARG(y->data), LCL_ARG(x->data), LCL_ARG(y->diff),
                            LCL_ARG(x->diff)};

    LCL_TRY(run(l, s->quotient, args, 4, err));
    return lcl_blob_clear_lanes(x, LCL_DIFF, err);
}

static lcl_status gradient(lcl_layer *l, int i, lcl_error *err)
{
    eltwise_state *s = l->state;
    cl_mem dx = l->bottoms[i]->diff, dy = l->tops[0]->diff;
    cl_int bottom = i;
    cl_float c = coefficient(l, i);
    const lcl_arg sum[] = {LCL_ARG(c), LCL_ARG(dy), LCL_ARG(dx)};
    const lcl_arg max[] = {LCL_ARG(bottom), LCL_ARG(s->which), LCL_ARG(dy), LCL_ARG(dx)};

    switch (param_of(l)->operation) {
    case PROD:
        return param_of(l)->stable_prod_grad ? stable_product(l, i, err)
                                             : quotient(l, i, err);
    case MAX: return run(l, s->max_gradient, max, 4, err);
    default: return run(l, s->scale, sum, 3, err);
    }
}

static lcl_status eltwise_backward(lcl_layer *l, lcl_error *err)
{
    for (int i = 0; i < l->n_bottoms; i++)
        if (l->propagate[i])
            LCL_TRY(gradient(l, i, err));
    return LCL_OK;
}

static void eltwise_destroy(lcl_layer *l)
{
    eltwise_state *s = l->state;

    lcl_buffer_release(&s->which);
}

const lcl_layer_type lcl_layer_eltwise = {
    .name = "Eltwise",
    .min_bottoms = 2,
    .max_bottoms = LCL_MANY,
    .min_tops = 1,
    .max_tops = 1,
    .state_size = sizeof(eltwise_state),
    .setup = eltwise_setup,
    .reshape = eltwise_reshape,
    .forward = eltwise_forward,
    .backward = eltwise_backward,
    .destroy = eltwise_destroy,
};
