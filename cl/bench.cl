/* What a device can do at most: multiply-adds, copies, reads, and launches of almost nothing.
 * W floats are a vector. */

#if W == 1
typedef float wide;
#else
typedef PASTE(float, W) wide;
#endif

#ifdef CHAINS
/* MULTIPLY_ADD is fma or mad. Chains of x = x * a + b that do not depend on each other; out gets the sum of them. */
kernel void bench_fma(global wide *out, int n, float a, float b)
{
    const wide factor = (wide)(a), addend = (wide)(b);
    wide x[CHAINS], sum = (wide)(0.0f);

    UNROLL for (int c = 0; c < CHAINS; c++) x[c] = (wide)((float)c);
    for (int i = 0; i < n; i++)
        UNROLL for (int c = 0; c < CHAINS; c++) x[c] = MULTIPLY_ADD(x[c], factor, addend);
    UNROLL for (int c = 0; c < CHAINS; c++) sum += x[c];
    out[get_global_id(0)] = sum;
}
#endif

/* Each work-item takes `count` vectors, the first at its number times `first`, `step` apart. */
kernel void bench_copy(global const wide *restrict in, global wide *restrict out, int count,
                       ulong first, ulong step)
{
    ulong at = get_global_id(0) * first;

    for (int i = 0; i < count; i++, at += step)
        out[at] = in[at];
}

kernel void bench_read(global const wide *restrict in, global wide *restrict out, int count,
                       ulong first, ulong step)
{
    ulong at = get_global_id(0) * first;
    wide sum = (wide)(0.0f);

    for (int i = 0; i < count; i++, at += step)
        sum += in[at];
    out[get_global_id(0)] = sum;
}

/* Counts launches, each work-item at a place of its own. */
kernel void bench_count(global int *counts, int first)
{
    counts[first + get_global_id(0)]++;
}
