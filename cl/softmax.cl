/* Softmax over CHANNELS values that lie INNER apart; a block has OUTER * INNER such runs, its
 * positions. Global size: LANES, positions, blocks. */
#define POSITIONS (OUTER * INNER)
#define NEXT (INNER * LANES) /* from a channel to the next */

/* Where the run of `position` in `block` starts. */
inline size_t run_start(size_t block, int position)
{
    return ((block * OUTER + position / INNER) * CHANNELS * INNER + position % INNER) * LANES +
           LANE;
}

/* y = softmax of the run at x. Gives the run's maximum and the sum of exp(x - maximum). */
inline void softmax_run(global const vec *x, global vec *y, vec *maximum, vec *sum)
{
    vec top = x[0], total = 0;

    for (int c = 1; c < CHANNELS; c++)
        top = fmax(top, x[c * NEXT]);
    for (int c = 0; c < CHANNELS; c++) {
        vec e = exp(x[c * NEXT] - top);
        total += e;
        y[c * NEXT] = e;
    }
    vec scale = 1 / total;
    for (int c = 0; c < CHANNELS; c++)
        y[c * NEXT] *= scale;
    *maximum = top;
    *sum = total;
}

kernel void softmax_forward(global const vec *x, global vec *y)
{
    size_t start = run_start(get_global_id(2), get_global_id(1));
    vec maximum, sum;

    softmax_run(x + start, y + start, &maximum, &sum);
}

kernel void softmax_backward(global const vec *y, global const vec *dy, global vec *dx)
{
    size_t start = run_start(get_global_id(2), get_global_id(1));
    vec dot = 0;

    y += start, dy += start, dx += start;
    for (int c = 0; c < CHANNELS; c++)
        dot += dy[c * NEXT] * y[c * NEXT];
    for (int c = 0; c < CHANNELS; c++)
        dx[c * NEXT] = (dy[c * NEXT] - dot) * y[c * NEXT];
}
