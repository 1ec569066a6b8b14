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

/* out[0..TN] = matrix * in[0..n], matrix TN x n. out lies `step` apart. */
#define SPREAD(matrix, n, in, out, step)                                                     \
    {                                                                                        \
        vec first_ = (vec)(0.0f), last_ = (vec)(0.0f);                                       \
        UNROLL for (int j_ = 0; j_ < (n); j_++)                                              \
        {                                                                                    \
            ADD_SCALED(first_, matrix[0][j_], (in)[j_]);                                     \
            ADD_SCALED(last_, matrix[TN - 1][j_], (in)[j_]);                                 \
        }                                                                                    \
        (out)[0] = first_;                                                                   \
        (out)[(TN - 1) * (step)] = last_;                                                    \
        UNROLL for (int p_ = 1; p_ < TN - 1; p_ += 2)                                        \
        {                                                                                    \
            vec even_ = (vec)(0.0f), odd_ = (vec)(0.0f);                                     \
            UNROLL for (int j_ = 0; j_ < (n); j_ += 2)                                       \
                ADD_SCALED(even_, matrix[p_][j_], (in)[j_]);                                 \
            UNROLL for (int j_ = 1; j_ < (n); j_ += 2)                                       \
                ADD_SCALED(odd_, matrix[p_][j_], (in)[j_]);                                  \
            (out)[p_ * (step)] = even_ + odd_;                                               \
            (out)[(p_ + 1) * (step)] = even_ - odd_;                                         \
        }                                                                                    \
    }

/* out[0..n] = matrix^T * in[0..TN]. */
#define GATHER(matrix, n, in, out, step)                                                     \
    {                                                                                        \
        vec plus_[TN / 2], minus_[TN / 2];                                                   \
        UNROLL for (int p_ = 1; p_ < TN - 1; p_ += 2)                                        \
        {                                                                                    \
            plus_[p_ / 2] = (in)[p_] + (in)[p_ + 1];                                         \
            minus_[p_ / 2] = (in)[p_] - (in)[p_ + 1];                                        \
        }                                                                                    \
        UNROLL for (int j_ = 0; j_ < (n); j_++)                                              \
        {                                                                                    \
            vec sum_ = (vec)(0.0f);                                                          \
            ADD_SCALED(sum_, matrix[0][j_], (in)[0]);                                        \
            UNROLL for (int p_ = 1; p_ < TN - 1; p_ += 2)                                    \
                ADD_SCALED(sum_, matrix[p_][j_], (j_ % 2 ? minus_ : plus_)[p_ / 2]);         \
            ADD_SCALED(sum_, matrix[TN - 1][j_], (in)[TN - 1]);                              \
            (out)[j_ * (step)] = sum_;                                                       \
        }                                                                                    \
    }

/* A tile from n_in x n_in to n_out x n_out: ONE_WAY, SPREAD or GATHER, over its columns and then
 * its rows. COLUMN(x, j) fills x with column j, ROW(i, x) takes row i of the result. */
#define TRANSFORM(ONE_WAY, matrix, n, n_in, n_out, COLUMN, ROW)                              \
    {                                                                                        \
        vec half_way_[(n_out) * (n_in)];                                                     \
        OUTER for (int l_ = 0; l_ < (n_in); l_++)                                            \
        {                                                                                    \
            vec x_[n_in];                                                                    \
            COLUMN(x_, l_)                                                                   \
            ONE_WAY(matrix, n, x_, half_way_ + l_, n_in)                                     \
        }                                                                                    \
        OUTER for (int l_ = 0; l_ < (n_out); l_++)                                           \
        {                                                                                    \
            vec x_[n_out];                                                                   \
            ONE_WAY(matrix, n, half_way_ + l_ * (n_in), x_, 1)                               \
            ROW(l_, x_)                                                                      \
        }                                                                                    \
    }
#define SPREAD_TILE(matrix, n, COLUMN, ROW) TRANSFORM(SPREAD, matrix, n, n, TN, COLUMN, ROW)
#define GATHER_TILE(matrix, n, COLUMN, ROW) TRANSFORM(GATHER, matrix, n, TN, n, COLUMN, ROW)

#ifdef FILTERS
/* u[point][g][c][k] = G w G^T, V filters k a work-item. x: vectors of k, y: c, z: g. */
kernel void winograd_filter(global const float *restrict w, global float *restrict u)
{
    const int k0 = get_global_id(0) * V, c = get_global_id(1), g = get_global_id(2);

#define COLUMN(x, j)                                                                         \
    OUTER for (int i = 0; i < R; i++)                                                        \
    {                                                                                        \
        float lanes[V];                                                                      \
        UNROLL for (int v = 0; v < V; v++)                                                   \
            lanes[v] = w[(((g * K + min(k0 + v, K - 1)) * C + c) * R + i) * R + (j)];        \
        x[i] = LOAD(lanes);                                                                  \
    }
#define ROW(i, x)                                                                            \
    UNROLL for (int j = 0; j < TN; j++)                                                      \
        STORE(x[j], u + ((size_t)(((i) * TN + j) * G + g) * C + c) * K_PITCH + k0);
    SPREAD_TILE(GT, R, COLUMN, ROW)
#undef COLUMN
#undef ROW
}

/* dw = G^T du G (+ dw), with du summed over `n_shares` arrays. Ids as above. */
kernel void winograd_filter_adjoint(global const float *restrict du, int n_shares,
                                    global float *restrict dw, int accumulate)
{
    const int k0 = get_global_id(0) * V, c = get_global_id(1), g = get_global_id(2);

#define COLUMN(x, j)                                                                         \
    OUTER for (int i = 0; i < TN; i++)                                                       \
    {                                                                                        \
        x[i] = (vec)(0.0f);                                                                  \
        for (int s = 0; s < n_shares; s++)                                                   \
            x[i] += LOAD(du + ((((size_t)s * POS + i * TN + (j)) * G + g) * C + c) * K_PITCH + k0); \
    }
#define ROW(i, x)                                                                            \
    OUTER for (int j = 0; j < R; j++)                                                        \
    {                                                                                        \
        float lanes[V];                                                                      \
        STORE(x[j], lanes);                                                                  \
        for (int v = 0; v < min(V, K - k0); v++) {                                           \
            global float *to = dw + (((g * K + k0 + v) * C + c) * R + (i)) * R + j;          \
            *to = accumulate ? *to + lanes[v] : lanes[v];                                    \
        }                                                                                    \
    }
    GATHER_TILE(GT, R, COLUMN, ROW)
#undef COLUMN
#undef ROW
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
#define PIXEL(i, j) image[((top + (i)) * W + left + (j)) * LANES]
#define COLUMN(x, j)                                                                         \
    if (inside) {                                                                            \
        UNROLL for (int i = 0; i < TN; i++) x[i] = PIXEL(i, j);                              \
    } else {                                                                                 \
        UNROLL for (int i = 0; i < TN; i++) x[i] =                                           \
            INSIDE(top + i, H) && INSIDE(left + (j), W) ? PIXEL(i, j) : (vec)(0.0f);         \
    }
#define ROW(i, x)                                                                            \
    UNROLL for (int j = 0; j < TN; j++)                                                      \
        u[(((i) * TN + j) * (size_t)POINT(G * C) + t) * LANES] = x[j];
        SPREAD_TILE(BT, TN, COLUMN, ROW)
#undef PIXEL
#undef COLUMN
#undef ROW
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
        vec out[TM][TM];
#define COLUMN(x, j)                                                                         \
    UNROLL for (int i = 0; i < TN; i++)                                                      \
        x[i] = m[((i * TN + (j)) * (size_t)POINT(G * K) + t) * LANES];
#define ROW(i, x) UNROLL for (int j = 0; j < TM; j++) out[i][j] = x[j];
        GATHER_TILE(AT, TM, COLUMN, ROW)
#undef COLUMN
#undef ROW
        for (int i = 0; i < TM; i += QH)
            UNROLL for (int j = 0; j < TM; j += QW) if (IN_OUTPUT(top + i, left + j)) {
#define VALUE(y, x) (out[i + (y)][j + (x)] + b)
                FINISH(VALUE, y, places,
                       image + ((top + i) / QH * (OW / QW) + (left + j) / QW) * LANES)
#undef VALUE
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
#define AT_PIXEL(i, j) (image + ((top + (i)) / QH * (OW / QW) + (left + (j)) / QW) * LANES)
#define COLUMN(x, j)                                                                         \
    UNROLL for (int i = 0; i < TM; i++)                                                      \
        x[i] = IN_OUTPUT(top + i, left + (j)) ? FROM_POOLED(dy, places, AT_PIXEL(i, j), i, j) \
                                              : (vec)(0.0f);
#define ROW(i, x)                                                                            \
    UNROLL for (int j = 0; j < TN; j++)                                                      \
        v[(((i) * TN + j) * (size_t)POINT(G * K) + t) * LANES] = x[j];
        SPREAD_TILE(AT, TM, COLUMN, ROW)
#undef AT_PIXEL
#undef COLUMN
#undef ROW
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
#define COLUMN(x, j)                                                                         \
    UNROLL for (int i = 0; i < TN; i++)                                                      \
        x[i] = m[((i * TN + (j)) * (size_t)POINT(G * C) + t) * LANES];
#define ROW(i, x)                                                                            \
    UNROLL for (int j = 0; j < TN; j++) if (INSIDE(top + (i), H) && INSIDE(left + j, W))     \
        image[((top + (i)) * W + left + j) * LANES] += x[j];
        GATHER_TILE(BT, TN, COLUMN, ROW)
#undef COLUMN
#undef ROW
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
