/* HingeLoss: the mean over images of sum over c of max(0, 1 + x_c), for the label's c
 * max(0, 1 - x_c); with norm L2 of its square. Shapes: x (N, ...), labels (N), the loss one
 * value. */
#include "loss.h"
#include "text.h"

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    const Caffe__HingeLossParameter *p = l->param->hinge_loss_param;
    const lcl_blob *x = l->bottoms[0];
    const int channels = (int)lcl_blob_image_count(x);
    const lcl_define defines[] = {
        {"CHANNELS", channels},
        {"SQUARE", p && p->norm == CAFFE__HINGE_LOSS_PARAMETER__NORM__L2}};

    LCL_TRY(lcl_loss_check_batch(l, err));
    LCL_TRY(lcl_loss_check_labels(l, 1, err));
    lcl_axis_view v = lcl_axis_view_flat(l, x, channels);
    return lcl_loss_reshape(l, &v, (float)x->shape[0], "hinge_loss", defines,
                            LCL_COUNT(defines), err);
}

const lcl_layer_type lcl_layer_hinge_loss = {
    .name = "HingeLoss",
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
