/* Conversion between blocks, from FROM images side by side to B, of `images` images of `count`
 * values each. Lanes without an image become 0. */

#if TILED
/* One of FROM and B is 1. A tile is TILE values of L images: read along one, written along the
 * other. Global size: parts of `each` values, blocks. */
#define SIDE (B > FROM ? B : FROM)
#define L (SIDE > 16 ? 16 : SIDE)
#define TILE 16
#define PLAIN(i, e) ((size_t)(i) * count + (e))
#define BLOCKED(i, e) (((size_t)((i) / SIDE) * count + (e)) * SIDE + (i) % SIDE)
#if B == 1
#define IN BLOCKED
#define OUT PLAIN
#else
#define IN PLAIN
#define OUT BLOCKED
#endif

/* Values first to end of the L images from `image` on, one by one. */
inline void convert_rest(int images, int count, int image, int first, int end,
                         global const float *in, global float *out)
{
    const int stored = B == 1 ? images : image + L;

    for (int e = first; e < end; e++)
        for (int i = image; i < min(image + L, stored); i++)
            out[OUT(i, e)] = i < images ? in[IN(i, e)] : 0;
}

kernel void blob_convert(int images, int count, int each, global const float *restrict in,
                         global float *restrict out)
{
    const int first = get_global_id(0) * each, end = min(first + each, count);
    const int full = first + (end - first) / TILE * TILE;

    for (int lane = 0; lane < SIDE; lane += L) {
        const int image = get_global_id(1) * SIDE + lane;
        if (image + L > images) {
            convert_rest(images, count, image, first, end, in, out);
            continue;
        }
        for (int e = first; e < full; e += TILE) {
            float tile[L][TILE];
#if B == 1
            UNROLL for (int k = 0; k < TILE; k++) UNROLL for (int i = 0; i < L; i++)
                tile[i][k] = in[IN(image + i, e + k)];
            UNROLL for (int i = 0; i < L; i++) UNROLL for (int k = 0; k < TILE; k++)
                out[OUT(image + i, e + k)] = tile[i][k];
#else
            UNROLL for (int i = 0; i < L; i++) UNROLL for (int k = 0; k < TILE; k++)
                tile[i][k] = in[IN(image + i, e + k)];
            UNROLL for (int k = 0; k < TILE; k++) UNROLL for (int i = 0; i < L; i++)
                out[OUT(image + i, e + k)] = tile[i][k];
#endif
        }
        convert_rest(images, count, image, full, end, in, out);
    }
}
#else
/* Global size: B, values, blocks. */
kernel void blob_convert(int images, int count, int each, global const float *restrict in,
                         global float *restrict out)
{
    const int lane = get_global_id(0), e = get_global_id(1), block = get_global_id(2);
    const int image = block * B + lane;
    float x = 0;

    if (image < images)
        x = in[((size_t)(image / FROM) * count + e) * FROM + image % FROM];
    out[((size_t)block * count + e) * B + lane] = x;
}
#endif

/* Zeros from `first_lane` on in the last block, whose elements start at `first`. */
kernel void blob_clear(int first_lane, int first, global float *x)
{
    x[(size_t)(first + get_global_id(1)) * B + first_lane + get_global_id(0)] = 0;
}
