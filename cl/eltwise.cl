/* Eltwise: sums, products and maxima of several arrays, two at a time, and their gradients. */

#define FOR_EACH(i) for (int i = get_global_id(0) * chunk, end_ = min(i + chunk, n); i < end_; i++)

kernel void eltwise_sum(int n, int chunk, float ca, global const vec *a, float cb,
                        global const vec *b, global vec *y)
{
    FOR_EACH (i)
        y[i] = ca * a[i] + cb * b[i];
}

kernel void eltwise_scale(int n, int chunk, float c, global const vec *a, global vec *y)
{
    FOR_EACH (i)
        y[i] = c * a[i];
}

kernel void eltwise_product(int n, int chunk, global const vec *a, global const vec *b,
                            global vec *y)
{
    FOR_EACH (i)
        y[i] = a[i] * b[i];
}

kernel void eltwise_quotient(int n, int chunk, global const vec *y, global const vec *x,
                             global const vec *dy, global vec *dx)
{
    FOR_EACH (i)
        dx[i] = y[i] / x[i] * dy[i];
}

/* y = the larger of a, the maximum of the bottoms before `next`, and b, bottom `next`. `which`:
 * who it was. Of equal values bottom 1 goes before bottom 0, but else the earlier wins. */
kernel void eltwise_max(int n, int chunk, int next, global const vec *a, global const vec *b,
                        global vec *y, global vec_of(uchar) *which)
{
    FOR_EACH (i) {
        vec old = a[i], new = b[i];
        ivec first = next == 1 ? (ivec)0 : convert_vec(int)(which[i]);
        ivec wins = next == 1 ? !(old > new) : new > old;
        y[i] = wins ? new : old;
        which[i] = convert_vec(uchar)(wins ? (ivec)next : first);
    }
}

kernel void eltwise_max_gradient(int n, int chunk, int bottom,
                                 global const vec_of(uchar) *which, global const vec *dy,
                                 global vec *dx)
{
    FOR_EACH (i)
        dx[i] = convert_vec(int)(which[i]) == bottom ? dy[i] : (vec)0;
}
