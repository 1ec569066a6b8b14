/* The step of InnerProduct's backward that is no matrix product. */

/* out[n][image][element] = x[n][element][image]: TILE elements of a block a work-item. */
#define TILE 16
kernel void image_rows(int elements, global const float *restrict x,
                       global float *restrict out)
{
    const int e0 = get_global_id(0) * TILE;
    const size_t n = get_global_id(1);
    x += (n * elements + e0) * B;
    out += n * elements * B + e0;
    if (e0 + TILE <= elements) {
        float tile[B][TILE];
        UNROLL for (int e = 0; e < TILE; e++) UNROLL for (int i = 0; i < B; i++)
            tile[i][e] = x[e * B + i];
        UNROLL for (int i = 0; i < B; i++) UNROLL for (int e = 0; e < TILE; e++)
            out[(size_t)i * elements + e] = tile[i][e];
    } else {
        for (int e = 0; e0 + e < elements; e++)
            for (int i = 0; i < B; i++)
                out[(size_t)i * elements + e] = x[e * B + i];
    }
}
