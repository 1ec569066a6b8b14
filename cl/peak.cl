/* What a device can do at most: multiply-adds, and copies of memory. */

#define CHAINS 12 /* that do not depend on each other: more than a multiply-add takes cycles */

kernel void peak_multiply_add(global float *out, int n, float a, float b)
{
    vec x[CHAINS], sum = (vec)(0.0f);

    UNROLL for (int i = 0; i < CHAINS; i++) x[i] = (vec)((float)i);
    for (int k = 0; k < n; k++)
        UNROLL for (int i = 0; i < CHAINS; i++) x[i] = fma(x[i], (vec)(a), (vec)(b));
    UNROLL for (int i = 0; i < CHAINS; i++) sum += x[i];
    out[get_global_id(0)] = sum_lanes(sum);
}

/* Each work-item copies n vectors, `step` apart, from its number times `first` on. */
kernel void peak_copy(global const vec *in, global vec *out, int n, int first, int step)
{
    size_t at = get_global_id(0) * (size_t)first;

    for (int i = 0; i < n; i++, at += (size_t)step)
        out[at] = in[at];
}
