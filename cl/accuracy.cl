/* How often the label's value is among the TOP_K largest. Values as large as the label's count
 * as larger, so ties and NaN are never right. A label of IGNORE_LABEL (where HAS_IGNORE) does
 * not count; one that is no channel counts as wrong. */
#include "axis_view.cl"
#include "sums.cl"

/* Leaves how many of this work-item's positions are right and how many count; and in `codes`
 * for each position 2 * label + right, or -1. Global size: LANES, items, blocks. */
kernel void accuracy_forward(global const vec *x, global const vec *labels, global vec *right,
                             global vec *counted, global ivec *codes, int n_images)
{
    size_t block = get_global_id(2);
    vec n_right = 0, n = 0;

    for (int p = get_global_id(1); p < POSITIONS; p += get_global_size(1)) {
        global const vec *run = x + run_start(block, p);
        size_t at = (block * POSITIONS + p) * LANES + LANE;
        ivec label = to_ivec(labels[at]), larger = 0;
        ivec counts = lane_exists(block, n_images);
#if HAS_IGNORE
        counts = counts && label != IGNORE_LABEL;
#endif
        ivec is_channel = label >= 0 && label < CHANNELS;
        vec own = 0;
        for (int c = 0; c < CHANNELS; c++)
            own = label == c ? run[c * NEXT] : own;
        for (int c = 0; c < CHANNELS; c++)
            larger += label == c || run[c * NEXT] < own ? (ivec)0 : (ivec)1;
        ivec good = counts && is_channel && larger < TOP_K;
        n_right += good ? (vec)1 : (vec)0;
        n += counts ? (vec)1 : (vec)0;
        codes[at] = counts && is_channel ? 2 * label + (good ? (ivec)1 : (ivec)0) : (ivec)-1;
    }
    right[SUM_PLACE] = n_right;
    counted[SUM_PLACE] = n;
}

/* accuracy = right / counted over n sums; 0 where none counts. */
kernel void accuracy_sum(global const vec *right, global const vec *counted, int n,
                         global float *accuracy)
{
    float2 sums = add_all(right, counted, n);

    accuracy[0] = sums.y > 0 ? sums.x / sums.y : 0;
}

/* The accuracy of each class over n codes; 0 where it has no label. Global size: CHANNELS. */
kernel void accuracy_per_class(global const ivec *codes, int n, global float *accuracy)
{
    int class = get_global_id(0);
    vec right = 0, counted = 0;

    for (int i = 0; i < n; i++) {
        right += codes[i] == 2 * class + 1 ? (vec)1 : (vec)0;
        counted += codes[i] >= 0 && codes[i] / 2 == class ? (vec)1 : (vec)0;
    }
    float of_class = sum_lanes(counted);
    accuracy[class] = of_class > 0 ? sum_lanes(right) / of_class : 0;
}
