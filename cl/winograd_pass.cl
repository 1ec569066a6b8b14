/* Winograd convolution in one pass, for small layers on a CPU: a work-item takes panel after panel
 * through all steps, with the transforms in a slab of its own that stays in its core's cache. */
#include "winograd_filters.cl"
#include "winograd_product.cl"
#include "winograd_tiles.cl"

#define FOR_GROUPS(point, g)                                                                 \
    for (int point = 0; point < TN * TN; point++)                                            \
        for (int g = 0; g < G; g++)
#define ALL_FILTERS ((size_t)TN * TN * G * FILTERS)
#define FILTERS_OF(point, g) (filters + (size_t)((point) * G + (g)) * FILTERS)
#define FOR_VECTORS(first, g, count)                                                         \
    for (int g = 0; g < G; g++)                                                              \
        for (int first = 0; first < (count); first += V)

#ifdef FORWARD
/* y = w * x + bias. Each share has transformed filters of its own, which backward reads again.
 * y: shares of the panels. */
kernel void winograd_forward(global const float *restrict x, global const float *restrict w,
                             global const float *restrict bias, global float *restrict y,
                             global uchar *restrict places, global float *restrict filters,
                             global vec *restrict slabs, int n_tiles, int n_panels)
{
    const int share = get_global_id(1), n_shares = get_global_size(1);
    global vec *u = slabs + (size_t)share * SLAB, *m = u + TN * TN * POINT(G * C);

    filters += (size_t)share * ALL_FILTERS;
    FOR_VECTORS(first, g, FILTERS)
        transform_filters(w, filters, first, g);
    for (int panel = n_panels * share / n_shares; panel < n_panels * (share + 1) / n_shares;
         panel++) {
        input_tiles(x, u, 0, n_tiles, panel, 0, 0, G * C);
        FOR_GROUPS(point, g)
            multiply_filters(FILTERS_OF(point, g), u + PANEL(G * C, point, 0, g * C),
                             m + PANEL(G * ROWS, point, 0, g * ROWS), 0, ROWS / RT);
        output_tiles(m, bias, y, places, 0, n_tiles, panel, 0, 0, G * K);
    }
}
#endif

#ifdef BACKWARD
#define WEIGHTS (G * K * C * R * R)
#define PART (WEIGHTS + G * K)

/* dx is set where it is wanted; parts[share] becomes the share's gradients of w and the bias, by way
 * of du, see multiply_turned. The blocks are shared out whole, as tiles of one overlap in dx.
 * y: shares, as many as forward had. */
kernel void winograd_backward(global const float *restrict dy, global const uchar *restrict places,
                              global const float *restrict x, global const float *restrict filters,
                              global float *restrict dx, global float *restrict parts,
                              global vec *restrict slabs, int n_blocks, int with_params,
                              int with_bottom)
{
    const int share = get_global_id(1), n_shares = get_global_size(1);
    const int block = n_blocks * share / n_shares, end = n_blocks * (share + 1) / n_shares;
    const int first = block * TILES, n_tiles = (end - block) * TILES;
    global vec *v = slabs + (size_t)share * SLAB, *u = v + TN * TN * POINT(G * K);
    global float *du = (global float *)(u + TN * TN * POINT(G * ROWS));
    global float *dw = parts + (size_t)share * PART, *db = dw + WEIGHTS;

    filters += (size_t)share * ALL_FILTERS;
    for (int panel = 0; panel * TILES_A_PANEL < n_tiles; panel++) {
        output_adjoint_tiles(dy, places, v, first, n_tiles, panel, 0, 0, G * K);
        if (with_params) {
            input_tiles(x, u, first, n_tiles, panel, 0, 0, G * C);
            FOR_GROUPS(point, g) {
                global const vec *top = v + PANEL(G * K, point, 0, g * K);
                global const vec *bottom = u + PANEL(G * C, point, 0, g * C);
                global const vec *factors = TOP_TURNED ? bottom : top;
                global const vec *turned = TOP_TURNED ? top : bottom;
                global float *sums = du + (point * G + g) * FACTORS * ROW_SIZE;
                for (int c = 0; c < COLUMNS; c += CT * V)
                    multiply_turned(factors, turned + c * GROUPS, COLUMNS - c, sums + c,
                                    panel > 0);
            }
            for (int k = 0; k < G * K; k++) {
                vec sum = (vec)(0.0f);
                for (int i = 0; i < GROUPS; i++)
                    sum += v[PANEL(G * K, BIAS_POINT, 0, k) + i];
                db[k] = panel > 0 ? db[k] + sum_lanes(sum) : sum_lanes(sum);
            }
        }
        if (with_bottom) {
            FOR_GROUPS(point, g)
                multiply_filters(FILTERS_OF(point, g), v + PANEL(G * K, point, 0, g * K),
                                 u + PANEL(G * ROWS, point, 0, g * ROWS), 0, ROWS / RT);
            for (int j = 0; j < GROUPS; j++) {
                tile_t tiles[TILES_A_GROUP];
                find_tiles(tiles, first, n_tiles, panel * GROUPS + j);
                for (int c = 0; c < G * C; c++) {
                    FOR_TILES(t)
                        if (tiles[t].exists && tiles[t].top == 0 && tiles[t].left == 0)
                            clear_input_diff(dx, tiles[t].block, c);
                    add_input_diff(u + PANEL(G * ROWS, 0, 0, c / C * ROWS + c % C) + j, dx, c,
                                   tiles);
                }
            }
        }
    }
    if (with_params)
        FOR_VECTORS(at, g, FACTORS * ROW_SIZE)
            gather_filters(du, 1, dw, at, g, 0);
}

#define LOAD_ONE(p) (*(p))
#define STORE_ONE(x, p) (*(p) = (x))
#define SUM_PARTS(type, load, store)                                                         \
    {                                                                                        \
        type sum = accumulate ? load(to + i) : (type)(0.0f);                                 \
        for (int p = 0; p < n_parts; p++)                                                    \
            sum += load(parts + (size_t)p * PART + i);                                       \
        store(sum, to + i);                                                                  \
    }

/* to[first .. end] = the sum of the parts (+ to). */
inline void sum_parts(global const float *restrict parts, int n_parts, global float *restrict to,
                      int first, int end, int accumulate)
{
    int i = first;

    for (; i + V <= end; i += V)
        SUM_PARTS(vec, LOAD, STORE)
    for (; i < end; i++)
        SUM_PARTS(float, LOAD_ONE, STORE_ONE)
}

/* The parameters' gradients, where they are wanted. y: shares of the weights. */
kernel void winograd_gradients(global const float *restrict parts, int n_parts,
                               global float *restrict dw, int with_weights, int add_weights,
                               global float *restrict db, int with_bias, int add_bias)
{
    const int share = get_global_id(1), n_shares = get_global_size(1);

    if (with_weights)
        sum_parts(parts, n_parts, dw, WEIGHTS / n_shares * share,
                  share + 1 == n_shares ? WEIGHTS : WEIGHTS / n_shares * (share + 1), add_weights);
    if (with_bias && share == 0)
        sum_parts(parts + WEIGHTS, n_parts, db, 0, G * K, add_bias);
}
#endif
