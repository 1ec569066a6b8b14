/* ArgMax: the TOP_K largest of a run's CHANNELS values; of equal ones the later goes first. With
 * INDICES their places are given, behind those with VALUES the values. Global size: LANES, positions /
 * RUNS, blocks. */
#include "axis_view.cl"

kernel void argmax(global const vec *x, global vec *y)
{
    const size_t block = get_global_id(2);
    const int position = get_global_id(1) * RUNS;
    vec last[RUNS];
    ivec last_place[RUNS];

    x += run_start(block, position);
    y += run_start_of((INDICES + VALUES) * TOP_K, block, position);
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
