/* Matrix products on a device, by our kernels or by CLBlast. */
#ifndef LCL_BLAS_H
#define LCL_BLAS_H

#include "lcl/device.h"

/* AUTO: our kernels on CPUs, CLBlast elsewhere. */
typedef enum { LCL_GEMM_AUTO, LCL_GEMM_OWN, LCL_GEMM_CLBLAST } lcl_gemm_backend;

/* "auto", "own", "clblast"; anything else is LCL_EUSAGE. */
lcl_status lcl_gemm_backend_parse(lcl_gemm_backend *out, const char *name,
                                  lcl_error *err);

typedef struct {
    lcl_device *dev;
    lcl_gemm_backend backend;
} lcl_blas;

/* An operand: a row-major matrix in a buffer, all sizes in floats. */
typedef struct {
    cl_mem buffer;
    size_t ld;     /* from one row to the next */
    size_t stride; /* from one matrix of the batch to the next; 0: the same one for all */
    bool transposed;
} lcl_matrix;

/* C[i] = A[i] B[i] + beta C[i] + bias for i in 0..batch, or with `sum` the one product
 * C = sum_i A[i] B[i] + beta C. After transposition A is m x k and B is k x n; C is m x n. */
typedef struct {
    size_t m, n, k, batch;
    lcl_matrix a, b, c; /* c is never transposed */
    bool sum;           /* over the batch, into one C */
    float beta;         /* 0 or 1 */
    /* One of them or none, not with sum or beta: m values, one added to each row of C; n
     * values, one to each column. */
    cl_mem row_bias, column_bias;
    bool relu; /* C = max(C, 0) in the end. Not with sum */
} lcl_gemm_args;

/* Whether CLBlast makes the products, and not our own kernels. */
bool lcl_gemm_is_clblast(const lcl_blas *blas);
lcl_status lcl_gemm(const lcl_blas *blas, const lcl_gemm_args *args, lcl_error *err);

/* Register tile for an m x n grid of results: rows * columns * width accumulators (at most
 * `registers`) that waste little at the grid's edges. Each step of the sum loads one vector
 * a row and `width` a column. */
void lcl_blas_tile(size_t m, size_t n, int width, int registers, int *rows, int *columns);

#endif
