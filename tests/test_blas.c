/* Matrix products against a plain reference: every transposition, odd sizes, batches. */
#include <math.h>
#include <string.h>

#include "testing.h"
#include "text.h"
#include "verify/gemm_case.h"

static const size_t sizes[][3] = {
    {1, 1, 1},    {1, 37, 19},    {5, 16, 800},  {7, 33, 17},   {50, 64, 9},
    {20, 100, 3}, {64, 10, 50},   {3, 2, 40},    {26, 70, 300}, {53, 33, 150},
    {9, 19, 530}, {9, 301, 1100}, {40, 65, 1300}};

static void check_all(lcl_gemm_backend backend, size_t n_sizes)
{
    const lcl_blas blas = {testing_device(), backend};
    lcl_error err;

    for (size_t s = 0; s < n_sizes; s++) {
        for (unsigned bits = 0; bits < 64; bits++) {
            lcl_gemm_case c = {.m = sizes[s][0],
                               .n = sizes[s][1],
                               .k = sizes[s][2],
                               .transposed_a = bits & 1,
                               .transposed_b = bits & 2,
                               .shared_a = bits & 4,
                               .sum = bits & 8,
                               .beta = bits & 16 ? 1.0f : 0.0f,
                               .batch = bits & 32 ? 3 : 1};
            double error = 0;
            if (!c.sum && c.beta == 0)
                c.bias =
                    c.transposed_a == c.transposed_b ? LCL_ROW_BIAS : LCL_COLUMN_BIAS;
            c.relu = c.bias != LCL_NO_BIAS && c.shared_a;
            CHECK_OK(lcl_gemm_case_run(&c, &blas, &error, &err));
            /* Rounding grows with the terms that are added one after another. */
            const double bound = fmax(2e-6, 1e-9 * (double)(c.k * (c.sum ? c.batch : 1)));
            ck_assert_msg(error < bound, "%zux%zux%zu options %u: error %g", c.m, c.n,
                          c.k, bits, error);
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
