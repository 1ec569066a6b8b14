/* Deconvolution: the adjoint of a Convolution, plus a bias; its sizes are those of the
 * convolution that would make the bottom of the top. Bottoms (N x ... x C x spatial) and
 * tops (N x ... x K x spatial) pair up and share the parameters w (C x K/group x kernel) and
 * b (K). Kernels: cl/convolution.cl, cl/reduce.cl. */
#include "bias_sum.h"
#include "layers/convolution.h"

typedef struct {
    convolution_state convolution;
    lcl_kernel *sum_rows; /* borrowed from the device */
} deconvolution_state;

static lcl_status setup(lcl_layer *l, lcl_error *err)
{
    deconvolution_state *s = l->state;

    s->convolution.transposed = true;
    return lcl_convolution_setup(l, err);
}

/* Forward is the convolution's backward: it needs those kernels, too. */
static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    deconvolution_state *s = l->state;

    LCL_TRY(lcl_convolution_shape(l, err));
    s->convolution.epilogue.buffer = l->tops[0]->data;
    LCL_TRY(lcl_convolution_direct_reshape(l, err));
    LCL_TRY(lcl_convolution_direct_prepare_backward(l, err));
    return lcl_bias_sum_get(&s->sum_rows, l->dev, err);
}

static lcl_status forward(lcl_layer *l, lcl_error *err)
{
    for (int i = 0; i < l->n_bottoms; i++)
        LCL_TRY(lcl_convolution_direct_adjoint(l, l->bottoms[i]->data, l->tops[i]->data,
                                               err));
    return LCL_OK;
}

static lcl_status backward(lcl_layer *l, lcl_error *err)
{
    const deconvolution_state *s = l->state;

    for (int i = 0; i < l->n_bottoms; i++) {
        cl_mem x = l->bottoms[i]->data, dx = l->bottoms[i]->diff, dy = l->tops[i]->diff;
        if (l->param_propagate[0])
            LCL_TRY(lcl_convolution_direct_weights(l, i, x, dy, err));
        if (s->convolution.bias && l->param_propagate[1])
            LCL_TRY(lcl_convolution_sum_diff(l, i, s->sum_rows, l->tops[i], err));
        if (l->propagate[i])
            LCL_TRY(lcl_convolution_direct_map(l, dy, dx, err));
    }
    return LCL_OK;
}

static double flops(const lcl_layer *l)
{
    const lcl_blob *w = l->params[0];
    double sum = 0;

    for (int i = 0; i < l->n_bottoms; i++)
        sum += 2.0 * (double)lcl_blob_count(l->bottoms[i]) *
               (double)lcl_blob_count_range(w, 1, w->n_axes);
    return sum;
}

const lcl_layer_type lcl_layer_deconvolution = {
    .name = "Deconvolution",
    .min_bottoms = 1,
    .max_bottoms = LCL_MANY,
    .min_tops = 1,
    .max_tops = LCL_MANY,
    .equal_ends = true,
    .state_size = sizeof(deconvolution_state),
    .setup = setup,
    .reshape = reshape,
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .destroy = lcl_convolution_direct_release,
};
