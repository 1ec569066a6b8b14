/* -log of the label's probability, which counts as at least LEAST. A label that is no class
 * makes the loss NaN and has no gradient. Global size: LANES, 1, blocks. */
#include "loss.cl"

#define LEAST 1e-20f

kernel void multinomial_logistic_loss_forward(global const vec *x, global const vec *labels,
                                              global vec *losses, global vec *counted,
                                              int n_images)
{
    size_t block = get_global_id(2);
    ivec label = to_ivec(labels[block * LANES + LANE]);
    vec at_label = NAN;

    x += block * CHANNELS * LANES + LANE;
    for (int c = 0; c < CHANNELS; c++)
        at_label = label == c ? max(x[c * LANES], (vec)LEAST) : at_label;
    losses[SUM_PLACE] = lane_exists(block, n_images) ? -log(at_label) : (vec)0;
}

kernel void multinomial_logistic_loss_backward(global const vec *x, global const vec *labels,
                                               global vec *dx, int n_images, float weight,
                                               global const float *divisor)
{
    size_t block = get_global_id(2), start = block * CHANNELS * LANES + LANE;
    ivec label = to_ivec(labels[block * LANES + LANE]), exists = lane_exists(block, n_images);
    vec scale = exists ? (vec)(-weight / divisor[0]) : (vec)0;

    x += start, dx += start;
    for (int c = 0; c < CHANNELS; c++)
        dx[c * LANES] = label == c ? scale / max(x[c * LANES], (vec)LEAST) : (vec)0;
}
