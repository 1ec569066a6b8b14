/* Distances of pairs, with the divisor 2 N. Global size: LANES, 1, blocks. */
#include "loss.cl"

inline vec squared_distance(global const vec *a, global const vec *b)
{
    vec sum = 0;

    for (int c = 0; c < CHANNELS; c++)
        sum += (a[c * LANES] - b[c * LANES]) * (a[c * LANES] - b[c * LANES]);
    return sum;
}

kernel void contrastive_loss_forward(global const vec *a, global const vec *b,
                                     global const vec *similar, global vec *losses,
                                     global vec *counted, int n_images)
{
    size_t block = get_global_id(2), start = block * CHANNELS * LANES + LANE;
    vec d2 = squared_distance(a + start, b + start);
#if LEGACY
    vec apart = fmax(MARGIN - d2, 0.0f);
#else
    vec short_by = fmax(MARGIN - sqrt(d2), 0.0f), apart = short_by * short_by;
#endif
    vec loss = to_ivec(similar[block * LANES + LANE]) != 0 ? d2 : apart;

    losses[SUM_PLACE] = lane_exists(block, n_images) ? loss : (vec)0;
}

kernel void contrastive_loss_backward(global const vec *a, global const vec *b,
                                      global const vec *similar, global vec *dx, int n_images,
                                      float weight, global const float *divisor)
{
    size_t block = get_global_id(2), start = block * CHANNELS * LANES + LANE;
    vec d2 = squared_distance(a + start, b + start);
#if LEGACY
    vec apart = MARGIN - d2 > 0 ? (vec)-1 : (vec)0;
#else
    vec d = sqrt(d2), apart = -fmax(MARGIN - d, 0.0f) / (d + 1e-4f);
#endif
    vec scale = to_ivec(similar[block * LANES + LANE]) != 0 ? (vec)1 : apart;

    scale = lane_exists(block, n_images) ? scale * (2 * weight / divisor[0]) : (vec)0;
    a += start, b += start, dx += start;
    for (int c = 0; c < CHANNELS; c++)
        dx[c * LANES] = scale * (a[c * LANES] - b[c * LANES]);
}
