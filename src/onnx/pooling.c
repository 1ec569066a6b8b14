/* Pooling and SPP. Caffe's last window may reach beyond the padding, and an average counts the
 * padding that its window has, but nothing beyond; versions of ONNX and their readers differ
 * there. So the far padding is given as it is needed, and ONNX's own rounding never asked for. */
#include "onnx/onnx.h"

enum { MAX, AVE, STOCHASTIC }; /* the values of both messages */

/* Along an axis: windows that begin at -pad, with `stride` between them. */
typedef struct {
    int in, out, kernel, stride, pad;
} window;

/* How far the last window reaches behind the last pixel; the windows before it may miss some. */
static int beyond(const window *w)
{
    const int end = (w->out - 1) * w->stride + w->kernel - w->pad - w->in;

    return end > 0 ? end : 0;
}

static lcl_status check(const lcl_onnx *x, const window *w, lcl_error *err)
{
    if ((w->out - 1) * w->stride - w->pad < w->in)
        return LCL_OK;
    return lcl_onnx_refuse(x, x->layer->param->pooling_param, NULL, err,
                           "the last window has no pixel (the stride is larger than the "
                           "kernel); ONNX has no value for it");
}

static void set_windows(lcl_onnx *x, const window w[2], int pad_h, int pad_w, int end_h,
                        int end_w)
{
    const int64_t kernel[2] = {w[0].kernel, w[1].kernel};
    const int64_t stride[2] = {w[0].stride, w[1].stride};
    const int64_t pads[4] = {pad_h, pad_w, end_h, end_w};

    lcl_onnx_ints(x, "kernel_shape", kernel, 2);
    lcl_onnx_ints(x, "strides", stride, 2);
    lcl_onnx_ints(x, "pads", pads, 4);
}

static const char *max_pool(lcl_onnx *x, const char *tensor, const window w[2])
{
    const char *y = LCL_ONNX_NODE(x, "MaxPool", tensor);

    set_windows(x, w, w[0].pad, w[1].pad, beyond(&w[0]), beyond(&w[1]));
    return y;
}

/* Zeros around the planes. */
static const char *pad(lcl_onnx *x, const char *tensor, const window w[2])
{
    const int64_t pads[8] = {0, 0, w[0].pad, w[1].pad, 0, 0, w[0].pad, w[1].pad};
    const char *numbers = lcl_onnx_numbers(x, "pads", pads, 8);

    return LCL_ONNX_NODE(x, "Pad", tensor, numbers);
}

static int more(int a, int b)
{
    return a > b ? a - b : 0;
}

/* Where windows end in the padding, all of a window's places count. Else the padding becomes
 * pixels, and only these count. */
static const char *average(lcl_onnx *x, const char *tensor, const window w[2])
{
    const int far_h = more(beyond(&w[0]), w[0].pad),
              far_w = more(beyond(&w[1]), w[1].pad);
    const bool inside = far_h == 0 && far_w == 0;

    if (!inside && (w[0].pad || w[1].pad))
        tensor = pad(x, tensor, w);
    const char *y = LCL_ONNX_NODE(x, "AveragePool", tensor);
    if (inside)
        set_windows(x, w, w[0].pad, w[1].pad, beyond(&w[0]), beyond(&w[1]));
    else
        set_windows(x, w, 0, 0, far_h, far_w);
    lcl_onnx_int(x, "count_include_pad", inside);
    return y;
}

/* In tests: the mean of the values, each with itself as its weight; 0 where all are. */
static const char *stochastic(lcl_onnx *x, const char *tensor, const window w[2])
{
    const char *zero = lcl_onnx_scalar(x, "zero", 0);
    const char *sum = average(x, tensor, w);
    const char *squares = average(x, LCL_ONNX_NODE(x, "Mul", tensor, tensor), w);
    const char *mean = LCL_ONNX_NODE(x, "Div", squares, sum);
    const char *positive = LCL_ONNX_NODE(x, "Greater", sum, zero);

    return LCL_ONNX_NODE(x, "Where", positive, mean, zero);
}

static const char *pool(lcl_onnx *x, const char *tensor, int method, const window w[2])
{
    return method == MAX   ? max_pool(x, tensor, w)
           : method == AVE ? average(x, tensor, w)
                           : stochastic(x, tensor, w);
}

/* Places in the plane out of ONNX's, which are in the whole tensor. Call right behind max_pool. */
static const char *mask(lcl_onnx *x, const window w[2])
{
    const int64_t plane = (int64_t)w[0].in * w[1].in;
    const char *all = lcl_onnx_next_output(x),
               *size = lcl_onnx_numbers(x, "plane", &plane, 1);

    return lcl_onnx_cast(x, LCL_ONNX_NODE(x, "Mod", all, size), LCL_ONNX_FLOAT);
}

static int either(bool has_both, uint32_t both, bool has_one, uint32_t one, int fallback)
{
    return has_both ? (int)both : has_one ? (int)one : fallback;
}

static void find_windows(const lcl_layer *l, const Caffe__PoolingParameter *p,
                         window w[2])
{
    const lcl_blob *b = l->net_bottoms[0], *top = l->net_tops[0];

    for (int i = 0; i < 2; i++) {
        const bool h = i == 0;
        w[i] = (window){.in = b->shape[2 + i],
                        .out = top->shape[2 + i],
                        .kernel = either(p->has_kernel_size, p->kernel_size, true,
                                         h ? p->kernel_h : p->kernel_w, 0),
                        .stride = either(p->has_stride, p->stride,
                                         h ? p->has_stride_h : p->has_stride_w,
                                         h ? p->stride_h : p->stride_w, 1),
                        .pad = either(p->has_pad, p->pad, h ? p->has_pad_h : p->has_pad_w,
                                      h ? p->pad_h : p->pad_w, 0)};
        if (p->global_pooling)
            w[i].kernel = w[i].in;
    }
}

lcl_status lcl_onnx_pooling(lcl_onnx *x, lcl_error *err)
{
    static const Caffe__PoolingParameter none = CAFFE__POOLING_PARAMETER__INIT;
    const lcl_layer *l = x->layer;
    const Caffe__PoolingParameter *p =
        l->param->pooling_param ? l->param->pooling_param : &none;
    const char *bottom = lcl_onnx_bottom(x, 0), *y, *places = NULL;
    window w[2];

    find_windows(l, p, w);
    LCL_TRY(check(x, &w[0], err));
    LCL_TRY(check(x, &w[1], err));
    if (p->global_pooling && l->n_tops == 1 && (int)p->pool != STOCHASTIC)
        y = LCL_ONNX_NODE(x, (int)p->pool == MAX ? "GlobalMaxPool" : "GlobalAveragePool",
                          bottom);
    else
        y = pool(x, bottom, (int)p->pool, w);
    if (l->n_tops > 1)
        places = mask(x, w);
    lcl_onnx_set_top(x, 0, y);
    if (places)
        lcl_onnx_set_top(x, 1, places);
    return LCL_OK;
}

/* `n` windows that cover the plane, with as little padding as that takes. */
static window cover(int size, int n)
{
    const int kernel = (size + n - 1) / n;

    return (window){size, n, kernel, kernel, (kernel * n - size + 1) / 2};
}

lcl_status lcl_onnx_spp(lcl_onnx *x, lcl_error *err)
{
    const lcl_layer *l = x->layer;
    const Caffe__SPPParameter *p = l->param->spp_param;
    const lcl_blob *b = l->net_bottoms[0];
    const char *bottom = lcl_onnx_bottom(x, 0), *levels[32];

    (void)err;
    for (uint32_t i = 0; i < p->pyramid_height; i++) {
        const window w[2] = {cover(b->shape[2], 1 << i), cover(b->shape[3], 1 << i)};
        levels[i] = pool(x, bottom, (int)p->pool, w);
        if (p->pyramid_height > 1)
            levels[i] = LCL_ONNX_NODE(x, "Flatten", levels[i]);
    }
    if (p->pyramid_height > 1) {
        levels[0] = lcl_onnx_node(x, "Concat", levels, p->pyramid_height);
        lcl_onnx_int(x, "axis", 1);
    }
    lcl_onnx_set_top(x, 0, levels[0]);
    return LCL_OK;
}
