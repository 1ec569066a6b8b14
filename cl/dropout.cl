/* Dropout: a value is dropped (0) with chance `ratio`, else scaled. The numbers of one pass are
 * always the same, so the gradient runs through the same kernel. In place where x is y. */
#include "random.cl"

kernel void dropout(int n, int chunk, float ratio, float scale, ulong key, ulong pass,
                    global const vec *x, global vec *y)
{
    int i = get_global_id(0) * chunk, end = min(i + chunk, n);

#if V >= 8
    for (; i + 4 <= end; i += 4) {
        vec chance[4];
        random_vecs(key, pass, i, chance);
        UNROLL for (int k = 0; k < 4; k++)
            y[i + k] = chance[k] >= ratio ? x[i + k] * scale : (vec)0;
    }
#endif
    for (; i < end; i++)
        y[i] = random_vec(key, pass, i) >= ratio ? x[i] * scale : (vec)0;
}
