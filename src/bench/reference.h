/* Plain C answers for samples of what a device computed. */
#ifndef LCL_BENCH_REFERENCE_H
#define LCL_BENCH_REFERENCE_H

#include <stddef.h>

/* Repeatable values in [-1, 1). */
void lcl_bench_fill(float *values, size_t n, unsigned seed);
/* A repeatable index below n: number i of its kind. */
size_t lcl_bench_pick(size_t i, size_t n);

/* How far results are from what they should be. {0} to start with. */
typedef struct {
    double worst, largest; /* difference; magnitude of what is right */
} lcl_bench_error;

void lcl_bench_compare(lcl_bench_error *e, double found, double right);
/* The worst difference as a part of the largest magnitude; what is no number counts 1e30. */
double lcl_bench_error_part(const lcl_bench_error *e);

/* Element (i, j) of A B: A has k columns, B has k rows and n columns. */
double lcl_bench_product_at(const float *a, const float *b, size_t n, size_t k, size_t i,
                            size_t j);

/* A convolution of N x C x H x W with square kernels. */
typedef struct {
    size_t n, c, h, w;                /* input */
    size_t k, r, stride, pad, groups; /* kernels: number, height and width */
    size_t out_h, out_w;
    const float *input, *weight, *grad; /* grad: of the output */
} lcl_bench_conv;

/* Sets out_h and out_w. */
void lcl_bench_conv_shape(lcl_bench_conv *v);
size_t lcl_bench_conv_inputs(const lcl_bench_conv *v);
size_t lcl_bench_conv_weights(const lcl_bench_conv *v);
size_t lcl_bench_conv_outputs(const lcl_bench_conv *v);
/* Operations of one pass: two for each multiply-add of the definition. */
double lcl_bench_conv_flop(const lcl_bench_conv *v);
/* Element `index` of the output, of the input's gradient, and of the weights'. */
double lcl_bench_conv_output_at(const lcl_bench_conv *v, size_t index);
double lcl_bench_conv_input_grad_at(const lcl_bench_conv *v, size_t index);
double lcl_bench_conv_weight_grad_at(const lcl_bench_conv *v, size_t index);

#endif
