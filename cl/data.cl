/* Batches of records that lie on the device, transformed as src/layers/transform.c does it on the
 * host: cropped, mirrored, (value - mean) * scale. A record is CHANNELS x HEIGHT x WIDTH values of
 * TYPE and, SIZE bytes behind its start, its label, an int. */
#include "random.cl"

#define STRIDE (SIZE + 4)
#define N_CHOICES (MIRROR + 2 * RANDOM_CROP)
#define TOP ((HEIGHT - OUT_HEIGHT) / 2) /* where a crop that is not random starts */
#define LEFT ((WIDTH - OUT_WIDTH) / 2)
#define ROWS (CHANNELS * OUT_HEIGHT)

/* Number i of a stream. */
inline uint choice(ulong key, ulong i)
{
    const uint4 four = philox_block(i / 4, key);
    const uint2 two = i & 2 ? four.zw : four.xy;

    return i & 1 ? two.y : two.x;
}

/* Image i of the batch is record first + i of the sequence that goes round and round the n_records;
 * lanes without an image become 0. Global size: LANES, runs of `each` rows, blocks. */
kernel void data_batch(global const uchar *restrict records, global const float *restrict mean,
                       ulong first, ulong n_records, ulong key, float scale, int each,
                       int n_images, global vec *restrict images, global float *restrict labels)
{
    const int block = get_global_id(2), lane = block * B + LANE * V;
    const int row = get_global_id(1) * each;
    global const uchar *record[V];
#if N_CHOICES
    int start[V], step[V]; /* from one column to the next */
#endif

    for (int k = 0; k < V; k++) {
        const ulong number = first + min(lane + k, n_images - 1);

        record[k] = records + number % n_records * STRIDE;
#if N_CHOICES
        const ulong choices = number * N_CHOICES;
        const bool mirrored = MIRROR && choice(key, choices) % 2;
        int y = TOP, x = LEFT;

        if (RANDOM_CROP) {
            y = choice(key, choices + MIRROR) % (HEIGHT - OUT_HEIGHT + 1);
            x = choice(key, choices + MIRROR + 1) % (WIDTH - OUT_WIDTH + 1);
        }
        start[k] = y * WIDTH + x + (mirrored ? OUT_WIDTH - 1 : 0);
        step[k] = mirrored ? -1 : 1;
#endif
    }
    const ivec exists = lane_exists(block, n_images);
    for (int r = row; r < min(row + each, ROWS); r++)
        for (int x = 0; x < OUT_WIDTH; x++) {
            const int channel = r / OUT_HEIGHT;
            const int row_start = (channel * HEIGHT + r % OUT_HEIGHT) * WIDTH;
            TYPE value[V];
#if MEAN_IMAGE
            float less[V];
#endif

            UNROLL for (int k = 0; k < V; k++) {
#if N_CHOICES
                const int at = row_start + start[k] + x * step[k];
#else
                const int at = row_start + TOP * WIDTH + LEFT + x;
#endif
                value[k] = ((global const TYPE *)record[k])[at];
#if MEAN_IMAGE
                less[k] = mean[at];
#endif
            }
#if MEAN_IMAGE
            const vec m = LOAD(less);
#else
            const vec m = mean[channel];
#endif
            images[((size_t)(block * ROWS + r) * OUT_WIDTH + x) * LANES + LANE] =
                select((vec)(0), (to_vec(LOAD(value)) - m) * scale, exists);
        }
#if HAS_LABELS
    if (row == 0)
        for (int k = 0; k < V; k++)
            labels[lane + k] = lane + k < n_images ? *(global const int *)(record[k] + SIZE) : 0;
#endif
}
