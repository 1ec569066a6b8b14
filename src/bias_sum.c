/* The gradient of a bias. Kernel: cl/reduce.cl. */
#include "bias_sum.h"

#include "text.h"

lcl_status lcl_bias_sum_get(lcl_kernel **out, lcl_device *dev, lcl_error *err)
{
    /* Not lcl_device_vector, which would change the order of sums from CPU to CPU. */
    const lcl_define defines[] = {{"B", 16}, {"V", lcl_device_is_cpu(dev) ? 16 : 4}};

    return lcl_kernel_get(out, dev, "reduce", "reduce_rows", defines, 2, err);
}

lcl_status lcl_bias_sum_run(const lcl_layer *l, lcl_kernel *kernel, cl_mem dy,
                            size_t blocks, size_t rows, size_t count, bool accumulate,
                            lcl_error *err)
{
    const cl_int n_blocks = (cl_int)blocks, n_rows = (cl_int)rows, n = (cl_int)count;
    const cl_int add = accumulate;
    const lcl_arg args[] = {LCL_ARG(dy), LCL_ARG(n_blocks),           LCL_ARG(n_rows),
                            LCL_ARG(n),  LCL_ARG(l->params[1]->diff), LCL_ARG(add)};

    return lcl_kernel_run(l->dev, kernel, (lcl_range){.x = rows}, (lcl_range){0}, args,
                          LCL_COUNT(args), err);
}
