/* The pieces of work of each tile, and their times in turn. */
#include "bench/tune_work.h"

#include <stdlib.h>

#include "bench/measure.h"
#include "text.h"

#define N_PAIRS 9

typedef enum { TRAINING, INFERENCE, GEMM, CONVOLUTION } work_kind;

typedef struct {
    lcl_tile tile;
    work_kind kind;
    size_t sizes[3];          /* of a product; the batch */
    const char *shape, *pass; /* of a convolution */
} work_spec;

/* At most LCL_TUNE_WORKS of each tile. LeNet as it is trained, where the tile takes part in
 * that, and shapes of other nets. */
static const work_spec specs[] = {
    {LCL_TILE_BLOCK, TRAINING, {64}},
    {LCL_TILE_BLOCK, INFERENCE, {100}},
    {LCL_TILE_VECTOR, TRAINING, {64}},
    {LCL_TILE_VECTOR, INFERENCE, {100}},
    {LCL_TILE_GROUP, TRAINING, {64}},
    {LCL_TILE_GROUP, INFERENCE, {100}},
    {LCL_TILE_GEMM, TRAINING, {64}},
    {LCL_TILE_GEMM, GEMM, {64, 500, 800}},
    {LCL_TILE_GEMM, GEMM, {500, 800, 64}},
    {LCL_TILE_GEMM, GEMM, {512, 512, 512}},
    {LCL_TILE_GEMM_DOT, INFERENCE, {1}},
    {LCL_TILE_FORWARD, INFERENCE, {100}},
    {LCL_TILE_FORWARD, CONVOLUTION, {0}, "resnet_3_down", "forward"},
    {LCL_TILE_FORWARD, CONVOLUTION, {0}, "mobilenet_dw_14", "forward"},
    {LCL_TILE_FORWARD, CONVOLUTION, {0}, "googlenet_3a_1x1", "forward"},
    {LCL_TILE_BACKWARD_DATA, CONVOLUTION, {0}, "resnet_3_down", "input gradient"},
    {LCL_TILE_BACKWARD_DATA, CONVOLUTION, {0}, "mobilenet_dw_14", "input gradient"},
    {LCL_TILE_BACKWARD_DATA, CONVOLUTION, {0}, "googlenet_3a_1x1", "input gradient"},
    {LCL_TILE_BACKWARD_WEIGHTS, TRAINING, {64}},
    {LCL_TILE_BACKWARD_WEIGHTS, CONVOLUTION, {0}, "resnet_3_down", "weight gradient"},
    {LCL_TILE_BACKWARD_WEIGHTS, CONVOLUTION, {0}, "mobilenet_dw_14", "weight gradient"},
    {LCL_TILE_WINOGRAD, TRAINING, {64}},
    {LCL_TILE_WINOGRAD, CONVOLUTION, {0}, "resnet_4_3x3", "forward"},
    {LCL_TILE_WINOGRAD, CONVOLUTION, {0}, "resnet_4_3x3", "weight gradient"},
    {LCL_TILE_CLBLAST, GEMM, {512, 512, 512}},
    {LCL_TILE_CLBLAST, GEMM, {1024, 1024, 1024}},
    {LCL_TILE_CLBLAST_DIRECT, GEMM, {64, 500, 800}},
    {LCL_TILE_CLBLAST_DIRECT, GEMM, {256, 256, 256}},
};

/* ---- Making ------------------------------------------------------------------------ */

static bool is_clblast(lcl_tile tile)
{
    return tile == LCL_TILE_CLBLAST || tile == LCL_TILE_CLBLAST_DIRECT;
}

bool lcl_tune_uses(const lcl_bench *b, lcl_tile tile)
{
    const lcl_blas blas = {b->dev, b->options->gemm};
    const bool own = !lcl_gemm_is_clblast(&blas);

    if (is_clblast(tile))
        return !own;
    if (tile == LCL_TILE_GEMM || tile == LCL_TILE_GEMM_DOT)
        return own;
    return lcl_tile_default(b->dev, tile) != 0;
}

/* Spec number i of the tile; NULL: it has fewer. */
static const work_spec *find_spec(lcl_tile tile, size_t i)
{
    for (size_t s = 0; s < LCL_COUNT(specs); s++)
        if (specs[s].tile == tile && i-- == 0)
            return &specs[s];
    return NULL;
}

static lcl_status make_work(lcl_bench_work *out, lcl_bench *b, const work_spec *s,
                            lcl_error *err)
{
    switch (s->kind) {
    case TRAINING: return lcl_bench_training_work(out, b, (int)s->sizes[0], err);
    case INFERENCE: return lcl_bench_inference_work(out, b, (int)s->sizes[0], err);
    case GEMM:
        return lcl_bench_gemm_work(out, b, s->sizes[0], s->sizes[1], s->sizes[2], err);
    case CONVOLUTION: break;
    }
    return lcl_bench_convolution_work(out, b, s->shape, s->pass, err);
}

static lcl_status run_checked(const lcl_bench_work *work, lcl_device *dev, lcl_error *err)
{
    double error = 0;

    LCL_TRY(work->run(work->what, err));
    LCL_TRY(lcl_device_finish(dev, err));
    LCL_TRY(work->check(work->what, &error, err));
    return error <= work->tolerance
               ? LCL_OK
               : lcl_fail(err, LCL_EDATA, "", "its results are wrong by %.2g", error);
}

/* One run of `work` with a value of the tile, over n in a row; the first does not count. */
static lcl_status time_with(double *seconds, lcl_device *dev, lcl_tile tile, int value,
                            const lcl_bench_work *work, int n, lcl_error *err)
{
    lcl_tile_set(dev, tile, value);
    LCL_TRY(work->run(work->what, err));
    LCL_TRY(lcl_device_finish(dev, err));
    return lcl_bench_time_runs(seconds, dev, n, work->run, work->what, err);
}

static lcl_status make_clock(lcl_tune_works *w, size_t i, lcl_bench *b,
                             const work_spec *spec, lcl_error *err)
{
    const lcl_bench_options own = {.gemm = LCL_GEMM_OWN};
    lcl_bench clock = {.options = &own, .dev = b->dev};
    const int value = lcl_tile_get(b->dev, w->tile);
    lcl_tune_ratio part;

    LCL_TRY(make_work(&w->clock[i], &clock, spec, err));
    w->part[i] = 1;
    LCL_TRY(lcl_tune_compare(&part, w, i, b, &w->work[i], value, err));
    w->part[i] = part.median;
    return LCL_OK;
}

void lcl_tune_works_make(lcl_tune_works *w, lcl_bench *b, lcl_tile tile)
{
    const work_spec *spec;

    *w = (lcl_tune_works){.tile = tile};
    for (size_t s = 0; (spec = find_spec(tile, s)) != NULL; s++) {
        const size_t i = w->n;
        lcl_status status = make_work(&w->work[i], b, spec, NULL);
        if (status == LCL_OK)
            status = run_checked(&w->work[i], b->dev, NULL);
        if (status == LCL_OK)
            status = lcl_bench_choose_runs(&w->runs[i], b->dev, w->work[i].run,
                                           w->work[i].what, NULL);
        if (status == LCL_OK && is_clblast(tile))
            status = make_clock(w, i, b, spec, NULL);
        if (status == LCL_OK) {
            w->n++;
        } else {
            lcl_bench_work_release(&w->work[i]);
            lcl_bench_work_release(&w->clock[i]);
        }
    }
}

void lcl_tune_works_release(lcl_tune_works *w)
{
    for (size_t i = 0; i < w->n; i++) {
        lcl_bench_work_release(&w->work[i]);
        lcl_bench_work_release(&w->clock[i]);
    }
    w->n = 0;
}

lcl_status lcl_tune_make_checked(lcl_bench_work *out, const lcl_tune_works *w, size_t i,
                                 lcl_bench *b, int value, lcl_error *err)
{
    const int present = lcl_tile_get(b->dev, w->tile);

    *out = (lcl_bench_work){0};
    lcl_tile_set(b->dev, w->tile, value);
    lcl_status status = make_work(out, b, find_spec(w->tile, i), err);
    if (status == LCL_OK)
        status = run_checked(out, b->dev, err);
    lcl_tile_set(b->dev, w->tile, present);
    return status;
}

/* ---- Comparing --------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

lcl_status lcl_tune_compare(lcl_tune_ratio *out, const lcl_tune_works *w, size_t i,
                            lcl_bench *b, const lcl_bench_work *candidate, int value,
                            lcl_error *err)
{
    const int present = lcl_tile_get(b->dev, w->tile), n = w->runs[i];
    const bool clock = w->part[i] > 0;
    const lcl_bench_work *base = clock ? &w->clock[i] : &w->work[i];
    double ratios[N_PAIRS], before = 0, after = 0;
    lcl_status status = LCL_OK;

    for (size_t p = 0; p < N_PAIRS && status == LCL_OK; p++) {
        status =
            time_with(&before, b->dev, w->tile, clock ? value : present, base, n, err);
        if (status == LCL_OK)
            status = time_with(&after, b->dev, w->tile, value, candidate, n, err);
        ratios[p] = after / before / (clock ? w->part[i] : 1);
    }
    lcl_tile_set(b->dev, w->tile, present);
    if (status != LCL_OK)
        return status;
    qsort(ratios, N_PAIRS, sizeof *ratios, ascending);
    *out = (lcl_tune_ratio){ratios[N_PAIRS / 4], ratios[N_PAIRS / 2],
                            ratios[N_PAIRS - 1 - N_PAIRS / 4]};
    return LCL_OK;
}
