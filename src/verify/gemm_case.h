/* A matrix product on a device, and how far it is from plain C's. */
#ifndef LCL_VERIFY_GEMM_CASE_H
#define LCL_VERIFY_GEMM_CASE_H

#include "lcl/blas.h"

typedef enum { LCL_NO_BIAS, LCL_ROW_BIAS, LCL_COLUMN_BIAS } lcl_gemm_bias;

/* What of lcl_gemm_args matters. Rows lie three floats further apart than they need. */
typedef struct {
    size_t m, n, k, batch;
    bool transposed_a, transposed_b;
    bool shared_a; /* one A for all of the batch */
    bool sum, relu;
    lcl_gemm_bias bias;
    float beta;
} lcl_gemm_case;

/* *error: the largest difference of all of C, what lies between its rows included, relative
 * to the largest magnitude. */
lcl_status lcl_gemm_case_run(const lcl_gemm_case *c, const lcl_blas *blas, double *error,
                             lcl_error *err);

#endif
