/* Winograd convolution, stride 1: an R x R correlation over tiles of TM x TM outputs becomes
 * products over the TN x TN = POS points of transformed tiles, TN = TM + R - 1.
 *   forward          y  = A^T [ sum_c (G w G^T) * (B^T x B) ] A
 *   input gradient   dx = sum over tiles of B [ sum_k (G w G^T) * (A dy A^T) ] B^T
 *   filter gradient  dw = G^T [ sum over tiles (A dy A^T) * (B^T x B) ] G
 * The constant matrices BT (TN x TN), AT (TN x TM) and GT (TN x R), one row a point, come
 * from src/layers/winograd.c: the points are 0, a, -a, b, -b, ... and infinity, so the rows
 * of a pair differ only in the sign of their odd columns.
 *
 * Transformed images lie as [block][point][channel][tile] of vec; TILES tiles a channel,
 * POINT(channels) vectors a point. Filters lie as [point][group][c][k], K_PITCH floats a c.
 * The convolution may end in a max pool and a ReLU, as cl/epilogue.cl says. */
#include "epilogue.cl"

#define TN (TM + R - 1)
constant float BT[TN][TN] = BT_VALUES;
constant float AT[TN][TM] = AT_VALUES;
constant float GT[TN][R] = GT_VALUES;
#define POS (TN * TN)
#define TILES_X ((OW + TM - 1) / TM)
/* Odd, so that the points of a tile do not all fall into one set of the cache. */
#define POINT(channels) ((channels) * TILES | 1)
/* Loops over the rows or columns of a tile: on a CPU tiles lie in memory, and unrolled code
 * is only slow to compile; elsewhere they should lie in registers. */
#if V == 16
#define OUTER
#else
#define OUTER UNROLL
#endif
/* Tiles hang over the edges of outputs whose sizes TM does not divide. */
#define IN_OUTPUT(y, x) ((OH % TM == 0 | (y) < OH) & (OW % TM == 0 | (x) < OW))
#define INSIDE(i, n) ((uint)(i) < (uint)(n))

/* sum += factor * x for constant factors, most of which are 0, 1 or -1. */
#define ADD_SCALED(sum, factor, x)                                                           \
    sum = (factor) == 0.0f    ? sum                                                          \
          : (factor) == 1.0f  ? sum + (x)                                                    \
          : (factor) == -1.0f ? sum - (x)                                                    \
                              : mad((vec)(factor), (x), sum)

/* out(0..TN) = matrix * in(0..n), matrix TN x n. */
#define SPREAD(matrix, n, in, out)                                                           \
    {                                                                                        \
        vec first_ = (vec)(0.0f), last_ = (vec)(0.0f);                                       \
        UNROLL for (int j_ = 0; j_ < (n); j_++)                                              \
        {                                                                                    \
            ADD_SCALED(first_, matrix[0][j_], in(j_));                                       \
            ADD_SCALED(last_, matrix[TN - 1][j_], in(j_));                                   \
        }                                                                                    \
        out(0) = first_;                                                                     \
        out(TN - 1) = last_;                                                                 \
        UNROLL for (int p_ = 1; p_ < TN - 1; p_ += 2)                                        \
        {                                                                                    \
            vec even_ = (vec)(0.0f), odd_ = (vec)(0.0f);                                     \
            UNROLL for (int j_ = 0; j_ < (n); j_ += 2)                                       \
                ADD_SCALED(even_, matrix[p_][j_], in(j_));                                   \
            UNROLL for (int j_ = 1; j_ < (n); j_ += 2)                                       \
                ADD_SCALED(odd_, matrix[p_][j_], in(j_));                                    \
            out(p_) = even_ + odd_;                                                          \
            out(p_ + 1) = even_ - odd_;                                                      \
        }                                                                                    \
    }

/* out(0..n) = matrix^T * in(0..TN). */
#define GATHER(matrix, n, in, out)                                                           \
    {                                                                                        \
        vec plus_[TN / 2], minus_[TN / 2];                                                   \
        UNROLL for (int p_ = 1; p_ < TN - 1; p_ += 2)                                        \
        {                                                                                    \
            plus_[p_ / 2] = in(p_) + in(p_ + 1);                                             \
            minus_[p_ / 2] = in(p_) - in(p_ + 1);                                            \
        }                                                                                    \
        UNROLL for (int j_ = 0; j_ < (n); j_++)                                              \
        {                                                                                    \
            vec sum_ = (vec)(0.0f);                                                          \
            ADD_SCALED(sum_, matrix[0][j_], in(0));                                          \
            UNROLL for (int p_ = 1; p_ < TN - 1; p_ += 2)                                    \
                ADD_SCALED(sum_, matrix[p_][j_], (j_ % 2 ? minus_ : plus_)[p_ / 2]);         \
            ADD_SCALED(sum_, matrix[TN - 1][j_], in(TN - 1));                                \
            out(j_) = sum_;                                                                  \
        }                                                                                    \
    }

#ifdef FILTERS
/* u[point][g][c][k] = G w G^T, V filters k a work-item. x: vectors of k, y: c, z: g. */
kernel void winograd_filter(global const float *restrict w, global float *restrict u)
{
    const int k0 = get_global_id(0) * V, c = get_global_id(1), g = get_global_id(2);
    vec rows[TN][R];

    OUTER for (int j = 0; j < R; j++) {
        vec column[R];
        OUTER for (int i = 0; i < R; i++) {
            float lanes[V];
            UNROLL for (int v = 0; v < V; v++)
                lanes[v] = w[(((g * K + min(k0 + v, K - 1)) * C + c) * R + i) * R + j];
            column[i] = LOAD(lanes);
        }
#define IN(i) column[i]
#define OUT(i) rows[i][j]
        SPREAD(GT, R, IN, OUT)
#undef IN
#undef OUT
    }
    OUTER for (int i = 0; i < TN; i++) {
        vec out[TN];
#define IN(j) rows[i][j]
#define OUT(j) out[j]
        SPREAD(GT, R, IN, OUT)
#undef IN
#undef OUT
        UNROLL for (int j = 0; j < TN; j++)
            STORE(out[j], u + ((size_t)((i * TN + j) * G + g) * C + c) * K_PITCH + k0);
    }
}

/* dw = G^T du G (+ dw), with du summed over `n_shares` arrays. Ids as above. */
kernel void winograd_filter_adjoint(global const float *restrict du, int n_shares,
                                    global float *restrict dw, int accumulate)
{
    const int k0 = get_global_id(0) * V, c = get_global_id(1), g = get_global_id(2);
    vec rows[R][TN];

    OUTER for (int j = 0; j < TN; j++) {
        vec column[TN];
        OUTER for (int i = 0; i < TN; i++) {
            column[i] = (vec)(0.0f);
            for (int s = 0; s < n_shares; s++)
                column[i] += LOAD(
                    du + ((((size_t)s * POS + i * TN + j) * G + g) * C + c) * K_PITCH + k0);
        }
#define IN(i) column[i]
#define OUT(i) rows[i][j]
        GATHER(GT, R, IN, OUT)
#undef IN
#undef OUT
    }
    OUTER for (int i = 0; i < R; i++) {
        vec out[R];
#define IN(j) rows[i][j]
#define OUT(j) out[j]
        GATHER(GT, R, IN, OUT)
#undef IN
#undef OUT
        OUTER for (int j = 0; j < R; j++) {
            float lanes[V];
            STORE(out[j], lanes);
            for (int v = 0; v < min(V, K - k0); v++) {
                global float *to = dw + (((g * K + k0 + v) * C + c) * R + i) * R + j;
                *to = accumulate ? *to + lanes[v] : lanes[v];
            }
        }
    }
}
#endif

#ifdef IMAGES
/* u[n][point][c] = B^T x B for tiles t0 .. t0 + n_tiles of blocks n0 ...
 * x: lanes, y: channels, z: blocks. */
kernel void winograd_input(global const vec *restrict x, global vec *restrict u, int n0, int t0,
                           int n_tiles)
{
    const int c = get_global_id(1), n = get_global_id(2);
    global const vec *image = x + (size_t)((n0 + n) * G * C + c) * H * W * LANES + LANE;

    u += ((size_t)n * POS * POINT(G * C) + c * TILES) * LANES + LANE;
    for (int t = 0; t < n_tiles; t++) {
        const int top = (t0 + t) / TILES_X * TM - PH, left = (t0 + t) % TILES_X * TM - PW;
        const bool inside = top >= 0 && left >= 0 && top + TN <= H && left + TN <= W;
        vec m[TN][TN];
        OUTER for (int j = 0; j < TN; j++) {
            vec column[TN];
            if (inside) {
                UNROLL for (int i = 0; i < TN; i++)
                    column[i] = image[((top + i) * W + left + j) * LANES];
            } else {
                UNROLL for (int i = 0; i < TN; i++)
                    column[i] = INSIDE(top + i, H) && INSIDE(left + j, W)
                                    ? image[((top + i) * W + left + j) * LANES]
                                    : (vec)(0.0f);
            }
#define IN(i) column[i]
#define OUT(i) m[i][j]
            SPREAD(BT, TN, IN, OUT)
#undef IN
#undef OUT
        }
        OUTER for (int i = 0; i < TN; i++) {
            vec out[TN];
#define IN(j) m[i][j]
#define OUT(j) out[j]
            SPREAD(BT, TN, IN, OUT)
#undef IN
#undef OUT
            UNROLL for (int j = 0; j < TN; j++)
                u[((i * TN + j) * (size_t)POINT(G * C) + t) * LANES] = out[j];
        }
    }
}

/* y = A^T m A + bias for the tiles of winograd_input. x: lanes, y: channels, z: blocks. */
kernel void winograd_output(global const vec *restrict m, global const float *restrict bias,
                            global vec *restrict y, global place_t *restrict places, int n0,
                            int t0, int n_tiles)
{
    const int k = get_global_id(1), n = get_global_id(2);
    const size_t image = (size_t)((n0 + n) * G * K + k) * (OH / QH) * (OW / QW) * LANES + LANE;
    const vec b = (vec)(BIAS ? bias[k] : 0.0f);

    m += ((size_t)n * POS * POINT(G * K) + k * TILES) * LANES + LANE;
    for (int t = 0; t < n_tiles; t++) {
        const int top = (t0 + t) / TILES_X * TM, left = (t0 + t) % TILES_X * TM;
        vec rows[TM][TN];
        OUTER for (int j = 0; j < TN; j++) {
            vec column[TN];
            UNROLL for (int i = 0; i < TN; i++)
                column[i] = m[((i * TN + j) * (size_t)POINT(G * K) + t) * LANES];
#define IN(i) column[i]
#define OUT(i) rows[i][j]
            GATHER(AT, TM, IN, OUT)
#undef IN
#undef OUT
        }
        for (int i = 0; i < TM; i += QH) {
            vec out[QH][TM];
            UNROLL for (int q = 0; q < QH; q++) {
#define IN(j) rows[i + q][j]
#define OUT(j) out[q][j]
                GATHER(AT, TM, IN, OUT)
#undef IN
#undef OUT
            }
            UNROLL for (int j = 0; j < TM; j += QW) if (IN_OUTPUT(top + i, left + j)) {
#define VALUE(y, x) (out[y][j + (x)] + b)
                FINISH(VALUE, y, places,
                       image + ((top + i) / QH * (OW / QW) + (left + j) / QW) * LANES)
#undef VALUE
            }
        }
    }
}

/* v[n][point][k] = A dy A^T for tiles t0 .. of blocks n0 ... Ids as in winograd_output. */
kernel void winograd_output_adjoint(global const vec *restrict dy,
                                    global const place_t *restrict places,
                                    global vec *restrict v, int n0, int t0, int n_tiles)
{
    const int k = get_global_id(1), n = get_global_id(2);
    const size_t image = (size_t)((n0 + n) * G * K + k) * (OH / QH) * (OW / QW) * LANES + LANE;

    v += ((size_t)n * POS * POINT(G * K) + k * TILES) * LANES + LANE;
    for (int t = 0; t < n_tiles; t++) {
        const int top = (t0 + t) / TILES_X * TM, left = (t0 + t) % TILES_X * TM;
        vec rows[TN][TM];
        OUTER for (int j = 0; j < TM; j++) {
            vec column[TM];
            UNROLL for (int i = 0; i < TM; i++)
                column[i] =
                    IN_OUTPUT(top + i, left + j)
                        ? FROM_POOLED(dy, places,
                                      image + ((top + i) / QH * (OW / QW) + (left + j) / QW) *
                                                  LANES,
                                      i, j)
                        : (vec)(0.0f);
#define IN(i) column[i]
#define OUT(i) rows[i][j]
            SPREAD(AT, TM, IN, OUT)
#undef IN
#undef OUT
        }
        OUTER for (int i = 0; i < TN; i++) {
            vec out[TN];
#define IN(j) rows[i][j]
#define OUT(j) out[j]
            SPREAD(AT, TM, IN, OUT)
#undef IN
#undef OUT
            UNROLL for (int j = 0; j < TN; j++)
                v[((i * TN + j) * (size_t)POINT(G * K) + t) * LANES] = out[j];
        }
    }
}

/* dx = the sum of B m B^T over the tiles; `first` tiles of a block set dx to zero before.
 * A work-item adds the tiles of one channel one after another: their windows overlap.
 * x: lanes, y: channels, z: blocks. */
kernel void winograd_input_adjoint(global const vec *restrict m, global vec *restrict dx,
                                   int n0, int t0, int n_tiles)
{
    const int c = get_global_id(1), n = get_global_id(2);
    global vec *image = dx + (size_t)((n0 + n) * G * C + c) * H * W * LANES + LANE;

    m += ((size_t)n * POS * POINT(G * C) + c * TILES) * LANES + LANE;
    if (t0 == 0)
        for (int i = 0; i < H * W; i++)
            image[i * LANES] = (vec)(0.0f);
    for (int t = 0; t < n_tiles; t++) {
        const int top = (t0 + t) / TILES_X * TM - PH, left = (t0 + t) % TILES_X * TM - PW;
        vec rows[TN][TN];
        OUTER for (int j = 0; j < TN; j++) {
            vec column[TN];
            UNROLL for (int i = 0; i < TN; i++)
                column[i] = m[((i * TN + j) * (size_t)POINT(G * C) + t) * LANES];
#define IN(i) column[i]
#define OUT(i) rows[i][j]
            GATHER(BT, TN, IN, OUT)
#undef IN
#undef OUT
        }
        OUTER for (int i = 0; i < TN; i++) {
            vec out[TN];
#define IN(j) rows[i][j]
#define OUT(j) out[j]
            GATHER(BT, TN, IN, OUT)
#undef IN
#undef OUT
            UNROLL for (int j = 0; j < TN; j++)
                if (INSIDE(top + i, H) && INSIDE(left + j, W))
                    image[((top + i) * W + left + j) * LANES] += out[j];
        }
    }
}
#endif

#ifdef MULTIPLY
/* out[n][point][g][row] = sum over `depth` of u[point][g](row, depth) in[n][point][g][depth],
 * ROWS x DEPTH a group; element (row, depth) of a filter is u[row * U_ROW + depth * U_DEPTH].
 * RT rows x PT tiles at a time. x: lanes, y: shares of the row tiles of a group and groups,
 * z: blocks * points. */
kernel void winograd_multiply(global const float *restrict u, global const vec *restrict in,
                              global vec *restrict out, int n_tiles)
{
    const int g = get_global_id(1) / ROW_SHARES, share = get_global_id(1) % ROW_SHARES;
    const int point = get_global_id(2) % POS, n = get_global_id(2) / POS;
    const int row_tiles = (ROWS + RT - 1) / RT;

    u += (size_t)(point * G + g) * C * K_PITCH;
    in += (((size_t)n * POS + point) * POINT(G * DEPTH) + g * DEPTH * TILES) * LANES + LANE;
    out += (((size_t)n * POS + point) * POINT(G * ROWS) + g * ROWS * TILES) * LANES + LANE;
    for (int t = 0; t < n_tiles; t += PT) {
        for (int tile = row_tiles * share / ROW_SHARES;
             tile < row_tiles * (share + 1) / ROW_SHARES; tile++) {
            const int r0 = tile * RT;
            vec sum[RT][PT];
            UNROLL for (int r = 0; r < RT; r++) UNROLL for (int p = 0; p < PT; p++)
                sum[r][p] = (vec)(0.0f);
            for (int d = 0; d < DEPTH; d++) {
                vec x[PT];
                UNROLL for (int p = 0; p < PT; p++)
                    x[p] = in[(d * TILES + min(t + p, TILES - 1)) * LANES];
                UNROLL for (int r = 0; r < RT; r++) {
                    const vec f = (vec)(u[min(r0 + r, ROWS - 1) * U_ROW + d * U_DEPTH]);
                    UNROLL for (int p = 0; p < PT; p++) sum[r][p] = mad(f, x[p], sum[r][p]);
                }
            }
            UNROLL for (int r = 0; r < RT; r++) UNROLL for (int p = 0; p < PT; p++)
                if (r0 + r < ROWS && t + p < n_tiles)
                    out[((r0 + r) * TILES + t + p) * LANES] = sum[r][p];
        }
    }
}
#endif

#ifdef FILTER_PRODUCT
/* du[share][point][g][c][k] = sum over this share's blocks, tiles and lanes of
 * v[n][point][k] u[n][point][c] (+ du). One array for each share and lane group. Points 1, 1
 * of v are the sums of dy over the tiles: their sum is the gradient of the bias, db.
 * x: lanes, y: points and groups, z: shares of the blocks. */
kernel void winograd_filter_product(global const vec *restrict v, global const vec *restrict u,
                                    global float *restrict du, global float *restrict db,
                                    int n_blocks, int n_tiles, int accumulate, int with_bias,
                                    int accumulate_bias)
{
    const int point = get_global_id(1) / G, g = get_global_id(1) % G;
    const int share = get_global_id(2), n_shares = get_global_size(2);
    const int first = n_blocks * share / n_shares, end = n_blocks * (share + 1) / n_shares;

    du += (((size_t)(share * LANES + LANE) * POS + point) * G + g) * C * K_PITCH;
    db += (size_t)(share * LANES + LANE) * G * K + g * K;
    v += ((size_t)point * POINT(G * K) + g * K * TILES) * LANES + LANE;
    u += ((size_t)point * POINT(G * C) + g * C * TILES) * LANES + LANE;
    for (int k0 = 0; k0 < K; k0 += KT) {
        for (int c0 = 0; c0 < C; c0 += CT) {
            vec sum[KT][CT];
            UNROLL for (int k = 0; k < KT; k++) UNROLL for (int c = 0; c < CT; c++)
                sum[k][c] = (vec)(0.0f);
            for (int n = first; n < end; n++) {
                global const vec *vn = v + (size_t)n * POS * POINT(G * K) * LANES;
                global const vec *un = u + (size_t)n * POS * POINT(G * C) * LANES;
                for (int t = 0; t < n_tiles; t++) {
                    vec x[CT];
                    UNROLL for (int c = 0; c < CT; c++)
                        x[c] = un[(min(c0 + c, C - 1) * TILES + t) * LANES];
                    UNROLL for (int k = 0; k < KT; k++) {
                        const vec f = vn[(min(k0 + k, K - 1) * TILES + t) * LANES];
                        UNROLL for (int c = 0; c < CT; c++)
                            sum[k][c] = mad(f, x[c], sum[k][c]);
                    }
                }
            }
            UNROLL for (int k = 0; k < KT; k++) UNROLL for (int c = 0; c < CT; c++) {
                if (k0 + k < K && c0 + c < C) {
                    global float *out = du + (c0 + c) * K_PITCH + k0 + k;
                    const float value = sum_lanes(sum[k][c]);
                    *out = accumulate ? *out + value : value;
                }
            }
        }
    }
    for (int k = 0; k < K && with_bias && point == TN + 1; k++) {
        vec sum = (vec)(0.0f);
        for (int n = first; n < end; n++)
            for (int t = 0; t < n_tiles; t++)
                sum += v[((size_t)n * POS * POINT(G * K) + k * TILES + t) * LANES];
        const float value = sum_lanes(sum);
        db[k] = accumulate_bias ? db[k] + value : value;
    }
}
#endif
