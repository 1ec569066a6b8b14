/* Images picked by number. */
#include "gather.h"

#include "elementwise.h"

/* Fills `to` by way of a kernel that takes the width and number of from's images. */
static lcl_status run(const char *name, const lcl_blob *from, cl_mem from_memory,
                      cl_mem index, const lcl_blob *to, cl_mem to_memory, lcl_error *err)
{
    size_t count = lcl_blob_image_count(to);
    lcl_elements e = lcl_elements_in_runs(to->dev, lcl_blob_stored(to), count);
    cl_int width = (cl_int)(count / (size_t)e.vector), images = from->shape[0];
    const lcl_arg args[] = {LCL_ARG(width), LCL_ARG(images), LCL_ARG(index),
                            LCL_ARG(from_memory), LCL_ARG(to_memory)};
    lcl_kernel *kernel;

    LCL_TRY(lcl_elements_kernel(&e, to->dev, &kernel, "gather", name, err));
    return lcl_elements_run(&e, to->dev, kernel, args, 5, err);
}

lcl_status lcl_gather(const lcl_blob *from, cl_mem index, lcl_blob *to, lcl_error *err)
{
    return run("gather", from, from->data, index, to, to->data, err);
}

lcl_status lcl_gather_gradient(lcl_blob *from, cl_mem index, const lcl_blob *to,
                               lcl_error *err)
{
    return run("gather_gradient", to, to->diff, index, from, from->diff, err);
}
