/* The products of Winograd convolution: matrices of a point's filters and tiles (cl/winograd.cl).
 * Filters lie as [point][group][c][k] in blocks of KB k: [k / KB][c][k % KB], so that a tile of
 * products reads them one after another, whether it sums over c or over k. */
#include "transpose.cl"
#include "winograd_panels.cl"

#ifdef ROWS
/* Row tiles first .. end of out = filters * in, summed over c; or (ADJOINT) filters^T * in, summed
 * over k: ROWS rows, a multiple of RT, of DEPTH terms, for a point, group and panel. RT rows x GROUPS
 * vectors at a time. */
ONCE void multiply_filters(global const float *restrict filters, global const vec *restrict in,
                           global vec *restrict out, int first, int end)
{
    for (int tile = first; tile < end; tile++) {
        global const vec *x = in;
        vec sum[RT][GROUPS];
        UNROLL for (int r = 0; r < RT; r++) UNROLL for (int j = 0; j < GROUPS; j++)
            sum[r][j] = (vec)(0.0f);
/* One term: row r's factor is FACTOR(r). */
#define STEP(FACTOR)                                                                         \
    {                                                                                        \
        vec values[GROUPS];                                                                  \
        UNROLL for (int j = 0; j < GROUPS; j++) values[j] = x[j * LANES];                    \
        UNROLL for (int r = 0; r < RT; r++)                                                  \
        {                                                                                    \
            const vec f = (vec)(FACTOR(r));                                                  \
            UNROLL for (int j = 0; j < GROUPS; j++) sum[r][j] = mad(f, values[j], sum[r][j]); \
        }                                                                                    \
        x += GROUPS * LANES;                                                                 \
    }
#ifdef ADJOINT
        global const float *w = filters + tile * RT * KB;
        for (int k = 0; k < DEPTH / KB; k++, w += CHANNELS * KB)
            UNROLL for (int i = 0; i < KB; i++) {
#define FACTOR(r) w[(r) * KB + i]
                STEP(FACTOR)
            }
        for (int i = 0; i < DEPTH % KB; i++)
            STEP(FACTOR)
#undef FACTOR
#else
        global const float *w = filters + tile * KB * CHANNELS;
        for (int c = 0; c < DEPTH; c++, w += KB) {
#define FACTOR(r) w[r]
            STEP(FACTOR)
#undef FACTOR
        }
#endif
        global vec *to = out + tile * RT * GROUPS * LANES;
        UNROLL for (int r = 0; r < RT; r++) UNROLL for (int j = 0; j < GROUPS; j++)
            to[(r * GROUPS + j) * LANES] = sum[r][j];
    }
}
#endif

#ifdef MULTIPLY
/* x: lanes, y: shares of the row tiles of a group of channels, and these; z: panels and points. */
kernel void winograd_multiply(global const float *restrict filters, global const vec *restrict in,
                              global vec *restrict out, int n_panels)
{
    const int g = get_global_id(1) / ROW_SHARES, share = get_global_id(1) % ROW_SHARES;
    const int panel = get_global_id(2) % n_panels, point = get_global_id(2) / n_panels;
    const int tiles = ROWS / RT;

    multiply_filters(filters + (size_t)(point * G + g) * FILTERS,
                     in + PANEL(G * DEPTH, point, panel, g * DEPTH),
                     out + PANEL(G * ROWS, point, panel, g * ROWS), tiles * share / ROW_SHARES,
                     tiles * (share + 1) / ROW_SHARES);
}
#endif

#ifdef FACTORS
/* du = the products of FACTORS channels with CT vectors of others, the first n of which exist,
 * summed over a panel's terms (and added to du). The others are turned, so that channels lie in
 * vectors, and each term is a factor for FT x CT of them. Rows of du are ROW_SIZE floats. */
ONCE void multiply_turned(global const vec *restrict factors, global const vec *restrict others,
                          int n, global float *restrict du, bool add)
{
    global const float *f_start = (global const float *)factors;
    float turned[GROUPS * B][CT * V];

    for (int c = 0; c < CT; c++)
        for (int at = 0; at < GROUPS * LANES; at++) {
            vec x[V];
            UNROLL for (int i = 0; i < V; i++)
                x[i] = others[min(c * V + i, n - 1) * GROUPS * LANES + at];
            transpose(x);
            UNROLL for (int i = 0; i < V; i++) STORE(x[i], turned[at * V + i] + c * V);
        }
    for (int f0 = 0; f0 < FACTORS; f0 += FT) {
        vec sum[FT][CT];
        UNROLL for (int f = 0; f < FT; f++) UNROLL for (int c = 0; c < CT; c++)
            sum[f][c] = add ? LOAD(du + min(f0 + f, FACTORS - 1) * ROW_SIZE + c * V)
                            : (vec)(0.0f);
        for (int i = 0; i < GROUPS * B; i++) {
            vec x[CT];
            UNROLL for (int c = 0; c < CT; c++) x[c] = LOAD(turned[i] + c * V);
            UNROLL for (int f = 0; f < FT; f++) {
                const vec factor = (vec)(f_start[min(f0 + f, FACTORS - 1) * GROUPS * B + i]);
                UNROLL for (int c = 0; c < CT; c++) sum[f][c] = mad(factor, x[c], sum[f][c]);
            }
        }
        UNROLL for (int f = 0; f < FT; f++) UNROLL for (int c = 0; c < CT; c++)
            if (f0 + f < FACTORS)
                STORE(sum[f][c], du + (f0 + f) * ROW_SIZE + c * V);
    }
}
#endif

#ifdef FILTER_PRODUCT
/* du[share][point][g][k][c] = sum over this share's panels of v[k] u[c] (+ du). Points 1, 1 of v are
 * the sums of dy over the tiles: their sum is the gradient of the bias, db.
 * x: tiles of k, or of c where it is TURNED, y: points and groups, z: shares of the panels. */
#define ROW(channels, panel, channel)                                                        \
    ((point * POINT(G * (channels)) +                                                        \
      ((size_t)(panel) * G * (channels) + g * (channels) + (channel)) * GROUPS) *            \
     LANES)
kernel void winograd_filter_product(global const vec *restrict v, global const vec *restrict u,
                                    global float *restrict du, global float *restrict db,
                                    int n_panels, int accumulate, int with_bias,
                                    int accumulate_bias)
{
    const int point = get_global_id(1) / G, g = get_global_id(1) % G;
    const int share = get_global_id(2), n_shares = get_global_size(2);
    const int first = n_panels * share / n_shares, end = n_panels * (share + 1) / n_shares;

    du += (((size_t)share * POS + point) * G + g) * K * C;
#if TURNED
    const int k_first = get_global_id(0) == 0 ? 0 : K, k_end = K; /* of db */
    const int c = get_global_id(0) * CT * V;

    for (int panel = first; panel < end; panel++)
        multiply_turned(v + ROW(K, panel, 0), u + ROW(C, panel, c), C - c, du + c,
                        panel > first || accumulate);
#else
    /* FT x CT sums at a time, their terms in the lanes of vectors. The last tiles begin earlier, so
     * as to be whole, and leave out what others have. */
    const int k_first = get_global_id(0) * FT, k_end = min(k_first + FT, K);
    const int k0 = min(k_first, K - FT);
    for (int c_first = 0; c_first < C; c_first += CT) {
        const int c0 = min(c_first, C - CT);
        vec sum[FT][CT];
        UNROLL for (int k = 0; k < FT; k++) UNROLL for (int c = 0; c < CT; c++)
            sum[k][c] = (vec)(0.0f);
        for (int panel = first; panel < end; panel++) {
            global const vec *vs = v + ROW(K, panel, k0), *us = u + ROW(C, panel, c0);
            for (int i = 0; i < GROUPS * LANES; i++) {
                vec x[CT];
                UNROLL for (int c = 0; c < CT; c++) x[c] = us[c * GROUPS * LANES + i];
                UNROLL for (int k = 0; k < FT; k++) {
                    const vec f = vs[k * GROUPS * LANES + i];
                    UNROLL for (int c = 0; c < CT; c++) sum[k][c] = mad(f, x[c], sum[k][c]);
                }
            }
        }
        vec sums[FT][CT]; /* in memory, which loops may go over */
        UNROLL for (int k = 0; k < FT; k++) UNROLL for (int c = 0; c < CT; c++)
            sums[k][c] = sum[k][c];
        for (int k = k_first - k0; k < FT; k++)
            for (int c = c_first - c0; c < CT; c++) {
                const float total = sum_lanes(sums[k][c]);
                global float *to = du + (k0 + k) * C + c0 + c;
                *to = accumulate ? *to + total : total;
            }
    }
#endif
    if (with_bias && point == BIAS_POINT)
        for (int k = k_first; k < k_end; k++) {
            global float *to = db + (size_t)share * G * K + g * K + k;
            vec sum = (vec)(0.0f);
            for (int panel = first; panel < end; panel++)
                for (int i = 0; i < GROUPS * LANES; i++)
                    sum += v[ROW(K, panel, k) + i];
            *to = accumulate_bias ? *to + sum_lanes(sum) : sum_lanes(sum);
        }
}
#endif
