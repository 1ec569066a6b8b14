/* A blob: a float32 tensor on the device with its gradient, as Caffe's Blob. */
#ifndef LCL_BLOB_H
#define LCL_BLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "lcl/device.h"

#define LCL_MAX_AXES 32

/* Host code, files and users see row-major (N x C x H x W) values. On the device a blob of
 * shape (N, ...) and block B lies as [ceil(N/B)][...][B]: B images side by side, innermost.
 * B = 1 is plain row-major. The lanes of images that do not exist (N not a multiple of B)
 * hold finite data and zero diffs. A blob without axes (a loss) is one plain value. */
typedef struct lcl_blob {
    char *name;      /* owned; the top's name in the prototxt */
    lcl_device *dev; /* borrowed */
    int n_axes;
    int shape[LCL_MAX_AXES];
    int block;       /* B */
    cl_mem data;     /* owned reference; lcl_blob_stored floats */
    cl_mem diff;     /* owned reference, or NULL until lcl_blob_need_diff */
    size_t capacity; /* floats in data (and diff) */
    /* On a blank device: data as lcl_blob_write had them, row-major, owned; and the blob whose
     * data are this one's too. NULL where there are none. */
    float *written;
    const struct lcl_blob *shared; /* borrowed */
} lcl_blob;

typedef enum { LCL_DATA, LCL_DIFF } lcl_which;

/* An empty blob. */
lcl_blob *lcl_blob_create(lcl_device *dev, const char *name);
void lcl_blob_destroy(lcl_blob *b);

/* Number of elements a user sees; of shape[axis..end) only; and of floats on the device. */
size_t lcl_blob_count(const lcl_blob *b);
size_t lcl_blob_count_range(const lcl_blob *b, int axis, int end);
size_t lcl_blob_stored(const lcl_blob *b);
/* ceil(N/B), and elements per image: count of axes 1... */
size_t lcl_blob_n_blocks(const lcl_blob *b);
size_t lcl_blob_image_count(const lcl_blob *b);
/* shape[axis], or 1 where the blob has fewer axes. */
int lcl_blob_dim(const lcl_blob *b, int axis);
/* "64 20 24 24 (737280)" as Caffe prints it. */
void lcl_blob_shape_text(const lcl_blob *b, char *out, size_t size);
bool lcl_blob_same_shape(const lcl_blob *a, const lcl_blob *b);

/* Sets shape and block; allocates where the capacity is too small (contents are then zero).
 * Shapes whose size overflows or that have a dimension < 0 are LCL_ESHAPE. */
lcl_status lcl_blob_reshape(lcl_blob *b, int n_axes, const int *shape, int block,
                            lcl_error *err);
/* Gives the blob a diff of its data's size, zeroed, if it has none. */
lcl_status lcl_blob_need_diff(lcl_blob *b, lcl_error *err);
/* b uses `from`'s memory from now on; both have the same stored size. */
void lcl_blob_share_data(lcl_blob *b, const lcl_blob *from);
void lcl_blob_share_diff(lcl_blob *b, const lcl_blob *from);

/* Blocking copies of all lcl_blob_count values, row-major. Writing zeroes unused lanes. */
lcl_status lcl_blob_read(const lcl_blob *b, lcl_which which, float *out, lcl_error *err);
lcl_status lcl_blob_write(lcl_blob *b, lcl_which which, const float *in, lcl_error *err);
/* False on a blank device where reading the data would give nothing but zeros. */
bool lcl_blob_has_data(const lcl_blob *b);

/* Enqueues to = from for blobs of one shape and any blocks; unused lanes become zero. */
lcl_status lcl_blob_convert(lcl_blob *to, const lcl_blob *from, lcl_which which,
                            lcl_error *err);

/* Enqueues zeros for the lanes without an image: for layers that may leave infinities there. */
lcl_status lcl_blob_clear_lanes(lcl_blob *b, lcl_which which, lcl_error *err);

/* The same conversion between host arrays: row-major `in` of n images of `count` values each
 * to blocked `out`, and back. `out` of lcl_pack has ceil(n/block)*count*block floats. */
void lcl_pack(float *out, const float *in, size_t n, size_t count, size_t block);
void lcl_unpack(float *out, const float *in, size_t n, size_t count, size_t block);

#endif
