/* Winograd convolution in one pass, for small layers on a CPU: a work-item takes panel after panel
 * through all steps, with the transforms in a slab of its own that stays in its core's cache. */
#include "winograd_tiles.cl"
#include "winograd_product.cl"

#define FOR_GROUPS(point, g)                                                                 \
    for (int point = 0; point < TN * TN; point++)                                            \
        for (int g = 0; g < G; g++)
#define FILTERS_OF(point, g) (filters + (size_t)((point) * G + (g)) * FILTERS)

#ifdef FORWARD
/* y: shares of the panels. */
kernel void winograd_forward(global const float *restrict x, global const float *restrict filters,
                             global const float *restrict bias, global float *restrict y,
                             global uchar *restrict places, global vec *restrict slabs, int n_tiles,
                             int n_panels)
{
    const int share = get_global_id(1), n_shares = get_global_size(1);
    global vec *u = slabs + (size_t)share * SLAB, *m = u + TN * TN * POINT(G * C);

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
/* dx is set where it is wanted, and for the filters' gradient du[share][point][g] and db[share], see
 * multiply_turned. The blocks are shared out whole, as tiles of one overlap in dx. y: shares. */
kernel void winograd_backward(global const float *restrict dy, global const uchar *restrict places,
                              global const float *restrict x, global const float *restrict filters,
                              global float *restrict dx, global float *restrict du,
                              global float *restrict db, global vec *restrict slabs, int n_blocks,
                              int with_params, int with_bottom)
{
    const int share = get_global_id(1), n_shares = get_global_size(1);
    const int block = n_blocks * share / n_shares, end = n_blocks * (share + 1) / n_shares;
    const int first = block * TILES, n_tiles = (end - block) * TILES;
    global vec *v = slabs + (size_t)share * SLAB, *u = v + TN * TN * POINT(G * K);

    du += (size_t)share * TN * TN * G * FACTORS * ROW_SIZE;
    db += share * G * K;
    for (int panel = 0; panel * TILES_A_PANEL < n_tiles; panel++) {
        output_adjoint_tiles(dy, places, v, first, n_tiles, panel, 0, 0, G * K);
        if (with_params) {
            input_tiles(x, u, first, n_tiles, panel, 0, 0, G * C);
            FOR_GROUPS(point, g) {
                global const vec *top = v + PANEL(G * K, point, 0, g * K);
                global const vec *bottom = u + PANEL(G * C, point, 0, g * C);
                global const vec *factors = TOP_TURNED ? bottom : top;
                global const vec *turned = TOP_TURNED ? top : bottom;
                global float *sums = du + (size_t)(point * G + g) * FACTORS * ROW_SIZE;
                for (int c = 0; c < COLUMNS; c += CT * V)
                    multiply_turned(factors, turned + c * GROUPS, COLUMNS - c, sums + c, panel > 0);
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
                    add_input_diff(u + PANEL(G * ROWS, 0, 0, c / C * ROWS + c % C) + j, dx, c, tiles);
                }
            }
        }
    }
}
#endif
