/* InfogainLoss: the mean of -sum over classes c of H[label][c] log(softmax(x)[c]). Shapes: x
 * (N, C, ...), labels (N, ...), H of C x C values as third bottom or from a file, the loss one
 * value, and an optional second top with the probabilities as x. */
#include <stdlib.h>

#include "loss.h"
#include "text.h"

typedef struct {
    lcl_loss loss;
    int axis;
    lcl_blob *matrix; /* H as plain rows */
    lcl_blob *prob;   /* where there is no second top */
} infogain_state;

/* H from the file of a BlobProto. */
static lcl_status read_matrix(lcl_layer *l, lcl_error *err)
{
    const Caffe__InfogainLossParameter *p = l->param->infogain_loss_param;
    infogain_state *s = l->state;
    const float *values;
    float *owned = NULL;
    lcl_proto *file = NULL;
    size_t n;

    if (!p || !p->source || !*p->source)
        return lcl_layer_fail(l, p, NULL, err, LCL_EPROTO,
                              "needs its matrix: a third bottom, or "
                              "infogain_loss_param.source");
    LCL_TRY(lcl_proto_read_binary(&file, &caffe__blob_proto__descriptor, p->source, err));
    lcl_status status = lcl_blob_proto_values((Caffe__BlobProto *)lcl_proto_root(file),
                                              false, &values, &n, &owned, err);
    if (status == LCL_OK) {
        const int count = (int)n;
        status = lcl_blob_reshape(s->matrix, 1, &count, 1, err);
    }
    if (status == LCL_OK)
        status = lcl_blob_write(s->matrix, LCL_DATA, values, err);
    free(owned);
    lcl_proto_destroy(file);
    return status;
}

static lcl_status setup(lcl_layer *l, lcl_error *err)
{
    infogain_state *s = l->state;
    const Caffe__InfogainLossParameter *p = l->param->infogain_loss_param;
    const Caffe__LossParameter *loss = l->param->loss_param;

    if (loss && loss->has_normalize)
        return lcl_layer_fail(l, loss, "normalize", err, LCL_EPROTO,
                              "normalize does not exist here; use normalization");
    LCL_TRY(lcl_layer_axis(l, l->bottoms[0], p ? p->axis : 1, p, "axis", &s->axis, err));
    l->plain = lcl_axis_labels_need_plain(l, s->axis);
    if (l->n_tops < 2)
        s->prob = lcl_blob_create(l->dev, l->param->name);
    s->matrix = lcl_blob_create(l->dev, l->param->name);
    return l->n_bottoms < 3 ? read_matrix(l, err) : LCL_OK;
}

static lcl_status check_matrix(const lcl_layer *l, lcl_error *err)
{
    const infogain_state *s = l->state;
    const size_t n = (size_t)l->bottoms[0]->shape[s->axis];
    const lcl_blob *h = l->n_bottoms > 2 ? l->bottoms[2] : s->matrix;

    if (lcl_blob_count(h) == n * n)
        return LCL_OK;
    return lcl_layer_fail(
        l, l->n_bottoms > 2 ? (const void *)l->param : l->param->infogain_loss_param,
        l->n_bottoms > 2 ? "bottom" : "source", err, LCL_ESHAPE,
        "the matrix has %zu values; %zu classes need %zu x %zu", lcl_blob_count(h), n, n,
        n);
}

static lcl_blob *prob_of(const lcl_layer *l)
{
    const infogain_state *s = l->state;

    return l->n_tops > 1 ? l->tops[1] : s->prob;
}

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    infogain_state *s = l->state;
    lcl_axis_view v;

    LCL_TRY(lcl_loss_check_batch(l, err));
    LCL_TRY(lcl_axis_check_labels(l, s->axis, err));
    LCL_TRY(check_matrix(l, err));
    if (l->n_bottoms > 2)
        LCL_TRY(lcl_blob_reshape(s->matrix, l->bottoms[2]->n_axes, l->bottoms[2]->shape,
                                 1, err));
    return lcl_loss_reshape_classes(l, s->axis, prob_of(l), "infogain_loss", &v, err);
}

static lcl_status forward(lcl_layer *l, lcl_error *err)
{
    infogain_state *s = l->state;
    lcl_loss *loss = &s->loss;
    lcl_arg args[] = {LCL_ARG(l->bottoms[0]->data), LCL_ARG(l->bottoms[1]->data),
                      LCL_ARG(s->matrix->data),     LCL_ARG(prob_of(l)->data),
                      LCL_ARG(loss->losses),        LCL_ARG(loss->counted),
                      LCL_ARG(loss->n_images)};

    if (l->n_bottoms > 2)
        LCL_TRY(lcl_blob_convert(s->matrix, l->bottoms[2], LCL_DATA, err));
    LCL_TRY(lcl_kernel_run(l->dev, loss->forward, loss->range, (lcl_range){0}, args,
                           LCL_COUNT(args), err));
    return lcl_loss_add_up(l, err);
}

static lcl_status backward(lcl_layer *l, lcl_error *err)
{
    infogain_state *s = l->state;
    lcl_loss *loss = &s->loss;
    cl_float weight = l->loss_weights[0];
    lcl_arg args[] = {LCL_ARG(prob_of(l)->data), LCL_ARG(l->bottoms[1]->data),
                      LCL_ARG(s->matrix->data),  LCL_ARG(l->bottoms[0]->diff),
                      LCL_ARG(loss->n_images),   LCL_ARG(weight),
                      LCL_ARG(loss->divisor)};

    if (!l->propagate[0])
        return LCL_OK;
    return lcl_kernel_run(l->dev, loss->backward, loss->range, (lcl_range){0}, args,
                          LCL_COUNT(args), err);
}

static void destroy(lcl_layer *l)
{
    infogain_state *s = l->state;

    lcl_blob_destroy(s->matrix);
    lcl_blob_destroy(s->prob);
    lcl_loss_destroy(l);
}

const lcl_layer_type lcl_layer_infogain_loss = {
    .name = "InfogainLoss",
    .min_bottoms = 2,
    .max_bottoms = 3,
    .min_tops = 1,
    .max_tops = 2,
    .is_loss = true,
    .auto_tops = true,
    .no_backward = 1u << 1 | 1u << 2,
    .state_size = sizeof(infogain_state),
    .setup = setup,
    .reshape = reshape,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
