/* The values and the shape of blob messages, in the present form and the legacy one. */
#include <stdlib.h>

#include "proto.h"
#include "text.h"

#define MAX_AXES 32

static bool has_legacy_shape(const Caffe__BlobProto *blob)
{
    return blob->has_num || blob->has_channels || blob->has_height || blob->has_width;
}

lcl_status lcl_blob_proto_shape(const Caffe__BlobProto *blob, int *n_axes, int shape[32],
                                lcl_error *err)
{
    const int32_t legacy[] = {blob->num, blob->channels, blob->height, blob->width};
    bool is_legacy = !blob->shape && has_legacy_shape(blob);
    size_t n = is_legacy ? 4 : blob->shape ? blob->shape->n_dim : 0;

    if (n > MAX_AXES)
        return lcl_fail(err, LCL_EPROTO, NULL,
                        "a blob has %zu axes; at most %d are possible", n, MAX_AXES);
    for (size_t i = 0; i < n; i++) {
        int64_t dim = is_legacy ? legacy[i] : blob->shape->dim[i];
        if (dim < 0 || dim > INT32_MAX)
            return lcl_fail(err, LCL_EPROTO, NULL, "axis %zu of a blob has the size %lld",
                            i, (long long)dim);
        shape[i] = (int)dim;
    }
    *n_axes = (int)n;
    return LCL_OK;
}

/* The number of values that the shape asks for. A blob without a shape has as many as it
 * has. */
static lcl_status shape_count(const Caffe__BlobProto *blob, size_t n_values,
                              size_t *count, lcl_error *err)
{
    int shape[MAX_AXES], n_axes;

    LCL_TRY(lcl_blob_proto_shape(blob, &n_axes, shape, err));
    if (!blob->shape && !has_legacy_shape(blob)) {
        *count = n_values;
        return LCL_OK;
    }
    *count = 1;
    for (int i = 0; i < n_axes; i++)
        if (!lcl_multiply(*count, (size_t)shape[i], count))
            return lcl_fail(err, LCL_EPROTO, NULL, "a blob's shape has too many values");
    return LCL_OK;
}

lcl_status lcl_blob_proto_values(const Caffe__BlobProto *blob, bool diff,
                                 const float **values, size_t *count, float **owned,
                                 lcl_error *err)
{
    size_t n_floats = diff ? blob->n_diff : blob->n_data;
    size_t n_doubles = diff ? blob->n_double_diff : blob->n_double_data;
    const double *doubles = diff ? blob->double_diff : blob->double_data;
    size_t n = n_doubles ? n_doubles : n_floats, wanted;

    *owned = NULL;
    LCL_TRY(shape_count(blob, n, &wanted, err));
    if (n != wanted)
        return lcl_fail(err, LCL_EPROTO, NULL,
                        "a blob has %zu values where its shape asks for %zu", n, wanted);
    *count = n;
    *values = diff ? blob->diff : blob->data;
    if (n_doubles == 0)
        return LCL_OK;
    *owned = lcl_alloc(n, sizeof **owned);
    for (size_t i = 0; i < n; i++)
        (*owned)[i] = (float)doubles[i];
    *values = *owned;
    return LCL_OK;
}
