/* The products of Winograd convolution: matrices of a point's filters and tiles (cl/winograd.cl).
 * Filters lie as [point][group][c][k] in blocks of KB k: [k / KB][c][k % KB], so that a tile of
 * products reads them one after another, whether it sums over c or over k. */
#include "transpose.cl"
#include "winograd_panels.cl"

#ifdef MULTIPLY
/* out = filters * in, summed over c; or (ADJOINT) filters^T * in, summed over k: ROWS rows, a
 * multiple of RT, of DEPTH terms, for each group of channels. RT rows x GROUPS vectors at a time.
 * x: lanes, y: shares of the row tiles of a group of channels, and these; z: panels and points. */
kernel void winograd_multiply(global const float *restrict filters, global const vec *restrict in,
                              global vec *restrict out, int n_panels)
{
    const int g = get_global_id(1) / ROW_SHARES, share = get_global_id(1) % ROW_SHARES;
    const int panel = get_global_id(2) % n_panels, point = get_global_id(2) / n_panels;
    const int tiles = ROWS / RT;

    filters += (size_t)(point * G + g) * FILTERS;
    in += PANEL(G * DEPTH, point, panel, g * DEPTH);
    out += PANEL(G * ROWS, point, panel, g * ROWS);
    for (int tile = tiles * share / ROW_SHARES; tile < tiles * (share + 1) / ROW_SHARES; tile++) {
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
        UNROLL for (int i = 0; i < DEPTH % KB; i++)
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

#ifdef FILTER_PRODUCT
/* du[share][point][g][c][k] = sum over this share's panels of v[k] u[c] (+ du), K_PITCH
 * floats a c. A panel's v is turned first, so that k lie in vectors: CT channels x KT vectors of k at a
 * time, summed over a panel's floats. Points 1, 1 of v are the sums of dy over the tiles: their sum
 * is the gradient of the bias, db.
 * x: tiles of k, y: points and groups, z: shares of the panels. */
kernel void winograd_filter_product(global const float *restrict v, global const float *restrict u,
                                    global float *restrict du, global float *restrict db,
                                    int n_panels, int accumulate, int with_bias,
                                    int accumulate_bias)
{
    const int k0 = get_global_id(0) * KT * V;
    const int point = get_global_id(1) / G, g = get_global_id(1) % G;
    const int share = get_global_id(2), n_shares = get_global_size(2);
    const int first = n_panels * share / n_shares, end = n_panels * (share + 1) / n_shares;
    float turned[GROUPS * B][KT * V];

    du += (((size_t)share * POS + point) * G + g) * C * K_PITCH + k0;
    for (int panel = first; panel < end; panel++) {
        global const float *vs = v + (point * POINT(G * K) + ((size_t)panel * K * G + g * K) * GROUPS) * B;
        global const float *us = u + (point * POINT(G * C) + ((size_t)panel * C * G + g * C) * GROUPS) * B;
        for (int at = 0; at < GROUPS * B; at += V)
            for (int k = 0; k < KT; k++) {
                vec x[V];
                UNROLL for (int i = 0; i < V; i++)
                    x[i] = LOAD(vs + min(k0 + k * V + i, K - 1) * GROUPS * B + at);
                transpose(x);
                UNROLL for (int i = 0; i < V; i++) STORE(x[i], turned[at + i] + k * V);
            }
        for (int c0 = 0; c0 < C; c0 += CT) {
            global float *to = du + c0 * K_PITCH;
            vec sum[CT][KT];
#define ROW(c) (C % CT ? min(c0 + (c), C - 1) : c0 + (c))
            UNROLL for (int c = 0; c < CT; c++) UNROLL for (int k = 0; k < KT; k++)
                sum[c][k] = panel > first || accumulate
                                ? LOAD(du + ROW(c) * K_PITCH + k * V)
                                : (vec)(0.0f);
            for (int i = 0; i < GROUPS * B; i++) {
                vec f[KT];
                UNROLL for (int k = 0; k < KT; k++) f[k] = LOAD(turned[i] + k * V);
                UNROLL for (int c = 0; c < CT; c++) {
                    const vec x = (vec)(us[ROW(c) * GROUPS * B + i]);
                    UNROLL for (int k = 0; k < KT; k++) sum[c][k] = mad(x, f[k], sum[c][k]);
                }
            }
            UNROLL for (int c = 0; c < CT; c++) UNROLL for (int k = 0; k < KT; k++)
                if (C % CT == 0 || c0 + c < C)
                    STORE(sum[c][k], to + c * K_PITCH + k * V);
#undef ROW
        }
        if (with_bias && point == BIAS_POINT) {
            global float *sums = db + (size_t)share * G * K + g * K;
            UNROLL for (int k = 0; k < KT; k++) {
                vec sum = (vec)(0.0f);
                float lanes[V];
                for (int i = 0; i < GROUPS * B; i++) sum += LOAD(turned[i] + k * V);
                STORE(sum, lanes);
                for (int i = 0; i < V && k0 + k * V + i < K; i++) {
                    global float *out = sums + k0 + k * V + i;
                    *out = panel > first || accumulate_bias ? *out + lanes[i] : lanes[i];
                }
            }
        }
    }
}
#endif
