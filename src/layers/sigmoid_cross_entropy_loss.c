/* SigmoidCrossEntropyLoss: -sum of t log s(x) + (1 - t) log(1 - s(x)), s the sigmoid.
 * Shapes: x and targets t (N, ...), the loss one value. */
#include "loss.h"
#include "text.h"

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    const Caffe__LossParameter *p = l->param->loss_param;
    const lcl_blob *x = l->bottoms[0];
    const lcl_define defines[] = {{"COUNT", (long)lcl_blob_image_count(x)},
                                  {"HAS_IGNORE", p && p->has_ignore_label},
                                  {"IGNORE_LABEL", p ? p->ignore_label : 0}};
    lcl_normalization mode =
        lcl_loss_normalization(l, CAFFE__LOSS_PARAMETER__NORMALIZATION_MODE__BATCH_SIZE);

    LCL_TRY(lcl_loss_check_batch(l, err));
    LCL_TRY(lcl_loss_check_counts(l, err));
    lcl_axis_view v = lcl_axis_view_flat(l, x, 1);
    float normaliser = lcl_loss_normaliser(mode, lcl_blob_count(x), (size_t)x->shape[0]);
    return lcl_loss_reshape(l, &v, normaliser, "sigmoid_cross_entropy_loss", defines,
                            LCL_COUNT(defines), err);
}

const lcl_layer_type lcl_layer_sigmoid_cross_entropy_loss = {
    .name = "SigmoidCrossEntropyLoss",
    .min_bottoms = 2,
    .max_bottoms = 2,
    .min_tops = 1,
    .max_tops = 1,
    .is_loss = true,
    .auto_tops = true,
    .no_backward = 1u << 1,
    .state_size = sizeof(lcl_loss),
    .reshape = reshape,
    .forward = lcl_loss_forward,
    .backward = lcl_loss_backward,
    .destroy = lcl_loss_destroy,
};
