/* Copies a blob to one of another block on the device. */
#include "lcl/blob.h"

lcl_status lcl_blob_convert(lcl_blob *to, const lcl_blob *from, lcl_which which,
                            lcl_error *err)
{
    size_t count = lcl_blob_image_count(to);
    lcl_define defines[] = {{"B", to->block},
                            {"FROM", from->block},
                            {"IMAGES", lcl_blob_dim(to, 0)},
                            {"COUNT", (long)count}};
    lcl_range global = {(size_t)to->block, count, lcl_blob_n_blocks(to)};
    cl_mem out = which == LCL_DATA ? to->data : to->diff;
    cl_mem in = which == LCL_DATA ? from->data : from->diff;
    lcl_arg args[] = {LCL_ARG(in), LCL_ARG(out)};
    cl_kernel kernel;

    if (lcl_blob_count(to) == 0)
        return LCL_OK;
    LCL_TRY(lcl_kernel_get(&kernel, to->dev, "blob", "blob_convert", defines, 4, err));
    return lcl_kernel_run(to->dev, kernel, global, (lcl_range){0}, args, 2, err);
}
