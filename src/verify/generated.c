/* Cases of layers of which no results of Caffe are stored, computed in plain C. */
#include "verify/generated.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/reference.h"
#include "text.h"
#include "verify/verify.h"

void lcl_generate_layer(lcl_golden_files *files, const char *folder, const char *text)
{
    char *path = lcl_format("%s/" LCL_GOLDEN_LAYER, folder);
    char *file = lcl_format("%s\nname: \"%s\"\n", text, folder);

    lcl_golden_files_add(files, path, file, strlen(file));
    free(file);
    free(path);
}

float *lcl_generate_values(size_t n, unsigned seed)
{
    float *values = lcl_alloc(n, sizeof *values);

    lcl_bench_fill(values, n, seed);
    return values;
}

void lcl_generate_array(lcl_golden_files *files, const char *folder, const char *kind,
                        int i, float *values, const int *shape)
{
    int n_axes = 0;

    while (shape[n_axes])
        n_axes++;
    lcl_golden_files_add_array(files, folder, kind, i, values, n_axes, shape);
    free(values);
}

/* ---- Element by element ------------------------------------------------------------ */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}
static double sigmoid_slope(double x)
{
    return sigmoid(x) * (1 - sigmoid(x));
}
static double tanh_slope(double x)
{
    return 1 - tanh(x) * tanh(x);
}
static double swish(double x)
{
    return x * sigmoid(1.5 * x);
}
static double swish_slope(double x)
{
    return sigmoid(1.5 * x) + 1.5 * x * sigmoid_slope(1.5 * x);
}
static double threshold(double x)
{
    return x > 0.25;
}
static double zero(double x)
{
    (void)x;
    return 0;
}

static const struct {
    const char *folder, *text;
    double (*f)(double), (*slope)(double);
} functions[] = {
    {"layers/sigmoid_formula", "type: 'Sigmoid' bottom: 'x' top: 'y'", sigmoid,
     sigmoid_slope},
    {"layers/tanh_formula", "type: 'TanH' bottom: 'x' top: 'y'", tanh, tanh_slope},
    {"layers/swish_formula",
     "type: 'Swish' bottom: 'x' top: 'y' swish_param { beta: 1.5 }", swish, swish_slope},
    {"layers/threshold_formula",
     "#! backward no\n"
     "type: 'Threshold' bottom: 'x' top: 'y' threshold_param { threshold: 0.25 }",
     threshold, zero},
};

static const int shape[] = {5, 3, 4, 6, 0};
enum { COUNT = 5 * 3 * 4 * 6 };

static void add_function(lcl_golden_files *files, size_t i)
{
    const char *folder = functions[i].folder;
    float *x = lcl_generate_values(COUNT, 1), *dy = lcl_generate_values(COUNT, 2);
    float *y = lcl_alloc(COUNT, sizeof *y), *dx = lcl_alloc(COUNT, sizeof *dx);

    for (size_t k = 0; k < COUNT; k++) {
        x[k] *= 4;
        y[k] = (float)functions[i].f((double)x[k]);
        dx[k] = (float)((double)dy[k] * functions[i].slope((double)x[k]));
    }
    lcl_generate_layer(files, folder, functions[i].text);
    lcl_generate_array(files, folder, "bottom", 0, x, shape);
    lcl_generate_array(files, folder, "top", 0, y, shape);
    lcl_generate_array(files, folder, "top_diff", 0, dy, shape);
    lcl_generate_array(files, folder, "bottom_diff", 0, dx, shape);
}

/* ---- Copies ------------------------------------------------------------------------ */

static void add_split(lcl_golden_files *files)
{
    static const char folder[] = "layers/split_formula";
    float *sum = lcl_alloc(COUNT, sizeof *sum);

    lcl_generate_layer(files, folder,
                       "type: 'Split' bottom: 'x' top: 'a' top: 'b' top: 'c'");
    lcl_generate_array(files, folder, "bottom", 0, lcl_generate_values(COUNT, 3), shape);
    for (int t = 0; t < 3; t++) {
        float *diff = lcl_generate_values(COUNT, 4 + (unsigned)t);
        for (size_t k = 0; k < COUNT; k++)
            sum[k] += diff[k];
        lcl_generate_array(files, folder, "top", t, lcl_generate_values(COUNT, 3), shape);
        lcl_generate_array(files, folder, "top_diff", t, diff, shape);
    }
    lcl_generate_array(files, folder, "bottom_diff", 0, sum, shape);
}

static void add_dummy_data(lcl_golden_files *files)
{
    static const char folder[] = "layers/dummydata_formula";
    float *values = lcl_alloc(COUNT, sizeof *values);

    for (size_t k = 0; k < COUNT; k++)
        values[k] = 2.5f;
    lcl_generate_layer(files, folder,
                       "#! backward no\n"
                       "type: 'DummyData' top: 'y' dummy_data_param {"
                       "  shape { dim: 5 dim: 3 dim: 4 dim: 6 }"
                       "  data_filler { type: 'constant' value: 2.5 } }");
    lcl_generate_array(files, folder, "top", 0, values, shape);
}

/* ---- Stochastic pooling ------------------------------------------------------------ */

#define STOCHASTIC                                                                       \
    "type: 'Pooling' bottom: 'x' top: 'y' "                                              \
    "pooling_param { pool: STOCHASTIC kernel_size: 2 stride: 2 }"

/* Index in x of element `k` of the 2 x 2 window of output `o`: planes of 4 x 6. */
static size_t in_window(size_t o, size_t k)
{
    const size_t plane = o / 6, y = o % 6 / 3, x = o % 3;

    return plane * 24 + (2 * y + k / 2) * 6 + 2 * x + k % 2;
}

static const int pooled[] = {5, 3, 2, 3, 0};
enum { POOLED = 5 * 3 * 2 * 3 };

/* Where only one value of a window is not zero, that is the one which is drawn. */
static void add_stochastic_train(lcl_golden_files *files)
{
    static const char folder[] = "layers/pooling_stochastic_train";
    float *x = lcl_alloc(COUNT, sizeof *x), *dx = lcl_alloc(COUNT, sizeof *dx);
    float *y = lcl_generate_values(POOLED, 7), *dy = lcl_generate_values(POOLED, 8);

    for (size_t o = 0; o < POOLED; o++) {
        const size_t drawn = in_window(o, o * 7 % 4);
        x[drawn] = y[o] = fabsf(y[o]) + 0.1f;
        dx[drawn] = dy[o];
    }
    lcl_generate_layer(files, folder, "#! phase TRAIN\n" STOCHASTIC);
    lcl_generate_array(files, folder, "bottom", 0, x, shape);
    lcl_generate_array(files, folder, "top", 0, y, pooled);
    lcl_generate_array(files, folder, "top_diff", 0, dy, pooled);
    lcl_generate_array(files, folder, "bottom_diff", 0, dx, shape);
}

/* The mean, weighted by the values themselves. */
static void add_stochastic_test(lcl_golden_files *files)
{
    static const char folder[] = "layers/pooling_stochastic_test";
    float *x = lcl_generate_values(COUNT, 9), *y = lcl_alloc(POOLED, sizeof *y);

    for (size_t k = 0; k < COUNT; k++)
        x[k] = fabsf(x[k]);
    for (size_t o = 0; o < POOLED; o++) {
        double sum = 0, squares = 0;
        for (size_t k = 0; k < 4; k++) {
            const double value = (double)x[in_window(o, k)];
            sum += value;
            squares += value * value;
        }
        y[o] = (float)(squares / sum);
    }
    lcl_generate_layer(files, folder, "#! phase TEST\n#! backward no\n" STOCHASTIC);
    lcl_generate_array(files, folder, "bottom", 0, x, shape);
    lcl_generate_array(files, folder, "top", 0, y, pooled);
}

void lcl_verify_generate_layers(lcl_golden_files *files)
{
    for (size_t i = 0; i < LCL_COUNT(functions); i++)
        add_function(files, i);
    add_split(files);
    add_dummy_data(files);
    add_stochastic_train(files);
    add_stochastic_test(files);
}
