/* SoftmaxWithLoss: the mean of -log(softmax(x)[label]). Shapes: x (N, C, ...), labels (N,
 * ...), the loss one value, and an optional second top with the probabilities as x. */
#include "loss.h"
#include "text.h"

typedef struct {
    lcl_loss loss;
    int axis;
    lcl_range backward_range;
    lcl_blob *prob; /* where there is no second top */
} softmax_loss_state;

static lcl_status softmax_loss_setup(lcl_layer *l, lcl_error *err)
{
    softmax_loss_state *s = l->state;
    const Caffe__SoftmaxParameter *softmax = l->param->softmax_param;

    LCL_LOG(l->env->log, "Creating layer %s", l->param->name); /* Caffe's inner Softmax */
    LCL_TRY(lcl_layer_axis(l, l->bottoms[0], softmax ? softmax->axis : 1, softmax, "axis",
                           &s->axis, err));
    l->plain = lcl_axis_labels_need_plain(l, s->axis);
    if (l->n_tops < 2)
        s->prob = lcl_blob_create(l->dev, l->param->name);
    return LCL_OK;
}

static lcl_blob *prob_of(const lcl_layer *l)
{
    softmax_loss_state *s = l->state;

    return l->n_tops > 1 ? l->tops[1] : s->prob;
}

static lcl_status softmax_loss_reshape(lcl_layer *l, lcl_error *err)
{
    softmax_loss_state *s = l->state;
    lcl_axis_view v;

    LCL_TRY(lcl_axis_check_labels(l, s->axis, err));
    LCL_TRY(
        lcl_loss_reshape_classes(l, s->axis, prob_of(l), "softmax_with_loss", &v, err));
    s->backward_range =
        (lcl_range){v.lanes, (size_t)v.outer * (size_t)v.inner, v.n_blocks};
    return LCL_OK;
}

static lcl_status softmax_loss_forward(lcl_layer *l, lcl_error *err)
{
    lcl_loss *loss = l->state;
    lcl_arg args[] = {LCL_ARG(l->bottoms[0]->data), LCL_ARG(l->bottoms[1]->data),
                      LCL_ARG(prob_of(l)->data),    LCL_ARG(loss->losses),
                      LCL_ARG(loss->counted),       LCL_ARG(loss->n_images)};

    LCL_TRY(lcl_kernel_run(l->dev, loss->forward, loss->range, (lcl_range){0}, args,
                           LCL_COUNT(args), err));
    return lcl_loss_add_up(l, err);
}

static lcl_status softmax_loss_backward(lcl_layer *l, lcl_error *err)
{
    softmax_loss_state *s = l->state;
    cl_float weight = l->loss_weights[0];
    lcl_arg args[] = {LCL_ARG(prob_of(l)->data),
                      LCL_ARG(l->bottoms[1]->data),
                      LCL_ARG(l->bottoms[0]->diff),
                      LCL_ARG(s->loss.n_images),
                      LCL_ARG(weight),
                      LCL_ARG(s->loss.divisor)};

    if (!l->propagate[0])
        return LCL_OK;
    return lcl_kernel_run(l->dev, s->loss.backward, s->backward_range, (lcl_range){0},
                          args, LCL_COUNT(args), err);
}

static void softmax_loss_destroy(lcl_layer *l)
{
    softmax_loss_state *s = l->state;

    lcl_blob_destroy(s->prob);
    lcl_loss_destroy(l);
}

const lcl_layer_type lcl_layer_softmax_with_loss = {
    .name = "SoftmaxWithLoss",
    .min_bottoms = 2,
    .max_bottoms = 2,
    .min_tops = 1,
    .max_tops = 2,
    .is_loss = true,
    .auto_tops = true,
    .no_backward = 1u << 1,
    .state_size = sizeof(softmax_loss_state),
    .setup = softmax_loss_setup,
    .reshape = softmax_loss_reshape,
    .forward = softmax_loss_forward,
    .backward = softmax_loss_backward,
    .destroy = softmax_loss_destroy,
};
