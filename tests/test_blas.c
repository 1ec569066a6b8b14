/* Matrix products against a plain reference: every transposition, odd sizes, batches. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lcl/blas.h"
#include "testing.h"
#include "text.h"

typedef struct {
    size_t m, n, k, batch;
    bool ta, tb, shared_a, sum;
    enum { NONE, ROWS, COLUMNS } bias;
    float beta;
} gemm_case;

static size_t stored(size_t rows, size_t ld)
{
    return rows * ld;
}

static double reference(const gemm_case *t, const lcl_gemm_args *g, const float *a,
                        const float *b, size_t z, size_t i, size_t j)
{
    double sum = 0;

    for (size_t p = 0; p < t->k; p++) {
        size_t ai = z * g->a.stride + (t->ta ? p * g->a.ld + i : i * g->a.ld + p);
        size_t bi = z * g->b.stride + (t->tb ? j * g->b.ld + p : p * g->b.ld + j);
        sum += (double)a[ai] * (double)b[bi];
    }
    return sum;
}

static cl_mem upload(lcl_device *dev, float **host, size_t count, unsigned seed)
{
    lcl_error err = {0};
    cl_mem buffer = NULL;

    *host = lcl_alloc(count, sizeof **host);
    for (size_t i = 0; i < count; i++)
        (*host)[i] = testing_value(seed, i);
    CHECK_OK(lcl_buffer_create(&buffer, dev, count * sizeof **host, "matrix", &err));
    CHECK_OK(lcl_buffer_write(dev, buffer, 0, count * sizeof **host, *host, &err));
    return buffer;
}

/* The largest difference from the reference, of the largest magnitude. */
static double run_case(const gemm_case *t, lcl_gemm_backend backend)
{
    lcl_error err = {0};
    lcl_device *dev = testing_device();
    lcl_blas blas = {dev, backend};
    const size_t a_rows = t->ta ? t->k : t->m, b_rows = t->tb ? t->n : t->k;
    const size_t pad = 3;
    lcl_gemm_args g = {.m = t->m,
                       .n = t->n,
                       .k = t->k,
                       .batch = t->batch,
                       .sum = t->sum,
                       .beta = t->beta};
    float *a, *b, *c, *bias, *out;
    double worst = 0, largest = 1e-30;

    g.a.ld = (t->ta ? t->m : t->k) + pad;
    g.b.ld = (t->tb ? t->k : t->n) + pad;
    g.c.ld = t->n + pad;
    g.a.transposed = t->ta;
    g.b.transposed = t->tb;
    g.a.stride = t->shared_a ? 0 : stored(a_rows, g.a.ld);
    g.b.stride = stored(b_rows, g.b.ld);
    g.c.stride = t->sum ? 0 : stored(t->m, g.c.ld);
    g.a.buffer = upload(dev, &a, stored(a_rows, g.a.ld) * t->batch, 1);
    g.b.buffer = upload(dev, &b, stored(b_rows, g.b.ld) * t->batch, 2);
    g.c.buffer = upload(dev, &c, stored(t->m, g.c.ld) * t->batch, 3);
    cl_mem bias_buffer = upload(dev, &bias, t->m + t->n, 4);
    g.row_bias = t->bias == ROWS ? bias_buffer : NULL;
    g.column_bias = t->bias == COLUMNS ? bias_buffer : NULL;
    CHECK_OK(lcl_gemm(&blas, &g, &err));
    out = lcl_alloc(stored(t->m, g.c.ld) * t->batch, sizeof *out);
    CHECK_OK(lcl_buffer_read(dev, g.c.buffer, 0,
                             stored(t->m, g.c.ld) * t->batch * sizeof *out, out, &err));
    for (size_t z = 0; z < (t->sum ? 1 : t->batch); z++) {
        for (size_t i = 0; i < t->m; i++) {
            for (size_t j = 0; j < g.c.ld; j++) {
                size_t at = z * g.c.stride + i * g.c.ld + j;
                double want = (double)c[at];
                if (j < t->n) {
                    want *= (double)t->beta;
                    for (size_t s = 0; s < (t->sum ? t->batch : 1); s++)
                        want += reference(t, &g, a, b, z + s, i, j);
                    if (t->bias != NONE)
                        want += (double)bias[t->bias == ROWS ? i : j];
                }
                worst = fmax(worst, fabs((double)out[at] - want));
                largest = fmax(largest, fabs(want));
            }
        }
    }
    lcl_buffer_release(&g.a.buffer);
    lcl_buffer_release(&g.b.buffer);
    lcl_buffer_release(&g.c.buffer);
    lcl_buffer_release(&bias_buffer);
    free(a);
    free(b);
    free(c);
    free(bias);
    free(out);
    return worst / largest;
}

static const size_t sizes[][3] = {{1, 1, 1},   {1, 37, 19},  {5, 16, 800}, {7, 33, 17},
                                  {50, 64, 9}, {20, 100, 3}, {64, 10, 50}, {3, 2, 40}};

static void check_all(lcl_gemm_backend backend, size_t n_sizes)
{
    for (size_t s = 0; s < n_sizes; s++) {
        for (unsigned bits = 0; bits < 64; bits++) {
            gemm_case t = {.m = sizes[s][0],
                           .n = sizes[s][1],
                           .k = sizes[s][2],
                           .ta = bits & 1,
                           .tb = bits & 2,
                           .shared_a = bits & 4,
                           .sum = bits & 8,
                           .beta = bits & 16 ? 1.0f : 0.0f,
                           .batch = bits & 32 ? 3 : 1};
            t.bias = t.sum || t.beta != 0 ? NONE : t.tb ? COLUMNS : ROWS;
            if (t.ta && t.bias != NONE)
                t.bias = t.bias == ROWS ? COLUMNS : ROWS;
            double error = run_case(&t, backend);
            ck_assert_msg(error < 2e-6, "%zux%zux%zu options %u: error %g", t.m, t.n, t.k,
                          bits, error);
        }
    }
}

START_TEST(own_matches_reference)
{
    check_all(LCL_GEMM_OWN, LCL_COUNT(sizes));
}
END_TEST

START_TEST(clblast_matches_reference)
{
    check_all(LCL_GEMM_CLBLAST, 4);
}
END_TEST

START_TEST(backend_names)
{
    lcl_error err = {0};
    lcl_gemm_backend backend;

    CHECK_OK(lcl_gemm_backend_parse(&backend, "clblast", &err));
    ck_assert_int_eq(backend, LCL_GEMM_CLBLAST);
    CHECK_FAILS(lcl_gemm_backend_parse(&backend, "mkl", &err), LCL_EUSAGE, "mkl");
}
END_TEST

START_TEST(tile_fits_registers)
{
    int rows, columns;

    for (size_t m = 1; m < 40; m += 3) {
        for (size_t n = 1; n < 40; n += 3) {
            lcl_blas_tile(m, n, 1, 24, &rows, &columns);
            ck_assert_int_ge(rows, 1);
            ck_assert_int_ge(columns, 1);
            ck_assert_int_le(rows * columns, 24);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("blas");
    TCase *tcase = tcase_create("blas");

    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, own_matches_reference);
    tcase_add_test(tcase, clblast_matches_reference);
    tcase_add_test(tcase, backend_names);
    tcase_add_test(tcase, tile_fits_registers);
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
