/* For tests of layers whose outputs are each a function of one input. */
#ifndef LCL_UNARY_TEST_H
#define LCL_UNARY_TEST_H

#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient.h"
#include "text.h"

static const struct {
    int block, vector;
} unary_layouts[] = {{1, 1}, {16, 16}, {8, 4}};

/* Lanes without an image hold finite values. */
static inline void unary_check_lanes(const lcl_blob *b)
{
    size_t stored = lcl_blob_stored(b);
    float *values = lcl_alloc(stored, sizeof *values);
    lcl_error err;

    CHECK_OK(lcl_buffer_read(b->dev, b->data, 0, stored * sizeof *values, values, &err));
    for (size_t i = 0; i < stored; i++)
        ck_assert_msg(isfinite(values[i]), "value %zu of %zu is %g", i, stored,
                      (double)values[i]);
    free(values);
}

/* The layer gives want[i] for x[i], n images of one value each, in every layout. */
static inline void unary_check(const char *layer, const float *x, const float *want,
                               int n)
{
    const int shape[][FIXTURE_MAX_AXES] = {{n}};
    layer_fixture f;
    lcl_error err;

    for (size_t i = 0; i < LCL_COUNT(unary_layouts); i++) {
        CHECK_OK(layer_fixture_open(&f, layer, shape, unary_layouts[i].block,
                                    unary_layouts[i].vector, CAFFE__PHASE__TEST, &err));
        layer_fixture_write(f.bottoms[0], LCL_DATA, x);
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        float *y = layer_fixture_read(f.tops[0], LCL_DATA);
        for (int j = 0; j < n; j++)
            ck_assert_msg(fabsf(y[j] - want[j]) <= 2e-6f * fmaxf(1, fabsf(want[j])),
                          "block %d: %.9g gives %.9g, not %.9g", unary_layouts[i].block,
                          (double)x[j], (double)y[j], (double)want[j]);
        unary_check_lanes(f.tops[0]);
        free(y);
        layer_fixture_close(&f);
    }
}

/* Gradients of the layer that `options` end, apart and (where in_place) in place, of odd
 * batches and one image; inputs near `kink` are left out. */
static inline void unary_check_gradients(const char *type, const char *options,
                                         bool in_place,
                                         float (*value)(int bottom, size_t i), float kink)
{
    static const int shapes[][FIXTURE_MAX_AXES] = {{3, 2, 3, 5}, {17, 3}, {1, 13}};

    for (size_t i = 0; i < LCL_COUNT(shapes); i++) {
        char *text = lcl_format("name: 'l' type: '%s' bottom: 'x' top: '%s' %s", type,
                                in_place ? "x" : "y", options);
        gradient_case c = {.layer = text,
                           .value = value,
                           .kink = kink < 0 ? 0 : kink,
                           .kink_range = kink < 0 ? 0 : 0.011f};
        memcpy(c.bottoms[0], shapes[i], sizeof shapes[i]);
        gradient_check(&c);
        free(text);
    }
}

#endif
