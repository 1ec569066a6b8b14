/* Winograd convolution, stride 1: an R x R correlation over tiles of TM x TM outputs becomes
 * products over the TN x TN = POS points of transformed tiles, TN = TM + R - 1.
 *   forward          y  = A^T [ sum_c (G w G^T) * (B^T x B) ] A
 *   input gradient   dx = sum over tiles of B [ sum_k (G w G^T) * (A dy A^T) ] B^T
 *   filter gradient  dw = G^T [ sum over tiles (A dy A^T) * (B^T x B) ] G
 * Here is what all transforms share, and those of filters; cl/winograd_images.cl has those of images,
 * cl/winograd_product.cl the products. The constant matrices BT (TN x TN), AT (TN x TM) and GT (TN x
 * R), one row a point, come from src/layers/winograd.c: the points are 0, a, -a, b, -b, ... and
 * infinity, so the rows of a pair differ only in the sign of their odd columns. */

#define TN (TM + R - 1)
constant float BT[TN][TN] = BT_VALUES;
constant float AT[TN][TM] = AT_VALUES;
constant float GT[TN][R] = GT_VALUES;
/* Loops over the rows or columns of a tile: on a CPU tiles lie in memory, and unrolled code
 * is only slow to compile; elsewhere they should lie in registers. */
#if V > 4
#define OUTER
#else
#define OUTER UNROLL
#endif
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

#ifdef FILTER
/* Number `f` of a point's filters is u[f / (C * KB) * KB + f % KB][f / KB % C]: V of them a
 * work-item; FILTERS floats a point and group. x: vectors, y: groups. */
kernel void winograd_filter(global const float *restrict w, global float *restrict u)
{
    const int first = get_global_id(0) * V, g = get_global_id(1);
    int from[V];

    for (int v = 0; v < V; v++) {
        const int f = first + v, k = min(f / (C * KB) * KB + f % KB, K - 1);
        from[v] = ((g * K + k) * C + f / KB % C) * R * R;
    }
#define COLUMN(x, j)                                                                         \
    OUTER for (int i = 0; i < R; i++)                                                        \
    {                                                                                        \
        float lanes[V];                                                                      \
        UNROLL for (int v = 0; v < V; v++) lanes[v] = w[from[v] + i * R + (j)];              \
        x[i] = LOAD(lanes);                                                                  \
    }
#define ROW(i, x)                                                                            \
    UNROLL for (int j = 0; j < TN; j++)                                                      \
        STORE(x[j], u + (size_t)(((i) * TN + j) * G + g) * FILTERS + first);
    SPREAD_TILE(GT, R, COLUMN, ROW)
#undef COLUMN
#undef ROW
}
#endif

#ifdef FILTER_ADJOINT
/* dw = G^T du G (+ dw), with du summed over `n_shares` arrays of [point][g][ROWS][ROW_SIZE], of which
 * COLUMNS are used: [k][c], or [c][k] where TOP_TURNED. V of a point's floats a work-item, the last
 * of them beginning earlier. x: vectors, y: g. */
kernel void winograd_filter_adjoint(global const float *restrict du, int n_shares,
                                    global float *restrict dw, int accumulate)
{
    const int first = get_global_id(0) * V, from = min(first, ROWS * ROW_SIZE - V);
    const int g = get_global_id(1);
    int to[V];

    for (int v = 0; v < V; v++) {
        const int row = (from + v) / ROW_SIZE, column = (from + v) % ROW_SIZE;
        const int k = TOP_TURNED ? column : row, c = TOP_TURNED ? row : column;
        to[v] = from + v < first || column >= COLUMNS ? -1 : ((g * K + k) * C + c) * R * R;
    }
#define COLUMN(x, j)                                                                         \
    OUTER for (int i = 0; i < TN; i++)                                                       \
    {                                                                                        \
        x[i] = (vec)(0.0f);                                                                  \
        for (int s = 0; s < n_shares; s++)                                                   \
            x[i] += LOAD(du +                                                                \
                         (((size_t)s * TN * TN + i * TN + (j)) * G + g) * ROWS * ROW_SIZE +  \
                         from);                                                              \
    }
#define ROW(i, x)                                                                            \
    OUTER for (int j = 0; j < R; j++)                                                        \
    {                                                                                        \
        float lanes[V];                                                                      \
        STORE(x[j], lanes);                                                                  \
        for (int v = 0; v < V; v++)                                                          \
            if (to[v] >= 0) {                                                                \
                global float *at = dw + to[v] + (i)*R + j;                                   \
                *at = accumulate ? *at + lanes[v] : lanes[v];                                \
            }                                                                                \
    }
    GATHER_TILE(GT, R, COLUMN, ROW)
#undef COLUMN
#undef ROW
}
#endif
