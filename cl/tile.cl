/* Tile: each row of `width` vectors `tiles` times, and the sum of these. */

/* For each row of x or part of one: `count` vectors from i, which in tile 0 of y start at `tile`. */
#define FOR_RUNS                                                                                  \
    for (int i = get_global_id(0) * chunk, end = min(i + chunk, n), count = 0; i < end; i += count)
#define FIND_RUN                                                                                  \
    count = min(width - i % width, end - i);                                                      \
    const size_t tile = (size_t)(i / width) * width * tiles + i % width;

kernel void tile_forward(int n, int chunk, int width, int tiles, global const vec *restrict x,
                         global vec *restrict y)
{
    FOR_RUNS {
        FIND_RUN
        for (int t = 0; t < tiles; t++)
            for (int k = 0; k < count; k++)
                y[tile + (size_t)t * width + k] = x[i + k];
    }
}

kernel void tile_backward(int n, int chunk, int width, int tiles, global const vec *restrict dy,
                          global vec *restrict dx)
{
    FOR_RUNS {
        FIND_RUN
        for (int k = 0; k < count; k++) {
            vec sum = 0;
            for (int t = 0; t < tiles; t++)
                sum += dy[tile + (size_t)t * width + k];
            dx[i + k] = sum;
        }
    }
}
