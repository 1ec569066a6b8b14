/* Softmax, then -sum over classes c of H[label][c] log(prob[c]), with probabilities of at least
 * LEAST. A label of IGNORE_LABEL (where HAS_IGNORE) does not count; one that is no channel
 * makes the loss NaN and has no gradient. */
#include "softmax.cl"
#include "labels.cl"
#include "loss.cl"

#define LEAST 1e-20f

/* h[label][c] of each lane; the labels are channels. */
inline vec entry(global const float *h, ivec label, int c)
{
    int rows[V];
    float values[V];

    STORE(label, rows);
    for (int i = 0; i < V; i++)
        values[i] = h[rows[i] * CHANNELS + c];
    return LOAD(values);
}

/* Global size: LANES, items, blocks. */
kernel void infogain_loss_forward(global const vec *x, global const vec *labels,
                                  global const float *h, global vec *prob, global vec *losses,
                                  global vec *counted, int n_images)
{
    vec loss = 0, n = 0;

    for (int p = get_global_id(1); p < POSITIONS; p += get_global_size(1)) {
        const size_t start = run_start(get_global_id(2), p);
        const ivec label = LABEL(labels, p);
        const ivec row = is_channel(label) ? label : (ivec)0;
        vec maximum, sum, one = is_channel(label) ? (vec)0 : (vec)NAN;
        softmax_runs(x + start, prob + start, &maximum, &sum);
        for (int c = 0; c < CHANNELS; c++)
            one -= entry(h, row, c) * log(max(prob[start + c * NEXT], (vec)LEAST));
        loss += counts(label, n_images) ? one : (vec)0;
        n += counts(label, n_images) ? (vec)1 : (vec)0;
    }
    losses[SUM_PLACE] = loss;
    counted[SUM_PLACE] = n;
}

/* dx[c] = prob[c] * sum of row `label` of h - h[label][c]. Global size as forward's. */
kernel void infogain_loss_backward(global const vec *prob, global const vec *labels,
                                   global const float *h, global vec *dx, int n_images,
                                   float weight, global const float *divisor)
{
    for (int p = get_global_id(1); p < POSITIONS; p += get_global_size(1)) {
        const size_t start = run_start(get_global_id(2), p);
        const ivec label = LABEL(labels, p);
        const ivec row = is_channel(label) ? label : (ivec)0;
        const vec scale = counts(label, n_images) && is_channel(label)
                              ? (vec)(weight / divisor[0])
                              : (vec)0;
        vec row_sum = 0;
        for (int c = 0; c < CHANNELS; c++)
            row_sum += entry(h, row, c);
        for (int c = 0; c < CHANNELS; c++) {
            const size_t at = start + c * NEXT;
            dx[at] = (prob[at] * row_sum - entry(h, row, c)) * scale;
        }
    }
}
