/* Reads mean images: BlobProtos of 1 x channels x height x width or without the 1. */
#include "mean_image.h"

#include <stdlib.h>

static lcl_status read_values(lcl_mean_image *m, const lcl_layer *l, lcl_error *err)
{
    const Caffe__TransformationParameter *p = l->param->transform_param;
    const Caffe__BlobProto *blob = (const void *)lcl_proto_root(m->file);
    int n_axes = 0, shape[LCL_MAX_AXES];
    size_t count;
    lcl_error inner = {0};
    lcl_status status =
        lcl_blob_proto_values(blob, false, &m->values, &count, &m->owned, &inner);

    if (status == LCL_OK)
        status = lcl_blob_proto_shape(blob, &n_axes, shape, &inner);
    if (status != LCL_OK)
        return lcl_layer_fail(l, p, "mean_file", err, status, "%s: %s", p->mean_file,
                              inner.message);
    const int *size = n_axes == 4 && shape[0] == 1 ? shape + 1 : shape;
    if (n_axes - (size - shape) != 3)
        return lcl_layer_fail(l, p, "mean_file", err, LCL_ESHAPE,
                              "the mean in %s has %d axes, not one image of channels x "
                              "height x width",
                              p->mean_file, n_axes);
    m->channels = size[0];
    m->height = size[1];
    m->width = size[2];
    return LCL_OK;
}

lcl_status lcl_mean_image_read(lcl_mean_image *out, const lcl_layer *l, lcl_error *err)
{
    const Caffe__TransformationParameter *p = l->param->transform_param;

    *out = (lcl_mean_image){0};
    if (p->n_mean_value)
        return lcl_layer_fail(l, p, "mean_file", err, LCL_EPROTO,
                              "mean_file and mean_value exclude each other");
    LCL_TRY(lcl_proto_read_binary(&out->file, &caffe__blob_proto__descriptor,
                                  p->mean_file, err));
    lcl_status status = read_values(out, l, err);
    if (status != LCL_OK)
        lcl_mean_image_free(out);
    return status;
}

void lcl_mean_image_free(lcl_mean_image *mean)
{
    lcl_proto_destroy(mean->file);
    free(mean->owned);
    *mean = (lcl_mean_image){0};
}
