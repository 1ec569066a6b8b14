/* For rows of runs of `width` vectors, each run of a channel: the sum of FORMULA of x and d over
 * all that a channel, or a channel of an image, has. */

/* Global size: column parts, channels, row parts. */
kernel void channel_sum(int rows, int channels, int width, int row_each, int first, int step,
                        int each, global const vec *xs, global const vec *ds,
                        global float *parts)
{
    const int channel = get_global_id(1), row0 = get_global_id(2) * row_each;
    const int column0 = get_global_id(0) * first;
    const int end = min(column0 + (each - 1) * step + 1, width);
    vec sum = 0;

    for (int row = row0; row < min(row0 + row_each, rows); row++) {
        const size_t start = ((size_t)row * channels + channel) * width;
        for (int i = column0; i < end; i += step) {
            const vec x = xs[start + i], d = ds[start + i];
            sum += FORMULA;
        }
    }
    parts[(get_global_id(2) * get_global_size(0) + get_global_id(0)) * channels + channel] =
        sum_lanes(sum);
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
