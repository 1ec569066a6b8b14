/* Mean and deviation over runs of COUNT values, RUNS of them in a block. A work-item handles
 * a run of its lanes. Global size: LANES, RUNS, blocks. */
#define START ((get_global_id(2) * RUNS + get_global_id(1)) * COUNT * LANES + LANE)
#define DEVIATION ((get_global_id(2) * RUNS + get_global_id(1)) * LANES + LANE)

kernel void mvn_forward(global const vec *x, global vec *y, global vec *deviations, float eps,
                        int n_images)
{
    vec sum = 0, squares = 0;

    x += START, y += START;
    for (int i = 0; i < COUNT; i++)
        sum += x[i * LANES];
    vec mean = sum / COUNT;
#if NORMALIZE
    for (int i = 0; i < COUNT; i++)
        squares += (x[i * LANES] - mean) * (x[i * LANES] - mean);
    vec deviation = sqrt(squares / COUNT) + eps;
    deviation = lane_exists(get_global_id(2), n_images) ? deviation : (vec)1;
    deviations[DEVIATION] = deviation;
    for (int i = 0; i < COUNT; i++)
        y[i * LANES] = (x[i * LANES] - mean) / deviation;
#else
    for (int i = 0; i < COUNT; i++)
        y[i * LANES] = x[i * LANES] - mean;
#endif
}

kernel void mvn_backward(global const vec *y, global const vec *dy, global vec *dx,
                         global const vec *deviations)
{
    vec sum = 0, products = 0;

    y += START, dy += START, dx += START;
    for (int i = 0; i < COUNT; i++) {
        sum += dy[i * LANES];
        products += dy[i * LANES] * y[i * LANES];
    }
    vec mean = sum / COUNT;
#if NORMALIZE
    vec slope = products / COUNT, deviation = deviations[DEVIATION];
    for (int i = 0; i < COUNT; i++)
        dx[i * LANES] = (dy[i * LANES] - mean - slope * y[i * LANES]) / deviation;
#else
    for (int i = 0; i < COUNT; i++)
        dx[i * LANES] = dy[i * LANES] - mean;
#endif
}
