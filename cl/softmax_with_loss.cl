/* Softmax with the cross-entropy of labels. A label of IGNORE_LABEL (where HAS_IGNORE) does
 * not count; one that is no channel makes the loss NaN and has no gradient. */
#include "softmax.cl"
#include "labels.cl"
#include "loss.cl"

#define LARGEST_LOSS 87.33654f /* -log(FLT_MIN): Caffe's least probability is FLT_MIN */

/* prob = softmax of x; leaves the losses and number of labels of this work-item's positions.
 * Global size: LANES, items, blocks. */
kernel void softmax_with_loss_forward(global const vec *x, global const vec *labels,
                                      global vec *prob, global vec *losses,
                                      global vec *counted, int n_images)
{
    vec loss = 0, n = 0;

    for (int p = get_global_id(1); p < POSITIONS; p += get_global_size(1)) {
        global const vec *run = x + run_start(get_global_id(2), p);
        ivec label = LABEL(labels, p);
        vec maximum, sum, at_label = NAN;

        softmax_runs(run, prob + run_start(get_global_id(2), p), &maximum, &sum);
        for (int c = 0; c < CHANNELS; c++)
            at_label = label == c ? run[c * NEXT] : at_label;
        vec one = log(sum) - (at_label - maximum);
        one = one > LARGEST_LOSS ? (vec)LARGEST_LOSS : one;
        loss += counts(label, n_images) ? one : (vec)0;
        n += counts(label, n_images) ? (vec)1 : (vec)0;
    }
    losses[SUM_PLACE] = loss;
    counted[SUM_PLACE] = n;
}

/* dx = (prob - 1 at the label) * weight / divisor. Global size: LANES, positions, blocks. */
kernel void softmax_with_loss_backward(global const vec *prob, global const vec *labels,
                                       global vec *dx, int n_images, float weight,
                                       global const float *divisor)
{
    int p = get_global_id(1);
    size_t start = run_start(get_global_id(2), p);
    ivec label = LABEL(labels, p);
    vec scale = counts(label, n_images) && is_channel(label) ? (vec)(weight / divisor[0])
                                                             : (vec)0;

    prob += start, dx += start;
    for (int c = 0; c < CHANNELS; c++)
        dx[c * NEXT] = (prob[c * NEXT] - (label == c ? (vec)1 : (vec)0)) * scale;
}
