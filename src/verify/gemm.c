/* Matrix products by our kernels and by CLBlast. */
#include "text.h"
#include "verify/gemm_case.h"
#include "verify/verify.h"

#define LIMIT 1e-5

/* Vectors, sizes that no tile divides, and LeNet's inner product. */
static const size_t sizes[][3] = {{1, 37, 19},  {5, 16, 800}, {7, 33, 17},   {50, 64, 9},
                                  {20, 100, 3}, {64, 10, 50}, {64, 500, 800}};
enum { N_QUICK = 4 };

static void check(lcl_verify *v, const char *row, const lcl_blas *blas,
                  const lcl_gemm_case *c)
{
    lcl_error err = {0};
    char name[64];
    double error = 0;

    snprintf(name, sizeof name, "%s%s%s%s%s%s", c->transposed_a ? "A^T " : "A ",
             c->transposed_b ? "B^T" : "B", c->sum ? ", sum" : "",
             c->beta != 0 ? ", beta" : "", c->bias != LCL_NO_BIAS ? ", bias" : "",
             c->relu ? ", relu" : "");
    lcl_verify_progress(v, row, name);
    lcl_status status = lcl_gemm_case_run(c, blas, &error, &err);
    lcl_verify_note(v, (lcl_verify_finding){.row = row,
                                            .name = name,
                                            .where = "C",
                                            .error = error,
                                            .limit = LIMIT,
                                            .failure = status == LCL_OK ? NULL : &err});
}

/* All transpositions, plain and with each of the extras. */
static void check_size(lcl_verify *v, const char *backend, const lcl_blas *blas,
                       const size_t size[3])
{
    char row[64];

    snprintf(row, sizeof row, "%s %zux%zux%zu", backend, size[0], size[1], size[2]);
    if (!lcl_verify_wants(v, row))
        return;
    for (unsigned bits = 0; bits < 16; bits++) {
        lcl_gemm_case c = {.m = size[0],
                           .n = size[1],
                           .k = size[2],
                           .batch = 2,
                           .transposed_a = bits & 1,
                           .transposed_b = bits & 2};
        switch (bits / 4) {
        case 0: c.shared_a = true; break;
        case 1: c.sum = true; break;
        case 2: c.beta = 1; break;
        default: c.bias = bits & 1 ? LCL_ROW_BIAS : LCL_COLUMN_BIAS; c.relu = true;
        }
        check(v, row, blas, &c);
    }
}

static void check_backend(lcl_verify *v, const char *name, lcl_gemm_backend backend)
{
    const lcl_blas blas = {v->dev, backend};

    for (size_t i = 0; i < (v->options->quick ? N_QUICK : LCL_COUNT(sizes)); i++)
        check_size(v, name, &blas, sizes[i]);
}

void lcl_verify_gemm(lcl_verify *v)
{
    const lcl_gemm_backend wanted = v->options->gemm;

    if (wanted != LCL_GEMM_CLBLAST)
        check_backend(v, "own", LCL_GEMM_OWN);
    if (wanted == LCL_GEMM_CLBLAST || (wanted == LCL_GEMM_AUTO && !v->options->quick))
        check_backend(v, "clblast", LCL_GEMM_CLBLAST);
    else if (wanted == LCL_GEMM_AUTO)
        lcl_verify_note(v, (lcl_verify_finding){
                               .row = "clblast",
                               .skipped = "takes long to build its kernels: use --gemm "
                                          "clblast, or leave out --quick"});
}
