/* SPP: spatial pyramid pooling. Level i pools the whole plane into 2^i x 2^i windows; the levels
 * follow one another in the top. Shapes: x (N, C, H, W), y (N, C * sum of 4^i), or for a pyramid
 * of one level (N, C, 1, 1). Made of Split, Pooling and Concat, as in Caffe. */
#include <string.h>

#include "lcl/layer.h"
#include "text.h"

enum { MAX_HEIGHT = 16 };

typedef struct {
    lcl_layer *layers[MAX_HEIGHT + 2]; /* owned, in the order of forward */
    int n_layers;
    Caffe__LayerParameter *params[MAX_HEIGHT + 2];     /* owned: of the layers */
    lcl_blob *splits[MAX_HEIGHT], *pooled[MAX_HEIGHT]; /* owned */
} spp_state;

static int height_of(const lcl_layer *l)
{
    return (int)l->param->spp_param->pyramid_height;
}

static lcl_status setup(lcl_layer *l, lcl_error *err)
{
    const Caffe__SPPParameter *p = l->param->spp_param;

    if (p && p->pyramid_height >= 1 && p->pyramid_height <= MAX_HEIGHT)
        return LCL_OK;
    return lcl_layer_fail(l, p, "pyramid_height", err, LCL_EPROTO,
                          "pyramid_height must be 1 to %d", MAX_HEIGHT);
}

/* A window that `n` of cover `size`, with as little padding as that takes. */
static void cover(int size, int n, uint32_t *kernel, uint32_t *pad)
{
    const int width = (size + n - 1) / n;

    *kernel = (uint32_t)width;
    *pad = (uint32_t)((width * n - size + 1) / 2);
}

static Caffe__PoolingParameter *pooling_of(const lcl_layer *l, int level)
{
    Caffe__PoolingParameter *p = lcl_proto_new(&caffe__pooling_parameter__descriptor);
    const lcl_blob *x = l->bottoms[0];

    p->has_pool = p->has_kernel_h = p->has_kernel_w = p->has_pad_h = p->has_pad_w = 1;
    p->has_stride_h = p->has_stride_w = 1;
    p->pool = (Caffe__PoolingParameter__PoolMethod)l->param->spp_param->pool;
    cover(x->shape[2], 1 << level, &p->kernel_h, &p->pad_h);
    cover(x->shape[3], 1 << level, &p->kernel_w, &p->pad_w);
    p->stride_h = p->kernel_h;
    p->stride_w = p->kernel_w;
    return p;
}

/* A layer of ours between these blobs; `pooling` is NULL or taken over. */
static lcl_status add(lcl_layer *l, const char *type, Caffe__PoolingParameter *pooling,
                      lcl_blob **bottoms, int n_bottoms, lcl_blob **tops, int n_tops,
                      lcl_error *err)
{
    spp_state *s = l->state;
    Caffe__LayerParameter *p = lcl_proto_new(&caffe__layer_parameter__descriptor);

    s->params[s->n_layers] = p;
    p->name = lcl_strdup(l->param->name ? l->param->name : "");
    p->type = lcl_strdup(type);
    p->has_phase = 1;
    p->phase = l->phase;
    p->pooling_param = pooling;
    lcl_status status = lcl_layer_create(&s->layers[s->n_layers], p, l->env, l->index,
                                         bottoms, n_bottoms, tops, n_tops, err);
    s->n_layers++;
    return status;
}

static void release(lcl_layer *l)
{
    spp_state *s = l->state;

    for (int i = 0; i < s->n_layers; i++) {
        lcl_layer_destroy(s->layers[i]);
        lcl_proto_free(&s->params[i]->base);
    }
    for (int i = 0; i < MAX_HEIGHT; i++) {
        lcl_blob_destroy(s->splits[i]);
        lcl_blob_destroy(s->pooled[i]);
    }
    memset(s, 0, sizeof *s);
}

/* A level's pooled planes lie as one vector an image does. */
static lcl_status add_level(lcl_layer *l, int level, lcl_error *err)
{
    spp_state *s = l->state;
    lcl_blob *pooled = s->pooled[level];

    LCL_TRY(
        add(l, "Pooling", pooling_of(l, level), &s->splits[level], 1, &pooled, 1, err));
    const int shape[2] = {pooled->shape[0], (int)lcl_blob_image_count(pooled)};
    return lcl_blob_reshape(pooled, 2, shape, pooled->block, err);
}

static lcl_status build(lcl_layer *l, lcl_error *err)
{
    spp_state *s = l->state;
    const int n = height_of(l);

    if (n == 1)
        return add(l, "Pooling", pooling_of(l, 0), l->bottoms, 1, l->tops, 1, err);
    for (int i = 0; i < n; i++) {
        s->splits[i] = lcl_blob_create(l->dev, l->param->name);
        s->pooled[i] = lcl_blob_create(l->dev, l->param->name);
    }
    LCL_TRY(add(l, "Split", NULL, l->bottoms, 1, s->splits, n, err));
    for (int i = 0; i < n; i++)
        LCL_TRY(add_level(l, i, err));
    return add(l, "Concat", NULL, s->pooled, n, l->tops, 1, err);
}

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    const lcl_blob *x = l->bottoms[0];

    if (x->n_axes != 4 || lcl_blob_count(x) == 0)
        return lcl_layer_fail(
            l, NULL, NULL, err, LCL_ESHAPE,
            "bottom '%s' has %d axes and %zu values; SPP needs 4 axes (N, "
            "C, H, W)",
            x->name, x->n_axes, lcl_blob_count(x));
    release(l);
    return build(l, err);
}

static lcl_status forward(lcl_layer *l, lcl_error *err)
{
    const spp_state *s = l->state;

    for (int i = 0; i < s->n_layers; i++)
        LCL_TRY(lcl_layer_forward(s->layers[i], err));
    return LCL_OK;
}

static lcl_status backward(lcl_layer *l, lcl_error *err)
{
    const spp_state *s = l->state;

    if (!l->propagate[0])
        return LCL_OK;
    for (int i = 0; i < MAX_HEIGHT && s->splits[i]; i++) {
        LCL_TRY(lcl_blob_need_diff(s->splits[i], err));
        LCL_TRY(lcl_blob_need_diff(s->pooled[i], err));
    }
    for (int i = s->n_layers - 1; i >= 0; i--)
        LCL_TRY(lcl_layer_backward(s->layers[i], err));
    return LCL_OK;
}

const lcl_layer_type lcl_layer_spp = {
    .name = "SPP",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 1,
    .state_size = sizeof(spp_state),
    .setup = setup,
    .reshape = reshape,
    .forward = forward,
    .backward = backward,
    .destroy = release,
};
