/* Convolution of single images, forward: vectors are COLUMNS columns of a row of the top, side by side,
 * of CHANNELS = V / COLUMNS channels, 1 or 2. For stride 1 along rows, without padding there (SW 1,
 * PW 0), and pools of 1 or 2 columns (cl/epilogue.cl). Sizes as in cl/convolution.cl, with one group and
 * no depth.
 * KT vectors of channels (an even number) x RT rows (a multiple of QH) are computed at a time.
 * x: tiles of channels, y: shares of the tiles of rows, z: images. */
#include "epilogue.cl"

/* Windows that a vector's columns make, and their places in the top: channel k, row q of windows. */
#define WINDOWS (COLUMNS / QW)
#define CHANNELS (V / COLUMNS)
#define VECTORS ((OW + COLUMNS - 1) / COLUMNS) /* of a row */
#define ROW_TILES ((OH + RT - 1) / RT)
#define WINDOW_ROW(k, q) ((((size_t)get_global_id(2) * K + (k)) * (OH / QH) + (q)) * (OW / QW))

/* The columns from p on, for each channel; and VALUE(k), VALUE(k + 1).. for the columns of one each. */
#if CHANNELS == 1
#define LOAD_COLUMNS(p) LOAD(p)
#define SPREAD(VALUE, k) ((vec)(VALUE(k)))
#elif !defined(OCLGRIND) /* it cannot follow vectors made of halves: see lanes.cl */
typedef PASTE(float, COLUMNS) half_vec;
#define LOAD_COLUMNS(p) ((vec)(PASTE(vload, COLUMNS)(0, p), PASTE(vload, COLUMNS)(0, p)))
#define SPREAD(VALUE, k) ((vec)((half_vec)(VALUE(k)), (half_vec)(VALUE((k) + 1))))
#else
inline vec load_columns(global const float *p)
{
    float lanes[V];
    for (int i = 0; i < V; i++)
        lanes[i] = p[i % COLUMNS];
    return LOAD(lanes);
}
inline vec spread(float first, float second)
{
    float lanes[V];
    for (int i = 0; i < V; i++)
        lanes[i] = i < COLUMNS ? first : second;
    return LOAD(lanes);
}
#define LOAD_COLUMNS(p) load_columns(p)
#define SPREAD(VALUE, k) spread(VALUE(k), VALUE((k) + 1))
#endif

#if QW == 2
/* The even, or the odd, elements of a and then those of b. */
inline vec every_other(vec a, vec b, int odd)
{
#ifdef OCLGRIND /* it cannot follow vectors made of halves: see lanes.cl */
    float both[2 * V], taken[V];
    STORE(a, both);
    STORE(b, both + V);
    for (int i = 0; i < V; i++)
        taken[i] = both[2 * i + odd];
    return LOAD(taken);
#else
    return odd ? (vec)(a.odd, b.odd) : (vec)(a.even, b.even);
#endif
}
#endif

kernel void convolution_rows_forward(global const float *restrict x,
                                     global const float *restrict w,
                                     global const float *restrict bias,
                                     global float *restrict y, global uchar *restrict places)
{
    const int k0 = get_global_id(0) * KT * CHANNELS;
    const int share = get_global_id(1), n_shares = get_global_size(1);

    global const float *filters[KT * CHANNELS];
    UNROLL for (int k = 0; k < KT * CHANNELS; k++)
        filters[k] = w + (size_t)min(k0 + k, K - 1) * C * KH * KW;
    x += (size_t)get_global_id(2) * C * H * W;
    for (int i = VECTORS * ROW_TILES * share / n_shares;
         i < VECTORS * ROW_TILES * (share + 1) / n_shares; i++) {
        const int top = i / VECTORS * RT;
        const int left = min(i % VECTORS * COLUMNS, OW - COLUMNS); /* the last begins earlier, so as to be whole */
        vec sum[KT][RT];
        UNROLL for (int k = 0; k < KT; k++) UNROLL for (int r = 0; r < RT; r++)
            sum[k][r] = (vec)(0.0f);
        for (int c = 0; c < C; c++)
            for (int h = 0; h < KH; h++) {
                global const float *rows[RT];
                bool inside[RT];
                UNROLL for (int r = 0; r < RT; r++) {
                    const int iy = min(top + r, OH - 1) * SH - PH + h * DH;
                    inside[r] = PH == 0 || (iy >= 0 && iy < H);
                    rows[r] = x + ((size_t)c * H + (inside[r] ? iy : 0)) * W + left;
                }
                UNROLL for (int t = 0; t < KW; t++) {
                    vec values[RT];
                    UNROLL for (int r = 0; r < RT; r++)
                        values[r] = inside[r] ? LOAD_COLUMNS(rows[r] + t * DW) : (vec)(0.0f);
                    UNROLL for (int k = 0; k < KT; k++) {
#define FILTER(k) filters[k][(c * KH + h) * KW + t]
                        const vec f = SPREAD(FILTER, k * CHANNELS);
#undef FILTER
                        UNROLL for (int r = 0; r < RT; r++)
                            sum[k][r] = mad(f, values[r], sum[k][r]);
                    }
                }
            }
#define BIAS_OF(k) bias[min(k0 + (k), K - 1)]
        for (int k = 0; BIAS && k < KT; k++)
            UNROLL for (int r = 0; r < RT; r++) sum[k][r] += SPREAD(BIAS_OF, k * CHANNELS);
#undef BIAS_OF
        UNROLL for (int r = 0; r < RT; r += QH) if (top + r < OH)
            UNROLL for (int k = 0; k < KT; k += QW) {
                /* With pools of 2 columns the windows of two vectors make one. */
                vec best[1];
                place_t place[1];
#if QW == 1
#define VALUE(i, j) sum[k][r + (i)]
#else
#define VALUE(i, j) every_other(sum[k][r + (i)], sum[k + 1][r + (i)], j)
#endif
                FINISH(VALUE, best, place, 0)
#undef VALUE
                float values[V];
                uchar taken[V];
                STORE(best[0], values);
                PASTE(vstore, V)(place[0], 0, taken);
                const int first = k0 + k * CHANNELS;
                UNROLL for (int o = 0; o < QW * CHANNELS; o++) if (first + o < K) {
                    const size_t to = WINDOW_ROW(first + o, (top + r) / QH) + left / QW;
                    UNROLL for (int j = 0; j < WINDOWS; j++) {
                        y[to + j] = values[o * WINDOWS + j];
                        if (POOLED)
                            places[to + j] = taken[o * WINDOWS + j];
                    }
                }
            }
    }
}
