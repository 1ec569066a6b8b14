/* Layers with a weight for each channel: how their kernels walk a blob. */
#include "channelwise.h"

#include <string.h>

#include "text.h"

enum { CPU_SUMS = 64, CPU_AT_ONCE = 8, GPU_SUMS = 4096, GPU_COLUMNS = 64 };

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t pieces(size_t n, size_t each)
{
    return (n + each - 1) / each;
}

lcl_channels lcl_channels_of(const lcl_blob *x, int end, size_t channels, bool per_image)
{
    size_t stored = lcl_blob_stored(x), block = (size_t)x->block;
    size_t run = end == 0 ? stored : lcl_blob_count_range(x, end, x->n_axes) * block;
    lcl_channels c = {.channels = channels, .block = x->block, .per_image = per_image};

    c.elements = lcl_elements_in_runs(x->dev, stored, per_image ? block : run);
    c.rows = stored > 0 ? stored / (channels * run) : 0;
    c.width = run / (size_t)c.elements.vector;
    c.at_once = lcl_device_is_cpu(x->dev) && !per_image && c.width < CPU_AT_ONCE
                    ? CPU_AT_ONCE
                    : 1;
    return c;
}

/* `at_once` channels a work-item; 0: the kernel does not ask, and is the same for all. */
static lcl_status get_kernel(lcl_kernel **out, const lcl_layer *l, const lcl_channels *c,
                             const char *file, const char *kernel, const char *formula,
                             int at_once, lcl_error *err)
{
    const lcl_define defines[] = {{"B", c->per_image ? c->block : c->elements.vector},
                                  {"V", c->elements.vector},
                                  {"PER_IMAGE", c->per_image},
                                  {"FORMULA", 0, formula},
                                  {"AT_ONCE", at_once}};

    return lcl_kernel_get(out, l->dev, file, kernel, defines,
                          LCL_COUNT(defines) - (at_once == 0), err);
}

lcl_status lcl_channel_map_get(lcl_kernel **out, const lcl_layer *l,
                               const lcl_channels *c, const char *formula, lcl_error *err)
{
    return get_kernel(out, l, c, "channel_map", "channel_map", formula, 0, err);
}

lcl_status lcl_channel_map_run(lcl_device *dev, lcl_kernel *kernel, const lcl_channels *c,
                               cl_mem x, cl_mem d, cl_mem s, cl_mem t, cl_mem out,
                               lcl_error *err)
{
    cl_int channels = (cl_int)c->channels, width = (cl_int)c->width;
    const lcl_arg args[] = {LCL_ARG(channels), LCL_ARG(width), LCL_ARG(x),  LCL_ARG(d),
                            LCL_ARG(s),        LCL_ARG(t),     LCL_ARG(out)};

    return lcl_elements_run(&c->elements, dev, kernel, args, 7, err);
}

lcl_status lcl_channel_sum_get(lcl_channel_sum *out, const lcl_layer *l,
                               const lcl_channels *c, const char *formula, lcl_error *err)
{
    LCL_TRY(get_kernel(&out->sum, l, c, "channel_sum",
                       c->per_image ? "channel_image_sum" : "channel_sum", formula,
                       c->at_once, err));
    return lcl_kernel_get(&out->reduce, l->dev, "reduce", "reduce_parts", NULL, 0, err);
}

/* How the sum over a weight's rows of `width` vectors is cut into parts: of row_each rows, and
 * of `each` vectors of a row that start at part * first and lie `step` apart. */
typedef struct {
    cl_int row_each, first, step, each;
    lcl_range global; /* column parts, channels, row parts */
} cut;

static cut cut_sum(const lcl_device *dev, const lcl_channels *c)
{
    bool cpu = lcl_device_is_cpu(dev);
    size_t most = cpu ? CPU_SUMS : GPU_SUMS, columns = 1, rows, each;
    cut k = {0};

    if (!cpu)
        columns = min_of(c->width, GPU_COLUMNS);
    rows = min_of(c->rows, pieces(most, c->channels * columns));
    k.row_each = (cl_int)pieces(c->rows, rows);
    rows = pieces(c->rows, (size_t)k.row_each);
    if (cpu)
        columns = min_of(c->width, pieces(most, c->channels * rows));
    each = pieces(c->width, columns);
    columns = pieces(c->width, each);
    k.each = (cl_int)each;
    k.first = cpu ? k.each : 1;
    k.step = cpu ? 1 : (cl_int)columns;
    k.global = (lcl_range){columns, pieces(c->channels, (size_t)c->at_once), rows};
    return k;
}

static lcl_status sum_images(lcl_device *dev, lcl_kernel *kernel, const lcl_channels *c,
                             cl_mem x, cl_mem d, cl_mem out, lcl_error *err)
{
    size_t lanes = (size_t)(c->block / c->elements.vector);
    cl_int width = (cl_int)c->width;
    const lcl_arg args[] = {LCL_ARG(width), LCL_ARG(x), LCL_ARG(d), LCL_ARG(out)};

    return lcl_kernel_run(dev, kernel, (lcl_range){lanes, c->channels * c->rows, 1},
                          (lcl_range){0}, args, 4, err);
}

lcl_status lcl_channel_sum_run(lcl_device *dev, const lcl_channel_sum *s,
                               const lcl_channels *c, cl_mem x, cl_mem d, cl_mem out,
                               bool accumulate, lcl_error *err)
{
    cl_int rows = (cl_int)c->rows, channels = (cl_int)c->channels, add = accumulate;
    cl_int width = (cl_int)c->width;
    cl_mem parts = out;

    if (rows == 0)
        return accumulate
                   ? LCL_OK
                   : lcl_buffer_fill(dev, out, 0, c->channels * sizeof(float), 0, err);
    if (c->per_image)
        return sum_images(dev, s->sum, c, x, d, out, err);
    cut k = cut_sum(dev, c);
    cl_int n_parts = (cl_int)(k.global.x * k.global.z);
    if (n_parts > 1 || accumulate)
        LCL_TRY(lcl_device_scratch(&parts, dev, 0,
                                   (size_t)n_parts * c->channels * sizeof(float), err));
    const lcl_arg args[] = {LCL_ARG(rows),       LCL_ARG(channels), LCL_ARG(width),
                            LCL_ARG(k.row_each), LCL_ARG(k.first),  LCL_ARG(k.step),
                            LCL_ARG(k.each),     LCL_ARG(x),        LCL_ARG(d),
                            LCL_ARG(parts)};
    const lcl_arg reduce_args[] = {LCL_ARG(parts), LCL_ARG(n_parts), LCL_ARG(channels),
                                   LCL_ARG(out), LCL_ARG(add)};
    LCL_TRY(lcl_kernel_run(dev, s->sum, k.global, (lcl_range){0}, args, 10, err));
    if (parts == out)
        return LCL_OK;
    return lcl_kernel_run(dev, s->reduce, (lcl_range){.x = c->channels}, (lcl_range){0},
                          reduce_args, 5, err);
}

lcl_status lcl_channel_param(lcl_layer *l, int n_axes, const int *shape,
                             const Caffe__FillerParameter *filler, float otherwise,
                             lcl_error *err)
{
    Caffe__FillerParameter constant = CAFFE__FILLER_PARAMETER__INIT;

    constant.value = otherwise;
    return lcl_layer_add_param(l, n_axes, shape, filler ? filler : &constant, err);
}

/* ---- The options of Scale and Bias ------------------------------------------------- */

/* How many axes have weights, from `axis` on; 0 is one weight for all. */
static lcl_status find_axes(const lcl_layer *l, const lcl_channel_axes *a, int *axis,
                            int *n_axes, lcl_error *err)
{
    const lcl_blob *x = l->bottoms[0];

    *n_axes = l->n_bottoms > 1 ? l->bottoms[1]->n_axes : a->num_axes;
    *axis = 0;
    if (*n_axes == 0)
        return LCL_OK;
    LCL_TRY(lcl_layer_axis(l, x, a->axis, a->message, "axis", axis, err));
    if (*n_axes == -1)
        *n_axes = x->n_axes - *axis;
    if (*n_axes < 0 || *n_axes > x->n_axes - *axis)
        return lcl_layer_fail(
            l, l->n_bottoms > 1 ? l->param : a->message,
            l->n_bottoms > 1 ? "bottom" : "num_axes", err, LCL_ESHAPE,
            "'%s' has %d axes from axis %d on; weights for %d do not fit (-1: for all)",
            x->name, x->n_axes - *axis, *axis, *n_axes);
    return LCL_OK;
}

/* Weights of a parameter that differ from image to image, and weights of a bottom that do
 * not, are no matter of blocks. */
lcl_status lcl_channel_axes_set_up(lcl_layer *l, const lcl_channel_axes *a, int *n_axes,
                                   int shape[LCL_MAX_AXES], lcl_error *err)
{
    int axis;

    LCL_TRY(find_axes(l, a, &axis, n_axes, err));
    l->plain = *n_axes > 0 && (l->n_bottoms > 1) == (axis > 0);
    for (int i = 0; i < *n_axes; i++)
        shape[i] = l->bottoms[0]->shape[axis + i];
    return LCL_OK;
}

lcl_status lcl_channel_axes_find(const lcl_layer *l, const lcl_channel_axes *a,
                                 const lcl_blob *weights, lcl_channels *out,
                                 lcl_error *err)
{
    const lcl_blob *x = l->bottoms[0];
    char shape[160], weights_shape[160];
    int axis, n_axes;

    LCL_TRY(find_axes(l, a, &axis, &n_axes, err));
    if (n_axes != weights->n_axes ||
        memcmp(x->shape + axis, weights->shape, (size_t)n_axes * sizeof *x->shape) != 0) {
        lcl_blob_shape_text(x, shape, sizeof shape);
        lcl_blob_shape_text(weights, weights_shape, sizeof weights_shape);
        return lcl_layer_fail(
            l, NULL, NULL, err, LCL_ESHAPE,
            "'%s' is %s; weights of shape %s do not fit from axis %d on", x->name, shape,
            weights_shape, axis);
    }
    bool per_image = l->n_bottoms > 1 && weights == l->bottoms[1] && n_axes > 0 &&
                     axis == 0 && x->block > 1;
    *out = lcl_channels_of(
        x, axis + n_axes,
        per_image ? lcl_blob_image_count(weights) : lcl_blob_count(weights), per_image);
    return LCL_OK;
}
