/* Matrix products of LeNet's shapes and of square matrices, by each of the backends. */
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/reference.h"
#include "text.h"

#define N_SAMPLES 64
#define GEMM_TOLERANCE 1e-4

typedef struct {
    lcl_blas blas;
    lcl_gemm_args args;
    float *a, *b; /* owned; on the host */
} gemm_run;

static lcl_status run_gemm(void *what, lcl_error *err)
{
    const gemm_run *g = what;

    return lcl_gemm(&g->blas, &g->args, err);
}

static lcl_status check_gemm(void *what, double *error, lcl_error *err)
{
    const gemm_run *g = what;
    const size_t m = g->args.m, n = g->args.n;
    float *c = lcl_alloc(m * n, sizeof *c);
    lcl_status status =
        lcl_buffer_read(g->blas.dev, g->args.c.buffer, 0, m * n * sizeof *c, c, err);
    lcl_bench_error e = {0};

    for (size_t s = 0; s < N_SAMPLES; s++) {
        size_t at = lcl_bench_pick(s, m * n);
        lcl_bench_compare(&e, (double)c[at],
                          lcl_bench_product_at(g->a, g->b, n, g->args.k, at / n, at % n));
    }
    *error = lcl_bench_error_part(&e);
    free(c);
    return status;
}

/* Random matrices on the host and the device. */
static lcl_status make_matrix(lcl_matrix *x, float **values, lcl_device *dev, size_t rows,
                              size_t columns, unsigned seed, lcl_error *err)
{
    const size_t size = rows * columns * sizeof(float);

    x->ld = columns;
    LCL_TRY(lcl_buffer_create(&x->buffer, dev, size, "a matrix", err));
    if (!values)
        return LCL_OK;
    *values = lcl_alloc(rows * columns, sizeof(float));
    lcl_bench_fill(*values, rows * columns, seed);
    return lcl_buffer_write(dev, x->buffer, 0, size, *values, err);
}

static lcl_status make_matrices(gemm_run *g, lcl_error *err)
{
    lcl_gemm_args *p = &g->args;

    LCL_TRY(make_matrix(&p->a, &g->a, g->blas.dev, p->m, p->k, 1, err));
    LCL_TRY(make_matrix(&p->b, &g->b, g->blas.dev, p->k, p->n, 2, err));
    return make_matrix(&p->c, NULL, g->blas.dev, p->m, p->n, 0, err);
}

static void measure_backend(lcl_bench *b, gemm_run *g, const char *name,
                            lcl_gemm_backend backend)
{
    const lcl_gemm_args *p = &g->args;
    const lcl_bench_case c = {
        .name = name,
        .variant = backend == LCL_GEMM_OWN ? "own" : "clblast",
        .flop = 2.0 * (double)p->m * (double)p->n * (double)p->k,
        .bytes = 4.0 * (double)(p->m * p->k + p->k * p->n + p->m * p->n),
        .run = run_gemm,
        .check = check_gemm,
        .tolerance = GEMM_TOLERANCE,
    };

    g->blas.backend = backend;
    lcl_bench_do(b, &c, g);
}

static void release(void *what)
{
    gemm_run *g = what;

    lcl_buffer_release(&g->args.a.buffer);
    lcl_buffer_release(&g->args.b.buffer);
    lcl_buffer_release(&g->args.c.buffer);
    free(g->a);
    free(g->b);
}

static void measure_shape(lcl_bench *b, size_t m, size_t n, size_t k)
{
    gemm_run g = {.blas.dev = b->dev, .args = {.m = m, .n = n, .k = k, .batch = 1}};
    char name[64];
    lcl_error err = {0};

    snprintf(name, sizeof name, "%zux%zux%zu", m, n, k);
    if (!lcl_bench_wants(b, name))
        return;
    if (make_matrices(&g, &err) != LCL_OK) {
        lcl_bench_skip(b, name, "own", err.message);
    } else {
        if (b->options->own_gemm)
            measure_backend(b, &g, name, LCL_GEMM_OWN);
        if (b->options->clblast)
            measure_backend(b, &g, name, LCL_GEMM_CLBLAST);
    }
    release(&g);
}

static void destroy(void *what)
{
    release(what);
    free(what);
}

lcl_status lcl_bench_gemm_work(lcl_bench_work *out, lcl_bench *b, size_t m, size_t n,
                               size_t k, lcl_error *err)
{
    gemm_run *g = lcl_alloc(1, sizeof *g);

    *g = (gemm_run){.blas = {b->dev, b->options->gemm},
                    .args = {.m = m, .n = n, .k = k, .batch = 1}};
    *out = (lcl_bench_work){run_gemm, check_gemm, GEMM_TOLERANCE, g, destroy};
    return make_matrices(g, err);
}

void lcl_bench_gemm(lcl_bench *b)
{
    /* LeNet's first inner product forward and its weights' gradient, its second convolution
     * as a product; then squares. */
    static const size_t shapes[][3] = {
        {64, 500, 800},  {500, 800, 64},     {50, 4096, 500},   {256, 256, 256},
        {512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048}};

    for (size_t i = 0; i < LCL_COUNT(shapes); i++)
        measure_shape(b, shapes[i][0], shapes[i][1], shapes[i][2]);
    if (!b->options->clblast)
        lcl_bench_skip(b, "all shapes", "clblast", b->options->no_clblast);
}
