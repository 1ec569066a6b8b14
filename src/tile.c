/* The table of tiles, and their values on a device. */
#include "tile.h"

#include <assert.h>
#include <string.h>

#include "device_state.h"
#include "text.h"

static const int blocks[] = {8, 16, 32, 64, 128};
static const int vectors[] = {1, 2, 4, 8, 16};
static const int groups[] = {32, 64, 128, 256, 512};
static const int registers[] = {4, 8, 12, 16, 20, 24, 28};
static const int parameter_sets[] = {0, 1, 2, 3, 4, 5, 6};

#define ALLOWED(array) (array), LCL_COUNT(array)

static const lcl_tile_info tiles[LCL_N_TILES] = {
    [LCL_TILE_GEMM] = {"gemm", 24, 12, 24, ALLOWED(registers)},
    [LCL_TILE_GEMM_DOT] = {"gemm_dot", 16, 8, 16, ALLOWED(registers)},
    [LCL_TILE_FORWARD] = {"convolution_forward", 24, 8, 24, ALLOWED(registers)},
    [LCL_TILE_BACKWARD_DATA] = {"convolution_data", 24, 16, 24, ALLOWED(registers)},
    [LCL_TILE_BACKWARD_WEIGHTS] = {"convolution_weights", 24, 12, 24, ALLOWED(registers)},
    [LCL_TILE_WINOGRAD] = {"winograd", 24, 12, 24, ALLOWED(registers)},
    [LCL_TILE_BLOCK] = {"block", 16, 8, 32, ALLOWED(blocks)},
    [LCL_TILE_VECTOR] = {"vector", 16, 8, 4, ALLOWED(vectors)},
    [LCL_TILE_GROUP] = {"group", 0, 0, 128, ALLOWED(groups)},
    [LCL_TILE_CLBLAST] = {"clblast", 0, 0, 0, ALLOWED(parameter_sets)},
    [LCL_TILE_CLBLAST_DIRECT] = {"clblast_direct", 0, 0, 0, ALLOWED(parameter_sets)},
};

const lcl_tile_info *lcl_tile_describe(lcl_tile tile)
{
    return &tiles[tile];
}

lcl_tile lcl_tile_find(const char *name)
{
    int i = 0;

    while (i < LCL_N_TILES && strcmp(tiles[i].name, name) != 0)
        i++;
    return (lcl_tile)i;
}

size_t lcl_tile_index(lcl_tile tile, int value)
{
    size_t i = 0;

    while (i < tiles[tile].n_allowed && tiles[tile].allowed[i] != value)
        i++;
    return i;
}

int lcl_tile_default(const lcl_device *dev, lcl_tile tile)
{
    const lcl_tile_info *t = &tiles[tile];

    if (!lcl_device_is_cpu(dev))
        return t->other;
    if (tile == LCL_TILE_VECTOR)
        return lcl_device_vector(dev);
    return lcl_device_vector(dev) < 16 ? t->small_cpu : t->cpu;
}

int lcl_tile_get(const lcl_device *dev, lcl_tile tile)
{
    return dev->tiles[tile].is_set ? dev->tiles[tile].value : lcl_tile_default(dev, tile);
}

void lcl_tile_set(lcl_device *dev, lcl_tile tile, int value)
{
    assert(lcl_tile_index(tile, value) < tiles[tile].n_allowed);
    if (value != lcl_tile_get(dev, tile))
        dev->tiles[tile].changed = true;
    dev->tiles[tile].is_set = true;
    dev->tiles[tile].value = value;
}

bool lcl_tile_take_change(lcl_device *dev, lcl_tile tile)
{
    const bool changed = dev->tiles[tile].changed;

    dev->tiles[tile].changed = false;
    return changed;
}

size_t lcl_tile_count(int n, int tile)
{
    return (size_t)((n + tile - 1) / tile);
}
