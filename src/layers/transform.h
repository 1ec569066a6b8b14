/* TransformationParameter on the host: crop, mean, scale, mirror of one record. */
#ifndef LCL_TRANSFORM_H
#define LCL_TRANSFORM_H

#include "lcl/layer.h"
#include "source.h"

typedef struct lcl_transform lcl_transform;

/* What is done to each record: out = (in - mean) * scale of a part of it, mirrored or not. */
typedef struct {
    int channels, height, width; /* of records */
    bool floats;                 /* their values, by the first record; else bytes */
    int out_height, out_width;
    float scale;
    const float *mean; /* a value for each of a record's, or for each channel */
    bool mean_image;   /* the former */
    /* Choices of record n, each the next number of stream `key` (lcl_rng_next): n_choices of
     * them, first whether it is mirrored, then where the crop starts, y and x. */
    bool mirror, random_crop;
    int n_choices;
    uint64_t key;
} lcl_recipe;

/* From the layer's transform_param; reads mean_file. Random crops (in TRAIN) and
 * mirroring take a seed of their own from the net's numbers, so run may be called on
 * another thread. */
lcl_status lcl_transform_create(lcl_transform **out, const lcl_layer *l, lcl_error *err);
void lcl_transform_destroy(lcl_transform *t);

/* Takes the size of all records from the first one: checks crop and mean against it and
 * gives the channels, height and width that come out. Call before run. */
lcl_status lcl_transform_set_shape(lcl_transform *t, const lcl_record *first,
                                   int shape[3], lcl_error *err);
/* Valid after set_shape. */
const lcl_recipe *lcl_transform_recipe(const lcl_transform *t);
/* The record's values, decoded where it is an image file; valid until the next call. A record
 * of another size is LCL_EDATA. */
lcl_status lcl_transform_decode(lcl_transform *t, const lcl_record *stored,
                                lcl_record *record, lcl_error *err);
/* Passes over the choices of n records. */
void lcl_transform_skip(lcl_transform *t, size_t n);
/* Decodes and transforms the record: writes it row-major. */
lcl_status lcl_transform_run(lcl_transform *t, const lcl_record *record, float *out,
                             lcl_error *err);

#endif
