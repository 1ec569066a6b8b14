/* Plain C answers for samples of what a device computed. */
#include "bench/reference.h"

#include <math.h>
#include <stdint.h>

void lcl_bench_fill(float *values, size_t n, unsigned seed)
{
    uint32_t state = seed * 2654435761u + 1;

    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = (float)(state >> 8) * 0x1p-23f - 1;
    }
}

size_t lcl_bench_pick(size_t i, size_t n)
{
    uint64_t x = (uint64_t)i * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u;

    return (size_t)((x ^ x >> 31) % n);
}

void lcl_bench_compare(lcl_bench_error *e, double found, double right)
{
    double difference = fabs(found - right);

    if (!(difference <= e->worst))
        e->worst = isnan(difference) ? INFINITY : difference;
    e->largest = fmax(e->largest, fabs(right));
}

double lcl_bench_error_part(const lcl_bench_error *e)
{
    return fmin(e->worst / fmax(e->largest, 1e-30), 1e30);
}

double lcl_bench_product_at(const float *a, const float *b, size_t n, size_t k, size_t i,
                            size_t j)
{
    double sum = 0;

    for (size_t p = 0; p < k; p++)
        sum += (double)a[i * k + p] * (double)b[p * n + j];
    return sum;
}

/* ---- Convolution ------------------------------------------------------------------- */

void lcl_bench_conv_shape(lcl_bench_conv *v)
{
    v->out_h = (v->h + 2 * v->pad - v->r) / v->stride + 1;
    v->out_w = (v->w + 2 * v->pad - v->r) / v->stride + 1;
}

size_t lcl_bench_conv_inputs(const lcl_bench_conv *v)
{
    return v->n * v->c * v->h * v->w;
}

size_t lcl_bench_conv_weights(const lcl_bench_conv *v)
{
    return v->k * (v->c / v->groups) * v->r * v->r;
}

size_t lcl_bench_conv_outputs(const lcl_bench_conv *v)
{
    return v->n * v->k * v->out_h * v->out_w;
}

double lcl_bench_conv_flop(const lcl_bench_conv *v)
{
    return 2.0 * (double)lcl_bench_conv_outputs(v) *
           (double)(v->c / v->groups * v->r * v->r);
}

/* Row or column of the input that kernel row `r` meets at output row `out`; false where it
 * lies in the padding. */
static int meets(const lcl_bench_conv *v, size_t out, size_t r, size_t size, size_t *in)
{
    *in = out * v->stride + r - v->pad; /* wraps around below 0 */
    return *in < size;
}

static double input_at(const lcl_bench_conv *v, size_t n, size_t c, size_t y, size_t x)
{
    return (double)v->input[((n * v->c + c) * v->h + y) * v->w + x];
}

static double weight_at(const lcl_bench_conv *v, size_t k, size_t c, size_t y, size_t x)
{
    return (double)v->weight[((k * (v->c / v->groups) + c) * v->r + y) * v->r + x];
}

static double grad_at(const lcl_bench_conv *v, size_t n, size_t k, size_t y, size_t x)
{
    return (double)v->grad[((n * v->k + k) * v->out_h + y) * v->out_w + x];
}

/* Splits index into n, c, y, x of an array of ... x channels x height x width. */
static void split_index(size_t index, size_t channels, size_t height, size_t width,
                        size_t at[4])
{
    at[3] = index % width;
    at[2] = index / width % height;
    at[1] = index / width / height % channels;
    at[0] = index / width / height / channels;
}

double lcl_bench_conv_output_at(const lcl_bench_conv *v, size_t index)
{
    const size_t channels = v->c / v->groups;
    size_t at[4], iy, ix;
    double sum = 0;

    split_index(index, v->k, v->out_h, v->out_w, at);
    size_t first = at[1] / (v->k / v->groups) * channels;
    for (size_t c = 0; c < channels; c++)
        for (size_t y = 0; y < v->r; y++)
            for (size_t x = 0; x < v->r; x++)
                if (meets(v, at[2], y, v->h, &iy) && meets(v, at[3], x, v->w, &ix))
                    sum += input_at(v, at[0], first + c, iy, ix) *
                           weight_at(v, at[1], c, y, x);
    return sum;
}

double lcl_bench_conv_input_grad_at(const lcl_bench_conv *v, size_t index)
{
    const size_t channels = v->c / v->groups, outputs = v->k / v->groups;
    size_t at[4], iy, ix;
    double sum = 0;

    split_index(index, v->c, v->h, v->w, at);
    size_t group = at[1] / channels;
    for (size_t oy = 0; oy < v->out_h; oy++)
        for (size_t y = 0; y < v->r; y++) {
            if (!meets(v, oy, y, v->h, &iy) || iy != at[2])
                continue;
            for (size_t ox = 0; ox < v->out_w; ox++)
                for (size_t x = 0; x < v->r; x++) {
                    if (!meets(v, ox, x, v->w, &ix) || ix != at[3])
                        continue;
                    for (size_t k = group * outputs; k < (group + 1) * outputs; k++)
                        sum += grad_at(v, at[0], k, oy, ox) *
                               weight_at(v, k, at[1] % channels, y, x);
                }
        }
    return sum;
}

double lcl_bench_conv_weight_grad_at(const lcl_bench_conv *v, size_t index)
{
    const size_t channels = v->c / v->groups;
    size_t at[4], iy, ix;
    double sum = 0;

    split_index(index, channels, v->r, v->r, at);
    size_t c = at[0] / (v->k / v->groups) * channels + at[1];
    for (size_t n = 0; n < v->n; n++)
        for (size_t oy = 0; oy < v->out_h; oy++)
            for (size_t ox = 0; ox < v->out_w; ox++)
                if (meets(v, oy, at[2], v->h, &iy) && meets(v, ox, at[3], v->w, &ix))
                    sum += input_at(v, n, c, iy, ix) * grad_at(v, n, at[0], oy, ox);
    return sum;
}
