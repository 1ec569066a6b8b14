/* A blob around one of its axes, as src/axis_view.h says: CHANNELS values that lie INNER apart are a
 * run; a block has OUTER * INNER runs, its positions. Where RUNS is defined, a work-item has that
 * many side by side, a divisor of INNER. */
#ifndef RUNS
#define RUNS 1
#endif
#define FOR_RUNS(r) UNROLL for (int r = 0; r < RUNS; r++)
#define POSITIONS (OUTER * INNER)
#define NEXT (INNER * LANES) /* from a channel to the next */

/* Where the run of `position` in `block` starts, in an array that has `channels` of them. */
inline size_t run_start_of(int channels, size_t block, int position)
{
    return ((block * OUTER + position / INNER) * channels * INNER + position % INNER) * LANES +
           LANE;
}

inline size_t run_start(size_t block, int position)
{
    return run_start_of(CHANNELS, block, position);
}
