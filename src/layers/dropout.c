/* Dropout: while training, drops each value with chance dropout_ratio and scales the
 * others by 1 / (1 - dropout_ratio); else the identity. Shapes: y as x. In place allowed.
 */
#include <math.h>

#include "elementwise.h"
#include "lcl/layer.h"
#include "rng.h"

typedef struct {
    lcl_kernel *kernel; /* borrowed from the device */
    lcl_elements elements;
    cl_int least; /* of an element's 16 random bits that keeps it */
    cl_float scale;
    cl_ulong key;    /* of the random numbers */
    cl_ulong n_pass; /* forward passes so far; the last one's number is the mask's */
} dropout_state;

static lcl_status dropout_setup(lcl_layer *l, lcl_error *err)
{
    dropout_state *s = l->state;
    const Caffe__DropoutParameter *p = l->param->dropout_param;

    const float ratio = p ? p->dropout_ratio : 0.5f;

    if (!(ratio >= 0 && ratio < 1))
        return lcl_layer_fail(l, p, "dropout_ratio", err, LCL_EPROTO,
                              "dropout_ratio is %g; it must be at least 0 and below 1",
                              (double)ratio);
    s->least = (cl_int)lroundf(ratio * 65536);
    s->scale = 1 / (1 - ratio);
    s->key = lcl_rng_key(l->env->rng);
    return LCL_OK;
}

static lcl_status dropout_reshape(lcl_layer *l, lcl_error *err)
{
    dropout_state *s = l->state;
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];

    if (y != x)
        LCL_TRY(lcl_blob_reshape(y, x->n_axes, x->shape, x->block, err));
    s->elements = lcl_elements_of(x);
    return lcl_elements_kernel(&s->elements, l->dev, &s->kernel, "dropout", "dropout",
                               err);
}

/* `to` = `from` with the mask of the last pass. */
static lcl_status apply(lcl_layer *l, cl_mem from, cl_mem to, lcl_error *err)
{
    dropout_state *s = l->state;
    lcl_elements *e = &s->elements;
    lcl_arg args[] = {LCL_ARG(e->n),     LCL_ARG(e->chunk), LCL_ARG(s->least),
                      LCL_ARG(s->scale), LCL_ARG(s->key),   LCL_ARG(s->n_pass),
                      LCL_ARG(from),     LCL_ARG(to)};

    if (l->phase == CAFFE__PHASE__TRAIN)
        return lcl_kernel_run(l->dev, s->kernel, e->global, e->local, args, 8, err);
    if (from == to)
        return LCL_OK;
    return lcl_buffer_copy(l->dev, from, 0, to, 0,
                           lcl_blob_stored(l->tops[0]) * sizeof(float), err);
}

static lcl_status dropout_forward(lcl_layer *l, lcl_error *err)
{
    dropout_state *s = l->state;

    s->n_pass++;
    return apply(l, l->bottoms[0]->data, l->tops[0]->data, err);
}

static lcl_status dropout_backward(lcl_layer *l, lcl_error *err)
{
    if (!l->propagate[0])
        return LCL_OK;
    return apply(l, l->tops[0]->diff, l->bottoms[0]->diff, err);
}

const lcl_layer_type lcl_layer_dropout = {
    .name = "Dropout",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 1,
    .in_place = true,
    .state_size = sizeof(dropout_state),
    .setup = dropout_setup,
    .reshape = dropout_reshape,
    .forward = dropout_forward,
    .backward = dropout_backward,
};
