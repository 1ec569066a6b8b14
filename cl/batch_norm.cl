/* Batch normalisation. A block is CHANNELS x COUNT; a channel's mean and deviation over the
 * batch, and the two means that backward needs, lie in stats[4][CHANNELS]. Sums are made in
 * two steps: work-items of global size (LANES, CHANNELS * SHARES, blocks) leave parts, then
 * one work-item a channel adds them. */
#include "sums.cl"

#define MEAN 0
#define DEVIATION 1
#define MEAN_DY 2
#define MEAN_PRODUCT 3
#define CHANNEL ((int)get_global_id(1) / SHARES)
#define STAT(i) stats[(i) * CHANNELS + CHANNEL]

/* Each place i of this work-item's share of its channel. */
#define FOR_EACH(i)                                                                      \
    for (int e_ = (int)get_global_id(1) % SHARES * EACH, end_ = min(e_ + EACH, COUNT),   \
             i = ((get_global_id(2) * CHANNELS + CHANNEL) * COUNT + e_) * LANES + LANE;  \
         e_ < end_; e_++, i += LANES)

/* What all parts of channel c add up to. */
inline float add_parts(global const vec *parts, int c, int blocks)
{
    vec sum = 0;

    for (int n = 0; n < blocks; n++)
        for (int i = 0; i < SHARES * LANES; i++)
            sum += parts[((size_t)n * CHANNELS + c) * SHARES * LANES + i];
    return sum_lanes(sum);
}

kernel void batch_norm_sums(global const vec *x, global vec *parts, int n_images)
{
    vec sum = 0;

    FOR_EACH (i)
        sum += x[i];
    parts[SUM_PLACE] = lane_exists(get_global_id(2), n_images) ? sum : (vec)0;
}

/* Global size: CHANNELS. */
kernel void batch_norm_mean(global const vec *parts, int blocks, float count,
                            global float *stats)
{
    const int c = get_global_id(0);

    stats[MEAN * CHANNELS + c] = add_parts(parts, c, blocks) / count;
}

kernel void batch_norm_squares(global const vec *x, global const float *stats,
                               global vec *parts, int n_images)
{
    const float mean = STAT(MEAN);
    vec sum = 0;

    FOR_EACH (i)
        sum += (x[i] - mean) * (x[i] - mean);
    parts[SUM_PLACE] = lane_exists(get_global_id(2), n_images) ? sum : (vec)0;
}

/* The deviation, and the moving sums: all times `fraction` plus this batch's, that of
 * variances without bias. Global size: CHANNELS. */
kernel void batch_norm_deviation(global const vec *parts, int blocks, float count, float eps,
                                 float fraction, global float *stats, global float *means,
                                 global float *variances, global float *weight)
{
    const int c = get_global_id(0);
    const float variance = add_parts(parts, c, blocks) / count;
    const float unbiased = count > 1 ? variance * (count / (count - 1)) : variance;

    stats[DEVIATION * CHANNELS + c] = sqrt(variance + eps);
    means[c] = fraction * means[c] + stats[MEAN * CHANNELS + c];
    variances[c] = fraction * variances[c] + unbiased;
    if (c == 0)
        weight[0] = fraction * weight[0] + 1;
}

/* Mean and deviation from the moving sums. Global size: CHANNELS. */
kernel void batch_norm_stored(global const float *means, global const float *variances,
                              global const float *weight, float eps, global float *stats)
{
    const int c = get_global_id(0);
    const float scale = weight[0] == 0 ? 0 : 1 / weight[0];

    stats[MEAN * CHANNELS + c] = scale * means[c];
    stats[DEVIATION * CHANNELS + c] = sqrt(scale * variances[c] + eps);
}

/* In place x is y, and KEEP: backward then needs `kept`, a copy of y. */
kernel void batch_norm_forward(global const vec *x, global const float *stats, global vec *y,
                               global vec *kept)
{
    const float mean = STAT(MEAN), scale = 1 / STAT(DEVIATION);

    FOR_EACH (i) {
        y[i] = (x[i] - mean) * scale;
#if KEEP
        kept[i] = y[i];
#endif
    }
}

#if KEEP
#define NORMALISED(x) (x)
#else
#define NORMALISED(x) (((x) - mean) * scale)
#endif

/* x: the bottom, or what was kept of the top. dy is 0 where there is no image. */
kernel void batch_norm_products(global const vec *x, global const vec *dy,
                                global const float *stats, global vec *parts,
                                global vec *product_parts)
{
    const float mean = STAT(MEAN), scale = 1 / STAT(DEVIATION);
    vec sum = 0, products = 0;

    FOR_EACH (i) {
        sum += dy[i];
        products += dy[i] * NORMALISED(x[i]);
    }
    parts[SUM_PLACE] = sum;
    product_parts[SUM_PLACE] = products;
}

/* Global size: CHANNELS. */
kernel void batch_norm_means(global const vec *parts, global const vec *product_parts,
                             int blocks, float count, global float *stats)
{
    const int c = get_global_id(0);

    stats[MEAN_DY * CHANNELS + c] = add_parts(parts, c, blocks) / count;
    stats[MEAN_PRODUCT * CHANNELS + c] = add_parts(product_parts, c, blocks) / count;
}

kernel void batch_norm_backward(global const vec *x, global const vec *dy,
                                global const float *stats, global vec *dx, int n_images)
{
    const float mean = STAT(MEAN), scale = 1 / STAT(DEVIATION);
    const vec factor = lane_exists(get_global_id(2), n_images) ? (vec)scale : (vec)0;

    FOR_EACH (i)
        dx[i] = (dy[i] - STAT(MEAN_DY) - STAT(MEAN_PRODUCT) * NORMALISED(x[i])) * factor;
}

/* With stored statistics, which do not depend on x. */
kernel void batch_norm_backward_stored(global const vec *dy, global const float *stats,
                                       global vec *dx)
{
    const float scale = 1 / STAT(DEVIATION);

    FOR_EACH (i)
        dx[i] = dy[i] * scale;
}
