/* Matrix products. A and B are addressed through strides, so transposition costs nothing;
 * V floats of a row of C are one vector. MT x NT vectors of C are a work-item's tile. A bias
 * is added last, as Caffe does. */

#include "transpose.cl"

/* What is done to C in the end: bits of `finish`. */
#define ROW_BIAS 1    /* bias[i] is added to row i, */
#define COLUMN_BIAS 2 /* or bias[j] to column j; */
#define RELU 4        /* then negative values become 0 */

/* Start of column block j of a matrix whose products lie `stride` apart and have
 * `blocks` column blocks each. */
inline size_t column_block(int j, int blocks, long stride)
{
    return (size_t)(j / blocks) * stride + (size_t)(j % blocks) * V;
}

/* C = A B with vectors along the rows of B and C. Column blocks of all products of a batch
 * are numbered through where they share A (a_stride is then 0 and z is 1); `n_sum` products
 * are summed into C. A[i][k] is a[i * a_row + k * a_column]. */
kernel void gemm_outer(int m, int blocks, int n_blocks, int k, int n_sum,
                       global const float *restrict a, long a_row, long a_column,
                       long a_stride, global const float *restrict b, long ldb,
                       long b_stride, global float *restrict c, long ldc, long c_stride,
                       int accumulate, global const float *restrict bias, int finish)
{
    const int i0 = get_global_id(0) * MT, j0 = get_global_id(1) * NT;
    const size_t z = get_global_id(2);
    size_t a_start[MT], b_start[NT];
    vec sum[MT][NT], sums[MT][NT]; /* in registers; in memory, which loops may go over */

    UNROLL for (int i = 0; i < MT; i++) {
        a_start[i] = min(i0 + i, m - 1) * a_row + z * a_stride;
        UNROLL for (int j = 0; j < NT; j++) sum[i][j] = (vec)(0.0f);
    }
    UNROLL for (int j = 0; j < NT; j++)
        b_start[j] = column_block(min(j0 + j, n_blocks - 1), blocks, b_stride) + z * b_stride;
    for (int s = 0; s < n_sum; s++) {
        global const float *as = a + s * a_stride, *bs = b + s * b_stride;
        for (int p = 0; p < k; p++) {
            vec x[NT];
            UNROLL for (int j = 0; j < NT; j++) x[j] = LOAD(bs + b_start[j] + p * ldb);
            UNROLL for (int i = 0; i < MT; i++) {
                const vec f = (vec)(as[a_start[i] + p * a_column]);
                UNROLL for (int j = 0; j < NT; j++) sum[i][j] = mad(f, x[j], sum[i][j]);
            }
        }
    }
    UNROLL for (int i = 0; i < MT; i++) UNROLL for (int j = 0; j < NT; j++)
        sums[i][j] = sum[i][j];
    for (int i = 0; i < min(MT, m - i0); i++)
        for (int j = 0; j < min(NT, n_blocks - j0); j++) {
            global float *out = c + column_block(j0 + j, blocks, c_stride) + z * c_stride +
                                (i0 + i) * ldc;
            vec total = sums[i][j];
            if (finish & ROW_BIAS)
                total += (vec)(bias[i0 + i]);
            if (finish & COLUMN_BIAS)
                total += LOAD(bias + (j0 + j) % blocks * V);
            if (accumulate)
                total += LOAD(out);
            STORE(finish & RELU ? max(total, (vec)(0.0f)) : total, out);
        }
}

#ifdef TERMS
#define CHAIN 512
/* gemm_panel, for CPUs with many rows: TERMS rows of B at a time are copied, in the order in which
 * they are used, to a panel of NT vectors a row, and all row tiles of a share go over it. Numbers as
 * for gemm_outer; but B[k][j] is b[k * b_row + j * b_column], one of the two 1, and the last vector
 * of a product may be cut off.
 * x: shares of the row tiles; y: panels; z: products. */
ONCE vec load_part(global const float *p, int count)
{
    float lanes[V];

    for (int i = 0; i < V; i++)
        lanes[i] = i < count ? p[i] : 0.0f;
    return LOAD(lanes);
}

ONCE void store_part(vec x, global float *p, int count)
{
    float lanes[V];

    STORE(x, lanes);
    for (int i = 0; i < count; i++)
        p[i] = lanes[i];
}

/* The first `count` floats, and zeros. */
inline vec load_some(global const float *p, int count)
{
    return count >= V ? LOAD(p) : load_part(p, count);
}

inline void store_some(vec x, global float *p, int count)
{
    if (count >= V)
        STORE(x, p);
    else
        store_part(x, p, count);
}

/* `count` terms of NT vectors of B, which begin at `b` and have `columns` columns, of rows ... */
ONCE void copy_rows(vec panel[TERMS][NT], global const float *b[NT], const int columns[NT],
                    size_t start, long b_row, int count)
{
    for (int p = 0; p < count; p++)
        for (int j = 0; j < NT; j++)
            panel[p][j] = load_some(b[j] + start + p * b_row, columns[j]);
}

/* ... and of columns. */
ONCE void copy_columns(vec panel[TERMS][NT], global const float *b[NT],
                       const int columns[NT], size_t start, long b_column, int count)
{
    for (int p = 0; p < count; p += V)
        for (int j = 0; j < NT; j++) {
            vec x[V];
            if (p + V <= count) {
                UNROLL for (int i = 0; i < V; i++)
                    x[i] = LOAD(b[j] + start + min(i, columns[j] - 1) * b_column + p);
            } else {
                float rest[V][V];
                for (int i = 0; i < V; i++) {
                    const vec row = load_some(
                        b[j] + start + min(i, columns[j] - 1) * b_column + p, count - p);
                    STORE(row, rest[i]);
                }
                UNROLL for (int i = 0; i < V; i++) x[i] = LOAD(rest[i]);
            }
            transpose(x);
            for (int q = 0; q < min(V, count - p); q++)
                panel[p + q][j] = x[q];
        }
}

/* sums (+)= MT rows, from `start` on, times a panel of `products` times `count` terms, k apart. */
ONCE void multiply_panel(vec sums[MT][NT], bool add, global const float *const rows[MT],
                         size_t start, long a_column, long a_stride,
                         const vec panel[TERMS][NT], int products, int k, int count)
{
    vec sum[MT][NT];

    UNROLL for (int i = 0; i < MT; i++) UNROLL for (int j = 0; j < NT; j++)
        sum[i][j] = (vec)(0.0f);
    for (int s = 0; s < products; s++) {
        const vec(*terms)[NT] = panel + s * k;
        size_t at = start + s * a_stride;
        for (int p = 0; p < count; p++) {
            vec x[NT];
            UNROLL for (int j = 0; j < NT; j++) x[j] = terms[p][j];
            UNROLL for (int i = 0; i < MT; i++) {
                const vec f = (vec)(rows[i][at]);
                UNROLL for (int j = 0; j < NT; j++) sum[i][j] = mad(f, x[j], sum[i][j]);
            }
            at += a_column;
        }
    }
    UNROLL for (int i = 0; i < MT; i++) UNROLL for (int j = 0; j < NT; j++)
        sums[i][j] = add ? sum[i][j] + sums[i][j] : sum[i][j];
}

/* The same for all terms of a panel, CHAIN of them added up at a time, which rounds less. */
inline void multiply_chains(vec sums[MT][NT], global const float *const rows[MT],
                            long a_column, long a_stride, const vec panel[TERMS][NT],
                            int products, int k, int count)
{
    const int together = max(CHAIN / max(k, 1), 1);

    for (int s = 0; s < products; s += together)
        for (int p = 0; p < count; p += CHAIN)
            multiply_panel(sums, s + p > 0, rows, s * a_stride + p * a_column, a_column,
                           a_stride, panel + s * k + p, min(together, products - s), k,
                           min(CHAIN, count - p));
}

kernel void gemm_panel(int m, int n, int blocks, int n_blocks, int k, int n_sum,
                       global const float *restrict a, long a_row, long a_column,
                       long a_stride, global const float *restrict b, long b_row,
                       long b_column, long b_stride, global float *restrict c, long ldc,
                       long c_stride, int accumulate, global const float *restrict bias,
                       int finish)
{
    const int j0 = get_global_id(1) * NT, tiles = (m + MT - 1) / MT;
    const int share = get_global_id(0), n_shares = get_global_size(0);
    const size_t z = get_global_id(2);
    vec panel[TERMS][NT], sums[MT][NT];
    global const float *b_start[NT], *rows[MT];
    global float *c_start[NT];
    int columns[NT]; /* of a vector that are in its product */
    bool whole = j0 + NT <= n_blocks;

    for (int j = 0; j < NT; j++) {
        const int block = min(j0 + j, n_blocks - 1), product = block / blocks;
        const long column = block % blocks * V;
        b_start[j] = b + (product + z) * b_stride + column * b_column;
        c_start[j] = c + (product + z) * c_stride + column;
        columns[j] = min(n - (int)column, V);
        whole &= columns[j] == V;
    }
    /* Where products are short, a panel has terms of several. */
    const int products = max(TERMS / max(k, 1), 1);
    for (int s0 = 0; s0 < n_sum; s0 += products) {
        const int s_end = min(s0 + products, n_sum);
        for (int p0 = 0; p0 < k; p0 += TERMS) {
            const int count = min(k - p0, TERMS);
            const bool add = accumulate || s0 > 0 || p0 > 0;
            const int ending = s_end == n_sum && p0 + count == k ? finish : 0;
            global const float *as = a + (z + s0) * a_stride + p0 * a_column;
            for (int s = s0; s < s_end; s++)
                if (b_column == 1)
                    copy_rows(panel + (s - s0) * k, b_start, columns, s * b_stride + p0 * b_row,
                              b_row, count);
                else
                    copy_columns(panel + (s - s0) * k, b_start, columns, s * b_stride + p0,
                                 b_column, count);
            for (int tile = tiles * share / n_shares; tile < tiles * (share + 1) / n_shares;
                 tile++) {
                const int i0 = tile * MT;
                for (int i = 0; i < MT; i++)
                    rows[i] = as + min(i0 + i, m - 1) * a_row;
                multiply_chains(sums, rows, a_column, a_stride, panel, s_end - s0, k, count);
                if (whole && !ending && i0 + MT <= m) {
                    for (int i = 0; i < MT; i++) UNROLL for (int j = 0; j < NT; j++) {
                        global float *out = c_start[j] + (size_t)(i0 + i) * ldc;
                        STORE(add ? sums[i][j] + LOAD(out) : sums[i][j], out);
                    }
                    continue;
                }
                for (int i = 0; i < min(MT, m - i0); i++)
                    for (int j = 0; j < min(NT, n_blocks - j0); j++) {
                        global float *out = c_start[j] + (i0 + i) * ldc;
                        vec total = sums[i][j];
                        if (add)
                            total += load_some(out, columns[j]);
                        if (ending & ROW_BIAS)
                            total += (vec)(bias[i0 + i]);
                        if (ending & COLUMN_BIAS)
                            total += load_some(bias + (j0 + j) % blocks * V, columns[j]);
                        if (ending & RELU)
                            total = max(total, (vec)(0.0f));
                        store_some(total, out, columns[j]);
                    }
            }
        }
    }
}
#endif

/* C = A B^T with vectors along k, which is contiguous in both: tiles of MT x NT dot products. CHUNK
 * terms, of NT rows of B, stay in the first cache while a share of the row tiles goes over them, and
 * those of A in the second while `each` column tiles do.
 * x: shares of the row tiles; y: of the column tiles; z: products. */
#define CHUNK 1024
kernel void gemm_dot(int m, int n, int k, int n_sum, int each, global const float *restrict a,
                     long lda, long a_stride, global const float *restrict b, long ldb,
                     long b_stride, global float *restrict c, long ldc, long c_stride,
                     int accumulate, global const float *restrict bias, int finish)
{
    const int tiles = (m + MT - 1) / MT, share = get_global_id(0), n_shares = get_global_size(0);
    const int first = tiles * share / n_shares, end = tiles * (share + 1) / n_shares;
    const int j_first = get_global_id(1) * each * NT, j_end = min(j_first + each * NT, n);
    const size_t z = get_global_id(2);

    for (int s = 0; s < n_sum; s++)
        for (int p0 = 0; p0 < k; p0 += CHUNK)
            for (int j0 = j_first; j0 < j_end; j0 += NT) {
                const int p_end = min(p0 + CHUNK, k);
                const bool add = accumulate || s > 0 || p0 > 0;
                const bool last = s + 1 == n_sum && p_end == k;
                for (int i0 = first * MT; i0 < min(end * MT, m); i0 += MT) {
                    global const float *ap[MT], *bp[NT];
                    vec sum[MT][NT];
                    float rest[MT][NT];
                    UNROLL for (int i = 0; i < MT; i++)
                        ap[i] = a + (z + s) * a_stride + min(i0 + i, m - 1) * lda;
                    UNROLL for (int j = 0; j < NT; j++)
                        bp[j] = b + (z + s) * b_stride + min(j0 + j, n - 1) * ldb;
                    UNROLL for (int i = 0; i < MT; i++) UNROLL for (int j = 0; j < NT; j++) {
                        sum[i][j] = (vec)(0.0f);
                        rest[i][j] = 0.0f;
                    }
                    int p = p0;
                    for (; p + V <= p_end; p += V) {
                        vec x[NT];
                        UNROLL for (int j = 0; j < NT; j++) x[j] = LOAD(bp[j] + p);
                        UNROLL for (int i = 0; i < MT; i++) {
                            const vec f = LOAD(ap[i] + p);
                            UNROLL for (int j = 0; j < NT; j++) sum[i][j] = mad(f, x[j], sum[i][j]);
                        }
                    }
                    for (; p < p_end; p++)
                        UNROLL for (int i = 0; i < MT; i++) UNROLL for (int j = 0; j < NT; j++)
                            rest[i][j] = mad(ap[i][p], bp[j][p], rest[i][j]);
                    UNROLL for (int i = 0; i < MT; i++) UNROLL for (int j = 0; j < NT; j++) {
                        if (i0 + i < m && j0 + j < n) {
                            global float *out = c + z * c_stride + (i0 + i) * ldc + j0 + j;
                            float value = sum_lanes(sum[i][j]) + rest[i][j];
                            if (add)
                                value += *out;
                            if (last && (finish & (ROW_BIAS | COLUMN_BIAS)))
                                value += bias[finish & ROW_BIAS ? i0 + i : j0 + j];
                            *out = last && (finish & RELU) ? max(value, 0.0f) : value;
                        }
                    }
                }
            }
}

/* C = A B one element a work-item, from column j0 on: edges, and layouts not met above. */
kernel void gemm_any(int k, int n_sum, int j0, global const float *restrict a, long a_row,
                     long a_column, long a_stride, global const float *restrict b,
                     long b_row, long b_column, long b_stride, global float *restrict c,
                     long ldc, long c_stride, int accumulate,
                     global const float *restrict bias, int finish)
{
    const size_t i = get_global_id(0), j = j0 + get_global_id(1), z = get_global_id(2);
    global float *out = c + z * c_stride + i * ldc + j;
    float sum = 0.0f;

    for (int s = 0; s < n_sum; s++)
        for (int p = 0; p < k; p++)
            sum = mad(a[(z + s) * a_stride + i * a_row + p * a_column],
                      b[(z + s) * b_stride + p * b_row + j * b_column], sum);
    if (finish & (ROW_BIAS | COLUMN_BIAS))
        sum += bias[finish & ROW_BIAS ? i : j];
    if (accumulate)
        sum += *out;
    *out = finish & RELU ? max(sum, 0.0f) : sum;
}

/* C = bias, for products that then add to it. */
kernel void gemm_bias(int n, global const float *restrict bias, int finish,
                      global float *restrict c, long ldc, long c_stride)
{
    global float *row = c + get_global_id(1) * c_stride + get_global_id(0) * ldc;

    for (int j = 0; j < n; j++)
        row[j] = bias[finish & ROW_BIAS ? get_global_id(0) : j];
}

/* C = max(C, 0), for products that others made. */
kernel void gemm_relu(int n, global float *restrict c, long ldc, long c_stride)
{
    global float *row = c + get_global_id(1) * c_stride + get_global_id(0) * ldc;

    for (int j = 0; j < n; j++)
        row[j] = max(row[j], 0.0f);
}
