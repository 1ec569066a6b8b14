/* MultinomialLogisticLoss: the mean of -log(x[label]). Shapes: probabilities x (N, ...),
 * labels (N), the loss one value. */
#include "loss.h"

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    const lcl_blob *x = l->bottoms[0];
    const int channels = (int)lcl_blob_image_count(x);
    const lcl_define define = {"CHANNELS", channels};

    LCL_TRY(lcl_loss_check_batch(l, err));
    LCL_TRY(lcl_loss_check_labels(l, 1, err));
    lcl_axis_view v = lcl_axis_view_flat(l, x, channels);
    return lcl_loss_reshape(l, &v, (float)x->shape[0], "multinomial_logistic_loss",
                            &define, 1, err);
}

const lcl_layer_type lcl_layer_multinomial_logistic_loss = {
    .name = "MultinomialLogisticLoss",
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
