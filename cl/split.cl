/* Sums of gradients: each work-item adds EACH of a block's COUNT elements. */

#define FOR_EACH(i)                                                                      \
    for (int e_ = get_global_id(1) * EACH, end_ = min(e_ + EACH, COUNT),                 \
             i = (get_global_id(2) * COUNT + e_) * LANES + LANE;                         \
         e_ < end_; e_++, i += LANES)

kernel void split_add(global const vec *a, global const vec *b, global vec *sum)
{
    FOR_EACH (i)
        sum[i] = a[i] + b[i];
}

kernel void split_add_to(global const vec *a, global vec *sum)
{
    FOR_EACH (i)
        sum[i] += a[i];
}
