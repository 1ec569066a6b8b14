/* Matrix products on a device, by our kernel or by CLBlast. */
#ifndef LCL_BLAS_H
#define LCL_BLAS_H

#include "lcl/device.h"

/* AUTO: our kernel on CPUs, CLBlast on GPUs where the product's layout allows it. */
typedef enum { LCL_GEMM_AUTO, LCL_GEMM_OWN, LCL_GEMM_CLBLAST } lcl_gemm_backend;

/* "auto", "own", "clblast"; anything else is LCL_EUSAGE. */
lcl_status lcl_gemm_backend_parse(lcl_gemm_backend *out, const char *name,
                                  lcl_error *err);

typedef struct {
    lcl_device *dev;
    lcl_gemm_backend backend;
} lcl_blas;

/* An operand in a buffer: first element `offset`, row length `ld`; all in floats. */
typedef struct {
    cl_mem buffer;
    size_t offset, ld;
    size_t stride; /* between the matrices of a batch; 0: the same one for all */
    bool transposed;
} lcl_matrix;

/* C = A B + beta C for each of `batch` products, row-major: A is m x k, B is k x n, C is
 * m x n (before their own transposition; C is never transposed). beta is 0 or 1. */
typedef struct {
    size_t m, n, k, batch;
    lcl_matrix a, b, c;
    float beta;
} lcl_gemm_args;

lcl_status lcl_gemm(const lcl_blas *blas, const lcl_gemm_args *args, lcl_error *err);

#endif
