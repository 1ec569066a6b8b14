/* Images of `width` vectors picked by number, and the sum of those that came of one image. */

/* For each image of the result or part of one: `count` vectors from i. */
#define FOR_RUNS                                                                                  \
    for (int i = get_global_id(0) * chunk, end = min(i + chunk, n), count = 0; i < end; i += count)
#define FIND_RUN                                                                                  \
    const int image = i / width, column = i % width;                                              \
    count = min(width - column, end - i);

/* Image i of `to` is image index[i] of `from`, or NANs where that has none of that number. */
kernel void gather(int n, int chunk, int width, int images, global const float *index,
                   global const vec *restrict from, global vec *restrict to)
{
    FOR_RUNS {
        FIND_RUN
        const int place = index[image];
        const bool known = place >= 0 && place < images;
        for (int k = 0; k < count; k++)
            to[i + k] = known ? from[(size_t)place * width + column + k] : (vec)NAN;
    }
}

/* Image i of dx is the sum, in their order, of those of dy's whose index is i. */
kernel void gather_gradient(int n, int chunk, int width, int images, global const float *index,
                            global const vec *restrict dy, global vec *restrict dx)
{
    FOR_RUNS {
        FIND_RUN
        for (int k = 0; k < count; k++)
            dx[i + k] = 0;
        for (int j = 0; j < images; j++)
            for (int k = 0; (int)index[j] == image && k < count; k++)
                dx[i + k] += dy[(size_t)j * width + column + k];
    }
}
