/* The last step of a sum over a batch: one work-item adds what the others left, in order. */

/* The sums of all lanes of a[0..n) and b[0..n). */
inline float2 add_all(global const vec *a, global const vec *b, int n)
{
    vec sum_a = 0, sum_b = 0;

    for (int i = 0; i < n; i++) {
        sum_a += a[i];
        sum_b += b[i];
    }
    return (float2)(sum_lanes(sum_a), sum_lanes(sum_b));
}

/* Where this work-item of (LANES, items, blocks) leaves its sums. */
#define SUM_PLACE ((get_global_id(2) * get_global_size(1) + get_global_id(1)) * LANES + LANE)
