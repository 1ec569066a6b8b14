/* Tiles: numbers that say how kernels cut up their work. Every allowed value gives the same
 * results but for rounding; which is the fastest depends on the device. A tile has a default
 * for each kind of device; `lenet-cl tune` finds better ones and keeps them in a record
 * (tuning.h) that is read when a device is opened. */
#ifndef LCL_TILE_H
#define LCL_TILE_H

#include "lcl/device.h"

/* In the order of tuning. */
typedef enum {
    LCL_TILE_GEMM,             /* registers for sums: of products along rows, */
    LCL_TILE_GEMM_DOT,         /* of dot products, */
    LCL_TILE_FORWARD,          /* of direct convolutions, */
    LCL_TILE_BACKWARD_DATA,    /* of their gradients, */
    LCL_TILE_BACKWARD_WEIGHTS, /* */
    LCL_TILE_WINOGRAD,         /* and of the products between Winograd's transforms */
    LCL_TILE_BLOCK,            /* images side by side: B of a net */
    LCL_TILE_VECTOR,           /* at most that many of them in a vector: V of a net */
    LCL_TILE_GROUP,            /* work-items of a group, where a kernel leaves it open */
    LCL_TILE_CLBLAST,          /* sets of CLBlast's parameters for large products, */
    LCL_TILE_CLBLAST_DIRECT,   /* and for small ones; 0: CLBlast's own */
    LCL_N_TILES
} lcl_tile;

/* Registers of a CPU: those for sums tell which, and the rest is for what they are made of. */
#define LCL_REGISTERS(for_sums) ((for_sums) <= 12 ? 16 : (for_sums) + 8)

typedef struct {
    const char *name; /* in records */
    /* Defaults: of CPUs with 32 registers of 16 floats, other CPUs (measured with 16 of 8) and
     * other devices; 0 in a list without 0: such devices do not use it. */
    int cpu, small_cpu, other;
    const int *allowed; /* ascending */
    size_t n_allowed;   /* at most 32 */
} lcl_tile_info;

const lcl_tile_info *lcl_tile_describe(lcl_tile tile);
/* LCL_N_TILES where there is none of that name. */
lcl_tile lcl_tile_find(const char *name);
/* The value's place among the allowed ones; n_allowed where it is none of them. */
size_t lcl_tile_index(lcl_tile tile, int value);

/* The value that kernels for the device are made with. */
int lcl_tile_get(const lcl_device *dev, lcl_tile tile);
/* For kernels asked for from now on. The value is an allowed one. */
void lcl_tile_set(lcl_device *dev, lcl_tile tile, int value);
/* The default of the device's kind. */
int lcl_tile_default(const lcl_device *dev, lcl_tile tile);
/* True once after each change of the tile, and where it is not 0 at first: for what must be
 * told to others (CLBlast). */
bool lcl_tile_take_change(lcl_device *dev, lcl_tile tile);

/* How many tiles of so many rows or columns cover n. */
size_t lcl_tile_count(int n, int tile);

#endif
