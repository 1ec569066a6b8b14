/* HDF5Output: writes its bottoms, batch after batch, to data sets "data" and "label" of an
 * HDF5 file. It reads the device's memory, so that each forward pass waits. */
#include <stdlib.h>

#include "hdf5_file.h"
#include "lcl/layer.h"
#include "text.h"

/* Makes an empty file in the place of an older one. */
static lcl_status setup(lcl_layer *l, lcl_error *err)
{
    const Caffe__HDF5OutputParameter *p = l->param->hdf5_output_param;
    lcl_hdf5 *file;

    if (!p || !p->file_name || !*p->file_name)
        return lcl_layer_fail(l, p, NULL, err, LCL_EPROTO,
                              "hdf5_output_param has no file_name");
    if (lcl_device_is_blank(l->dev))
        return LCL_OK;
    LCL_TRY(lcl_hdf5_create(&file, p->file_name, err));
    lcl_status status = lcl_hdf5_save(file, err);
    lcl_hdf5_close(file);
    return status;
}

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    if (lcl_blob_dim(l->bottoms[0], 0) == lcl_blob_dim(l->bottoms[1], 0))
        return LCL_OK;
    return lcl_layer_fail(l, l->param, "bottom", err, LCL_ESHAPE,
                          "its bottoms have different numbers of images: %d and %d",
                          lcl_blob_dim(l->bottoms[0], 0), lcl_blob_dim(l->bottoms[1], 0));
}

/* As Caffe does, with at least four axes. */
static lcl_status append(const lcl_layer *l, const lcl_blob *b, const char *name,
                         lcl_error *err)
{
    float *values = lcl_alloc(lcl_blob_count(b), sizeof *values);
    int n_axes = b->n_axes < 4 ? 4 : b->n_axes, shape[LCL_MAX_AXES];

    for (int i = 0; i < n_axes; i++)
        shape[i] = lcl_blob_dim(b, i);
    lcl_status status = lcl_blob_read(b, LCL_DATA, values, err);
    if (status == LCL_OK)
        status = lcl_hdf5_append(l->param->hdf5_output_param->file_name, name, n_axes,
                                 shape, values, err);
    free(values);
    return status;
}

static lcl_status forward(lcl_layer *l, lcl_error *err)
{
    LCL_LOG(l->env->log, "Saving HDF5 file %s", l->param->hdf5_output_param->file_name);
    LCL_TRY(append(l, l->bottoms[0], "data", err));
    return append(l, l->bottoms[1], "label", err);
}

const lcl_layer_type lcl_layer_hdf5_output = {
    .name = "HDF5Output",
    .min_bottoms = 2,
    .max_bottoms = 2,
    .setup = setup,
    .reshape = reshape,
    .forward = forward,
};
