/* Makes device calls fail on purpose, so that tests can walk every error path. */
#ifndef LCL_FAULT_H
#define LCL_FAULT_H

#include "tile.h"

typedef enum {
    LCL_FAULT_ALLOC,
    LCL_FAULT_BUILD,
    LCL_FAULT_RUN,
    LCL_FAULT_COPY
} lcl_fault;
#define LCL_N_FAULTS 4

/* The n-th call of that kind from now on fails (1: the next one); 0: none. */
void lcl_device_fault(lcl_device *dev, lcl_fault kind, unsigned n);
/* Kernels do nothing while the tile has that value: very fast, and wrong. LCL_N_TILES as tile:
 * no more. */
void lcl_device_break_tile(lcl_device *dev, lcl_tile tile, int value);

/* For device.c and program.c: true where this call is the one to fail. */
bool lcl_device_faulty(lcl_device *dev, lcl_fault kind);
bool lcl_device_is_broken(const lcl_device *dev);

#endif
