/* For rows of runs of `width` vectors, each run of a channel: the sum of FORMULA of x and d over
 * all that a channel, or a channel of an image, has. */

/* AT_ONCE channels a work-item. Global size: column parts, channels / AT_ONCE, row parts. */
kernel void channel_sum(int rows, int channels, int width, int row_each, int first, int step,
                        int each, global const vec *xs, global const vec *ds,
                        global float *parts)
{
    const int channel0 = get_global_id(1) * AT_ONCE, row0 = get_global_id(2) * row_each;
    const int column0 = get_global_id(0) * first;
    const int end = min(column0 + (each - 1) * step + 1, width);
    vec sum[AT_ONCE];

#define FOR_CHANNELS(c) UNROLL for (int c = 0; c < AT_ONCE; c++)
    FOR_CHANNELS(c) sum[c] = 0;
    for (int row = row0; row < min(row0 + row_each, rows); row++) {
        for (int i = column0; i < end; i += step)
            FOR_CHANNELS(c) {
                const int channel = min(channel0 + c, channels - 1);
                const size_t at = ((size_t)row * channels + channel) * width + i;
                const vec x = xs[at], d = ds[at];
                sum[c] += FORMULA;
            }
    }
    parts += (get_global_id(2) * get_global_size(0) + get_global_id(0)) * channels;
    FOR_CHANNELS(c) if (channel0 + c < channels)
        parts[channel0 + c] = sum_lanes(sum[c]);
#undef FOR_CHANNELS
}

/* Global size: lanes, runs. */
kernel void channel_image_sum(int width, global const vec *xs, global const vec *ds,
                              global vec *out)
{
    const size_t start = get_global_id(1) * width;
    vec sum = 0;

    for (int i = LANE; i < width; i += LANES) {
        const vec x = xs[start + i], d = ds[start + i];
        sum += FORMULA;
    }
    out[get_global_id(1) * LANES + LANE] = sum;
}
