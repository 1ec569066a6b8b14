/* Conversion between blocks: IMAGES images of COUNT values, FROM side by side, to B. */

kernel void blob_convert(global const float *in, global float *out)
{
    int lane = get_global_id(0), e = get_global_id(1), block = get_global_id(2);
    int image = block * B + lane;
    float x = 0;

    if (image < IMAGES)
        x = in[(image / FROM * COUNT + e) * FROM + image % FROM];
    out[(block * COUNT + e) * B + lane] = x;
}

/* Zeros from `first_lane` on in the last block, whose elements start at `first`. */
kernel void blob_clear(int first_lane, int first, global float *x)
{
    x[(size_t)(first + get_global_id(1)) * B + first_lane + get_global_id(0)] = 0;
}
