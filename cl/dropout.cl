/* Dropout: a value is dropped (0) where its 16 random bits are below `least`, else scaled. The bits
 * of one pass are always the same, so the gradient runs through the same kernel. In place where x
 * is y. */
#include "random.cl"

kernel void dropout(int n, int chunk, int least, float scale, ulong key, ulong pass,
                    global const vec *x, global vec *y)
{
    int i = get_global_id(0) * chunk, end = min(i + chunk, n);

#if V >= 8
    for (; i + 8 <= end; i += 8) {
        ivec bits[8];
        random_bits_of_8(key, pass, i, bits);
        UNROLL for (int k = 0; k < 8; k++)
            y[i + k] = bits[k] >= least ? x[i + k] * scale : (vec)0;
    }
#endif
    for (; i < end; i++)
        y[i] = random_bits(key, pass, i) >= least ? x[i] * scale : (vec)0;
}
