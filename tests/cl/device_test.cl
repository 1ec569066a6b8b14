/* Small kernels for tests/test_device.c. */
#include "random.cl"
#include "random.cl"

kernel void add(global float *x, float value)
{
    x[get_global_id(0) + get_global_size(0) * get_global_id(1)] += value * SCALE;
}

/* Each work-item writes the size of its group. */
kernel void group_size(global int *x)
{
    size_t i = get_global_id(0) +
               get_global_size(0) * (get_global_id(1) + get_global_size(1) * get_global_id(2));

    x[i] = (int)(get_local_size(0) * get_local_size(1) * get_local_size(2));
}

/* The prelude's names: one work-item per V of the B lanes. */
kernel void lanes(global vec *x, int n_images)
{
    ivec exists = lane_exists(get_global_id(1), n_images);

    x[get_global_id(1) * LANES + LANE] = select((vec)(0.0f), to_vec(lane_numbers), exists);
}

kernel void lane_sums(global const vec *x, global float *sums)
{
    sums[get_global_id(0)] = sum_lanes(x[get_global_id(0)]);
}
