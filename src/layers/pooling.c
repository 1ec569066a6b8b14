/* Pooling: MAX, AVE or STOCHASTIC over windows. Shapes: x (N, C, H, W), y (N, C, OUT_H,
 * OUT_W), and for MAX an optional second top with the place of each maximum in its plane.
 */
#include "lcl/layer.h"
#include "rng.h"
#include "text.h"
#include "tile.h"

enum {
    CPU_ITEMS = 64,       /* enough to balance the cores */
    MAX_EXTENT = 1 << 24, /* of a kernel, stride or pad: keeps kernels' int arithmetic */
    MAX_WINDOW = 1 << 30  /* kernel_h * kernel_w */
};

/* Along one axis. */
typedef struct {
    int kernel, stride, pad;
} window;

typedef struct {
    window h, w;
    lcl_kernel *forward, *mask, *backward; /* borrowed from the device */
    lcl_range forward_range, backward_range;
    cl_mem chosen; /* what each window took; NULL for AVE */
    size_t chosen_size;
    cl_ulong key,
        counter; /* STOCHASTIC: of the random numbers; counter: forward passes */
} pooling_state;

static const Caffe__PoolingParameter none = CAFFE__POOLING_PARAMETER__INIT;

static const Caffe__PoolingParameter *param_of(const lcl_layer *l)
{
    return l->param->pooling_param ? l->param->pooling_param : &none;
}

static lcl_status fail(const lcl_layer *l, const char *field, const char *what,
                       lcl_error *err)
{
    return lcl_layer_fail(l, l->param->pooling_param, field, err, LCL_EPROTO, "%s", what);
}

/* The fields of kernel, stride or pad: `x`, or `x_h` and `x_w`. */
typedef struct {
    const char *name, *name_h, *name_w;
    bool has, has_h, has_w;
    uint32_t both, h, w;
} extent;

static lcl_status take_extent(const lcl_layer *l, const extent *e, int fallback, int *h,
                              int *w, lcl_error *err)
{
    const void *message = l->param->pooling_param;

    if (e->has_h != e->has_w || (e->has && e->has_h))
        return lcl_layer_fail(l, message, e->has_h ? e->name_h : e->name_w, err,
                              LCL_EPROTO, "give either %s, or both %s and %s", e->name,
                              e->name_h, e->name_w);
    if (e->both > MAX_EXTENT || e->h > MAX_EXTENT || e->w > MAX_EXTENT)
        return lcl_layer_fail(l, message, e->has ? e->name : e->name_h, err, LCL_EPROTO,
                              "%s is more than %d", e->name, MAX_EXTENT);
    *h = e->has ? (int)e->both : e->has_h ? (int)e->h : fallback;
    *w = e->has ? (int)e->both : e->has_w ? (int)e->w : fallback;
    return LCL_OK;
}

static lcl_status take_windows(lcl_layer *l, lcl_error *err)
{
    const Caffe__PoolingParameter *p = param_of(l);
    pooling_state *s = l->state;
    const extent kernel = {"kernel_size",      "kernel_h",      "kernel_w",
                           p->has_kernel_size, p->has_kernel_h, p->has_kernel_w,
                           p->kernel_size,     p->kernel_h,     p->kernel_w};
    const extent stride = {"stride",      "stride_h",      "stride_w",
                           p->has_stride, p->has_stride_h, p->has_stride_w,
                           p->stride,     p->stride_h,     p->stride_w};
    const extent pad = {"pad",        "pad_h", "pad_w",  p->has_pad, p->has_pad_h,
                        p->has_pad_w, p->pad,  p->pad_h, p->pad_w};

    LCL_TRY(take_extent(l, &kernel, 0, &s->h.kernel, &s->w.kernel, err));
    LCL_TRY(take_extent(l, &stride, 1, &s->h.stride, &s->w.stride, err));
    return take_extent(l, &pad, 0, &s->h.pad, &s->w.pad, err);
}

static lcl_status check_windows(const lcl_layer *l, lcl_error *err)
{
    const Caffe__PoolingParameter *p = param_of(l);
    const pooling_state *s = l->state;
    const char *kernel = p->has_kernel_size ? "kernel_size" : "kernel_h";

    if (s->h.stride == 0 || s->w.stride == 0)
        return fail(l, p->has_stride ? "stride" : "stride_h", "stride must not be 0",
                    err);
    if (p->global_pooling) {
        if (s->h.kernel != 0 || s->w.kernel != 0)
            return fail(l, kernel, "global_pooling takes the whole plane: no kernel size",
                        err);
        if (s->h.pad != 0 || s->w.pad != 0 || s->h.stride != 1 || s->w.stride != 1)
            return fail(l, "global_pooling", "global_pooling needs pad 0 and stride 1",
                        err);
        return LCL_OK;
    }
    if (!p->has_kernel_size && !p->has_kernel_h)
        return fail(l, NULL, "needs kernel_size, or kernel_h and kernel_w", err);
    if (s->h.kernel == 0 || s->w.kernel == 0)
        return fail(l, kernel, "kernel size must not be 0", err);
    if ((s->h.pad || s->w.pad) &&
        p->pool == CAFFE__POOLING_PARAMETER__POOL_METHOD__STOCHASTIC)
        return fail(l, p->has_pad ? "pad" : "pad_h", "STOCHASTIC pooling has no padding",
                    err);
    if (s->h.pad >= s->h.kernel || s->w.pad >= s->w.kernel)
        return fail(l, p->has_pad ? "pad" : "pad_h",
                    "pad must be less than the kernel size", err);
    return LCL_OK;
}

static lcl_status pooling_setup(lcl_layer *l, lcl_error *err)
{
    const Caffe__PoolingParameter *p = param_of(l);
    pooling_state *s = l->state;

    LCL_TRY(take_windows(l, err));
    LCL_TRY(check_windows(l, err));
    if (l->n_tops > 1 && p->pool != CAFFE__POOLING_PARAMETER__POOL_METHOD__MAX)
        return fail(l, "pool", "only MAX pooling has a second top", err);
    if (p->pool == CAFFE__POOLING_PARAMETER__POOL_METHOD__STOCHASTIC)
        s->key = lcl_rng_key(l->env->rng);
    return LCL_OK;
}

/* Outputs along an axis of `size` inputs, or 0 where the window does not fit. */
static int output_size(int size, const window *k, bool floor_mode)
{
    long room = (long)size + 2L * k->pad - k->kernel;

    if (!floor_mode)
        room += k->stride - 1;
    long n = (room < 0 ? -1 : room / k->stride) + 1;
    /* The last window must start inside the image or its left padding. */
    if (k->pad > 0 && (n - 1) * k->stride >= (long)size + k->pad)
        n--;
    return (int)n;
}

/* Rows of a plane of `rows` that a work-item of a CPU handles. */
static int rows_per_item(size_t rows, size_t planes)
{
    size_t parts = (CPU_ITEMS + planes - 1) / planes;

    parts = parts > rows ? rows : parts;
    return (int)((rows + parts - 1) / parts);
}

static lcl_status get_kernels(lcl_layer *l, const int in[2], const int out[2],
                              lcl_error *err)
{
    static const struct {
        const char *train, *test, *backward;
    } names[] = {
        {"pooling_max_forward", "pooling_max_forward", "pooling_chosen_backward"},
        {"pooling_ave_forward", "pooling_ave_forward", "pooling_ave_backward"},
        {"pooling_stochastic_forward", "pooling_stochastic_test",
         "pooling_chosen_backward"}};
    pooling_state *s = l->state;
    const lcl_blob *x = l->bottoms[0];
    bool cpu = lcl_device_is_cpu(l->dev), train = l->phase == CAFFE__PHASE__TRAIN;
    size_t lanes = (size_t)(x->block / lcl_layer_vector(l, x->block));
    size_t planes = lcl_blob_n_blocks(x) * (size_t)x->shape[1];
    int strides = (in[1] + s->w.pad + s->w.stride - 1) / s->w.stride;
    int rows = cpu ? rows_per_item((size_t)out[0], planes * lanes) : 1;
    int back_rows = cpu ? rows_per_item((size_t)in[0], planes * lanes) : 1;
    int cols = cpu ? out[1] : 1, back_cols = cpu ? strides : 1;
    const lcl_define defines[] = {{"H", in[0]},
                                  {"W", in[1]},
                                  {"OUT_H", out[0]},
                                  {"OUT_W", out[1]},
                                  {"KERNEL_H", s->h.kernel},
                                  {"KERNEL_W", s->w.kernel},
                                  {"STRIDE_H", s->h.stride},
                                  {"STRIDE_W", s->w.stride},
                                  {"PAD_H", s->h.pad},
                                  {"PAD_W", s->w.pad},
                                  {"ROWS", rows},
                                  {"COLS", cols},
                                  {"BACK_ROWS", back_rows},
                                  {"BACK_COLS", back_cols}};
    size_t n = LCL_COUNT(defines);
    int pool = (int)param_of(l)->pool;

    s->forward_range = (lcl_range){
        lanes, lcl_tile_count(out[0], rows) * lcl_tile_count(out[1], cols), planes};
    s->backward_range = (lcl_range){
        lanes, lcl_tile_count(in[0], back_rows) * lcl_tile_count(strides, back_cols),
        planes};
    LCL_TRY(lcl_layer_kernel(l, &s->forward, "pooling",
                             train ? names[pool].train : names[pool].test, x->block,
                             defines, n, err));
    if (l->n_tops > 1)
        LCL_TRY(lcl_layer_kernel(l, &s->mask, "pooling", "pooling_mask", x->block,
                                 defines, n, err));
    return lcl_layer_kernel(l, &s->backward, "pooling", names[pool].backward, x->block,
                            defines, n, err);
}

/* A byte for each output, or an int where a window has more places than a byte. */
static lcl_status need_chosen(lcl_layer *l, lcl_error *err)
{
    pooling_state *s = l->state;
    size_t size = lcl_blob_stored(l->tops[0]);

    if ((long)s->h.kernel * s->w.kernel >= 256)
        size *= sizeof(cl_int);
    if (size <= s->chosen_size)
        return LCL_OK;
    lcl_buffer_release(&s->chosen);
    s->chosen_size = 0;
    LCL_TRY(lcl_buffer_create(&s->chosen, l->dev, size, l->param->name, err));
    s->chosen_size = size;
    return LCL_OK;
}

static lcl_status pooling_reshape(lcl_layer *l, lcl_error *err)
{
    pooling_state *s = l->state;
    const Caffe__PoolingParameter *p = param_of(l);
    const lcl_blob *x = l->bottoms[0];
    bool floor_mode = p->round_mode == CAFFE__POOLING_PARAMETER__ROUND_MODE__FLOOR;

    if (x->n_axes != 4)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_ESHAPE,
                              "bottom '%s' has %d axes; pooling needs 4 (N, C, H, W)",
                              x->name, x->n_axes);
    const int in[2] = {x->shape[2], x->shape[3]};
    if (p->global_pooling) {
        s->h.kernel = in[0];
        s->w.kernel = in[1];
    }
    const int out[2] = {output_size(in[0], &s->h, floor_mode),
                        output_size(in[1], &s->w, floor_mode)};
    if (in[0] == 0 || in[1] == 0 || out[0] <= 0 || out[1] <= 0)
        return lcl_layer_fail(l, l->param->pooling_param, NULL, err, LCL_ESHAPE,
                              "a window of %dx%d does not fit bottom '%s' of %dx%d",
                              s->h.kernel, s->w.kernel, x->name, in[0], in[1]);
    if ((long)s->h.kernel * s->w.kernel > MAX_WINDOW)
        return fail(l, NULL, "the window has more than 2^30 places", err);
    const int shape[4] = {x->shape[0], x->shape[1], out[0], out[1]};
    for (int i = 0; i < l->n_tops; i++)
        LCL_TRY(lcl_blob_reshape(l->tops[i], 4, shape, x->block, err));
    if (p->pool != CAFFE__POOLING_PARAMETER__POOL_METHOD__AVE)
        LCL_TRY(need_chosen(l, err));
    return get_kernels(l, in, out, err);
}

static lcl_status pooling_forward(lcl_layer *l, lcl_error *err)
{
    pooling_state *s = l->state;
    bool train = l->phase == CAFFE__PHASE__TRAIN;
    lcl_arg args[] = {LCL_ARG(l->bottoms[0]->data), LCL_ARG(l->tops[0]->data),
                      LCL_ARG(s->chosen), LCL_ARG(s->key), LCL_ARG(s->counter)};
    static const size_t n_args[][2] = {{3, 3}, {2, 2}, {2, 5}};
    const lcl_range any = {0};

    LCL_TRY(lcl_kernel_run(l->dev, s->forward, s->forward_range, any, args,
                           n_args[param_of(l)->pool][train], err));
    s->counter++;
    if (l->n_tops > 1) {
        lcl_arg mask_args[] = {LCL_ARG(s->chosen), LCL_ARG(l->tops[1]->data)};
        LCL_TRY(
            lcl_kernel_run(l->dev, s->mask, s->forward_range, any, mask_args, 2, err));
    }
    return LCL_OK;
}

static lcl_status pooling_backward(lcl_layer *l, lcl_error *err)
{
    pooling_state *s = l->state;
    const lcl_range any = {0};
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];
    lcl_arg chosen[] = {LCL_ARG(y->diff), LCL_ARG(s->chosen), LCL_ARG(x->diff)};
    lcl_arg ave[] = {LCL_ARG(y->diff), LCL_ARG(x->diff)};

    if (!l->propagate[0])
        return LCL_OK;
    return param_of(l)->pool == CAFFE__POOLING_PARAMETER__POOL_METHOD__AVE
               ? lcl_kernel_run(l->dev, s->backward, s->backward_range, any, ave, 2, err)
               : lcl_kernel_run(l->dev, s->backward, s->backward_range, any, chosen, 3,
                                err);
}

static void pooling_destroy(lcl_layer *l)
{
    pooling_state *s = l->state;

    lcl_buffer_release(&s->chosen);
}

const lcl_layer_type lcl_layer_pooling = {
    .name = "Pooling",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 2,
    .state_size = sizeof(pooling_state),
    .setup = pooling_setup,
    .reshape = pooling_reshape,
    .forward = pooling_forward,
    .backward = pooling_backward,
    .destroy = pooling_destroy,
};
