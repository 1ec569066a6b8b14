/* Reduction: coeff times the SUM, MEAN, ASUM (of absolute values) or SUMSQ (of squares) over all
 * axes from `axis` on. Kernels: cl/channel_sum.cl, cl/channel_map.cl. */
#include <stdlib.h>

#include "channelwise.h"
#include "text.h"

typedef struct {
    int axis;
    lcl_channels channels; /* one for each sum */
    lcl_channel_sum sum;
    lcl_kernel *backward; /* borrowed from the device */
} reduction_state;

static const Caffe__ReductionParameter none = CAFFE__REDUCTION_PARAMETER__INIT;

static const Caffe__ReductionParameter *param_of(const lcl_layer *l)
{
    return l->param->reduction_param ? l->param->reduction_param : &none;
}

static lcl_status reduction_setup(lcl_layer *l, lcl_error *err)
{
    reduction_state *s = l->state;
    const Caffe__ReductionParameter *p = param_of(l);

    if (l->bottoms[0]->n_axes == 0 && p->axis == 0)
        return LCL_OK;
    return lcl_layer_axis(l, l->bottoms[0], p->axis, p, "axis", &s->axis, err);
}

/* What is summed, of x, and what a sum's gradient s is multiplied with. */
static void formulas(const lcl_layer *l, const char **forward, const char **backward)
{
    switch (param_of(l)->operation) {
    case CAFFE__REDUCTION_PARAMETER__REDUCTION_OP__ASUM:
        *forward = "fabs(x)";
        *backward = "sign(x)";
        break;
    case CAFFE__REDUCTION_PARAMETER__REDUCTION_OP__SUMSQ:
        *forward = "x * x";
        *backward = "2 * x";
        break;
    default: *forward = "x"; *backward = "1";
    }
}

static lcl_status get_kernels(lcl_layer *l, float coeff, lcl_error *err)
{
    reduction_state *s = l->state;
    const char *forward, *backward;
    lcl_status status;

    formulas(l, &forward, &backward);
    char *sum = lcl_format("%af * (%s)", (double)coeff, forward);
    char *gradient = lcl_format("%af * s * (%s)", (double)coeff, backward);
    status = lcl_channel_sum_get(&s->sum, l, &s->channels, sum, err);
    if (status == LCL_OK)
        status = lcl_channel_map_get(&s->backward, l, &s->channels, gradient, err);
    free(sum);
    free(gradient);
    return status;
}

static lcl_status reduction_reshape(lcl_layer *l, lcl_error *err)
{
    reduction_state *s = l->state;
    const lcl_blob *x = l->bottoms[0];
    lcl_blob *y = l->tops[0];
    bool blocked = s->axis > 0 && x->block > 1;
    float coeff = param_of(l)->coeff;

    LCL_TRY(lcl_blob_reshape(y, s->axis, x->shape, s->axis > 0 ? x->block : 1, err));
    s->channels = lcl_channels_of(
        x, s->axis, blocked ? lcl_blob_image_count(y) : lcl_blob_count(y), blocked);
    if (param_of(l)->operation == CAFFE__REDUCTION_PARAMETER__REDUCTION_OP__MEAN)
        coeff /= (float)lcl_blob_count_range(x, s->axis, x->n_axes);
    return get_kernels(l, coeff, err);
}

/* A sum over images runs over lanes without one, too: they are cleared. */
static lcl_status reduction_forward(lcl_layer *l, lcl_error *err)
{
    reduction_state *s = l->state;
    lcl_blob *x = l->bottoms[0];

    if (s->axis == 0)
        LCL_TRY(lcl_blob_clear_lanes(x, LCL_DATA, err));
    return lcl_channel_sum_run(l->dev, &s->sum, &s->channels, x->data, x->data,
                               l->tops[0]->data, false, err);
}

static lcl_status reduction_backward(lcl_layer *l, lcl_error *err)
{
    reduction_state *s = l->state;
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];

    if (!l->propagate[0])
        return LCL_OK;
    LCL_TRY(lcl_channel_map_run(l->dev, s->backward, &s->channels, x->data, x->data,
                                y->diff, y->diff, x->diff, err));
    return s->axis == 0 ? lcl_blob_clear_lanes(x, LCL_DIFF, err) : LCL_OK;
}

const lcl_layer_type lcl_layer_reduction = {
    .name = "Reduction",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 1,
    .state_size = sizeof(reduction_state),
    .setup = reduction_setup,
    .reshape = reduction_reshape,
    .forward = reduction_forward,
    .backward = reduction_backward,
};
