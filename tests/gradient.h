/* Checks a layer's gradients against central differences, as Caffe's GradientChecker
 * does. */
#ifndef LCL_GRADIENT_H
#define LCL_GRADIENT_H

#include "layer_fixture.h"

typedef struct {
    /* The LayerParameter as prototxt. A top with a bottom's name works in place. */
    const char *layer;
    Caffe__Phase phase;
    /* Bottoms' shapes, e.g. {3, 2, 4, 4}; a 0 ends them. */
    int bottoms[FIXTURE_MAX_ENDS][FIXTURE_MAX_AXES];
    /* Value i of a bottom; NULL: testing_value. */
    float (*value)(int bottom, size_t i);
    /* Bit i: top i is no function of the values' small changes (a mask). */
    unsigned fixed_tops;
    /* Inputs this close to `kink` are not checked; 0: none are left out. */
    float kink, kink_range;
    float step, threshold; /* 0: 1e-2 and 1e-3 */
} gradient_case;

/* For a layer in blocks of 1, of 16, and of 8 as vectors of 4:
 * - every element of every bottom and parameter that gets a gradient: the central
 * difference of a fixed random combination of the tops (of the weighted losses, where it
 * is a loss);
 * - diffs of lanes without an image are zero after backward;
 * - accumulate adds to parameters' diffs; without it they are set;
 * - without propagate and param_propagate diffs are left alone. */
void gradient_check(const gradient_case *c);

/* The same for one layout. */
void gradient_check_block(const gradient_case *c, int block, int vector);

#endif
