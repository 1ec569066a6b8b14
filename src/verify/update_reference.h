/* Caffe's six updates, written out in plain C. */
#ifndef LCL_VERIFY_UPDATE_REFERENCE_H
#define LCL_VERIFY_UPDATE_REFERENCE_H

#include "lcl/net.h"

/* One parameter of a net on the host, and what the solver remembers of it. */
typedef struct {
    size_t n;
    float *data, *diff, *history, *history2; /* n each; owned */
} lcl_update_values;

/* The net's parameters, with no gradients and no history yet; an array of
 * lcl_net_n_params(net), to be freed with lcl_update_values_free in any case. */
lcl_status lcl_update_values_read(lcl_update_values **out, const lcl_net *net,
                                  lcl_error *err);
void lcl_update_values_free(lcl_update_values *values, const lcl_net *net);

/* One update of `data` from `diff` at learning rate `rate`. `param` has a type. */
void lcl_update_reference(const Caffe__SolverParameter *param, const lcl_net *net,
                          lcl_update_values *values, int iteration, double rate);

#endif
