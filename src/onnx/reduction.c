/* Layers that take many values together: Softmax and the losses that have one, Reduction,
 * ArgMax. */
#include "onnx/onnx.h"

/* ---- Softmax ----------------------------------------------------------------------- */

/* Of a loss, the last top: its predictions. */
static lcl_status softmax(lcl_onnx *x, int axis)
{
    const char *y = LCL_ONNX_NODE(x, "Softmax", lcl_onnx_bottom(x, 0));

    lcl_onnx_int(x, "axis", axis);
    lcl_onnx_set_top(x, x->layer->n_tops - 1, y);
    return LCL_OK;
}

lcl_status lcl_onnx_softmax(lcl_onnx *x, lcl_error *err)
{
    const Caffe__SoftmaxParameter *p = x->layer->param->softmax_param;

    (void)err;
    return softmax(x, p ? p->axis : 1);
}

lcl_status lcl_onnx_infogain_loss(lcl_onnx *x, lcl_error *err)
{
    const Caffe__InfogainLossParameter *p = x->layer->param->infogain_loss_param;

    (void)err;
    return softmax(x, p ? p->axis : 1);
}

/* ---- Reduction --------------------------------------------------------------------- */

static const char *reduce(lcl_onnx *x, const Caffe__ReductionParameter *p,
                          const int64_t *axes, size_t n)
{
    const char *bottom = lcl_onnx_bottom(x, 0), *y;

    if (p->operation == CAFFE__REDUCTION_PARAMETER__REDUCTION_OP__SUM) {
        /* The one that takes its axes as a tensor in this version of the operators. */
        y = LCL_ONNX_NODE(x, "ReduceSum", bottom, lcl_onnx_numbers(x, "axes", axes, n));
    } else {
        y = LCL_ONNX_NODE(
            x,
            p->operation == CAFFE__REDUCTION_PARAMETER__REDUCTION_OP__ASUM ? "ReduceL1"
            : p->operation == CAFFE__REDUCTION_PARAMETER__REDUCTION_OP__SUMSQ
                ? "ReduceSumSquare"
                : "ReduceMean",
            bottom);
        lcl_onnx_ints(x, "axes", axes, n);
    }
    lcl_onnx_int(x, "keepdims", 0);
    return y;
}

lcl_status lcl_onnx_reduction(lcl_onnx *x, lcl_error *err)
{
    static const Caffe__ReductionParameter none = CAFFE__REDUCTION_PARAMETER__INIT;
    const lcl_layer *l = x->layer;
    const Caffe__ReductionParameter *p =
        l->param->reduction_param ? l->param->reduction_param : &none;
    const lcl_blob *b = l->net_bottoms[0];
    int64_t axes[LCL_MAX_AXES];
    size_t n = 0;

    (void)err;
    for (int i = l->net_tops[0]->n_axes; i < b->n_axes; i++)
        axes[n++] = i;
    const char *y = reduce(x, p, axes, n);
    if (p->coeff != 1)
        y = LCL_ONNX_NODE(x, "Mul", y, lcl_onnx_scalar(x, "coeff", p->coeff));
    lcl_onnx_set_top(x, 0, y);
    return LCL_OK;
}

/* ---- ArgMax ------------------------------------------------------------------------ */

/* The tensor with the places along an axis in reverse order. */
static const char *reverse(lcl_onnx *x, const char *t, int64_t axis, int64_t size)
{
    static const int64_t back = -1;
    const int64_t start = size - 1, end = -size - 1;

    return LCL_ONNX_NODE(x, "Slice", t, lcl_onnx_numbers(x, "starts", &start, 1),
                         lcl_onnx_numbers(x, "ends", &end, 1),
                         lcl_onnx_numbers(x, "axes", &axis, 1),
                         lcl_onnx_numbers(x, "steps", &back, 1));
}

/* The k largest values along an axis and their places. Of equal values Caffe has the last ones
 * first, ONNX the first ones: so in reverse order. */
static void top_k(lcl_onnx *x, const char *t, int64_t axis, int size, int64_t k,
                  const char **values, const char **places)
{
    t = reverse(x, t, axis, size);
    *values = LCL_ONNX_NODE(x, "TopK", t, lcl_onnx_numbers(x, "k", &k, 1));
    lcl_onnx_int(x, "axis", axis);
    const char *reversed = lcl_onnx_next_output(x);
    reversed = lcl_onnx_cast(x, reversed, LCL_ONNX_FLOAT);
    *places =
        LCL_ONNX_NODE(x, "Sub", lcl_onnx_scalar(x, "last", (float)(size - 1)), reversed);
}

lcl_status lcl_onnx_argmax(lcl_onnx *x, lcl_error *err)
{
    static const Caffe__ArgMaxParameter none = CAFFE__ARG_MAX_PARAMETER__INIT;
    const lcl_layer *l = x->layer;
    const Caffe__ArgMaxParameter *p =
        l->param->argmax_param ? l->param->argmax_param : &none;
    const lcl_blob *b = l->net_bottoms[0], *top = l->net_tops[0];
    const char *t = lcl_onnx_bottom(x, 0), *values, *places;
    const int axis = lcl_onnx_axis(b, p->axis);

    if (p->has_axis) {
        if (axis == 0)
            LCL_TRY(lcl_onnx_fix_batch(x, err));
        top_k(x, t, axis, b->shape[axis], p->top_k, &values, &places);
        lcl_onnx_set_top(x, 0, p->out_max_val ? values : places);
        return LCL_OK;
    }
    /* Of all values of an image; N x 1 x k, places before values. */
    int64_t dims[LCL_MAX_AXES] = {0, 1, -1};
    t = lcl_onnx_reshape(x, t, dims, 3);
    top_k(x, t, 2, (int)lcl_blob_image_count(b), p->top_k, &values, &places);
    if (p->out_max_val) {
        places = LCL_ONNX_NODE(x, "Concat", places, values);
        lcl_onnx_int(x, "axis", 1);
    }
    if (top->n_axes > 3) {
        for (int i = 1; i < top->n_axes; i++)
            dims[i] = top->shape[i];
        places = lcl_onnx_reshape(x, places, dims, (size_t)top->n_axes);
    }
    lcl_onnx_set_top(x, 0, places);
    return LCL_OK;
}
