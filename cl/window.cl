/* Copies between an array and a box of it, row by row. Of `shape` and `stride` x is innermost;
 * the box's vectors follow each other. */

/* Where the box's row number `row` starts in the whole. */
inline size_t row_start(int row, int4 shape, int4 stride)
{
    int y = row % shape.y, z = row / shape.y % shape.z, w = row / shape.y / shape.z;

    return (size_t)y * stride.y + (size_t)z * stride.z + (size_t)w * stride.w;
}

/* For each row or part of one: `run` vectors from `here` in the box, from `there` in the whole. */
#define FOR_RUNS                                                                                \
    for (int i = get_global_id(0) * chunk, end = min(i + chunk, n), run = 0; i < end; i += run)
#define FIND_RUN                                                                                \
    const int column = i % shape.x;                                                             \
    run = min(shape.x - column, end - i);                                                       \
    const size_t here = (size_t)part_start + i;                                                 \
    const size_t there = whole_start + row_start(i / shape.x, shape, stride) + column;

kernel void window_get(int n, int chunk, int4 shape, int4 stride, int whole_start, int part_start,
                       global const vec *restrict whole, global vec *restrict part)
{
    FOR_RUNS {
        FIND_RUN
        for (int k = 0; k < run; k++)
            part[here + k] = whole[there + k];
    }
}

kernel void window_put(int n, int chunk, int4 shape, int4 stride, int whole_start, int part_start,
                       global vec *restrict whole, global const vec *restrict part)
{
    FOR_RUNS {
        FIND_RUN
        for (int k = 0; k < run; k++)
            whole[there + k] = part[here + k];
    }
}
