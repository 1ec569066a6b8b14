/* What losses over a score for each class do with labels: HingeLoss and its like. */
#ifndef LCL_CLASS_LABELS_H
#define LCL_CLASS_LABELS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "layer_fixture.h"
#include "testing.h"

/* A label that is no class makes the loss NaN, so that it is seen, and has no gradient.
 * `loss_layer` is prototxt; `gradient` is that of score 1 of an image with label 1 and
 * scores 1, 0.5, -3. */
static inline void class_labels_out_of_range(const char *loss_layer, float gradient)
{
    static const int shapes[][5] = {{2, 3}, {2}};
    static const float x[6] = {0.5f, 0.25f, -2, 1, 0.5f, -3}, labels[2] = {3, 1};
    layer_fixture f;
    lcl_error err;
    float loss;

    CHECK_OK(
        layer_fixture_open(&f, loss_layer, shapes, 16, 16, CAFFE__PHASE__TRAIN, &err));
    layer_fixture_write(f.bottoms[0], LCL_DATA, x);
    layer_fixture_write(f.bottoms[1], LCL_DATA, labels);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    CHECK_OK(lcl_layer_backward(f.layer, &err));
    CHECK_OK(lcl_blob_read(f.tops[0], LCL_DATA, &loss, &err));
    float *dx = layer_fixture_read(f.bottoms[0], LCL_DIFF);
    ck_assert(isnan(loss));
    for (int c = 0; c < 3; c++)
        ck_assert_float_eq(dx[c], 0);
    ck_assert_float_eq_tol(dx[4], gradient, 1e-6f);
    free(dx);
    layer_fixture_close(&f);
}

static inline void class_label_shapes(const char *loss_layer)
{
    static const int many[][5] = {{3, 4}, {3, 2}}, few[][5] = {{3, 4}, {2}};
    layer_fixture f;
    lcl_error err;

    CHECK_FAILS(
        layer_fixture_open(&f, loss_layer, many, 16, 16, CAFFE__PHASE__TRAIN, &err),
        LCL_ESHAPE, "one label is needed for each of 3 images, but 'label' is 3 2");
    layer_fixture_close(&f);
    CHECK_FAILS(
        layer_fixture_open(&f, loss_layer, few, 16, 16, CAFFE__PHASE__TRAIN, &err),
        LCL_ESHAPE, "same first dimension");
    layer_fixture_close(&f);
}

#endif
