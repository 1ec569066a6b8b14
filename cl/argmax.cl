/* ArgMax: the TOP_K largest of CHANNELS values that lie INNER apart; of equal ones the later goes
 * first. With INDICES their places are given, behind those with VALUES the values. A work-item has
 * RUNS positions side by side, of the OUTER * INNER in a block. Global size: LANES, positions / RUNS,
 * blocks. */
#define NEXT (INNER * LANES) /* from a channel to the next */
#define FOR_RUNS(r) UNROLL for (int r = 0; r < RUNS; r++)

kernel void argmax(global const vec *x, global vec *y)
{
    const int position = get_global_id(1) * RUNS;
    const size_t row = get_global_id(2) * OUTER + position / INNER;
    const int start = position % INNER * LANES + LANE;
    vec last[RUNS];
    ivec last_place[RUNS];

    x += row * CHANNELS * NEXT + start;
    y += row * (INDICES + VALUES) * TOP_K * NEXT + start;
    FOR_RUNS(r) {
        last[r] = INFINITY;
        last_place[r] = CHANNELS;
    }
    for (int k = 0; k < TOP_K; k++) {
        vec best[RUNS];
        ivec place[RUNS];
        FOR_RUNS(r) {
            best[r] = -INFINITY;
            place[r] = 0;
        }
        for (int c = 0; c < CHANNELS; c++)
            FOR_RUNS(r) {
                const vec here = x[c * NEXT + r * LANES];
                const ivec better = here >= best[r] &&
                                    (here < last[r] || (here == last[r] && c < last_place[r]));
                best[r] = better ? here : best[r];
                place[r] = better ? (ivec)c : place[r];
            }
        FOR_RUNS(r) {
#if INDICES
            y[k * NEXT + r * LANES] = to_vec(place[r]);
#endif
#if VALUES
            y[(INDICES * TOP_K + k) * NEXT + r * LANES] = best[r];
#endif
            last[r] = best[r];
            last_place[r] = place[r];
        }
    }
}
