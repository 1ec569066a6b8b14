/* Accuracy: how often the label is among the top_k largest scores. Shapes: x (N, C, ...),
 * labels (N, ...), the accuracy one value, and an optional second top (C) for each class.
 */
#include "axis_view.h"
#include "text.h"

typedef struct {
    int axis;
    cl_int n_images, n_sums, n_codes;
    size_t n_classes;
    lcl_kernel *forward, *sum, *per_class; /* borrowed from the device */
    lcl_range range;
    cl_mem right, counted; /* n_sums vectors */
    cl_mem codes;          /* n_codes vectors: for each position what the label was */
    size_t sums_size, codes_size; /* bytes */
} accuracy_state;

static const Caffe__AccuracyParameter none = CAFFE__ACCURACY_PARAMETER__INIT;

static const Caffe__AccuracyParameter *param_of(const lcl_layer *l)
{
    return l->param->accuracy_param ? l->param->accuracy_param : &none;
}

static lcl_status accuracy_setup(lcl_layer *l, lcl_error *err)
{
    accuracy_state *s = l->state;

    LCL_TRY(lcl_layer_axis(l, l->bottoms[0], param_of(l)->axis, l->param->accuracy_param,
                           "axis", &s->axis, err));
    l->plain = lcl_axis_labels_need_plain(l, s->axis);
    return LCL_OK;
}

static lcl_status need_buffer(lcl_layer *l, cl_mem *buffer, size_t have, size_t size,
                              lcl_error *err)
{
    if (size <= have)
        return LCL_OK;
    lcl_buffer_release(buffer);
    return lcl_buffer_create(buffer, l->dev, size, l->param->name, err);
}

static lcl_status need_buffers(lcl_layer *l, lcl_error *err)
{
    accuracy_state *s = l->state;
    size_t vector = (size_t)lcl_layer_vector(l, l->bottoms[0]->block) * sizeof(float);
    size_t sums = (size_t)s->n_sums * vector, codes = (size_t)s->n_codes * vector;

    LCL_TRY(need_buffer(l, &s->right, s->sums_size, sums, err));
    LCL_TRY(need_buffer(l, &s->counted, s->sums_size, sums, err));
    s->sums_size = sums > s->sums_size ? sums : s->sums_size;
    LCL_TRY(need_buffer(l, &s->codes, s->codes_size, codes, err));
    s->codes_size = codes > s->codes_size ? codes : s->codes_size;
    return LCL_OK;
}

static lcl_status get_kernels(lcl_layer *l, const lcl_axis_view *v, lcl_error *err)
{
    accuracy_state *s = l->state;
    const Caffe__AccuracyParameter *p = param_of(l);
    int block = l->bottoms[0]->block;
    const lcl_define defines[] = {
        {"OUTER", v->outer},       {"CHANNELS", v->channels},
        {"INNER", v->inner},       {"HAS_IGNORE", p->has_ignore_label},
        {"TOP_K", (long)p->top_k}, {"IGNORE_LABEL", p->ignore_label}};
    size_t n = LCL_COUNT(defines);

    LCL_TRY(lcl_layer_kernel(l, &s->forward, "accuracy", "accuracy_forward", block,
                             defines, n, err));
    LCL_TRY(
        lcl_layer_kernel(l, &s->sum, "accuracy", "accuracy_sum", block, defines, n, err));
    return lcl_layer_kernel(l, &s->per_class, "accuracy", "accuracy_per_class", block,
                            defines, n, err);
}

static lcl_status accuracy_reshape(lcl_layer *l, lcl_error *err)
{
    accuracy_state *s = l->state;
    const lcl_blob *x = l->bottoms[0];
    const int classes = x->shape[s->axis];

    LCL_TRY(lcl_axis_check_labels(l, s->axis, err));
    if (param_of(l)->top_k > (unsigned)classes)
        return lcl_layer_fail(l, l->param->accuracy_param, "top_k", err, LCL_ESHAPE,
                              "top_k %u is more than the %d classes of '%s'",
                              param_of(l)->top_k, classes, x->name);
    LCL_TRY(lcl_blob_reshape(l->tops[0], 0, NULL, 1, err));
    if (l->n_tops > 1)
        LCL_TRY(lcl_blob_reshape(l->tops[1], 1, &classes, 1, err));
    lcl_axis_view v = lcl_axis_view_of(l, x, s->axis);
    size_t vector = (size_t)lcl_layer_vector(l, x->block);
    s->n_classes = (size_t)classes;
    s->n_images = v.n_images;
    s->n_sums = (cl_int)lcl_axis_view_sums(&v);
    s->n_codes = (cl_int)(lcl_blob_stored(l->bottoms[1]) / vector);
    s->range = (lcl_range){v.lanes, (size_t)v.items, v.n_blocks};
    LCL_TRY(need_buffers(l, err));
    return get_kernels(l, &v, err);
}

static lcl_status accuracy_forward(lcl_layer *l, lcl_error *err)
{
    accuracy_state *s = l->state;
    lcl_arg args[] = {LCL_ARG(l->bottoms[0]->data),
                      LCL_ARG(l->bottoms[1]->data),
                      LCL_ARG(s->right),
                      LCL_ARG(s->counted),
                      LCL_ARG(s->codes),
                      LCL_ARG(s->n_images)};
    lcl_arg sum_args[] = {LCL_ARG(s->right), LCL_ARG(s->counted), LCL_ARG(s->n_sums),
                          LCL_ARG(l->tops[0]->data)};
    const lcl_range any = {0}, one = {1, 1, 1}, classes = {s->n_classes, 1, 1};

    LCL_TRY(lcl_kernel_run(l->dev, s->forward, s->range, any, args, 6, err));
    LCL_TRY(lcl_kernel_run(l->dev, s->sum, one, one, sum_args, 4, err));
    if (l->n_tops < 2)
        return LCL_OK;
    lcl_arg class_args[] = {LCL_ARG(s->codes), LCL_ARG(s->n_codes),
                            LCL_ARG(l->tops[1]->data)};
    return lcl_kernel_run(l->dev, s->per_class, classes, any, class_args, 3, err);
}

static void accuracy_destroy(lcl_layer *l)
{
    accuracy_state *s = l->state;

    lcl_buffer_release(&s->right);
    lcl_buffer_release(&s->counted);
    lcl_buffer_release(&s->codes);
}

const lcl_layer_type lcl_layer_accuracy = {
    .name = "Accuracy",
    .min_bottoms = 2,
    .max_bottoms = 2,
    .min_tops = 1,
    .max_tops = 2,
    .no_backward = 3,
    .state_size = sizeof(accuracy_state),
    .setup = accuracy_setup,
    .reshape = accuracy_reshape,
    .forward = accuracy_forward,
    .destroy = accuracy_destroy,
};
