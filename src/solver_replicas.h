/* Training on several devices: each further one has a copy of the train net, which makes
 * gradients of its own records. */
#ifndef LCL_SOLVER_REPLICAS_H
#define LCL_SOLVER_REPLICAS_H

#include "lcl/net.h"

typedef struct lcl_replicas lcl_replicas;

/* The copies (array and nets, on devices of their own) become the replicas'; they are destroyed
 * with them, and where creation fails. `net` is the solver's and must outlive them. */
lcl_status lcl_replicas_create(lcl_replicas **out, lcl_net *net, lcl_net **copies,
                               size_t n, lcl_error *err);
void lcl_replicas_destroy(lcl_replicas *r);

/* The copies' weights become those of the net. Waits for its device. */
lcl_status lcl_replicas_send_weights(lcl_replicas *r, lcl_error *err);
/* Enqueues forward and backward of every copy, and returns; `first`: gradients are set, not
 * added to; with_loss: the losses are read back. */
lcl_status lcl_replicas_run_pass(lcl_replicas *r, bool first, bool with_loss,
                                 lcl_error *err);
/* The mean of the net's loss and of the copies' in the oldest pass that asked for them; *loss
 * itself where no pass did. */
lcl_status lcl_replicas_mean_loss(lcl_replicas *r, float *loss, lcl_error *err);
/* The net's gradients become the mean over the net and its copies, as Caffe's NCCL does. Waits
 * for the copies. */
lcl_status lcl_replicas_mean_diff(lcl_replicas *r, lcl_error *err);

#endif
