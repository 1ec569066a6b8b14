/* Winograd convolution step by step: the transforms of images, each a launch. */
#include "winograd_tiles.cl"

/* x: lanes, y: shares of the channels, z: panels. */
#define SHARE(channels) \
    (channels) * get_global_id(1) / get_global_size(1), \
        (channels) * (get_global_id(1) + 1) / get_global_size(1)

kernel void winograd_input(global const float *restrict x, global vec *restrict u, int first,
                           int n_tiles)
{
    const int panel = get_global_id(2);

    input_tiles(x, u, first, n_tiles, panel, panel, SHARE(G * C));
}

kernel void winograd_output(global const vec *restrict m, global const float *restrict bias,
                            global float *restrict y, global uchar *restrict places, int first,
                            int n_tiles)
{
    const int panel = get_global_id(2);

    output_tiles(m, bias, y, places, first, n_tiles, panel, panel, SHARE(G * K));
}

kernel void winograd_output_adjoint(global const float *restrict dy,
                                    global const uchar *restrict places, global vec *restrict v,
                                    int first, int n_tiles)
{
    const int panel = get_global_id(2);

    output_adjoint_tiles(dy, places, v, first, n_tiles, panel, panel, SHARE(G * K));
}

/* dx = the sum of B m B^T over the tiles; where a block's first tile is among them dx is set to zero
 * before. A work-item adds the tiles of a block one after another, as their windows overlap.
 * x: lanes, y: channels, z: blocks that have tiles among these. */
kernel void winograd_input_adjoint(global const vec *restrict m, global float *restrict dx,
                                   int first, int n_tiles)
{
    const int c = get_global_id(1), block = first / TILES + get_global_id(2);
    const int from = max(block * TILES - first, 0);
    const int end = min((block + 1) * TILES - first, n_tiles);

    if (first + from == block * TILES)
        clear_input_diff(dx, block, c);
    for (int group = from / TILES_A_GROUP; group * TILES_A_GROUP < end; group++) {
        tile_t tiles[TILES_A_GROUP];
        find_tiles(tiles, first, n_tiles, group);
        FOR_TILES(t) tiles[t].exists &= tiles[t].block == block;
        add_input_diff(m + PANEL(G * BOTTOM_ROWS, 0, group / GROUPS,
                                 c / C * BOTTOM_ROWS + c % C) +
                           group % GROUPS * LANES,
                       dx, c, tiles);
    }
}
