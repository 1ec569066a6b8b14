/* Convolution, Deconvolution, Im2col, and the layers that multiply with a matrix: InnerProduct
 * and Embed. */
#include <string.h>

#include "layers/convolution.h"
#include "onnx/onnx.h"
#include "text.h"

/* ---- Convolutions ------------------------------------------------------------------ */

static const convolution_state *state_of(const lcl_onnx *x)
{
    return x->layer->state;
}

static void set_ints(lcl_onnx *x, const char *name, const int *sizes)
{
    const int n = state_of(x)->n_spatial;
    int64_t values[MAX_SPATIAL];

    for (int i = 0; i < n; i++)
        values[i] = sizes[MAX_SPATIAL - n + i];
    lcl_onnx_ints(x, name, values, (size_t)n);
}

static void set_sizes(lcl_onnx *x, int group)
{
    const lcl_spatial *z = &state_of(x)->s;
    const int n = state_of(x)->n_spatial;
    int64_t pads[2 * MAX_SPATIAL];

    for (int i = 0; i < n; i++)
        pads[i] = pads[n + i] = z->pad[MAX_SPATIAL - n + i];
    set_ints(x, "kernel_shape", z->kernel);
    set_ints(x, "strides", z->stride);
    set_ints(x, "dilations", z->dilation);
    lcl_onnx_ints(x, "pads", pads, 2 * (size_t)n);
    lcl_onnx_int(x, "group", group);
}

/* ONNX's images begin with axis 1: axes before the channels are images, too. */
static const char *to_images(lcl_onnx *x, const char *tensor, const lcl_blob *b)
{
    const int axis = state_of(x)->axis, n = b->n_axes - axis;
    int64_t dims[LCL_MAX_AXES];

    if (axis == 1)
        return tensor;
    dims[0] = axis == 0 ? 1 : -1;
    for (int i = 0; i < n; i++)
        dims[1 + i] = b->shape[axis + i];
    return lcl_onnx_reshape(x, tensor, dims, 1 + (size_t)n);
}

/* The blob's axes again, of which those before `axis` were one; axis 0, if it is one of them,
 * is as long as it must be. */
static const char *with_axes(lcl_onnx *x, const char *tensor, const lcl_blob *b, int axis)
{
    int64_t dims[LCL_MAX_AXES];

    if (axis == 1)
        return tensor;
    for (int i = 0; i < b->n_axes; i++)
        dims[i] = b->shape[i];
    if (axis > 0)
        dims[0] = -1;
    return lcl_onnx_reshape(x, tensor, dims, (size_t)b->n_axes);
}

static lcl_status convolve(lcl_onnx *x, const char *op, lcl_error *err)
{
    const lcl_layer *l = x->layer;
    const char *inputs[3] = {NULL};

    for (int i = 0; i < l->n_params; i++)
        LCL_TRY(lcl_onnx_param(x, l, i, &inputs[1 + i], err));
    if (state_of(x)->axis == 0)
        LCL_TRY(lcl_onnx_fix_batch(x, err));
    for (int i = 0; i < l->n_bottoms; i++) {
        inputs[0] = to_images(x, lcl_onnx_bottom(x, i), l->net_bottoms[i]);
        const char *y = lcl_onnx_node(x, op, inputs, 1 + (size_t)l->n_params);
        set_sizes(x, state_of(x)->group);
        lcl_onnx_set_top(x, i, with_axes(x, y, l->net_tops[i], state_of(x)->axis));
    }
    return LCL_OK;
}

lcl_status lcl_onnx_convolution(lcl_onnx *x, lcl_error *err)
{
    return convolve(x, "Conv", err);
}

lcl_status lcl_onnx_deconvolution(lcl_onnx *x, lcl_error *err)
{
    return convolve(x, "ConvTranspose", err);
}

/* A convolution of each channel with one filter for each place of the window, which is 1 there
 * and else 0. */
lcl_status lcl_onnx_im2col(lcl_onnx *x, lcl_error *err)
{
    const lcl_layer *l = x->layer;
    const convolution_state *s = state_of(x);
    const int first = MAX_SPATIAL - s->n_spatial, channels = s->channels;
    int shape[2 + MAX_SPATIAL] = {channels, 1}, places = 1;

    for (int i = 0; i < s->n_spatial; i++) {
        shape[2 + i] = s->s.kernel[first + i];
        places *= s->s.kernel[first + i];
    }
    shape[0] = channels * places;
    float *ones = lcl_alloc((size_t)shape[0] * (size_t)places, sizeof *ones);
    for (int i = 0; i < shape[0]; i++)
        ones[i * places + i % places] = 1;
    const char *filters = lcl_onnx_floats(x, "filters", 2 + s->n_spatial, shape, ones);
    if (s->axis == 0)
        LCL_TRY(lcl_onnx_fix_batch(x, err));
    for (int i = 0; i < l->n_bottoms; i++) {
        const char *in = to_images(x, lcl_onnx_bottom(x, i), l->net_bottoms[i]);
        const char *y = LCL_ONNX_NODE(x, "Conv", in, filters);
        set_sizes(x, channels);
        lcl_onnx_set_top(x, i, with_axes(x, y, l->net_tops[i], state_of(x)->axis));
    }
    return LCL_OK;
}

/* ---- Matrices ---------------------------------------------------------------------- */

/* The bottom as a matrix times the weights; before it and behind it the axes become two and
 * many again. */
lcl_status lcl_onnx_inner_product(lcl_onnx *x, lcl_error *err)
{
    const lcl_layer *l = x->layer;
    const Caffe__InnerProductParameter *p = l->param->inner_product_param;
    const lcl_blob *b = l->net_bottoms[0], *top = l->net_tops[0];
    const int axis = top->n_axes - 1;
    const char *inputs[3] = {lcl_onnx_bottom(x, 0)};

    if (axis == 0)
        LCL_TRY(lcl_onnx_fix_batch(x, err));
    for (int i = 0; i < l->n_params; i++)
        LCL_TRY(lcl_onnx_param(x, l, i, &inputs[1 + i], err));
    if (axis != 1 || b->n_axes != 2) {
        inputs[0] = LCL_ONNX_NODE(x, "Flatten", inputs[0]);
        lcl_onnx_int(x, "axis", axis);
    }
    const char *y = lcl_onnx_node(x, "Gemm", inputs, 1 + (size_t)l->n_params);
    lcl_onnx_int(x, "transB", !p->transpose);
    lcl_onnx_set_top(x, 0, with_axes(x, y, top, axis));
    return LCL_OK;
}

/* Rows of the weights, by number. */
lcl_status lcl_onnx_embed(lcl_onnx *x, lcl_error *err)
{
    const lcl_layer *l = x->layer;
    const char *weights, *bias;

    LCL_TRY(lcl_onnx_param(x, l, 0, &weights, err));
    const char *rows = lcl_onnx_cast(x, lcl_onnx_bottom(x, 0), LCL_ONNX_INT64);
    const char *y = LCL_ONNX_NODE(x, "Gather", weights, rows);
    lcl_onnx_int(x, "axis", 0);
    if (l->n_params > 1) {
        LCL_TRY(lcl_onnx_param(x, l, 1, &bias, err));
        y = LCL_ONNX_NODE(x, "Add", y, bias);
    }
    lcl_onnx_set_top(x, 0, y);
    return LCL_OK;
}
