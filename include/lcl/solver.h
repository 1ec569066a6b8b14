/* The solver: Caffe's training loop, updates, tests and snapshots. */
#ifndef LCL_SOLVER_H
#define LCL_SOLVER_H

#include "lcl/net.h"

typedef struct lcl_solver lcl_solver;

/* What the caller wants done at the next chance; asked once an iteration and once a test
 * batch (signals). */
typedef enum {
    LCL_GO_ON,
    LCL_SNAPSHOT,
    LCL_STOP,         /* snapshots first if snapshot_after_train */
    LCL_SNAPSHOT_STOP /* snapshots first in any case */
} lcl_action;

typedef struct {
    lcl_gemm_backend gemm;
    bool has_level;
    int level;
    const char *const *stages;
    size_t n_stages;
    lcl_unknown unknown;               /* fields of the net files */
    lcl_log *log;                      /* may be NULL */
    lcl_action (*poll)(void *context); /* may be NULL */
    void *context;
    int block; /* see lcl_net_options */
    lcl_residency residency;
    /* More devices to train on at the same time, borrowed, each open once: each takes a batch
     * of its own every time, and the mean of all gradients is learned from, as in Caffe. The
     * solver's own device tests, and shows its outputs; losses shown are the mean. */
    lcl_device *const *more_devices;
    size_t n_more_devices;
} lcl_solver_options;

/* Builds the train net and test nets of a SolverParameter document (upgraded, copied).
 * Relative paths are relative to the working directory, as in Caffe. */
lcl_status lcl_solver_create(lcl_solver **out, lcl_device *dev, const lcl_proto *source,
                             const lcl_solver_options *options, lcl_error *err);
void lcl_solver_destroy(lcl_solver *s);

lcl_net *lcl_solver_net(const lcl_solver *s);
size_t lcl_solver_n_test_nets(const lcl_solver *s);
lcl_net *lcl_solver_test_net(const lcl_solver *s, size_t i);
int lcl_solver_iteration(const lcl_solver *s);
bool lcl_solver_stopped_early(const lcl_solver *s);

/* The loss last displayed (smoothed over average_loss iterations), or 0. */
float lcl_solver_loss(const lcl_solver *s);

/* Trains to max_iter with displays, tests and snapshots, as Caffe's Solve. `resume` is a
 * .solverstate or NULL. */
lcl_status lcl_solver_solve(lcl_solver *s, const char *resume, lcl_error *err);
/* n iterations of the same. */
lcl_status lcl_solver_step(lcl_solver *s, int n, lcl_error *err);
/* Runs all test nets and logs their outputs. */
lcl_status lcl_solver_test(lcl_solver *s, lcl_error *err);
/* Copies weights from files "a,b" in order into the train and all test nets. */
lcl_status lcl_solver_load_weights(lcl_solver *s, const char *paths, lcl_error *err);
/* Writes <snapshot_prefix>_iter_N.caffemodel and .solverstate: whole or not at all. */
lcl_status lcl_solver_snapshot(lcl_solver *s, lcl_error *err);
lcl_status lcl_solver_restore(lcl_solver *s, const char *path, lcl_error *err);

/* base_lr changed by the policy for iteration `iter`; *current_step is multistep's state. */
lcl_status lcl_learning_rate(const Caffe__SolverParameter *param, int iter,
                             int *current_step, float *rate, lcl_error *err);

#endif
