/* Copies a blob to one of another block on the device; clears lanes without an image. */
#include "lcl/blob.h"

enum { EACH = 1024 /* values of a block that a work-item of a CPU moves */ };

lcl_status lcl_blob_convert(lcl_blob *to, const lcl_blob *from, lcl_which which,
                            lcl_error *err)
{
    size_t values = lcl_blob_image_count(to);
    bool tiled = lcl_device_is_cpu(to->dev) && to->block != from->block &&
                 (to->block == 1 || from->block == 1);
    lcl_define defines[] = {{"B", to->block}, {"FROM", from->block}, {"TILED", tiled}};
    lcl_range global = {(size_t)to->block, values, lcl_blob_n_blocks(to)};
    cl_mem out = which == LCL_DATA ? to->data : to->diff;
    cl_mem in = which == LCL_DATA ? from->data : from->diff;
    cl_int images = lcl_blob_dim(to, 0), count = (cl_int)values, each = EACH;
    lcl_arg args[] = {LCL_ARG(images), LCL_ARG(count), LCL_ARG(each), LCL_ARG(in),
                      LCL_ARG(out)};
    lcl_kernel *kernel;

    if (lcl_blob_count(to) == 0)
        return LCL_OK;
    if (tiled)
        global = (lcl_range){(values + EACH - 1) / EACH,
                             lcl_blob_n_blocks(to->block > 1 ? to : from), 1};
    LCL_TRY(lcl_kernel_get(&kernel, to->dev, "blob", "blob_convert", defines, 3, err));
    return lcl_kernel_run(to->dev, kernel, global, (lcl_range){0}, args, 5, err);
}

lcl_status lcl_blob_clear_lanes(lcl_blob *b, lcl_which which, lcl_error *err)
{
    size_t images = (size_t)lcl_blob_dim(b, 0), count = lcl_blob_image_count(b);
    lcl_define defines[] = {{"B", b->block}, {"FROM", b->block}, {"TILED", 0}};
    cl_int first_lane = (cl_int)(images % (size_t)b->block);
    cl_int first = (cl_int)(images / (size_t)b->block * count);
    lcl_range global = {(size_t)(b->block - first_lane), count, 1};
    cl_mem memory = which == LCL_DATA ? b->data : b->diff;
    lcl_arg args[] = {LCL_ARG(first_lane), LCL_ARG(first), LCL_ARG(memory)};
    lcl_kernel *kernel;

    if (b->n_axes == 0 || first_lane == 0 || count == 0)
        return LCL_OK;
    LCL_TRY(lcl_kernel_get(&kernel, b->dev, "blob", "blob_clear", defines, 3, err));
    return lcl_kernel_run(b->dev, kernel, global, (lcl_range){0}, args, 3, err);
}
