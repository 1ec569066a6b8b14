/* Cases of convolutions that suit Winograd's transforms, computed in plain C. */
#include <stdlib.h>

#include "bench/reference.h"
#include "text.h"
#include "verify/generated.h"
#include "verify/verify.h"

static const struct {
    const char *folder;
    lcl_bench_conv v;
    bool quick;
} cases[] = {
    {"winograd/3x3",
     {.n = 5,
      .c = 16,
      .h = 13,
      .w = 11,
      .k = 24,
      .r = 3,
      .stride = 1,
      .pad = 1,
      .groups = 1},
     false},
    {"winograd/3x3_groups",
     {.n = 3,
      .c = 16,
      .h = 8,
      .w = 9,
      .k = 16,
      .r = 3,
      .stride = 1,
      .pad = 0,
      .groups = 2},
     true},
    {"winograd/3x3_64_channels",
     {.n = 2,
      .c = 64,
      .h = 16,
      .w = 16,
      .k = 32,
      .r = 3,
      .stride = 1,
      .pad = 1,
      .groups = 1},
     false},
    /* Too large for a pass in one launch. */
    {"winograd/3x3_112_channels",
     {.n = 2,
      .c = 112,
      .h = 8,
      .w = 8,
      .k = 96,
      .r = 3,
      .stride = 1,
      .pad = 1,
      .groups = 1},
     false},
    {"winograd/5x5",
     {.n = 17,
      .c = 8,
      .h = 12,
      .w = 12,
      .k = 16,
      .r = 5,
      .stride = 1,
      .pad = 0,
      .groups = 1},
     false},
    {"winograd/5x5_pad",
     {.n = 2, .c = 8, .h = 5, .w = 9, .k = 9, .r = 5, .stride = 1, .pad = 2, .groups = 1},
     true},
};

typedef double element(const lcl_bench_conv *v, size_t index);

static float *compute(const lcl_bench_conv *v, size_t n, element *right)
{
    float *values = lcl_alloc(n, sizeof *values);

    for (size_t i = 0; i < n; i++)
        values[i] = (float)right(v, i);
    return values;
}

static void add_case(lcl_golden_files *files, const char *folder, lcl_bench_conv v)
{
    const size_t n_inputs = lcl_bench_conv_inputs(&v),
                 n_weights = lcl_bench_conv_weights(&v);
    float *input = lcl_generate_values(n_inputs, 1);
    float *weight = lcl_generate_values(n_weights, 2);

    lcl_bench_conv_shape(&v);
    const size_t n_outputs = lcl_bench_conv_outputs(&v);
    float *grad = lcl_generate_values(n_outputs, 3);
    const int in[] = {(int)v.n, (int)v.c, (int)v.h, (int)v.w, 0};
    const int out[] = {(int)v.n, (int)v.k, (int)v.out_h, (int)v.out_w, 0};
    const int filter[] = {(int)v.k, (int)(v.c / v.groups), (int)v.r, (int)v.r, 0};
    char *text =
        lcl_format("type: 'Convolution' bottom: 'x' top: 'y' convolution_param { "
                   "num_output: %zu kernel_size: %zu pad: %zu group: %zu "
                   "bias_term: false }",
                   v.k, v.r, v.pad, v.groups);

    v.input = input;
    v.weight = weight;
    v.grad = grad;
    lcl_generate_layer(files, folder, text);
    lcl_generate_array(files, folder, "top", 0,
                       compute(&v, n_outputs, lcl_bench_conv_output_at), out);
    lcl_generate_array(files, folder, "bottom_diff", 0,
                       compute(&v, n_inputs, lcl_bench_conv_input_grad_at), in);
    lcl_generate_array(files, folder, "param_diff", 0,
                       compute(&v, n_weights, lcl_bench_conv_weight_grad_at), filter);
    lcl_generate_array(files, folder, "bottom", 0, input, in);
    lcl_generate_array(files, folder, "param", 0, weight, filter);
    lcl_generate_array(files, folder, "top_diff", 0, grad, out);
    free(text);
}

void lcl_verify_generate_winograd(lcl_golden_files *files, bool quick)
{
    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        if (!quick || cases[i].quick)
            add_case(files, cases[i].folder, cases[i].v);
}
