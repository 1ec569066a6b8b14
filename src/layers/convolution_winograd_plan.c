/* Winograd convolution: how tiles become panels, and what is multiplied at a time. */
#include <math.h>
#include <string.h>

#include "layers/convolution_winograd.h"
#include "tile.h"

#define CHUNK_BYTES ((size_t)16 << 20) /* of transformed images in flight */
#define PASS_BYTES                                                                       \
    ((size_t)3 << 19) /* of a core's second cache for a pass in one launch */
#define MAX_GROUPS 6  /* of a panel */
#define FEW_TERMS 32  /* vectors of them in a sum of filter_product */

/* ---- Layout: see cl/winograd_panels.cl --------------------------------------------- */

size_t lcl_winograd_points(const convolution_state *s)
{
    return (size_t)(s->winograd.matrices.n * s->winograd.matrices.n);
}

size_t lcl_winograd_count_tiles(const convolution_state *s)
{
    const int *out = s->s.out;

    return lcl_tile_count(out[1], LCL_WINOGRAD_TILE) *
           lcl_tile_count(out[2], LCL_WINOGRAD_TILE) * s->n_blocks;
}

int lcl_winograd_vector(const lcl_layer *l)
{
    return lcl_device_vector(l->dev);
}

int lcl_winograd_group(const lcl_layer *l)
{
    const int block = l->bottoms[0]->block, vector = lcl_winograd_vector(l);

    return block > vector ? block : vector;
}

size_t lcl_winograd_lanes(const lcl_layer *l)
{
    return (size_t)(lcl_winograd_group(l) / lcl_winograd_vector(l));
}

static size_t tiles_a_group(const lcl_layer *l)
{
    return (size_t)(lcl_winograd_group(l) / l->bottoms[0]->block);
}

size_t lcl_winograd_tiles_a_panel(const lcl_layer *l)
{
    const convolution_state *s = l->state;

    return (size_t)s->winograd.groups * tiles_a_group(l);
}

size_t lcl_winograd_size(const lcl_layer *l, int channels, size_t n_panels)
{
    const convolution_state *s = l->state;
    const size_t point = (size_t)channels * n_panels * (size_t)s->winograd.groups | 1;

    return point * lcl_winograd_points(s) * (size_t)lcl_winograd_group(l) * sizeof(float);
}

size_t lcl_winograd_filters_size(const convolution_state *s)
{
    return lcl_winograd_points(s) * (size_t)(s->group * s->winograd.filters_size) *
           sizeof(float);
}

bool lcl_winograd_wants_params(const lcl_layer *l)
{
    const convolution_state *s = l->state;

    return l->param_propagate[0] || (s->bias && l->param_propagate[1]);
}

/* ---- Tiles ------------------------------------------------------------------------- */

static int round_up(int n, int step)
{
    return (n + step - 1) / step * step;
}

static size_t round_up_size(size_t n, size_t step)
{
    return (n + step - 1) / step * step;
}

/* Cycles for the products with `rows` rows of a vector, and the best number of rows at a time,
 * where there are `groups` vectors in a panel. */
static double product_cost(int rows, int groups, int registers, int *best_tile)
{
    double best = INFINITY;

    for (int tile = 1; tile * groups <= registers; tile++) {
        /* As in lcl_blas_tile: multiplications, loads, the latency of their chain. */
        const double cycles = fmax(fmax(tile * groups, tile + groups) / 2.0, 4.0) + 0.25;
        const double cost = round_up(rows, tile) / tile * cycles / groups;
        if (cost <= best) {
            best = cost;
            *best_tile = tile;
        }
    }
    return best;
}

static void set_rows(const lcl_layer *l)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const int channels = s->channels / s->group, outputs = s->outputs / s->group;

    w->top_rows = round_up(outputs, w->top_tile);
    w->bottom_rows = round_up(channels, w->bottom_tile);
    w->filters_size = round_up(w->top_rows * channels, lcl_winograd_vector(l));
}

/* What a pass in one launch goes over again and again: a panel's transforms and the filters. */
static bool fits_in_cache(const lcl_layer *l)
{
    const convolution_state *s = l->state;
    const lcl_convolution_winograd *w = &s->winograd;

    return lcl_winograd_size(l, s->group * w->bottom_rows, 1) +
               lcl_winograd_size(l, s->group * w->top_rows, 1) +
               lcl_winograd_filters_size(s) <=
           PASS_BYTES;
}

/* Groups of a panel, and rows at a time; in one launch each unit has as many panels, and one of them
 * must fit into its cache. False where there are too few groups, or none fits. */
static bool choose_tiles(const lcl_layer *l, bool in_one)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const int channels = s->channels / s->group, outputs = s->outputs / s->group;
    const int registers = lcl_tile_get(l->dev, LCL_TILE_WINOGRAD);
    const size_t units = in_one ? lcl_device_get_info(l->dev)->compute_units : 1;
    const size_t n_groups =
        round_up_size(w->n_tiles, tiles_a_group(l)) / tiles_a_group(l);
    lcl_convolution_winograd best = *w;
    double least = INFINITY;

    if (n_groups < units)
        return false;
    for (int groups = 1; groups <= MAX_GROUPS; groups++) {
        w->groups = groups;
        const double cost = (double)round_up_size(n_groups, (size_t)groups * units) *
                            (product_cost(outputs, groups, registers, &w->top_tile) +
                             product_cost(channels, groups, registers, &w->bottom_tile));
        set_rows(l);
        if (cost < least && (!in_one || fits_in_cache(l))) {
            least = cost;
            best = *w;
        }
    }
    *w = best;
    return isfinite(least);
}

/* ---- Gradients of filters ---------------------------------------------------------- */

/* Sums of few terms cost more than their terms where these lie in lanes; and turned channels must
 * make whole vectors. */
static bool turns(const lcl_layer *l)
{
    const convolution_state *s = l->state;
    const lcl_convolution_winograd *w = &s->winograd;

    return lcl_device_is_cpu(l->dev) &&
           s->channels / s->group % lcl_winograd_vector(l) == 0 &&
           w->chunk_panels * (size_t)w->groups * lcl_winograd_lanes(l) <= FEW_TERMS;
}

/* Which channels lie in vectors: those that leave less of the last one empty. */
static void plan_filter_product(const lcl_layer *l)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const int channels = s->channels / s->group, outputs = s->outputs / s->group;
    const int vector = lcl_winograd_vector(l);

    w->turned = w->backward_in_one || turns(l);
    w->top_turned = w->backward_in_one && (long)round_up(outputs, vector) * channels <
                                              (long)round_up(channels, vector) * outputs;
    w->product_rows = w->top_turned ? channels : outputs;
    w->product_columns = w->top_turned ? outputs : channels;
    w->product_row = w->turned ? round_up(w->product_columns, vector) : channels;
    const int vectors = w->product_row / (w->turned ? vector : 1);
    lcl_blas_tile((size_t)w->product_rows, (size_t)vectors, 1,
                  lcl_tile_get(l->dev, LCL_TILE_WINOGRAD), &w->row_tile, &w->column_tile);
    while (w->turned && vectors % w->column_tile != 0)
        w->column_tile--;
}

/* ---- All together ------------------------------------------------------------------ */

/* Blocks are shared out whole, as the tiles of one overlap in the bottom's gradient. */
static bool are_balanced(size_t blocks, size_t shares)
{
    return blocks >= shares && 4 * round_up_size(blocks, shares) <= 5 * blocks;
}

void lcl_winograd_plan(lcl_layer *l)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;

    w->n_tiles = lcl_winograd_count_tiles(s);
    w->forward_in_one =
        lcl_device_is_cpu(l->dev) && lcl_winograd_lanes(l) == 1 && choose_tiles(l, true);
    if (!w->forward_in_one)
        choose_tiles(l, false);
    const size_t a_panel = lcl_winograd_tiles_a_panel(l);
    w->n_panels = round_up_size(w->n_tiles, a_panel) / a_panel;
    const size_t units = lcl_device_get_info(l->dev)->compute_units;
    w->n_passes = !w->forward_in_one ? 1 : units < w->n_panels ? units : w->n_panels;
    w->backward_in_one = w->forward_in_one && are_balanced(s->n_blocks, w->n_passes);
    const size_t panel =
        lcl_winograd_size(l, s->channels, 1) + lcl_winograd_size(l, s->outputs, 1);
    size_t n_chunks = (w->n_panels * panel + CHUNK_BYTES - 1) / CHUNK_BYTES;
    if (n_chunks > w->n_panels)
        n_chunks = w->n_panels;
    w->chunk_panels = (w->n_panels + n_chunks - 1) / n_chunks;
    plan_filter_product(l);
    w->bottom_size = lcl_winograd_size(l, s->channels, w->chunk_panels);
    w->top_size = lcl_winograd_size(l, s->outputs, w->chunk_panels);
    w->bottom_product_size =
        lcl_winograd_size(l, s->group * w->bottom_rows, w->chunk_panels);
    w->top_product_size = lcl_winograd_size(l, s->group * w->top_rows, w->chunk_panels);
}
