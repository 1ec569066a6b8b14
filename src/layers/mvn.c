/* MVN: y = (x - mean) / (deviation + eps) over each plane, or over each image with
 * across_channels; without normalize_variance only x - mean. Shapes: x of up to 4 axes, y
 * (N, C, H, W) as Caffe has it. In place allowed. */
#include "lcl/layer.h"
#include "text.h"

typedef struct {
    cl_float eps;
    lcl_kernel *forward, *backward; /* borrowed from the device */
    lcl_range range;
    cl_mem deviations; /* one of each run */
} mvn_state;

static lcl_status get_kernels(lcl_layer *l, const lcl_define *defines, size_t n,
                              lcl_error *err)
{
    mvn_state *s = l->state;
    const int block = l->bottoms[0]->block;

    LCL_TRY(
        lcl_layer_kernel(l, &s->forward, "mvn", "mvn_forward", block, defines, n, err));
    return lcl_layer_kernel(l, &s->backward, "mvn", "mvn_backward", block, defines, n,
                            err);
}

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    mvn_state *s = l->state;
    const Caffe__MVNParameter *p = l->param->mvn_param;
    const bool across = p && p->across_channels;
    const lcl_blob *x = l->bottoms[0];
    const int shape[4] = {lcl_blob_dim(x, 0), lcl_blob_dim(x, 1), lcl_blob_dim(x, 2),
                          lcl_blob_dim(x, 3)};
    const int block = x->block, runs = across ? 1 : shape[1];

    if (x->n_axes > 4 || lcl_blob_count(x) == 0)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_ESHAPE,
                              "bottom '%s' has %d axes and %zu values; MVN takes 4 axes "
                              "(N, C, H, W) or fewer",
                              x->name, x->n_axes, lcl_blob_count(x));
    const lcl_define defines[] = {{"RUNS", runs},
                                  {"COUNT", (long)lcl_blob_image_count(x) / runs},
                                  {"NORMALIZE", !p || p->normalize_variance}};
    LCL_TRY(lcl_blob_reshape(l->tops[0], 4, shape, block, err));
    s->eps = p ? p->eps : 1e-9f;
    s->range = (lcl_range){(size_t)(block / lcl_layer_vector(l, block)), (size_t)runs,
                           lcl_blob_n_blocks(x)};
    lcl_buffer_release(&s->deviations);
    LCL_TRY(lcl_buffer_create(&s->deviations, l->dev,
                              s->range.z * (size_t)runs * (size_t)block * sizeof(float),
                              l->param->name, err));
    return get_kernels(l, defines, LCL_COUNT(defines), err);
}

static lcl_status forward(lcl_layer *l, lcl_error *err)
{
    mvn_state *s = l->state;
    cl_int n_images = lcl_blob_dim(l->bottoms[0], 0);
    lcl_arg args[] = {LCL_ARG(l->bottoms[0]->data), LCL_ARG(l->tops[0]->data),
                      LCL_ARG(s->deviations), LCL_ARG(s->eps), LCL_ARG(n_images)};

    return lcl_kernel_run(l->dev, s->forward, s->range, (lcl_range){0}, args, 5, err);
}

static lcl_status backward(lcl_layer *l, lcl_error *err)
{
    mvn_state *s = l->state;
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];
    lcl_arg args[] = {LCL_ARG(y->data), LCL_ARG(y->diff), LCL_ARG(x->diff),
                      LCL_ARG(s->deviations)};

    if (!l->propagate[0])
        return LCL_OK;
    return lcl_kernel_run(l->dev, s->backward, s->range, (lcl_range){0}, args, 4, err);
}

static void destroy(lcl_layer *l)
{
    lcl_buffer_release(&((mvn_state *)l->state)->deviations);
}

const lcl_layer_type lcl_layer_mvn = {
    .name = "MVN",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 1,
    .in_place = true,
    .state_size = sizeof(mvn_state),
    .reshape = reshape,
    .forward = forward,
    .backward = backward,
    .destroy = destroy,
};
