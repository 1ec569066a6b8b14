/* Winograd convolution: small layers in one launch a pass (convolution_winograd_pass.c), others step
 * by step: chunks of tiles go through the kernels of cl/winograd*.cl. */
#include <stdlib.h>
#include <string.h>

#include "layers/convolution_winograd.h"
#include "tile.h"

#define KEPT_BYTES ((size_t)8 << 20) /* of a bottom's transform kept for backward */
#define MIN_CHANNELS 8               /* fewer do not pay for the transforms */
#define MIN_TILES 16                 /* of single images: fewer not for the filters' */
#define MAX_OWN 32                   /* defines beside those of all kernels */

bool lcl_convolution_winograd_suits(const lcl_layer *l)
{
    const convolution_state *s = l->state;
    const lcl_spatial *z = &s->s;
    const char *wanted = getenv("LCL_WINOGRAD");
    const int tile = LCL_WINOGRAD_TILE;

    if (l->env->direct || (wanted && strcmp(wanted, "0") == 0) ||
        (lcl_convolution_is_narrow(l) && lcl_winograd_count_tiles(s) < MIN_TILES))
        return false;
    return s->n_spatial == 2 && z->kernel[1] == z->kernel[2] &&
           (z->kernel[1] == 3 || z->kernel[1] == 5) && z->stride[1] == 1 &&
           z->stride[2] == 1 && z->dilation[1] == 1 && z->dilation[2] == 1 &&
           z->out[1] >= tile && z->out[2] >= tile && tile % s->epilogue.pool_h == 0 &&
           tile % s->epilogue.pool_w == 0 && s->channels / s->group >= MIN_CHANNELS &&
           s->outputs / s->group >= MIN_CHANNELS;
}

/* ---- Kernels ----------------------------------------------------------------------- */

lcl_status lcl_winograd_kernel(lcl_layer *l, lcl_kernel **out, const char *file,
                               const char *name, int group, size_t panels,
                               const lcl_define *own, size_t n_own, lcl_error *err)
{
    convolution_state *s = l->state;
    const lcl_convolution_winograd *w = &s->winograd;
    const lcl_define defines[] = {{"B", group},
                                  {"V", lcl_winograd_vector(l)},
                                  {"IB", l->bottoms[0]->block},
                                  {"GROUPS", w->groups},
                                  {"PANELS", (long)panels},
                                  {"TOP_ROWS", w->top_rows},
                                  {"BOTTOM_ROWS", w->bottom_rows},
                                  {"FILTERS", w->filters_size},
                                  {"KB", w->top_tile}};
    lcl_define all[LCL_CONVOLUTION_DEFINES + LCL_COUNT(defines) + MAX_OWN];
    size_t n = lcl_convolution_defines(l, &s->s, all);

    memcpy(all + n, defines, sizeof defines);
    n += LCL_COUNT(defines);
    memcpy(all + n, own, n_own * sizeof *own);
    return lcl_kernel_get(out, l->dev, file, name, all, n + n_own, err);
}

lcl_status lcl_winograd_transform(lcl_layer *l, lcl_kernel **out, const char *file,
                                  const char *name, int group, size_t panels,
                                  const lcl_define *own, size_t n_own, lcl_error *err)
{
    const lcl_winograd *m = &((convolution_state *)l->state)->winograd.matrices;
    char *bt = lcl_winograd_text(&m->bt, m->n, m->n);
    char *at = lcl_winograd_text(&m->at, m->n, m->tile);
    char *gt = lcl_winograd_text(&m->gt, m->n, m->kernel);
    const lcl_define constants[] = {{"TM", m->tile},
                                    {"R", m->kernel},
                                    {"BT_VALUES", 0, bt},
                                    {"AT_VALUES", 0, at},
                                    {"GT_VALUES", 0, gt}};
    lcl_define all[LCL_COUNT(constants) + MAX_OWN];

    memcpy(all, constants, sizeof constants);
    for (size_t i = 0; i < n_own; i++)
        all[LCL_COUNT(constants) + i] = own[i];
    lcl_status status = lcl_winograd_kernel(l, out, file, name, group, panels, all,
                                            LCL_COUNT(constants) + n_own, err);
    free(bt);
    free(at);
    free(gt);
    return status;
}

static lcl_status get_filter_kernel(lcl_layer *l, lcl_error *err)
{
    const lcl_define part = {"FILTER", 1};

    return lcl_winograd_transform(l, &((convolution_state *)l->state)->winograd.filter,
                                  "winograd_filters", "winograd_filter",
                                  lcl_winograd_vector(l), 1, &part, 1, err);
}

static lcl_status get_filter_adjoint(lcl_layer *l, lcl_error *err)
{
    lcl_convolution_winograd *w = &((convolution_state *)l->state)->winograd;
    const lcl_define own[] = {{"FILTER_ADJOINT", 1},
                              {"TOP_TURNED", w->top_turned},
                              {"FACTORS", w->product_rows},
                              {"COLUMNS", w->product_columns},
                              {"ROW_SIZE", w->product_row}};

    return lcl_winograd_transform(l, &w->filter_adjoint, "winograd_filters",
                                  "winograd_filter_adjoint", lcl_winograd_vector(l), 1,
                                  own, LCL_COUNT(own), err);
}

static lcl_status get_image_kernel(lcl_layer *l, lcl_kernel **out, const char *name,
                                   lcl_error *err)
{
    const size_t panels = ((convolution_state *)l->state)->winograd.chunk_panels;

    return lcl_winograd_transform(l, out, "winograd_images", name, lcl_winograd_group(l),
                                  panels, NULL, 0, err);
}

/* The product over the channels of the bottom, forward, or over those of the top, backward. */
static lcl_status get_multiply(lcl_layer *l, lcl_kernel **out, bool backward,
                               lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const int channels = s->channels / s->group, outputs = s->outputs / s->group;
    const int rows = backward ? w->bottom_rows : w->top_rows;
    const int tile = backward ? w->bottom_tile : w->top_tile;
    const int shares = lcl_device_is_cpu(l->dev) ? 1 : rows / tile;
    const lcl_define own[] = {{"MULTIPLY", 1},
                              {"POS", (long)lcl_winograd_points(s)},
                              {"CHANNELS", channels},
                              {"ROWS", rows},
                              {"DEPTH", backward ? outputs : channels},
                              {"RT", tile},
                              {"ROW_SHARES", shares},
                              {"ADJOINT", 1}};
    w->row_shares[backward] = (size_t)shares;
    return lcl_winograd_kernel(l, out, "winograd_product", "winograd_multiply",
                               lcl_winograd_group(l), w->chunk_panels, own,
                               LCL_COUNT(own) - !backward, err);
}

static lcl_status get_filter_product(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const lcl_define own[] = {{"FILTER_PRODUCT", 1},
                              {"POS", (long)lcl_winograd_points(s)},
                              {"BIAS_POINT", w->matrices.n + 1},
                              {"TURNED", w->turned},
                              {"FACTORS", w->product_rows},
                              {"ROW_SIZE", w->product_row},
                              {"FT", w->row_tile},
                              {"CT", w->column_tile}};

    return lcl_winograd_kernel(l, &w->filter_product, "winograd_product",
                               "winograd_filter_product", lcl_winograd_group(l),
                               w->chunk_panels, own, LCL_COUNT(own), err);
}

static lcl_status get_forward_steps(lcl_layer *l, lcl_error *err)
{
    lcl_convolution_winograd *w = &((convolution_state *)l->state)->winograd;

    LCL_TRY(get_filter_kernel(l, err));
    LCL_TRY(get_image_kernel(l, &w->input, "winograd_input", err));
    LCL_TRY(get_image_kernel(l, &w->output, "winograd_output", err));
    return get_multiply(l, &w->multiply, false, err);
}

lcl_status lcl_convolution_winograd_reshape(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;

    lcl_winograd_make(&w->matrices, LCL_WINOGRAD_TILE, s->s.kernel[2]);
    lcl_winograd_plan(l);
    LCL_TRY(w->forward_in_one ? lcl_winograd_get_forward_pass(l, err)
                              : get_forward_steps(l, err));
    lcl_buffer_release(&w->filters);
    /* The last tile of rows backward reads on behind the filters. */
    return lcl_buffer_create(&w->filters, l->dev,
                             w->n_passes * lcl_winograd_filters_size(s) +
                                 (size_t)(w->top_tile * w->bottom_tile) * sizeof(float),
                             l->param->name, err);
}

/* Floats of a partial sum of the filters' gradient. */
static size_t product_count(const convolution_state *s)
{
    const lcl_convolution_winograd *w = &s->winograd;

    return lcl_winograd_points(s) * (size_t)s->group * (size_t)w->product_rows *
           (size_t)w->product_row;
}

static bool keeps_input(const convolution_state *s)
{
    const lcl_convolution_winograd *w = &s->winograd;

    return !w->forward_in_one && w->chunk_panels == w->n_panels &&
           w->bottom_size <= KEPT_BYTES;
}

/* Work-items of filter_product for a point and group. */
static size_t product_tiles(const lcl_layer *l)
{
    const lcl_convolution_winograd *w = &((convolution_state *)l->state)->winograd;

    return w->turned
               ? lcl_tile_count(w->product_row, w->column_tile * lcl_winograd_vector(l))
               : lcl_tile_count(w->product_rows, w->row_tile);
}

/* Shares of the panels that keep all units busy. */
static size_t product_shares(const lcl_layer *l)
{
    const convolution_state *s = l->state;
    const size_t wanted = 8 * (size_t)lcl_device_get_info(l->dev)->compute_units;
    const size_t items = product_tiles(l) * lcl_winograd_points(s) * (size_t)s->group;
    size_t shares = 1;

    while (items * shares < wanted && shares * 2 <= s->winograd.chunk_panels)
        shares *= 2;
    return shares;
}

static lcl_status prepare_backward_steps(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;

    LCL_TRY(get_filter_adjoint(l, err));
    LCL_TRY(get_image_kernel(l, &w->input, "winograd_input", err));
    LCL_TRY(get_image_kernel(l, &w->output_adjoint, "winograd_output_adjoint", err));
    LCL_TRY(get_image_kernel(l, &w->input_adjoint, "winograd_input_adjoint", err));
    LCL_TRY(get_multiply(l, &w->multiply_adjoint, true, err));
    LCL_TRY(get_filter_product(l, err));
    LCL_TRY(
        lcl_kernel_get(&w->sum_parts, l->dev, "reduce", "reduce_parts", NULL, 0, err));
    w->n_shares = product_shares(l);
    LCL_TRY(lcl_buffer_create(&w->filter_parts, l->dev,
                              w->n_shares * product_count(s) * sizeof(float),
                              l->param->name, err));
    if (w->n_shares > 1)
        LCL_TRY(lcl_buffer_create(&w->bias_parts, l->dev,
                                  w->n_shares * (size_t)s->outputs * sizeof(float),
                                  l->param->name, err));
    if (keeps_input(s))
        LCL_TRY(lcl_buffer_create(&w->kept_input, l->dev, w->bottom_size, l->param->name,
                                  err));
    return LCL_OK;
}

lcl_status lcl_convolution_winograd_prepare_backward(lcl_layer *l, lcl_error *err)
{
    lcl_convolution_winograd *w = &((convolution_state *)l->state)->winograd;

    lcl_buffer_release(&w->filter_parts);
    lcl_buffer_release(&w->bias_parts);
    lcl_buffer_release(&w->kept_input);
    w->is_kept = false;
    return w->backward_in_one ? lcl_winograd_prepare_backward_pass(l, err)
                              : prepare_backward_steps(l, err);
}

/* ---- Running ----------------------------------------------------------------------- */

/* Tiles of a launch, and the panels that they fill. */
typedef struct {
    cl_int first, n_tiles;
    size_t panels;
} chunk;

static bool next_chunk(const lcl_layer *l, chunk *c)
{
    const lcl_convolution_winograd *w = &((convolution_state *)l->state)->winograd;
    const size_t panel = lcl_winograd_tiles_a_panel(l),
                 first = (size_t)(c->first + c->n_tiles);

    if (first >= w->n_tiles)
        return false;
    const size_t left = w->n_tiles - first, room = w->chunk_panels * panel;
    c->first = (cl_int)first;
    c->n_tiles = (cl_int)(left < room ? left : room);
    c->panels = ((size_t)c->n_tiles + panel - 1) / panel;
    return true;
}

static size_t at_most(size_t n, size_t limit)
{
    return n < limit ? n : limit;
}

/* Work-items of a transform: shares of the channels of each panel; on a CPU no more than keep all
 * units busy. */
static lcl_range transform_range(const lcl_layer *l, int channels, const chunk *c)
{
    const size_t units = lcl_device_get_info(l->dev)->compute_units;
    const size_t shares =
        lcl_device_is_cpu(l->dev) ? (16 * units + c->panels - 1) / c->panels : SIZE_MAX;

    return (lcl_range){lcl_winograd_lanes(l), at_most(shares, (size_t)channels),
                       c->panels};
}

static lcl_status run(lcl_layer *l, lcl_kernel *kernel, lcl_range range,
                      const lcl_arg *args, size_t n, lcl_error *err)
{
    return lcl_kernel_run(l->dev, kernel, range, (lcl_range){0}, args, n, err);
}

static lcl_status transform_filters(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const lcl_arg args[] = {LCL_ARG(l->params[0]->data), LCL_ARG(w->filters)};
    const lcl_range range = {(size_t)(w->filters_size / lcl_winograd_vector(l)),
                             (size_t)s->group, 1};

    return run(l, w->filter, range, args, LCL_COUNT(args), err);
}

static lcl_status transform_input(lcl_layer *l, int i, cl_mem u, const chunk *c,
                                  lcl_error *err)
{
    convolution_state *s = l->state;
    const lcl_arg args[] = {LCL_ARG(l->bottoms[i]->data), LCL_ARG(u), LCL_ARG(c->first),
                            LCL_ARG(c->n_tiles)};

    return run(l, s->winograd.input, transform_range(l, s->channels, c), args,
               LCL_COUNT(args), err);
}

static lcl_status run_multiply(lcl_layer *l, bool backward, cl_mem in, cl_mem out,
                               const chunk *c, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const cl_int panels = (cl_int)c->panels;
    const lcl_arg args[] = {LCL_ARG(w->filters), LCL_ARG(in), LCL_ARG(out),
                            LCL_ARG(panels)};
    const lcl_range range = {lcl_winograd_lanes(l),
                             (size_t)s->group * w->row_shares[backward],
                             c->panels * lcl_winograd_points(s)};

    return run(l, backward ? w->multiply_adjoint : w->multiply, range, args,
               LCL_COUNT(args), err);
}

static lcl_status transform_output(lcl_layer *l, int i, cl_mem m, const chunk *c,
                                   lcl_error *err)
{
    convolution_state *s = l->state;
    const cl_mem bias = l->params[s->bias ? 1 : 0]->data;
    const lcl_arg args[] = {LCL_ARG(m),
                            LCL_ARG(bias),
                            LCL_ARG(lcl_convolution_top(l, i)->data),
                            LCL_ARG(s->epilogue.buffer),
                            LCL_ARG(c->first),
                            LCL_ARG(c->n_tiles)};

    return run(l, s->winograd.output, transform_range(l, s->outputs, c), args,
               LCL_COUNT(args), err);
}

static lcl_status forward_steps(lcl_layer *l, int i, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    cl_mem u = w->kept_input, m;

    w->is_kept = u != NULL;
    if (i == 0)
        LCL_TRY(transform_filters(l, err));
    if (!u)
        LCL_TRY(lcl_device_scratch(&u, l->dev, SCRATCH_INPUT, w->bottom_size, err));
    LCL_TRY(lcl_device_scratch(&m, l->dev, SCRATCH_OUTPUT, w->top_product_size, err));
    for (chunk c = {0}; next_chunk(l, &c);) {
        LCL_TRY(transform_input(l, i, u, &c, err));
        LCL_TRY(run_multiply(l, false, u, m, &c, err));
        LCL_TRY(transform_output(l, i, m, &c, err));
    }
    return LCL_OK;
}

lcl_status lcl_convolution_winograd_forward(lcl_layer *l, int i, lcl_error *err)
{
    const convolution_state *s = l->state;

    return s->winograd.forward_in_one ? lcl_winograd_forward_pass(l, i, err)
                                      : forward_steps(l, i, err);
}

static lcl_status transform_output_diff(lcl_layer *l, int i, cl_mem v, const chunk *c,
                                        lcl_error *err)
{
    convolution_state *s = l->state;
    const lcl_arg args[] = {LCL_ARG(lcl_convolution_top(l, i)->diff),
                            LCL_ARG(s->epilogue.buffer), LCL_ARG(v), LCL_ARG(c->first),
                            LCL_ARG(c->n_tiles)};

    return run(l, s->winograd.output_adjoint, transform_range(l, s->outputs, c), args,
               LCL_COUNT(args), err);
}

static lcl_status transform_input_diff(lcl_layer *l, int i, cl_mem m, const chunk *c,
                                       lcl_error *err)
{
    convolution_state *s = l->state;
    const lcl_arg args[] = {LCL_ARG(m), LCL_ARG(l->bottoms[i]->diff), LCL_ARG(c->first),
                            LCL_ARG(c->n_tiles)};
    const size_t a_block = s->winograd.n_tiles / s->n_blocks;
    const size_t first = (size_t)c->first / a_block;
    const size_t last = (size_t)(c->first + c->n_tiles - 1) / a_block;
    const lcl_range range = {lcl_winograd_lanes(l), (size_t)s->channels,
                             last - first + 1};

    return run(l, s->winograd.input_adjoint, range, args, LCL_COUNT(args), err);
}

static lcl_status run_filter_product(lcl_layer *l, int i, cl_mem v, cl_mem u,
                                     const chunk *c, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const cl_int later = c->first > 0, panels = (cl_int)c->panels;
    const cl_int with_bias = s->bias && l->param_propagate[1];
    const cl_int add_bias =
        later || (!w->bias_parts && with_bias && (l->accumulate[1] || i > 0));
    const cl_mem db = w->bias_parts ? w->bias_parts
                      : with_bias   ? l->params[1]->diff
                                    : w->filter_parts;
    const lcl_arg args[] = {
        LCL_ARG(v),      LCL_ARG(u),     LCL_ARG(w->filter_parts), LCL_ARG(db),
        LCL_ARG(panels), LCL_ARG(later), LCL_ARG(with_bias),       LCL_ARG(add_bias)};
    const lcl_range range = {product_tiles(l), lcl_winograd_points(s) * (size_t)s->group,
                             w->n_shares};

    return run(l, w->filter_product, range, args, LCL_COUNT(args), err);
}

/* The parameters' gradients from their partial sums. */
static lcl_status finish_params(lcl_layer *l, int i, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const cl_int parts = (cl_int)w->n_shares, outputs = s->outputs;
    const cl_int add = l->accumulate[0] || i > 0, add_bias = l->accumulate[1] || i > 0;
    const lcl_arg args[] = {LCL_ARG(w->filter_parts), LCL_ARG(parts),
                            LCL_ARG(l->params[0]->diff), LCL_ARG(add)};
    const int count = w->product_rows * w->product_row;
    const lcl_range range = {lcl_tile_count(count, lcl_winograd_vector(l)),
                             (size_t)s->group, 1};

    if (l->param_propagate[0])
        LCL_TRY(run(l, w->filter_adjoint, range, args, LCL_COUNT(args), err));
    if (!w->bias_parts || !s->bias || !l->param_propagate[1])
        return LCL_OK;
    const lcl_arg bias_args[] = {LCL_ARG(w->bias_parts), LCL_ARG(parts), LCL_ARG(outputs),
                                 LCL_ARG(l->params[1]->diff), LCL_ARG(add_bias)};
    return run(l, w->sum_parts, (lcl_range){.x = (size_t)s->outputs}, bias_args,
               LCL_COUNT(bias_args), err);
}

static lcl_status backward_steps(lcl_layer *l, int i, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const bool params = lcl_winograd_wants_params(l);
    /* What forward kept is that of the last bottom. */
    const bool kept = w->is_kept && i == l->n_bottoms - 1;
    const size_t input_size =
        w->bottom_size > w->bottom_product_size ? w->bottom_size : w->bottom_product_size;
    cl_mem u = w->kept_input, v, m;

    LCL_TRY(lcl_device_scratch(&m, l->dev, SCRATCH_INPUT, input_size, err));
    LCL_TRY(lcl_device_scratch(&v, l->dev, SCRATCH_OUTPUT, w->top_size, err));
    if (!u)
        u = m;
    for (chunk c = {0}; next_chunk(l, &c);) {
        LCL_TRY(transform_output_diff(l, i, v, &c, err));
        if (params) {
            if (!kept)
                LCL_TRY(transform_input(l, i, u, &c, err));
            LCL_TRY(run_filter_product(l, i, v, u, &c, err));
        }
        if (l->propagate[i]) {
            LCL_TRY(run_multiply(l, true, v, m, &c, err));
            LCL_TRY(transform_input_diff(l, i, m, &c, err));
        }
    }
    return params ? finish_params(l, i, err) : LCL_OK;
}

lcl_status lcl_convolution_winograd_backward(lcl_layer *l, int i, lcl_error *err)
{
    const convolution_state *s = l->state;

    if (!lcl_winograd_wants_params(l) && !l->propagate[i])
        return LCL_OK;
    return s->winograd.backward_in_one ? lcl_winograd_backward_pass(l, i, err)
                                       : backward_steps(l, i, err);
}

void lcl_convolution_winograd_release(lcl_layer *l)
{
    lcl_convolution_winograd *w = &((convolution_state *)l->state)->winograd;

    lcl_buffer_release(&w->filters);
    lcl_buffer_release(&w->filter_parts);
    lcl_buffer_release(&w->bias_parts);
    lcl_buffer_release(&w->kept_input);
}
