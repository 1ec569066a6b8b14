/* SoftmaxWithLoss: the mean of -log(softmax(x)[label]). Shapes: x (N, C, ...), labels (N,
 * ...), the loss one value, and an optional second top with the probabilities as x. */
#include "axis_view.h"
#include "text.h"

typedef struct {
    int axis;
    bool has_ignore;
    int ignore_label;
    Caffe__LossParameter__NormalizationMode normalization;
    cl_float normaliser; /* 0: the number of labels that count */
    cl_int n_images, n_sums;
    lcl_kernel *forward, *sum, *backward; /* borrowed from the device */
    lcl_range forward_range, backward_range;
    lcl_blob *prob;         /* where there is no second top */
    cl_mem losses, counted; /* n_sums vectors */
    cl_mem divisor;         /* what the loss was divided by */
    size_t sums_size;       /* bytes of losses and of counted */
} softmax_loss_state;

/* `normalize` is Caffe's older way to say it. */
static Caffe__LossParameter__NormalizationMode
normalization_of(const Caffe__LossParameter *p)
{
    if (!p)
        return CAFFE__LOSS_PARAMETER__NORMALIZATION_MODE__VALID;
    if (!p->has_normalization && p->has_normalize)
        return p->normalize ? CAFFE__LOSS_PARAMETER__NORMALIZATION_MODE__VALID
                            : CAFFE__LOSS_PARAMETER__NORMALIZATION_MODE__BATCH_SIZE;
    return p->normalization;
}

static lcl_status softmax_loss_setup(lcl_layer *l, lcl_error *err)
{
    softmax_loss_state *s = l->state;
    const Caffe__SoftmaxParameter *softmax = l->param->softmax_param;
    const Caffe__LossParameter *loss = l->param->loss_param;

    LCL_LOG(l->env->log, "Creating layer %s", l->param->name); /* Caffe's inner Softmax */
    LCL_TRY(lcl_layer_axis(l, l->bottoms[0], softmax ? softmax->axis : 1, softmax, "axis",
                           &s->axis, err));
    l->plain = lcl_axis_labels_need_plain(l, s->axis);
    s->normalization = normalization_of(loss);
    s->has_ignore = loss && loss->has_ignore_label;
    s->ignore_label = s->has_ignore ? loss->ignore_label : 0;
    if (l->n_tops < 2)
        s->prob = lcl_blob_create(l->dev, l->param->name);
    return lcl_buffer_create(&s->divisor, l->dev, sizeof(float), l->param->name, err);
}

/* 0 stands for the number of labels that count, which the device finds. */
static float normaliser_of(const softmax_loss_state *s, const lcl_blob *x,
                           const lcl_axis_view *v)
{
    switch (s->normalization) {
    case CAFFE__LOSS_PARAMETER__NORMALIZATION_MODE__FULL:
        return (float)lcl_axis_view_positions(v);
    case CAFFE__LOSS_PARAMETER__NORMALIZATION_MODE__BATCH_SIZE:
        return (float)lcl_blob_count_range(x, 0, s->axis);
    case CAFFE__LOSS_PARAMETER__NORMALIZATION_MODE__NONE: return 1;
    default: return 0;
    }
}

static lcl_status need_sums(lcl_layer *l, size_t size, lcl_error *err)
{
    softmax_loss_state *s = l->state;

    if (size <= s->sums_size)
        return LCL_OK;
    lcl_buffer_release(&s->losses);
    lcl_buffer_release(&s->counted);
    s->sums_size = 0;
    LCL_TRY(lcl_buffer_create(&s->losses, l->dev, size, l->param->name, err));
    LCL_TRY(lcl_buffer_create(&s->counted, l->dev, size, l->param->name, err));
    s->sums_size = size;
    return LCL_OK;
}

static lcl_status get_kernels(lcl_layer *l, const lcl_axis_view *v, lcl_error *err)
{
    softmax_loss_state *s = l->state;
    int block = l->bottoms[0]->block;
    const char *file = "softmax_with_loss";
    const lcl_define defines[] = {{"OUTER", v->outer},
                                  {"CHANNELS", v->channels},
                                  {"INNER", v->inner},
                                  {"HAS_IGNORE", s->has_ignore},
                                  {"IGNORE_LABEL", s->ignore_label}};
    size_t n = LCL_COUNT(defines);

    LCL_TRY(lcl_layer_kernel(l, &s->forward, file, "softmax_loss_forward", block, defines,
                             n, err));
    LCL_TRY(
        lcl_layer_kernel(l, &s->sum, file, "softmax_loss_sum", block, defines, n, err));
    return lcl_layer_kernel(l, &s->backward, file, "softmax_loss_backward", block,
                            defines, n, err);
}

static lcl_blob *prob_of(const lcl_layer *l)
{
    softmax_loss_state *s = l->state;

    return l->n_tops > 1 ? l->tops[1] : s->prob;
}

static lcl_status softmax_loss_reshape(lcl_layer *l, lcl_error *err)
{
    softmax_loss_state *s = l->state;
    lcl_blob *x = l->bottoms[0], *prob = prob_of(l);

    LCL_TRY(lcl_axis_check_labels(l, s->axis, err));
    LCL_TRY(lcl_blob_reshape(l->tops[0], 0, NULL, 1, err));
    LCL_TRY(lcl_blob_reshape(prob, x->n_axes, x->shape, x->block, err));
    lcl_axis_view v = lcl_axis_view_of(l, x, s->axis);
    s->n_images = v.n_images;
    s->normaliser = normaliser_of(s, x, &v);
    s->n_sums = (cl_int)lcl_axis_view_sums(&v);
    s->forward_range = (lcl_range){v.lanes, (size_t)v.items, v.n_blocks};
    s->backward_range =
        (lcl_range){v.lanes, (size_t)v.outer * (size_t)v.inner, v.n_blocks};
    size_t vector = (size_t)lcl_layer_vector(l, x->block);
    LCL_TRY(need_sums(l, (size_t)s->n_sums * vector * sizeof(float), err));
    return get_kernels(l, &v, err);
}

static lcl_status softmax_loss_forward(lcl_layer *l, lcl_error *err)
{
    softmax_loss_state *s = l->state;
    lcl_arg args[] = {LCL_ARG(l->bottoms[0]->data), LCL_ARG(l->bottoms[1]->data),
                      LCL_ARG(prob_of(l)->data),    LCL_ARG(s->losses),
                      LCL_ARG(s->counted),          LCL_ARG(s->n_images)};
    lcl_arg sum_args[] = {LCL_ARG(s->losses),        LCL_ARG(s->counted),
                          LCL_ARG(s->n_sums),        LCL_ARG(s->normaliser),
                          LCL_ARG(l->tops[0]->data), LCL_ARG(s->divisor)};
    const lcl_range any = {0}, one = {1, 1, 1};

    LCL_TRY(lcl_kernel_run(l->dev, s->forward, s->forward_range, any, args, 6, err));
    return lcl_kernel_run(l->dev, s->sum, one, one, sum_args, 6, err);
}

static lcl_status softmax_loss_backward(lcl_layer *l, lcl_error *err)
{
    softmax_loss_state *s = l->state;
    cl_float weight = l->loss_weights[0];
    lcl_arg args[] = {LCL_ARG(prob_of(l)->data),
                      LCL_ARG(l->bottoms[1]->data),
                      LCL_ARG(l->bottoms[0]->diff),
                      LCL_ARG(s->n_images),
                      LCL_ARG(weight),
                      LCL_ARG(s->divisor)};
    const lcl_range any = {0};

    if (!l->propagate[0])
        return LCL_OK;
    return lcl_kernel_run(l->dev, s->backward, s->backward_range, any, args, 6, err);
}

static void softmax_loss_destroy(lcl_layer *l)
{
    softmax_loss_state *s = l->state;

    lcl_blob_destroy(s->prob);
    lcl_buffer_release(&s->losses);
    lcl_buffer_release(&s->counted);
    lcl_buffer_release(&s->divisor);
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
