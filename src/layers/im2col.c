/* Im2col: what each output of a convolution would see, one channel a tap of its kernel.
 * Shapes: x (N x ... x C x spatial), y (N x ... x C * taps x outputs). */
#include <limits.h>
#include <string.h>

#include "layers/convolution.h"

typedef struct {
    convolution_state convolution;  /* its sizes */
    lcl_kernel *forward, *backward; /* borrowed from the device */
    lcl_range forward_range, backward_range;
} im2col_state;

static size_t product(const int sizes[MAX_SPATIAL])
{
    return (size_t)sizes[0] * (size_t)sizes[1] * (size_t)sizes[2];
}

static lcl_status shape_top(lcl_layer *l, lcl_error *err)
{
    const im2col_state *s = l->state;
    const convolution_state *c = &s->convolution;
    const lcl_blob *x = l->bottoms[0];
    const size_t channels = (size_t)c->channels * product(c->s.kernel);
    int shape[LCL_MAX_AXES];

    if (channels > INT_MAX)
        return lcl_layer_fail(l, l->param->convolution_param, "kernel_size", err,
                              LCL_ESHAPE, "the top would have %zu channels", channels);
    memcpy(shape, x->shape, sizeof shape);
    shape[c->axis] = (int)channels;
    memcpy(shape + c->axis + 1, c->s.out + MAX_SPATIAL - c->n_spatial,
           (size_t)c->n_spatial * sizeof *shape);
    return lcl_blob_reshape(l->tops[0], x->n_axes, shape, x->block, err);
}

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    im2col_state *s = l->state;
    convolution_state *c = &s->convolution;
    const lcl_blob *x = l->bottoms[0];
    lcl_define defines[LCL_CONVOLUTION_DEFINES];

    if (x->n_axes != c->axis + 1 + c->n_spatial)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_ESHAPE,
                              "the bottom must keep %d axes", c->axis + 1 + c->n_spatial);
    c->group = c->outputs = 1;
    c->channels = x->shape[c->axis];
    LCL_TRY(lcl_convolution_top_sizes(l, err));
    LCL_TRY(shape_top(l, err));
    const size_t n = lcl_convolution_defines(l, &s->convolution.s, defines);
    const size_t lanes = lcl_convolution_lanes(l), channels = (size_t)c->channels;
    s->forward_range = (lcl_range){lanes, channels * product(c->s.kernel), c->n_blocks};
    s->backward_range = (lcl_range){
        lanes, channels * (size_t)c->s.in[0] * (size_t)c->s.in[1], c->n_blocks};
    LCL_TRY(lcl_layer_kernel(l, &s->forward, "im2col", "im2col_forward", x->block,
                             defines, n, err));
    return lcl_layer_kernel(l, &s->backward, "im2col", "im2col_backward", x->block,
                            defines, n, err);
}

static lcl_status forward(lcl_layer *l, lcl_error *err)
{
    im2col_state *s = l->state;
    lcl_arg args[] = {LCL_ARG(l->bottoms[0]->data), LCL_ARG(l->tops[0]->data)};

    return lcl_kernel_run(l->dev, s->forward, s->forward_range, (lcl_range){0}, args, 2,
                          err);
}

static lcl_status backward(lcl_layer *l, lcl_error *err)
{
    im2col_state *s = l->state;
    lcl_arg args[] = {LCL_ARG(l->tops[0]->diff), LCL_ARG(l->bottoms[0]->diff)};

    if (!l->propagate[0])
        return LCL_OK;
    return lcl_kernel_run(l->dev, s->backward, s->backward_range, (lcl_range){0}, args, 2,
                          err);
}

const lcl_layer_type lcl_layer_im2col = {
    .name = "Im2col",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 1,
    .state_size = sizeof(im2col_state),
    .setup = lcl_convolution_read_sizes,
    .reshape = reshape,
    .forward = forward,
    .backward = backward,
};
