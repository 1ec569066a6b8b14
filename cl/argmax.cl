/* ArgMax: the TOP_K largest of CHANNELS values that lie INNER apart; of equal ones the later goes
 * first. With INDICES their places are given, behind those with VALUES the values. Global size:
 * LANES, positions (OUTER * INNER in a block), blocks. */
#define NEXT (INNER * LANES) /* from a channel to the next */

kernel void argmax(global const vec *x, global vec *y)
{
    const int position = get_global_id(1);
    const size_t row = get_global_id(2) * OUTER + position / INNER;
    const int start = position % INNER * LANES + LANE;
    vec last = INFINITY;
    ivec last_place = CHANNELS;

    x += row * CHANNELS * NEXT + start;
    y += row * (INDICES + VALUES) * TOP_K * NEXT + start;
    for (int k = 0; k < TOP_K; k++) {
        vec best = -INFINITY;
        ivec place = 0;
        for (int c = 0; c < CHANNELS; c++) {
            const vec here = x[c * NEXT];
            const ivec better = here >= best && (here < last || (here == last && c < last_place));
            best = better ? here : best;
            place = better ? (ivec)c : place;
        }
#if INDICES
        y[k * NEXT] = to_vec(place);
#endif
#if VALUES
        y[(INDICES * TOP_K + k) * NEXT] = best;
#endif
        last = best;
        last_place = place;
    }
}
