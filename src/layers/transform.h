/* TransformationParameter on the host: crop, mean, scale, mirror of one record. */
#ifndef LCL_TRANSFORM_H
#define LCL_TRANSFORM_H

#include "lcl/layer.h"
#include "source.h"

typedef struct lcl_transform lcl_transform;

/* From the layer's transform_param; reads mean_file. Random crops (in TRAIN) and
 * mirroring take a seed of their own from the net's numbers, so run may be called on
 * another thread. */
lcl_status lcl_transform_create(lcl_transform **out, const lcl_layer *l, lcl_error *err);
void lcl_transform_destroy(lcl_transform *t);

/* Takes the size of all records from the first one: checks crop and mean against it and
 * gives the channels, height and width that come out. Call before run. */
lcl_status lcl_transform_set_shape(lcl_transform *t, const lcl_record *first,
                                   int shape[3], lcl_error *err);
/* Writes the transformed record, row-major. A record of another size is LCL_EDATA. */
lcl_status lcl_transform_run(lcl_transform *t, const lcl_record *record, float *out,
                             lcl_error *err);

#endif
