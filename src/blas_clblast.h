/* Parameters of CLBlast's kernels, by the device's tiles. */
#ifndef LCL_BLAS_CLBLAST_H
#define LCL_BLAS_CLBLAST_H

#include "lcl/device.h"

/* Gives CLBlast the parameter sets that the tiles ask for, where they are not its own. CLBlast
 * cannot be given its own ones back in the same process. */
lcl_status lcl_clblast_parameters(lcl_device *dev, lcl_error *err);

#endif
