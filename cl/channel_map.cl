/* Arrays as rows of runs of `width` vectors, each run with a weight of its own: FORMULA of x, d
 * and the weights s and t. PER_IMAGE: a weight for each image of the block. */

#if PER_IMAGE
#define WEIGHTS global const vec
#else
#define WEIGHTS global const float
#endif

kernel void channel_map(int n, int chunk, int channels, int width, global const vec *xs,
                        global const vec *ds, WEIGHTS *ss, WEIGHTS *ts, global vec *out)
{
    for (int i = get_global_id(0) * chunk, end = min(i + chunk, n), count; i < end; i += count) {
        const int run = i / width, column = i % width;
        count = min(width - column, end - i);
#if !PER_IMAGE
        const vec s = ss[run % channels], t = ts[run % channels];
#endif
        for (int k = 0; k < count; k++) {
#if PER_IMAGE
            const vec s = ss[run * LANES + (column + k) % LANES], t = 0;
#endif
            const vec x = xs[i + k], d = ds[i + k];
            out[i + k] = FORMULA;
        }
    }
}
