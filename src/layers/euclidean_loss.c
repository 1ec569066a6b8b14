/* EuclideanLoss: sum of (a - b)^2 / (2 N). Shapes: a and b (N, ...), the loss one value.
 * Both get a gradient. */
#include "loss.h"

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    const lcl_blob *a = l->bottoms[0];
    const lcl_define count = {"COUNT", (long)lcl_blob_image_count(a)};

    LCL_TRY(lcl_loss_check_batch(l, err));
    LCL_TRY(lcl_loss_check_counts(l, err));
    lcl_axis_view v = lcl_axis_view_flat(l, a, 1);
    return lcl_loss_reshape(l, &v, 2 * (float)a->shape[0], "euclidean_loss", &count, 1,
                            err);
}

const lcl_layer_type lcl_layer_euclidean_loss = {
    .name = "EuclideanLoss",
    .min_bottoms = 2,
    .max_bottoms = 2,
    .min_tops = 1,
    .max_tops = 1,
    .is_loss = true,
    .auto_tops = true,
    .state_size = sizeof(lcl_loss),
    .reshape = reshape,
    .forward = lcl_loss_forward,
    .backward = lcl_loss_backward,
    .destroy = lcl_loss_destroy,
};
