/* The gradient of a bias: of layers whose top is a product plus params[1], one value a row. */
#ifndef LCL_BIAS_SUM_H
#define LCL_BIAS_SUM_H

#include "lcl/layer.h"

/* `out` is borrowed from the device. Sums are in the same order on all CPUs. */
lcl_status lcl_bias_sum_get(lcl_kernel **out, lcl_device *dev, lcl_error *err);
/* params[1]->diff[row] = the sum of dy[block][row][element] over blocks and elements: `count` of
 * them, the lanes among them; += where `accumulate`. */
lcl_status lcl_bias_sum_run(const lcl_layer *l, lcl_kernel *kernel, cl_mem dy,
                            size_t blocks, size_t rows, size_t count, bool accumulate,
                            lcl_error *err);

#endif
