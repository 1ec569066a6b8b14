/* The check of a solver's learning rate fields, done once before training. */
#ifndef LCL_LEARNING_RATE_H
#define LCL_LEARNING_RATE_H

#include "lcl/proto.h"

/* The root of `source` is a SolverParameter. Errors name the field's place. */
lcl_status lcl_learning_rate_check(const lcl_proto *source, lcl_error *err);
/* The i-th learning rate policy's name; NULL behind the last. */
const char *lcl_learning_rate_policy(size_t i);

#endif
