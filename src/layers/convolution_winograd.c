/* Winograd convolution: chunks of tiles go through the kernels of cl/winograd.cl. */
#include <stdlib.h>
#include <string.h>

#include "layers/convolution.h"
#include "text.h"
#include "tile.h"

#define TILE 4                         /* outputs along an axis of a tile */
#define CHUNK_BYTES ((size_t)24 << 20) /* of transformed images in flight */
#define KEPT_BYTES ((size_t)8 << 20)   /* of a bottom's transform kept for backward */
#define MIN_CHANNELS 8                 /* fewer do not pay for the transforms */

enum { SCRATCH_INPUT, SCRATCH_OUTPUT };

bool lcl_convolution_winograd_suits(const lcl_layer *l)
{
    const convolution_state *s = l->state;
    const lcl_spatial *z = &s->s;
    const char *wanted = getenv("LCL_WINOGRAD");

    if (l->env->direct || (wanted && strcmp(wanted, "0") == 0))
        return false;
    return s->n_spatial == 2 && z->kernel[1] == z->kernel[2] &&
           (z->kernel[1] == 3 || z->kernel[1] == 5) && z->stride[1] == 1 &&
           z->stride[2] == 1 && z->dilation[1] == 1 && z->dilation[2] == 1 &&
           z->out[1] >= TILE && z->out[2] >= TILE &&
           s->channels / s->group >= MIN_CHANNELS &&
           s->outputs / s->group >= MIN_CHANNELS;
}

static size_t points(const convolution_state *s)
{
    return (size_t)(s->winograd.matrices.n * s->winograd.matrices.n);
}

/* Bytes of a chunk's transform of `channels` channels: see POINT of cl/winograd.cl. */
static size_t transform_size(const lcl_layer *l, int channels)
{
    const convolution_state *s = l->state;
    const lcl_convolution_winograd *w = &s->winograd;
    const size_t point = (size_t)channels * (size_t)w->chunk_tiles | 1;

    return point * points(s) * (size_t)w->chunk_blocks * (size_t)l->bottoms[0]->block *
           sizeof(float);
}

static void plan_chunks(lcl_layer *l)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const int *out = s->s.out;

    w->n_tiles = ((out[1] + TILE - 1) / TILE) * ((out[2] + TILE - 1) / TILE);
    w->chunk_tiles = w->chunk_blocks = 1;
    const size_t tile = transform_size(l, s->channels) + transform_size(l, s->outputs);
    const size_t tiles = CHUNK_BYTES / tile > 16 ? CHUNK_BYTES / tile : 16;
    if (tiles < (size_t)w->n_tiles) {
        const int n_chunks = (w->n_tiles + (int)tiles - 1) / (int)tiles;
        w->chunk_tiles = (w->n_tiles + n_chunks - 1) / n_chunks;
    } else {
        const size_t blocks = tiles / (size_t)w->n_tiles;
        w->chunk_tiles = w->n_tiles;
        w->chunk_blocks = (int)(blocks < s->n_blocks ? blocks : s->n_blocks);
    }
    w->input_size = transform_size(l, s->channels);
    w->output_size = transform_size(l, s->outputs);
}

static lcl_status get_kernel(lcl_layer *l, lcl_kernel **out, const char *name, int vector,
                             const lcl_define *own, size_t n_own, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    lcl_define defines[LCL_CONVOLUTION_DEFINES + 16];
    size_t n = lcl_convolution_defines(l, defines);
    char *bt = lcl_winograd_text(&w->matrices.bt, w->matrices.n, w->matrices.n);
    char *at = lcl_winograd_text(&w->matrices.at, w->matrices.n, w->matrices.tile);
    char *gt = lcl_winograd_text(&w->matrices.gt, w->matrices.n, w->matrices.kernel);
    lcl_status status;

    defines[n++] = (lcl_define){"TM", w->matrices.tile};
    defines[n++] = (lcl_define){"R", w->matrices.kernel};
    defines[n++] = (lcl_define){"TILES", w->chunk_tiles};
    defines[n++] = (lcl_define){"K_PITCH", w->k_pitch};
    defines[n++] = (lcl_define){"BT_VALUES", 0, bt};
    defines[n++] = (lcl_define){"AT_VALUES", 0, at};
    defines[n++] = (lcl_define){"GT_VALUES", 0, gt};
    memcpy(defines + n, own, n_own * sizeof *own);
    n += n_own;
    if (vector > 0) {
        defines[n++] = (lcl_define){"B", vector};
        defines[n++] = (lcl_define){"V", vector};
        status = lcl_kernel_get(out, l->dev, "winograd", name, defines, n, err);
    } else {
        status = lcl_layer_kernel(l, out, "winograd", name, l->bottoms[0]->block, defines,
                                  n, err);
    }
    free(bt);
    free(at);
    free(gt);
    return status;
}

/* Filters are transformed several k at a time. */
static int filter_vector(const lcl_layer *l)
{
    return lcl_device_is_cpu(l->dev) ? 16 : 4;
}

static lcl_status get_image_kernel(lcl_layer *l, lcl_kernel **out, const char *name,
                                   lcl_error *err)
{
    static const lcl_define own[] = {{"IMAGES", 1}};

    return get_kernel(l, out, name, 0, own, LCL_COUNT(own), err);
}

/* The product over `depth` channels for `rows` channels, forward or (swapped) backward.
 */
static lcl_status get_multiply(lcl_layer *l, lcl_kernel **out, bool backward,
                               lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const int channels = s->channels / s->group, outputs = s->outputs / s->group;
    const int rows = backward ? channels : outputs;
    int row_tile, tile_tile;

    lcl_blas_tile((size_t)rows, (size_t)w->chunk_tiles, 1,
                  lcl_tile_get(l->dev, LCL_TILE_WINOGRAD), &row_tile, &tile_tile);
    const int row_tiles = (rows + row_tile - 1) / row_tile;
    const int shares = lcl_device_is_cpu(l->dev) ? 1 : row_tiles;
    const lcl_define own[] = {{"MULTIPLY", 1},
                              {"ROWS", rows},
                              {"DEPTH", backward ? outputs : channels},
                              {"U_ROW", backward ? w->k_pitch : 1},
                              {"U_DEPTH", backward ? 1 : w->k_pitch},
                              {"RT", row_tile},
                              {"PT", tile_tile},
                              {"ROW_SHARES", shares}};
    w->row_shares[backward] = shares;
    return get_kernel(l, out, "winograd_multiply", 0, own, LCL_COUNT(own), err);
}

static size_t filters_count(const convolution_state *s)
{
    return points(s) * (size_t)s->channels * (size_t)s->winograd.k_pitch;
}

lcl_status lcl_convolution_winograd_reshape(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const int vector = filter_vector(l), outputs = s->outputs / s->group;
    static const lcl_define filters[] = {{"FILTERS", 1}};

    lcl_winograd_make(&w->matrices, TILE, s->s.kernel[2]);
    w->k_pitch = (outputs + vector - 1) / vector * vector;
    plan_chunks(l);
    LCL_TRY(get_kernel(l, &w->filter, "winograd_filter", vector, filters,
                       LCL_COUNT(filters), err));
    LCL_TRY(get_image_kernel(l, &w->input, "winograd_input", err));
    LCL_TRY(get_image_kernel(l, &w->output, "winograd_output", err));
    LCL_TRY(get_multiply(l, &w->multiply, false, err));
    if (!w->filters)
        LCL_TRY(lcl_buffer_create(&w->filters, l->dev, filters_count(s) * sizeof(float),
                                  l->param->name, err));
    return LCL_OK;
}

/* Partial sums of the filters' gradient: one for each share and lane group. */
static size_t n_parts(const lcl_layer *l)
{
    const convolution_state *s = l->state;

    return (size_t)s->winograd.n_shares * lcl_convolution_lanes(l);
}

static bool keeps_input(const convolution_state *s)
{
    const lcl_convolution_winograd *w = &s->winograd;

    return (size_t)w->chunk_blocks == s->n_blocks && w->chunk_tiles == w->n_tiles &&
           w->input_size <= KEPT_BYTES;
}

lcl_status lcl_convolution_winograd_prepare_backward(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const int channels = s->channels / s->group, outputs = s->outputs / s->group;
    static const lcl_define filters[] = {{"FILTERS", 1}};
    const size_t units = lcl_device_get_info(l->dev)->compute_units;
    int rows, columns;

    lcl_blas_tile((size_t)outputs, (size_t)channels, 1,
                  lcl_tile_get(l->dev, LCL_TILE_WINOGRAD), &rows, &columns);
    const lcl_define product[] = {{"FILTER_PRODUCT", 1}, {"KT", rows}, {"CT", columns}};
    LCL_TRY(get_kernel(l, &w->filter_adjoint, "winograd_filter_adjoint", filter_vector(l),
                       filters, LCL_COUNT(filters), err));
    LCL_TRY(get_image_kernel(l, &w->output_adjoint, "winograd_output_adjoint", err));
    LCL_TRY(get_image_kernel(l, &w->input_adjoint, "winograd_input_adjoint", err));
    LCL_TRY(get_multiply(l, &w->multiply_adjoint, true, err));
    LCL_TRY(get_kernel(l, &w->filter_product, "winograd_filter_product", 0, product,
                       LCL_COUNT(product), err));
    LCL_TRY(
        lcl_kernel_get(&w->sum_parts, l->dev, "reduce", "reduce_parts", NULL, 0, err));
    w->n_shares = 1;
    while (points(s) * (size_t)w->n_shares < 8 * units &&
           w->n_shares * 2 <= w->chunk_blocks)
        w->n_shares *= 2;
    lcl_buffer_release(&w->filter_parts);
    lcl_buffer_release(&w->bias_parts);
    lcl_buffer_release(&w->kept_input);
    LCL_TRY(lcl_buffer_create(&w->filter_parts, l->dev,
                              n_parts(l) * filters_count(s) * sizeof(float),
                              l->param->name, err));
    if (n_parts(l) > 1)
        LCL_TRY(lcl_buffer_create(&w->bias_parts, l->dev,
                                  n_parts(l) * (size_t)s->outputs * sizeof(float),
                                  l->param->name, err));
    if (keeps_input(s))
        LCL_TRY(lcl_buffer_create(&w->kept_input, l->dev, w->input_size, l->param->name,
                                  err));
    return LCL_OK;
}

/* Tiles t0.. of blocks n0... */
typedef struct {
    cl_int n0, t0, n_blocks, n_tiles;
} chunk;

static bool next_chunk(const convolution_state *s, chunk *c)
{
    const lcl_convolution_winograd *w = &s->winograd;

    if (c->n_blocks > 0) {
        c->t0 += w->chunk_tiles;
        if (c->t0 >= w->n_tiles) {
            c->t0 = 0;
            c->n0 += w->chunk_blocks;
        }
    }
    if ((size_t)c->n0 >= s->n_blocks)
        return false;
    const int tiles_left = w->n_tiles - c->t0, blocks_left = (int)s->n_blocks - c->n0;
    c->n_tiles = tiles_left < w->chunk_tiles ? tiles_left : w->chunk_tiles;
    c->n_blocks = blocks_left < w->chunk_blocks ? blocks_left : w->chunk_blocks;
    return true;
}

/* A transform between images and tiles, of `buffers` in the order of the kernel. */
static lcl_status run_transform(lcl_layer *l, lcl_kernel *kernel, const cl_mem *buffers,
                                size_t n_buffers, int channels, const chunk *c,
                                lcl_error *err)
{
    lcl_arg args[8];
    size_t n = 0;

    for (size_t i = 0; i < n_buffers; i++)
        args[n++] = (lcl_arg)LCL_ARG(buffers[i]);
    args[n++] = (lcl_arg)LCL_ARG(c->n0);
    args[n++] = (lcl_arg)LCL_ARG(c->t0);
    args[n++] = (lcl_arg)LCL_ARG(c->n_tiles);
    return lcl_kernel_run(
        l->dev, kernel,
        (lcl_range){lcl_convolution_lanes(l), (size_t)channels, (size_t)c->n_blocks},
        (lcl_range){0}, args, n, err);
}

static lcl_status run_multiply(lcl_layer *l, bool backward, cl_mem in, cl_mem out,
                               const chunk *c, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const lcl_arg args[] = {LCL_ARG(w->filters), LCL_ARG(in), LCL_ARG(out),
                            LCL_ARG(c->n_tiles)};
    const lcl_range range = {lcl_convolution_lanes(l),
                             (size_t)(s->group * w->row_shares[backward]),
                             (size_t)c->n_blocks * points(s)};

    return lcl_kernel_run(l->dev, backward ? w->multiply_adjoint : w->multiply, range,
                          (lcl_range){0}, args, LCL_COUNT(args), err);
}

static lcl_range filter_range(const lcl_layer *l)
{
    const convolution_state *s = l->state;

    return (lcl_range){(size_t)(s->winograd.k_pitch / filter_vector(l)),
                       (size_t)(s->channels / s->group), (size_t)s->group};
}

static lcl_status transform_filters(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    const lcl_arg args[] = {LCL_ARG(l->params[0]->data), LCL_ARG(s->winograd.filters)};

    return lcl_kernel_run(l->dev, s->winograd.filter, filter_range(l), (lcl_range){0},
                          args, LCL_COUNT(args), err);
}

lcl_status lcl_convolution_winograd_forward(lcl_layer *l, int i, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const cl_mem bias = l->params[s->bias ? 1 : 0]->data;
    cl_mem u = w->kept_input, m;

    if (i == 0)
        LCL_TRY(transform_filters(l, err));
    if (!u)
        LCL_TRY(lcl_device_scratch(&u, l->dev, SCRATCH_INPUT, w->input_size, err));
    LCL_TRY(lcl_device_scratch(&m, l->dev, SCRATCH_OUTPUT, w->output_size, err));
    for (chunk c = {0}; next_chunk(s, &c);) {
        const cl_mem input[] = {l->bottoms[i]->data, u};
        const cl_mem output[] = {m, bias, lcl_convolution_top(l, i)->data,
                                 s->epilogue.buffer};
        LCL_TRY(run_transform(l, w->input, input, 2, s->channels, &c, err));
        LCL_TRY(run_multiply(l, false, u, m, &c, err));
        LCL_TRY(run_transform(l, w->output, output, 4, s->outputs, &c, err));
    }
    return LCL_OK;
}

static lcl_status run_filter_product(lcl_layer *l, int i, cl_mem v, cl_mem u,
                                     const chunk *c, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const cl_int later = c->n0 > 0 || c->t0 > 0;
    const cl_int with_bias = s->bias && l->param_propagate[1];
    const cl_int add_bias =
        later || (!w->bias_parts && with_bias && (l->accumulate[1] || i > 0));
    const cl_mem db = w->bias_parts ? w->bias_parts
                      : with_bias   ? l->params[1]->diff
                                    : w->filter_parts;
    const lcl_arg args[] = {
        LCL_ARG(v),     LCL_ARG(u),           LCL_ARG(w->filter_parts),
        LCL_ARG(db),    LCL_ARG(c->n_blocks), LCL_ARG(c->n_tiles),
        LCL_ARG(later), LCL_ARG(with_bias),   LCL_ARG(add_bias)};
    const lcl_range range = {lcl_convolution_lanes(l), points(s) * (size_t)s->group,
                             (size_t)w->n_shares};

    return lcl_kernel_run(l->dev, w->filter_product, range, (lcl_range){0}, args,
                          LCL_COUNT(args), err);
}

/* The parameters' gradients from their partial sums. */
static lcl_status finish_params(lcl_layer *l, int i, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const cl_int parts = (cl_int)n_parts(l), outputs = s->outputs;
    const cl_int add = l->accumulate[0] || i > 0, add_bias = l->accumulate[1] || i > 0;
    const lcl_arg args[] = {LCL_ARG(w->filter_parts), LCL_ARG(parts),
                            LCL_ARG(l->params[0]->diff), LCL_ARG(add)};

    if (l->param_propagate[0])
        LCL_TRY(lcl_kernel_run(l->dev, w->filter_adjoint, filter_range(l), (lcl_range){0},
                               args, LCL_COUNT(args), err));
    if (!w->bias_parts || !s->bias || !l->param_propagate[1])
        return LCL_OK;
    const lcl_arg bias_args[] = {LCL_ARG(w->bias_parts), LCL_ARG(parts), LCL_ARG(outputs),
                                 LCL_ARG(l->params[1]->diff), LCL_ARG(add_bias)};
    return lcl_kernel_run(l->dev, w->sum_parts, (lcl_range){.x = (size_t)s->outputs},
                          (lcl_range){0}, bias_args, LCL_COUNT(bias_args), err);
}

lcl_status lcl_convolution_winograd_backward(lcl_layer *l, int i, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    /* What forward kept is that of the last bottom. */
    const bool kept = w->kept_input && i == l->n_bottoms - 1;
    const bool params = l->param_propagate[0] || (s->bias && l->param_propagate[1]);
    cl_mem u = w->kept_input, v, m;

    if (!params && !l->propagate[i])
        return LCL_OK;
    LCL_TRY(lcl_device_scratch(&m, l->dev, SCRATCH_INPUT, w->input_size, err));
    LCL_TRY(lcl_device_scratch(&v, l->dev, SCRATCH_OUTPUT, w->output_size, err));
    if (!u)
        u = m;
    for (chunk c = {0}; next_chunk(s, &c);) {
        const cl_mem input[] = {l->bottoms[i]->data, u};
        const cl_mem output[] = {lcl_convolution_top(l, i)->diff, s->epilogue.buffer, v};
        const cl_mem gradient[] = {m, l->bottoms[i]->diff};
        LCL_TRY(run_transform(l, w->output_adjoint, output, 3, s->outputs, &c, err));
        if (params) {
            if (!kept)
                LCL_TRY(run_transform(l, w->input, input, 2, s->channels, &c, err));
            LCL_TRY(run_filter_product(l, i, v, u, &c, err));
        }
        if (l->propagate[i]) {
            LCL_TRY(run_multiply(l, true, v, m, &c, err));
            LCL_TRY(
                run_transform(l, w->input_adjoint, gradient, 2, s->channels, &c, err));
        }
    }
    return params ? finish_params(l, i, err) : LCL_OK;
}

void lcl_convolution_winograd_release(lcl_layer *l)
{
    lcl_convolution_winograd *w = &((convolution_state *)l->state)->winograd;

    lcl_buffer_release(&w->filters);
    lcl_buffer_release(&w->filter_parts);
    lcl_buffer_release(&w->bias_parts);
    lcl_buffer_release(&w->kept_input);
}
