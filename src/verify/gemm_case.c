/* A matrix product on a device, and how far it is from plain C's. */
#include "verify/gemm_case.h"

#include <math.h>
#include <stdlib.h>

#include "bench/reference.h"
#include "text.h"

#define PAD 3 /* floats between rows */

/* A buffer and what was written to it; both owned. */
typedef struct {
    cl_mem buffer;
    float *values;
    size_t count;
} operand;

typedef struct {
    const lcl_gemm_case *c;
    lcl_gemm_args args;
    operand a, b, out, bias;
} product;

static lcl_status upload(operand *o, lcl_device *dev, size_t count, unsigned seed,
                         lcl_error *err)
{
    const size_t size = count * sizeof(float);

    o->count = count;
    o->values = lcl_alloc(count, sizeof(float));
    lcl_bench_fill(o->values, count, seed);
    LCL_TRY(lcl_buffer_create(&o->buffer, dev, size, "a matrix", err));
    return lcl_buffer_write(dev, o->buffer, 0, size, o->values, err);
}

static void release(operand *o)
{
    lcl_buffer_release(&o->buffer);
    free(o->values);
}

static lcl_status prepare(product *p, lcl_device *dev, lcl_error *err)
{
    const lcl_gemm_case *c = p->c;
    const size_t a_rows = c->transposed_a ? c->k : c->m;
    const size_t b_rows = c->transposed_b ? c->n : c->k;
    lcl_gemm_args *g = &p->args;

    *g = (lcl_gemm_args){.m = c->m,
                         .n = c->n,
                         .k = c->k,
                         .batch = c->batch,
                         .sum = c->sum,
                         .beta = c->beta,
                         .relu = c->relu};
    g->a.ld = (c->transposed_a ? c->m : c->k) + PAD;
    g->b.ld = (c->transposed_b ? c->k : c->n) + PAD;
    g->c.ld = c->n + PAD;
    g->a.transposed = c->transposed_a;
    g->b.transposed = c->transposed_b;
    g->a.stride = c->shared_a ? 0 : a_rows * g->a.ld;
    g->b.stride = b_rows * g->b.ld;
    g->c.stride = c->sum ? 0 : c->m * g->c.ld;
    LCL_TRY(upload(&p->a, dev, a_rows * g->a.ld * c->batch, 1, err));
    LCL_TRY(upload(&p->b, dev, b_rows * g->b.ld * c->batch, 2, err));
    LCL_TRY(upload(&p->out, dev, c->m * g->c.ld * c->batch, 3, err));
    LCL_TRY(upload(&p->bias, dev, c->m + c->n, 4, err));
    g->a.buffer = p->a.buffer;
    g->b.buffer = p->b.buffer;
    g->c.buffer = p->out.buffer;
    g->row_bias = c->bias == LCL_ROW_BIAS ? p->bias.buffer : NULL;
    g->column_bias = c->bias == LCL_COLUMN_BIAS ? p->bias.buffer : NULL;
    return LCL_OK;
}

/* Element (i, j) of product z of the batch. */
static double product_at(const product *p, size_t z, size_t i, size_t j)
{
    const lcl_matrix *a = &p->args.a, *b = &p->args.b;
    double sum = 0;

    for (size_t k = 0; k < p->args.k; k++) {
        size_t ai = z * a->stride + (a->transposed ? k * a->ld + i : i * a->ld + k);
        size_t bi = z * b->stride + (b->transposed ? j * b->ld + k : k * b->ld + j);
        sum += (double)p->a.values[ai] * (double)p->b.values[bi];
    }
    return sum;
}

/* What becomes of element (i, j) of result z, which was `before`. */
static double right_at(const product *p, size_t z, size_t i, size_t j, double before)
{
    const lcl_gemm_case *c = p->c;
    double value = before;

    if (j >= c->n)
        return value;
    value *= (double)c->beta;
    for (size_t s = 0; s < (c->sum ? c->batch : 1); s++)
        value += product_at(p, z + s, i, j);
    if (c->bias != LCL_NO_BIAS)
        value += (double)p->bias.values[c->bias == LCL_ROW_BIAS ? i : j];
    return c->relu ? fmax(value, 0) : value;
}

static lcl_status compare(const product *p, lcl_device *dev, double *error,
                          lcl_error *err)
{
    const lcl_gemm_case *c = p->c;
    const size_t ld = p->args.c.ld, n = p->out.count;
    float *got = lcl_alloc(n, sizeof *got);
    lcl_status status = lcl_buffer_read(dev, p->out.buffer, 0, n * sizeof *got, got, err);
    lcl_bench_error e = {0};

    for (size_t at = 0; status == LCL_OK && at < (c->sum ? c->m * ld : n); at++) {
        const size_t row = at / ld;
        lcl_bench_compare(
            &e, (double)got[at],
            right_at(p, row / c->m, row % c->m, at % ld, (double)p->out.values[at]));
    }
    *error = lcl_bench_error_part(&e);
    free(got);
    return status;
}

lcl_status lcl_gemm_case_run(const lcl_gemm_case *c, const lcl_blas *blas, double *error,
                             lcl_error *err)
{
    product p = {.c = c};
    lcl_status status = prepare(&p, blas->dev, err);

    if (status == LCL_OK)
        status = lcl_gemm(blas, &p.args, err);
    if (status == LCL_OK)
        status = compare(&p, blas->dev, error, err);
    release(&p.a);
    release(&p.b);
    release(&p.out);
    release(&p.bias);
    return status;
}
