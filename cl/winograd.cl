/* Winograd convolution, stride 1: an R x R correlation over tiles of TM x TM outputs becomes
 * products over the TN x TN = POS points of transformed tiles, TN = TM + R - 1.
 *   forward          y  = A^T [ sum_c (G w G^T) * (B^T x B) ] A
 *   input gradient   dx = sum over tiles of B [ sum_k (G w G^T) * (A dy A^T) ] B^T
 *   filter gradient  dw = G^T [ sum over tiles (A dy A^T) * (B^T x B) ] G
 * Here is what all transforms share; cl/winograd_tiles.cl has those of images, cl/winograd_filters.cl
 * those of filters, cl/winograd_product.cl the products. A small layer's pass is one launch on a CPU
 * (cl/winograd_pass.cl), others go step by step (cl/winograd_images.cl, and kernels beside their
 * functions). The constant matrices BT (TN x TN), AT (TN x TM) and GT (TN x R), one row a point, come
 * from src/layers/winograd.c: the points are 0, a, -a, b, -b, ... and infinity, so the rows of a pair
 * differ only in the sign of their odd columns. */

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
