/* Cases of layers that add many numbers, computed in plain C with double precision. */
#include <math.h>
#include <stdlib.h>

#include "text.h"
#include "verify/generated.h"
#include "verify/verify.h"

/* n values in (0, 1]: what they add up to is not small beside what is added. */
static float *positive_values(size_t n, unsigned seed)
{
    float *values = lcl_generate_values(n, seed);

    for (size_t i = 0; i < n; i++)
        values[i] = (values[i] + 1) / 2 + 0x1p-24f;
    return values;
}

/* ---- Reduction --------------------------------------------------------------------- */

static double identity(double x)
{
    return x;
}
static double one(double x)
{
    (void)x;
    return 1;
}
static double sign(double x)
{
    return (x > 0) - (x < 0);
}
static double square(double x)
{
    return x * x;
}
static double twice(double x)
{
    return 2 * x;
}

static const struct {
    const char *name;
    double (*f)(double), (*slope)(double);
    bool mean;
} operations[] = {{"SUM", identity, one, false},
                  {"ASUM", fabs, sign, false},
                  {"SUMSQ", square, twice, false},
                  {"MEAN", identity, one, true}};

/* Three rows of `n`, over axis 1. */
static void add_reduction(lcl_golden_files *files, size_t o, size_t n)
{
    enum { ROWS = 3 };
    const bool any_sign = operations[o].f != identity;
    float *x = any_sign ? lcl_generate_values(ROWS * n, 1) : positive_values(ROWS * n, 1);
    float *dx = lcl_alloc(ROWS * n, sizeof *dx), *y = lcl_alloc(ROWS, sizeof *y);
    float *dy = positive_values(ROWS, 2);
    const int in[] = {ROWS, (int)n, 0}, out[] = {ROWS, 0};
    const double scale = operations[o].mean ? 1 / (double)n : 1;
    char *folder = lcl_format("sums/reduction_%s", operations[o].name);
    char *text = lcl_format("type: 'Reduction' bottom: 'x' top: 'y' reduction_param { "
                            "operation: %s axis: 1 }",
                            operations[o].name);

    for (size_t r = 0; r < ROWS; r++) {
        double sum = 0;
        for (size_t i = r * n; i < (r + 1) * n; i++) {
            sum += operations[o].f((double)x[i]);
            dx[i] = (float)(scale * (double)dy[r] * operations[o].slope((double)x[i]));
        }
        y[r] = (float)(scale * sum);
    }
    lcl_generate_layer(files, folder, text);
    lcl_generate_array(files, folder, "bottom", 0, x, in);
    lcl_generate_array(files, folder, "top", 0, y, out);
    lcl_generate_array(files, folder, "top_diff", 0, dy, out);
    lcl_generate_array(files, folder, "bottom_diff", 0, dx, in);
    free(text);
    free(folder);
}

/* ---- Softmax ----------------------------------------------------------------------- */

/* y = exp(x) / sum exp(x), dx = y (dy - sum y dy), over `n` classes. */
static void softmax_row(const float *x, const float *dy, float *y, float *dx, size_t n)
{
    double sum = 0, dot = 0;

    for (size_t i = 0; i < n; i++)
        sum += exp((double)x[i]);
    for (size_t i = 0; i < n; i++)
        dot += exp((double)x[i]) / sum * (double)dy[i];
    for (size_t i = 0; i < n; i++) {
        const double p = exp((double)x[i]) / sum;
        y[i] = (float)p;
        dx[i] = (float)(p * ((double)dy[i] - dot));
    }
}

static void add_softmax(lcl_golden_files *files, size_t n)
{
    enum { ROWS = 5 };
    static const char folder[] = "sums/softmax";
    float *x = lcl_generate_values(ROWS * n, 3), *dy = lcl_generate_values(ROWS * n, 4);
    float *y = lcl_alloc(ROWS * n, sizeof *y), *dx = lcl_alloc(ROWS * n, sizeof *dx);
    const int classes[] = {ROWS, (int)n, 0};

    for (size_t i = 0; i < ROWS * n; i++)
        x[i] *= 3;
    for (size_t r = 0; r < ROWS * n; r += n)
        softmax_row(x + r, dy + r, y + r, dx + r, n);
    lcl_generate_layer(files, folder, "type: 'Softmax' bottom: 'x' top: 'y'");
    lcl_generate_array(files, folder, "bottom", 0, x, classes);
    lcl_generate_array(files, folder, "top", 0, y, classes);
    lcl_generate_array(files, folder, "top_diff", 0, dy, classes);
    lcl_generate_array(files, folder, "bottom_diff", 0, dx, classes);
}

/* ---- Bias and batch norm: sums over images and pixels ------------------------------ */

enum { IMAGES = 9, CHANNELS = 3 };

static void add_bias(lcl_golden_files *files, size_t n)
{
    static const char folder[] = "sums/bias";
    const int planes[] = {IMAGES, CHANNELS, (int)n, 0}, channels[] = {CHANNELS, 0};
    float *x = lcl_generate_values(IMAGES * CHANNELS * n, 5), *y;
    float *dy = positive_values(IMAGES * CHANNELS * n, 6);
    float *bias = lcl_generate_values(CHANNELS, 7), *d_bias;
    double sums[CHANNELS] = {0};

    y = lcl_alloc(IMAGES * CHANNELS * n, sizeof *y);
    d_bias = lcl_alloc(CHANNELS, sizeof *d_bias);
    for (size_t i = 0; i < IMAGES * CHANNELS * n; i++) {
        y[i] = x[i] + bias[i / n % CHANNELS];
        sums[i / n % CHANNELS] += (double)dy[i];
    }
    for (size_t c = 0; c < CHANNELS; c++)
        d_bias[c] = (float)sums[c];
    lcl_generate_layer(files, folder, "type: 'Bias' bottom: 'x' top: 'y'");
    lcl_generate_array(files, folder, "bottom", 0, x, planes);
    lcl_generate_array(files, folder, "param", 0, bias, channels);
    lcl_generate_array(files, folder, "top", 0, y, planes);
    lcl_generate_array(files, folder, "top_diff", 0, dy, planes);
    lcl_generate_array(files, folder, "param_diff", 0, d_bias, channels);
}

/* Mean and 1 / sqrt(variance + eps) of a channel. */
static void channel_statistics(const float *x, size_t n, size_t channel, double *mean,
                               double *scale)
{
    double sum = 0, squares = 0;

    for (size_t image = 0; image < IMAGES; image++)
        for (size_t i = 0; i < n; i++)
            sum += (double)x[(image * CHANNELS + channel) * n + i];
    *mean = sum / (double)(IMAGES * n);
    for (size_t image = 0; image < IMAGES; image++)
        for (size_t i = 0; i < n; i++)
            squares += square((double)x[(image * CHANNELS + channel) * n + i] - *mean);
    *scale = 1 / sqrt(squares / (double)(IMAGES * n) + 1e-5);
}

static void add_batch_norm(lcl_golden_files *files, size_t n)
{
    static const char folder[] = "sums/batch_norm";
    const int planes[] = {IMAGES, CHANNELS, (int)n, 0};
    float *x = positive_values(IMAGES * CHANNELS * n, 8);
    float *y = lcl_alloc(IMAGES * CHANNELS * n, sizeof *y);

    for (size_t c = 0; c < CHANNELS; c++) {
        double mean, scale;
        channel_statistics(x, n, c, &mean, &scale);
        for (size_t image = 0; image < IMAGES; image++)
            for (size_t i = 0; i < n; i++) {
                const size_t at = (image * CHANNELS + c) * n + i;
                y[at] = (float)(((double)x[at] - mean) * scale);
            }
    }
    lcl_generate_layer(files, folder,
                       "#! backward no\ntype: 'BatchNorm' bottom: 'x' top: 'y'");
    lcl_generate_array(files, folder, "bottom", 0, x, planes);
    lcl_generate_array(files, folder, "top", 0, y, planes);
}

/* ---- A product and a loss ---------------------------------------------------------- */

static void add_inner_product(lcl_golden_files *files, size_t n)
{
    enum { ROWS = 3 };
    static const char folder[] = "sums/inner_product";
    const int in[] = {ROWS, (int)n, 0}, out[] = {ROWS, 1, 0}, weights[] = {1, (int)n, 0};
    float *x = positive_values(ROWS * n, 9), *w = positive_values(n, 10);
    float *y = lcl_alloc(ROWS, sizeof *y);

    for (size_t r = 0; r < ROWS; r++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += (double)x[r * n + i] * (double)w[i];
        y[r] = (float)sum;
    }
    lcl_generate_layer(files, folder,
                       "#! backward no\ntype: 'InnerProduct' bottom: 'x' top: 'y' "
                       "inner_product_param { num_output: 1 bias_term: false }");
    lcl_generate_array(files, folder, "bottom", 0, x, in);
    lcl_generate_array(files, folder, "param", 0, w, weights);
    lcl_generate_array(files, folder, "top", 0, y, out);
}

static void add_loss(lcl_golden_files *files, size_t n)
{
    enum { ROWS = 5 };
    static const char folder[] = "sums/euclidean_loss";
    const int in[] = {ROWS, (int)n, 0}, one_value[] = {0};
    float *a = lcl_generate_values(ROWS * n, 11), *b = lcl_generate_values(ROWS * n, 12);
    float *loss = lcl_alloc(1, sizeof *loss);
    double sum = 0;

    for (size_t i = 0; i < ROWS * n; i++)
        sum += square((double)a[i] - (double)b[i]);
    *loss = (float)(sum / (2 * ROWS));
    lcl_generate_layer(files, folder,
                       "#! backward no\n"
                       "type: 'EuclideanLoss' bottom: 'a' bottom: 'b' top: 'loss'");
    lcl_generate_array(files, folder, "bottom", 0, a, in);
    lcl_generate_array(files, folder, "bottom", 1, b, in);
    lcl_generate_array(files, folder, "top", 0, loss, one_value);
}

void lcl_verify_generate_sums(lcl_golden_files *files, bool quick)
{
    const size_t n = quick ? 301 : 30011; /* no multiple of any group of work-items */

    for (size_t o = 0; o < LCL_COUNT(operations); o++)
        add_reduction(files, o, n);
    add_softmax(files, n / 3);
    add_bias(files, n / 3);
    add_batch_norm(files, n / 3);
    add_inner_product(files, n);
    add_loss(files, n);
}
