/* Training on several devices: the mean of their gradients. */

/* diff becomes the mean of itself and `others`, n_others arrays of count floats; always summed in
 * the same order. x: shares of the floats. */
kernel void replicas_mean(global const float *restrict others, int n_others, ulong count,
                          global float *restrict diff)
{
    const ulong share = get_global_id(0), n_shares = get_global_size(0);
    const ulong end = count * (share + 1) / n_shares;
    const float factor = 1.0f / (n_others + 1);
    ulong i = count * share / n_shares;

    for (; i + V <= end; i += V) {
        vec sum = LOAD(diff + i);
        for (int p = 0; p < n_others; p++)
            sum += LOAD(others + p * count + i);
        STORE(sum * factor, diff + i);
    }
    for (; i < end; i++) {
        float sum = diff[i];
        for (int p = 0; p < n_others; p++)
            sum += others[p * count + i];
        diff[i] = sum * factor;
    }
}
