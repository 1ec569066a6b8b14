/* Direct convolution's gradient of the weights: tiles, parts and ranges for the kernel of
 * cl/convolution.cl. */
#include <math.h>

#include "layers/convolution.h"
#include "text.h"
#include "tile.h"

#define SUMS_BYTES ((size_t)256 << 10) /* of sums that stay in a core's second cache, */
#define CACHE_BYTES (512 << 10) /* or of a blob, which is read in a tenth of the time */
#define STRIP_BYTES ((size_t)16 << 10) /* of a strip of rows that stays in its first */
#define LONG_ROW 112                   /* outputs: its beginning does not count */
#define SUM_COST 30    /* of a weight over its lanes, in floats that are read */
#define SHARE_COST 2e5 /* of another share, likewise */

/* The sizes for the kernel; what a work-item has in registers, and how many such there are along
 * each axis; output rows that it takes at a time. */
typedef struct {
    lcl_spatial z;
    int outputs, channels, rows, taps; /* KT, CT, YT and XT of cl/convolution.cl */
    int k_tiles, c_tiles, r_tiles, t_tiles;
    int strip;
    size_t n_strips; /* in all blocks */
} weight_tile;

/* Tiles that a work-item goes over, and shares of all strips, one of which it has. */
typedef struct {
    int k, c, r;
    size_t shares;
} weight_parts;

static size_t vector_bytes(const lcl_layer *l)
{
    return (size_t)l->bottoms[0]->block * sizeof(float);
}

/* The sizes for the kernel: where it has one tap, rows may be of any length, so long that their
 * beginnings do not count. */
static lcl_spatial choose_spatial(const lcl_layer *l)
{
    const convolution_state *s = l->state;
    lcl_spatial z = s->s;
    const int rows = z.in[0] * z.in[1];
    int merged = 1;

    if (!lcl_convolution_is_pointwise(&z) || s->epilogue.places)
        return z;
    for (int i = 2; i <= rows && i * z.in[2] <= LONG_ROW; i++)
        merged = rows % i == 0 ? i : merged;
    z.in[0] = z.out[0] = 1;
    z.in[1] = z.out[1] = rows / merged;
    z.in[2] = z.out[2] = z.in[2] * merged;
    return z;
}

/* Taps of a kernel row that a work-item takes: all of them, or a part of a very long one. */
static int taps_tile(int kernel)
{
    return kernel <= 11 ? kernel : (kernel + 1) / 2 <= 11 ? (kernel + 1) / 2 : 11;
}

/* For each vector of sums a product, two of which go at once, and vectors of both to be read; those
 * of the top's channels stay in registers until all products with one of the bottom are made. */
static void choose_channels(const lcl_layer *l, weight_tile *t)
{
    const convolution_state *s = l->state;
    const int channels = s->channels / s->group, outputs = s->outputs / s->group;
    const int registers = lcl_tile_get(l->dev, LCL_TILE_BACKWARD_WEIGHTS);
    const int width = t->rows * t->taps;
    double least = INFINITY;

    t->outputs = t->channels = 1;
    for (int k = 1; k <= outputs && k * width <= registers; k++)
        for (int c = 1; c <= channels && k * c * width <= registers; c++) {
            const int sums = k * c * width;
            const double cost = (0.5 * sums + 0.25 * k + 0.35 * c * width) *
                                (double)lcl_tile_count(outputs, k) *
                                (double)lcl_tile_count(channels, c);
            if (sums + k <= LCL_REGISTERS(registers) && cost < least) {
                least = cost;
                t->outputs = k;
                t->channels = c;
            }
        }
    t->k_tiles = (int)lcl_tile_count(outputs, t->outputs);
    t->c_tiles = (int)lcl_tile_count(channels, t->channels);
}

static void choose_strip(const lcl_layer *l, weight_tile *t)
{
    const convolution_state *s = l->state;
    const int *in = t->z.in, *out = t->z.out, all = out[0] * out[1];
    const size_t vectors = (size_t)t->outputs * (size_t)out[2] +
                           (size_t)t->channels * (size_t)in[2] * (size_t)t->z.stride[1];
    const size_t rows = STRIP_BYTES / (vectors * vector_bytes(l));

    t->strip = !lcl_device_is_cpu(l->dev) || rows > (size_t)all ? all
               : rows < 1                                       ? 1
                                                                : (int)rows;
    t->n_strips = s->n_blocks * lcl_tile_count(all, t->strip);
}

static weight_tile choose_tile(const lcl_layer *l)
{
    const convolution_state *s = l->state;
    const int *kernel = s->s.kernel;
    /* All rows of the kernel, where there are no channels to fill registers with, or dy is spread
     * from a pool on the fly: once for all taps. One vector of sums more than others have is
     * allowed, for a 5 x 5 kernel. */
    const bool all_rows =
        (s->channels * s->outputs == s->group * s->group || s->epilogue.places) &&
        kernel[1] * kernel[2] <= lcl_tile_get(l->dev, LCL_TILE_BACKWARD_WEIGHTS) + 1;
    weight_tile t = {.z = choose_spatial(l),
                     .rows = all_rows ? kernel[1] : 1,
                     .taps = taps_tile(kernel[2])};

    choose_channels(l, &t);
    t.r_tiles = kernel[0] * (kernel[1] / t.rows);
    t.t_tiles = (int)lcl_tile_count(kernel[2], t.taps);
    choose_strip(l, &t);
    return t;
}

/* ---- Parts ------------------------------------------------------------------------- */

static size_t n_items(const lcl_layer *l, const weight_tile *t, const weight_parts *p)
{
    const convolution_state *s = l->state;

    return (size_t)s->group * lcl_tile_count(t->k_tiles, p->k) *
           lcl_tile_count(t->c_tiles, p->c) * lcl_tile_count(t->r_tiles, p->r) *
           (size_t)t->t_tiles;
}

static size_t n_wanted(const lcl_layer *l)
{
    return 8 * (size_t)lcl_device_get_info(l->dev)->compute_units;
}

/* Shares of the strips, so that a small layer still gives every compute unit work. */
static size_t choose_shares(const lcl_layer *l, const weight_tile *t,
                            const weight_parts *p)
{
    const size_t items = n_items(l, t, p);
    size_t shares = 1;

    while (items * shares < n_wanted(l) && shares * 2 <= t->n_strips)
        shares *= 2;
    return shares;
}

/* What a blob takes to be read once, in floats from memory. */
static double read_cost(const lcl_blob *blob)
{
    const double floats = (double)lcl_blob_stored(blob);

    return floats * sizeof(float) > CACHE_BYTES ? floats : 0.1 * floats;
}

/* What all work-items read, their sums, and those of further shares, of which few are nearest to
 * Caffe's order of adding up. */
static double cost(const lcl_layer *l, const weight_tile *t, const weight_parts *p)
{
    return (double)lcl_tile_count(t->r_tiles, p->r) *
               ((double)lcl_tile_count(t->k_tiles, p->k) * read_cost(l->bottoms[0]) +
                (double)lcl_tile_count(t->c_tiles, p->c) * read_cost(l->tops[0])) +
           SUM_COST * (double)p->shares * (double)lcl_blob_count(l->params[0]) +
           SHARE_COST * (double)(p->shares - 1);
}

/* Only a CPU's caches keep the sums of several tiles. */
static weight_parts choose_parts(const lcl_layer *l, const weight_tile *t)
{
    const size_t tile_bytes =
        (size_t)(t->outputs * t->channels * t->rows * t->taps) * vector_bytes(l);
    const size_t room = lcl_device_is_cpu(l->dev) ? SUMS_BYTES / tile_bytes : 1;
    weight_parts best = {.k = 1, .c = 1, .r = 1};

    best.shares = choose_shares(l, t, &best);
    double least = cost(l, t, &best);
    for (int r = 1; r <= t->r_tiles; r += r < t->r_tiles ? t->r_tiles - r : 1)
        for (int c = 1; c <= t->c_tiles; c++)
            for (int k = 1; k <= t->k_tiles && (size_t)r * (size_t)c * (size_t)k <= room;
                 k++) {
                weight_parts p = {k, c, r, 1};
                p.shares = choose_shares(l, t, &p);
                const double found = cost(l, t, &p);
                if (n_items(l, t, &p) * p.shares >= n_wanted(l) && found < least) {
                    least = found;
                    best = p;
                }
            }
    return best;
}

/* ---- The kernel -------------------------------------------------------------------- */

static lcl_status allocate_parts(lcl_layer *l, size_t n_parts, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_direct *d = &s->direct;

    if (n_parts == d->n_parts)
        return LCL_OK;
    lcl_buffer_release(&d->parts);
    lcl_buffer_release(&d->bias_parts);
    d->n_parts = n_parts;
    if (n_parts == 1)
        return LCL_OK;
    LCL_TRY(lcl_buffer_create(&d->parts, l->dev,
                              n_parts * lcl_blob_count(l->params[0]) * sizeof(float),
                              l->param->name, err));
    return lcl_buffer_create(&d->bias_parts, l->dev,
                             n_parts * (size_t)s->outputs * sizeof(float), l->param->name,
                             err);
}

lcl_status lcl_convolution_direct_prepare_weights(lcl_layer *l, lcl_error *err)
{
    lcl_convolution_direct *d = &((convolution_state *)l->state)->direct;
    const weight_tile t = choose_tile(l);
    const weight_parts p = choose_parts(l, &t);
    const lcl_define own[] = {{"BACKWARD_WEIGHTS", 1},
                              {"KT", t.outputs},
                              {"CT", t.channels},
                              {"YT", t.rows},
                              {"XT", t.taps},
                              {"KG", p.k},
                              {"CG", p.c},
                              {"RG", p.r},
                              {"K_PARTS", (long)lcl_tile_count(t.k_tiles, p.k)},
                              {"C_PARTS", (long)lcl_tile_count(t.c_tiles, p.c)},
                              {"R_PARTS", (long)lcl_tile_count(t.r_tiles, p.r)},
                              {"T_TILES", t.t_tiles},
                              {"STRIP", t.strip}};

    d->weights_range =
        (lcl_range){lcl_convolution_lanes(l), n_items(l, &t, &p), p.shares};
    LCL_TRY(lcl_convolution_direct_kernel(l, &d->backward_weights,
                                          "convolution_backward_weights", &t.z, own,
                                          LCL_COUNT(own), err));
    LCL_TRY(lcl_kernel_get(&d->reduce, l->dev, "reduce", "reduce_parts", NULL, 0, err));
    return allocate_parts(l, p.shares * d->weights_range.x, err);
}

static lcl_status sum_parts(lcl_layer *l, cl_mem parts, lcl_blob *param,
                            cl_int accumulate, lcl_error *err)
{
    const lcl_convolution_direct *d = &((convolution_state *)l->state)->direct;
    const cl_int n_parts = (cl_int)d->n_parts, count = (cl_int)lcl_blob_count(param);
    const lcl_arg args[] = {LCL_ARG(parts), LCL_ARG(n_parts), LCL_ARG(count),
                            LCL_ARG(param->diff), LCL_ARG(accumulate)};

    return lcl_kernel_run(l->dev, d->reduce, (lcl_range){.x = (size_t)count},
                          (lcl_range){0}, args, LCL_COUNT(args), err);
}

/* Later pairs add to the first. The bias of a transposed one is not dy's. */
lcl_status lcl_convolution_direct_weights(lcl_layer *l, int i, cl_mem dy, cl_mem x,
                                          lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_direct *d = &s->direct;
    lcl_blob *w = l->params[0], *b = s->bias && !s->transposed ? l->params[1] : NULL;
    const cl_int with_bias = b && l->param_propagate[1];
    const cl_int blocks = (cl_int)s->n_blocks;
    const cl_int add = l->accumulate[0] || i > 0;
    const cl_int add_bias = l->accumulate[1] || i > 0;
    const bool whole = d->n_parts == 1;
    const cl_int add_now = whole && add, add_bias_now = whole && add_bias;
    const cl_mem dw = whole ? w->diff : d->parts;
    const cl_mem db = !whole ? d->bias_parts : with_bias ? b->diff : w->diff;
    const lcl_arg args[] = {LCL_ARG(dy),          LCL_ARG(s->epilogue.buffer),
                            LCL_ARG(x),           LCL_ARG(dw),
                            LCL_ARG(db),          LCL_ARG(blocks),
                            LCL_ARG(add_now),     LCL_ARG(with_bias),
                            LCL_ARG(add_bias_now)};

    LCL_TRY(lcl_kernel_run(l->dev, d->backward_weights, d->weights_range, (lcl_range){0},
                           args, LCL_COUNT(args), err));
    if (whole)
        return LCL_OK;
    LCL_TRY(sum_parts(l, d->parts, w, add, err));
    return with_bias ? sum_parts(l, d->bias_parts, b, add_bias, err) : LCL_OK;
}

void lcl_convolution_direct_release(lcl_layer *l)
{
    lcl_convolution_direct *d = &((convolution_state *)l->state)->direct;

    lcl_buffer_release(&d->parts);
    lcl_buffer_release(&d->bias_parts);
}
