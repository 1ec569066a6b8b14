/* Dropout: a value is dropped (0) with chance `ratio`, else scaled. The numbers of one pass are
 * always the same, so the gradient runs through the same kernel. In place where x is y. */
#include "random.cl"

kernel void dropout(int n, int chunk, float ratio, float scale, ulong key, ulong pass,
                    global const vec *x, global vec *y)
{
    int i = get_global_id(0) * chunk, end = min(i + chunk, n);

    for (; i < end; i++)
        y[i] = random_vec(key, pass, i) >= ratio ? x[i] * scale : (vec)0;
}
