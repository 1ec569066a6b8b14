/* What a device can do at most: multiply-adds, copies and reads of memory. */

#ifdef CHAINS
/* MULTIPLY_ADD is fma or mad. Chains of x = x * a + b that do not depend on each other, more
 * than a multiply-add takes cycles; out gets the sum of them. */
kernel void peak_multiply_add(global vec *out, int n, float a, float b)
{
    const vec factor = (vec)(a), addend = (vec)(b);
    vec x[CHAINS], sum = (vec)(0.0f);

    UNROLL for (int c = 0; c < CHAINS; c++) x[c] = (vec)((float)c);
    for (int i = 0; i < n; i++)
        UNROLL for (int c = 0; c < CHAINS; c++) x[c] = MULTIPLY_ADD(x[c], factor, addend);
    UNROLL for (int c = 0; c < CHAINS; c++) sum += x[c];
    out[get_global_id(0)] = sum;
}
#endif

/* Each work-item takes `count` vectors, the first at its number times `first`, `step` apart. */
kernel void peak_copy(global const vec *restrict in, global vec *restrict out, int count,
                      ulong first, ulong step)
{
    ulong at = get_global_id(0) * first;

    for (int i = 0; i < count; i++, at += step)
        out[at] = in[at];
}

kernel void peak_read(global const vec *restrict in, global vec *restrict out, int count,
                      ulong first, ulong step)
{
    ulong at = get_global_id(0) * first;
    vec sum = (vec)(0.0f);

    for (int i = 0; i < count; i++, at += step)
        sum += in[at];
    out[get_global_id(0)] = sum;
}
