/* What a solver holds; shared by the solver_*.c files only. */
#ifndef LCL_SOLVER_STATE_H
#define LCL_SOLVER_STATE_H

#include "lcl/solver.h"
#include "snapshot.h"
#include "solver_reader.h"
#include "solver_replicas.h"
#include "update.h"

/* Iterations enqueued ahead of the device at most. */
#define LCL_MAX_IN_FLIGHT 8

struct lcl_solver {
    lcl_device *dev;                     /* borrowed */
    lcl_proto *source;                   /* owned copy, upgraded */
    const Caffe__SolverParameter *param; /* its root */
    lcl_solver_options options;
    lcl_log *log; /* options.log */

    lcl_net *net;        /* owned */
    lcl_net **test_nets; /* owned; they share the net's parameters */
    size_t n_test_nets;
    lcl_replicas *replicas; /* owned; NULL: one device */
    lcl_update *update;     /* owned */

    lcl_progress progress;
    int last_snapshot; /* the iteration of the last snapshot, or -1 */
    bool stopped, snapshot_wanted;

    lcl_reader *losses, *outputs; /* of the train net */
    float *window;                /* owned: the last average_loss losses, a ring */
    size_t n_losses;              /* recorded since training went on */
    int n_passes;                 /* losses of passes that make up the next iteration's */
    float pass_sum;
    float displayed_loss;

    cl_event in_flight[LCL_MAX_IN_FLIGHT]; /* ring of markers, one an iteration */
    size_t n_markers;

    int last_display, rate_iteration; /* iterations: of the last displayed line, ... */
    double display_time, rate_time;   /* ... where the rate is measured from; seconds */
    double progress_time;
};

/* solver_nets.c: the train net, the test nets that the fields ask for, and the replicas. */
lcl_status lcl_solver_create_nets(lcl_solver *s, lcl_error *err);

/* solver_debug.c: one pass that logs the mean size of everything it computes. */
lcl_status lcl_solver_debug_forward(lcl_net *net, lcl_log *log, lcl_error *err);
lcl_status lcl_solver_debug_backward(lcl_net *net, lcl_log *log, lcl_error *err);
lcl_status lcl_solver_debug_update(const lcl_net *net, lcl_log *log, lcl_error *err);

/* solver_test.c: what the caller wants now, done as far as it can be done at once. */
lcl_status lcl_solver_poll(lcl_solver *s, lcl_error *err);

/* Copies weights from the files "a,b" in order into one net. */
lcl_status lcl_solver_finetune(lcl_net *net, const char *paths, lcl_log *log,
                               lcl_error *err);

#endif
