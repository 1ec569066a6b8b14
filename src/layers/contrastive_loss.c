/* ContrastiveLoss: of pairs a, b at distance d, the mean of d^2 / 2 where they are similar
 * (y is not 0), else of max(0, margin - d)^2 / 2; with legacy_version of max(0, margin - d^2)
 * / 2. Shapes: a and b (N, C), y (N), the loss one value. a and b get a gradient. */
#include <stdlib.h>

#include "loss.h"
#include "text.h"

static const Caffe__ContrastiveLossParameter none =
    CAFFE__CONTRASTIVE_LOSS_PARAMETER__INIT;

/* Caffe takes one vector an image only. */
static lcl_status check_vectors(const lcl_layer *l, lcl_error *err)
{
    for (int i = 0; i < 2; i++) {
        const lcl_blob *b = l->bottoms[i];
        char shape[128];
        lcl_blob_shape_text(b, shape, sizeof shape);
        if (b->n_axes > 4 || lcl_blob_dim(b, 2) != 1 || lcl_blob_dim(b, 3) != 1)
            return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                                  "takes vectors (N x C), but '%s' is %s", b->name,
                                  shape);
    }
    return lcl_loss_check_counts(l, err);
}

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    const Caffe__ContrastiveLossParameter *p =
        l->param->contrastive_loss_param ? l->param->contrastive_loss_param : &none;
    const lcl_blob *a = l->bottoms[0];
    const int channels = (int)lcl_blob_image_count(a);

    LCL_TRY(lcl_loss_check_batch(l, err));
    LCL_TRY(check_vectors(l, err));
    LCL_TRY(lcl_loss_check_labels(l, 2, err));
    char *margin = lcl_format("%.9ef", (double)p->margin);
    const lcl_define defines[] = {{"CHANNELS", channels, NULL},
                                  {"LEGACY", p->legacy_version, NULL},
                                  {"MARGIN", 0, margin}};
    lcl_axis_view v = lcl_axis_view_flat(l, a, channels);
    lcl_status status =
        lcl_loss_reshape(l, &v, 2 * (float)a->shape[0], "contrastive_loss", defines,
                         LCL_COUNT(defines), err);
    free(margin);
    return status;
}

const lcl_layer_type lcl_layer_contrastive_loss = {
    .name = "ContrastiveLoss",
    .min_bottoms = 3,
    .max_bottoms = 3,
    .min_tops = 1,
    .max_tops = 1,
    .is_loss = true,
    .auto_tops = true,
    .no_backward = 1u << 2,
    .state_size = sizeof(lcl_loss),
    .reshape = reshape,
    .forward = lcl_loss_forward,
    .backward = lcl_loss_backward,
    .destroy = lcl_loss_destroy,
};
