/* The update of a net's parameters: Caffe's six solver types, one kernel launch each. */
#ifndef LCL_UPDATE_H
#define LCL_UPDATE_H

#include "lcl/net.h"

typedef struct lcl_update lcl_update;

/* The root of `source` is a SolverParameter; errors name the field's place. The net must
 * outlive the update. */
lcl_status lcl_update_create(lcl_update **out, lcl_net *net, const lcl_proto *source,
                             lcl_error *err);
/* The same with the most floats a work-item handles at a time and the work-items of a group
 * given, where lcl_update_create takes what suits the device. */
lcl_status lcl_update_create_as(lcl_update **out, lcl_net *net, const lcl_proto *source,
                                int vector, int group, lcl_error *err);
void lcl_update_destroy(lcl_update *u);

/* Enqueues one update of every parameter from its gradient at learning rate `rate`. Waits
 * only where gradients are clipped, for the log line that says so. */
lcl_status lcl_update_run(lcl_update *u, int iteration, float rate, lcl_log *log,
                          lcl_error *err);

/* What the solver remembers per parameter float, laid out as the net's parameter buffers;
 * Adam and AdaDelta have two, the others one. */
size_t lcl_update_n_histories(const lcl_update *u);
cl_mem lcl_update_history(const lcl_update *u, size_t i);

/* True where the parameters' diffs hold the last update after lcl_update_run, as
 * debug_info and snapshot_diff show it. */
bool lcl_update_keeps_diff(const lcl_update *u);

/* The i-th solver type's name; NULL behind the last. */
const char *lcl_update_type_name(size_t i);

#endif
