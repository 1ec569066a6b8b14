/* What an open device holds; shared by device*.c, program*.c and profile.c only. */
#ifndef LCL_DEVICE_STATE_H
#define LCL_DEVICE_STATE_H

#include <stdint.h>

#include "fault.h"
#include "lcl/device.h"
#include "tile.h"

typedef struct lcl_profile lcl_profile;

struct lcl_kernel {
    char *key; /* owned: file, kernel and defines */
    uint64_t hash;
    char *file, *name;
    char *source; /* the program's text; owned, NULL once it is built */
    cl_kernel kernel;
    bool tried; /* building it was tried; where there is no kernel it failed */
};

/* A tile's value; the default where it is not set. */
typedef struct {
    bool is_set, changed;
    int value;
} lcl_tile_state;

/* The host's copy of a small write that may still be under way. */
#define LCL_N_LETTERS 4
#define LCL_LETTER_SIZE ((size_t)64 << 10) /* bytes */
typedef struct {
    void *bytes;   /* owned; or NULL */
    cl_event sent; /* of the write, or NULL */
} lcl_letter;

struct lcl_device {
    lcl_device_info info;
    char reason[128];
    char *warning; /* owned; or NULL */
    cl_context context;
    cl_command_queue queue;
    lcl_kernel **kernels; /* owned */
    size_t n_kernels;
    cl_program *programs; /* owned */
    size_t n_programs;
    bool dry;             /* launches are left out */
    lcl_profile *profile; /* owned; NULL: nothing is recorded */
    cl_mem scratch[LCL_N_SCRATCH];
    size_t scratch_size[LCL_N_SCRATCH];
    lcl_letter letters[LCL_N_LETTERS]; /* a ring */
    size_t n_posted;
    lcl_tile_state tiles[LCL_N_TILES];
    unsigned faults[LCL_N_FAULTS]; /* calls until one fails; 0: none will */
    lcl_tile broken_tile;          /* of lcl_device_break_tile; LCL_N_TILES: none */
    int broken_value;
};

void lcl_device_release_programs(lcl_device *dev);

/* A group of at most `limit` work-items that divides `global`: x whole where it fits, else
 * its largest divisor that does; then as many rows of y, a power of two, as make `good`
 * work-items at most. */
void lcl_program_group(size_t limit, size_t good, const size_t global[3],
                       size_t group[3]);

#endif
