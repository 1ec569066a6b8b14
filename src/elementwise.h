/* Layers that treat every value by itself: how their kernels walk a blob's buffer. */
#ifndef LCL_ELEMENTWISE_H
#define LCL_ELEMENTWISE_H

#include "lcl/blob.h"

/* A blob's buffer as `n` vectors of `vector` floats, whatever its block; each work-item
 * handles `chunk` of them, starting at get_global_id(0) * chunk and ending before n. */
typedef struct {
    cl_int n, chunk;
    int vector;
    lcl_range global, local;
} lcl_elements;

lcl_elements lcl_elements_of(const lcl_blob *b);
/* The same for any buffer of `count` floats; the vectors fit into runs of `run` floats. */
lcl_elements lcl_elements_in_runs(lcl_device *dev, size_t count, size_t run);
/* Kernel `kernel` of cl/<file>.cl for such vectors. */
lcl_status lcl_elements_kernel(const lcl_elements *e, lcl_device *dev, lcl_kernel **out,
                               const char *file, const char *kernel, lcl_error *err);
/* Enqueues a kernel that takes n, chunk and then `args`. */
lcl_status lcl_elements_run(const lcl_elements *e, lcl_device *dev, lcl_kernel *kernel,
                            const lcl_arg *args, size_t n_args, lcl_error *err);

/* A copy of a blob's data that outlives a change in place; {0} is none. */
typedef struct {
    cl_mem data; /* owned */
    size_t size; /* bytes */
} lcl_kept;

/* Enqueues the copy. */
lcl_status lcl_keep_data(lcl_kept *k, const lcl_blob *b, lcl_error *err);
void lcl_keep_release(lcl_kept *k);

#endif
