/* Margins of classes, or (SQUARE) their squares. A label that is no class makes the loss NaN
 * and has no gradient. Global size: LANES, 1, blocks. */
#include "loss.cl"

/* How far class c falls short of its margin; `side` is -1 for the label, else 1. */
inline vec shortfall(vec x, vec side) { return fmax(1 + side * x, 0.0f); }

kernel void hinge_loss_forward(global const vec *x, global const vec *labels,
                               global vec *losses, global vec *counted, int n_images)
{
    size_t block = get_global_id(2);
    ivec label = to_ivec(labels[block * LANES + LANE]);
    vec sum = label >= 0 && label < CHANNELS ? (vec)0 : (vec)NAN;

    x += block * CHANNELS * LANES + LANE;
    for (int c = 0; c < CHANNELS; c++) {
        vec m = shortfall(x[c * LANES], label == c ? (vec)-1 : (vec)1);
        sum += SQUARE ? m * m : m;
    }
    losses[SUM_PLACE] = lane_exists(block, n_images) ? sum : (vec)0;
}

kernel void hinge_loss_backward(global const vec *x, global const vec *labels, global vec *dx,
                                int n_images, float weight, global const float *divisor)
{
    size_t block = get_global_id(2), start = block * CHANNELS * LANES + LANE;
    ivec label = to_ivec(labels[block * LANES + LANE]);
    ivec counts = lane_exists(block, n_images) && label >= 0 && label < CHANNELS;
    vec scale = counts ? (vec)(weight / divisor[0]) : (vec)0;

    x += start, dx += start;
    for (int c = 0; c < CHANNELS; c++) {
        vec side = label == c ? (vec)-1 : (vec)1, m = shortfall(x[c * LANES], side);
#if SQUARE
        vec slope = 2 * m;
#else
        vec slope = m > 0 ? (vec)1 : (vec)0;
#endif
        dx[c * LANES] = slope * side * scale;
    }
}
