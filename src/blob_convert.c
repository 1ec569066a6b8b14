/* Copies a blob to one of another block on the device; clears lanes without an image. */
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
    lcl_kernel *kernel;

    if (lcl_blob_count(to) == 0)
        return LCL_OK;
    LCL_TRY(lcl_kernel_get(&kernel, to->dev, "blob", "blob_convert", defines, 4, err));
    return lcl_kernel_run(to->dev, kernel, global, (lcl_range){0}, args, 2, err);
}

lcl_status lcl_blob_clear_lanes(lcl_blob *b, lcl_which which, lcl_error *err)
{
    size_t images = (size_t)lcl_blob_dim(b, 0), count = lcl_blob_image_count(b);
    lcl_define defines[] = {{"B", b->block}, {"FROM", 1}, {"IMAGES", 0}, {"COUNT", 0}};
    cl_int first_lane = (cl_int)(images % (size_t)b->block);
    cl_int first = (cl_int)(images / (size_t)b->block * count);
    lcl_range global = {(size_t)(b->block - first_lane), count, 1};
    cl_mem memory = which == LCL_DATA ? b->data : b->diff;
    lcl_arg args[] = {LCL_ARG(first_lane), LCL_ARG(first), LCL_ARG(memory)};
    lcl_kernel *kernel;

    if (b->n_axes == 0 || first_lane == 0 || count == 0)
        return LCL_OK;
    LCL_TRY(lcl_kernel_get(&kernel, b->dev, "blob", "blob_clear", defines, 4, err));
    return lcl_kernel_run(b->dev, kernel, global, (lcl_range){0}, args, 3, err);
}
