/* LSTMUnit: one step of LSTM cells. Bottoms: c of the step before (1, N, D), the gates' inputs i,
 * f, o, g (1, N, 4D), and cont (1, N), which is 0 where a sequence begins. Tops: c and h (1, N,
 * D). */
#include "elementwise.h"
#include "lcl/layer.h"
#include "text.h"

enum { N_GATES = 4 };

typedef struct {
    lcl_elements elements;          /* of c */
    lcl_kernel *forward, *backward; /* borrowed from the device */
    cl_mem gates;                   /* their values */
} lstm_unit_state;

static lcl_status setup(lcl_layer *l, lcl_error *err)
{
    (void)err;
    l->plain = true;
    return LCL_OK;
}

static lcl_status check_shapes(const lcl_layer *l, lcl_error *err)
{
    const lcl_blob *c = l->bottoms[0], *x = l->bottoms[1], *cont = l->bottoms[2];

    if (c->n_axes == 3 && x->n_axes == 3 && cont->n_axes == 2 && c->shape[0] == 1 &&
        x->shape[0] == 1 && cont->shape[0] == 1 && x->shape[1] == c->shape[1] &&
        cont->shape[1] == c->shape[1] && x->shape[2] == N_GATES * (long)c->shape[2])
        return LCL_OK;
    return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                          "'%s', '%s' and '%s' must be 1 x N x D, 1 x N x 4D and 1 x N",
                          c->name, x->name, cont->name);
}

static lcl_status get_kernel(lcl_layer *l, lcl_kernel **out, const char *name,
                             lcl_error *err)
{
    const lstm_unit_state *s = l->state;
    const int vector = s->elements.vector;
    const lcl_define defines[] = {{"B", vector},
                                  {"V", vector},
                                  {"ROW", l->bottoms[0]->shape[2] / vector},
                                  {"UNIT", 1}};

    return lcl_kernel_get(out, l->dev, "lstm_unit", name, defines, LCL_COUNT(defines),
                          err);
}

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    lstm_unit_state *s = l->state;
    const lcl_blob *c = l->bottoms[0];

    LCL_TRY(check_shapes(l, err));
    for (int i = 0; i < 2; i++)
        LCL_TRY(lcl_blob_reshape(l->tops[i], c->n_axes, c->shape, 1, err));
    lcl_buffer_release(&s->gates);
    LCL_TRY(lcl_buffer_create(&s->gates, l->dev,
                              (lcl_blob_count(l->bottoms[1]) + 1) * sizeof(float),
                              l->param->name, err));
    s->elements = lcl_elements_in_runs(l->dev, lcl_blob_count(c), (size_t)c->shape[2]);
    LCL_TRY(get_kernel(l, &s->forward, "lstm_unit_forward", err));
    return get_kernel(l, &s->backward, "lstm_unit_backward", err);
}

static lcl_status forward(lcl_layer *l, lcl_error *err)
{
    lstm_unit_state *s = l->state;
    const lcl_arg args[] = {LCL_ARG(l->bottoms[0]->data), LCL_ARG(l->bottoms[1]->data),
                            LCL_ARG(l->bottoms[2]->data), LCL_ARG(s->gates),
                            LCL_ARG(l->tops[0]->data),    LCL_ARG(l->tops[1]->data)};

    return lcl_elements_run(&s->elements, l->dev, s->forward, args, LCL_COUNT(args), err);
}

static lcl_status backward(lcl_layer *l, lcl_error *err)
{
    lstm_unit_state *s = l->state;
    const cl_int want_c = l->propagate[0], want_x = l->propagate[1];
    const cl_mem dc = want_c ? l->bottoms[0]->diff : s->gates;
    const cl_mem dx = want_x ? l->bottoms[1]->diff : s->gates;
    const lcl_arg args[] = {LCL_ARG(want_c),
                            LCL_ARG(want_x),
                            LCL_ARG(l->bottoms[0]->data),
                            LCL_ARG(s->gates),
                            LCL_ARG(l->tops[0]->data),
                            LCL_ARG(l->tops[0]->diff),
                            LCL_ARG(l->tops[1]->diff),
                            LCL_ARG(dc),
                            LCL_ARG(dx)};

    if (!want_c && !want_x)
        return LCL_OK;
    return lcl_elements_run(&s->elements, l->dev, s->backward, args, LCL_COUNT(args),
                            err);
}

static void destroy(lcl_layer *l)
{
    lcl_buffer_release(&((lstm_unit_state *)l->state)->gates);
}

const lcl_layer_type lcl_layer_lstm_unit = {
    .name = "LSTMUnit",
    .min_bottoms = 3,
    .max_bottoms = 3,
    .min_tops = 2,
    .max_tops = 2,
    .no_backward = 1u << 2,
    .state_size = sizeof(lstm_unit_state),
    .setup = setup,
    .reshape = reshape,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
