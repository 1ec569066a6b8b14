/* Sums of partial results, always in the same order. */

/* out[i] = sum over p of parts[p * count + i] (+ out[i]). */
kernel void reduce_parts(global const float *restrict parts, int n_parts, int count,
                         global float *restrict out, int accumulate)
{
    const int i = get_global_id(0);
    float sum = accumulate ? out[i] : 0.0f;

    for (int p = 0; p < n_parts; p++)
        sum += parts[(size_t)p * count + i];
    out[i] = sum;
}

/* Row sums of [blocks][rows][count][B]: out[row] = sum over blocks, elements and lanes. */
kernel void reduce_rows(global const float *restrict x, int blocks, int rows, int count,
                        global float *restrict out, int accumulate)
{
    const int row = get_global_id(0);
    float rest = 0.0f;
    vec sum = (vec)(0.0f);

    for (int n = 0; n < blocks; n++) {
        global const float *p = x + ((size_t)n * rows + row) * count;
        int i = 0;
        for (; i + V <= count; i += V)
            sum += LOAD(p + i);
        for (; i < count; i++)
            rest += p[i];
    }
    const float total = sum_lanes(sum) + rest;
    out[row] = accumulate ? total + out[row] : total;
}
