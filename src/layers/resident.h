/* A data set that lies on the device: records go there when they are first used, and batches
 * are made of them there. */
#ifndef LCL_RESIDENT_H
#define LCL_RESIDENT_H

#include "lcl/layer.h"
#include "source.h"
#include "transform.h"

typedef struct lcl_resident lcl_resident;

/* For a layer whose tops have their shapes, images and perhaps labels. *source is at the first
 * record to use, number `first` of it, and the transform has its shape; nobody else may use
 * them before the store is destroyed. It closes the source and sets it to NULL once it needs it
 * no more. *out is NULL where the records are not to lie there: the user or the kind of device
 * does not want it, or they are too many and the user did not ask for it. */
lcl_status lcl_resident_create(lcl_resident **out, lcl_layer *l, lcl_source **source,
                               lcl_transform *transform, size_t first, size_t n_ahead,
                               lcl_error *err);
void lcl_resident_destroy(lcl_resident *r);

/* Enqueues the next batch. With LCL_RESIDENT_AUTO a record that cannot lie there is no error:
 * *kept is then false, and the batch not made. */
lcl_status lcl_resident_forward(lcl_resident *r, bool *kept, lcl_error *err);
/* Records in the batches made so far. */
size_t lcl_resident_n_used(const lcl_resident *r);

#endif
