/* What the kernels of losses share, and the last step of each. */
#include "sums.cl"

/* This work-item's elements of a block of COUNT: i is the place of each in the buffer.
 * Global size: LANES, items, blocks. */
#define FOR_EACH(i)                                                                      \
    for (int each_ = (COUNT + (int)get_global_size(1) - 1) / (int)get_global_size(1),    \
             e_ = get_global_id(1) * each_, end_ = min(e_ + each_, COUNT),               \
             i = (get_global_id(2) * COUNT + e_) * LANES + LANE;                         \
         e_ < end_; e_++, i += LANES)

/* loss = sum of n losses / normaliser; a normaliser of 0 stands for the sum of `counted`. */
kernel void loss_sum(global const vec *losses, global const vec *counted, int n,
                     float normaliser, global float *loss, global float *divisor)
{
    float2 sums = add_all(losses, counted, n);

    divisor[0] = normaliser > 0 ? normaliser : fmax(sums.y, 1);
    loss[0] = sums.x / divisor[0];
}
