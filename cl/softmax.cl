/* Softmax along an axis. Global size: LANES, positions / RUNS, blocks. */
#include "axis_view.cl"

/* y = softmax of the runs at x. Gives their maxima and their sums of exp(x - maximum). */
inline void softmax_runs(global const vec *x, global vec *y, vec maxima[RUNS], vec sums[RUNS])
{
    FOR_RUNS(r) {
        maxima[r] = x[r * LANES];
        sums[r] = 0;
    }
    for (int c = 1; c < CHANNELS; c++)
        FOR_RUNS(r) maxima[r] = fmax(maxima[r], x[c * NEXT + r * LANES]);
    for (int c = 0; c < CHANNELS; c++)
        FOR_RUNS(r) {
            vec e = exp(x[c * NEXT + r * LANES] - maxima[r]);
            sums[r] += e;
            y[c * NEXT + r * LANES] = e;
        }
    for (int c = 0; c < CHANNELS; c++)
        FOR_RUNS(r) y[c * NEXT + r * LANES] *= 1 / sums[r];
}

kernel void softmax_forward(global const vec *x, global vec *y)
{
    size_t start = run_start(get_global_id(2), get_global_id(1) * RUNS);
    vec maxima[RUNS], sums[RUNS];

    softmax_runs(x + start, y + start, maxima, sums);
}

kernel void softmax_backward(global const vec *y, global const vec *dy, global vec *dx)
{
    size_t start = run_start(get_global_id(2), get_global_id(1) * RUNS);
    vec dots[RUNS];

    y += start, dy += start, dx += start;
    FOR_RUNS(r) dots[r] = 0;
    for (int c = 0; c < CHANNELS; c++)
        FOR_RUNS(r) dots[r] += dy[c * NEXT + r * LANES] * y[c * NEXT + r * LANES];
    for (int c = 0; c < CHANNELS; c++)
        FOR_RUNS(r)
            dx[c * NEXT + r * LANES] =
                (dy[c * NEXT + r * LANES] - dots[r]) * y[c * NEXT + r * LANES];
}
