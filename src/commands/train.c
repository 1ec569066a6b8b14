/* lenet-cl train: trains the net of a solver.prototxt, with Caffe's signals. */
#define _XOPEN_SOURCE 700 /* SA_RESTART */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/args.h"
#include "commands/net_args.h"
#include "commands/profile_report.h"
#include "lcl/solver.h"
#include "text.h"

/* ---- Signals ----------------------------------------------------------------------- */

static const int signals[] = {SIGHUP, SIGINT, SIGTERM};

/* Which of `signals` came and was not yet acted on. */
static volatile sig_atomic_t caught[LCL_COUNT(signals)];

/* What each signal does. */
typedef struct {
    lcl_action effects[LCL_COUNT(signals)];
    int stopped_by; /* the signal, or 0 */
} signal_plan;

static void on_signal(int number)
{
    for (size_t i = 0; i < LCL_COUNT(signals); i++)
        if (signals[i] == number)
            caught[i] = 1;
}

static bool stops(lcl_action action)
{
    return action == LCL_STOP || action == LCL_SNAPSHOT_STOP;
}

/* A second signal of a kind that stops ends the program at once. */
static void install_handlers(const signal_plan *plan)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < LCL_COUNT(signals); i++) {
        action.sa_flags = SA_RESTART | (stops(plan->effects[i]) ? (int)SA_RESETHAND : 0);
        sigaction(signals[i], &action, NULL);
    }
}

static lcl_action poll_signals(void *context)
{
    signal_plan *plan = context;

    for (size_t i = 0; i < LCL_COUNT(signals); i++) {
        if (!caught[i])
            continue;
        caught[i] = 0;
        if (stops(plan->effects[i]))
            plan->stopped_by = signals[i];
        return plan->effects[i];
    }
    return LCL_GO_ON;
}

static lcl_status parse_effect(const lcl_args *args, const char *option,
                               lcl_action *effect, lcl_error *err)
{
    static const char *const names[] = {"none", "snapshot", "stop"};
    static const lcl_action actions[] = {LCL_GO_ON, LCL_SNAPSHOT, LCL_STOP};
    const char *value = lcl_args_get(args, option);

    for (size_t i = 0; i < LCL_COUNT(names); i++) {
        if (strcmp(value, names[i]) == 0) {
            *effect = actions[i];
            return LCL_OK;
        }
    }
    return lcl_fail(err, LCL_EUSAGE, "",
                    "flag --%s: expected snapshot, stop or none, got '%s'", option,
                    value);
}

static lcl_status make_plan(const lcl_args *args, signal_plan *plan, lcl_error *err)
{
    LCL_TRY(parse_effect(args, "sighup_effect", &plan->effects[0], err));
    plan->effects[2] = LCL_SNAPSHOT_STOP;
    return parse_effect(args, "sigint_effect", &plan->effects[1], err);
}

/* ---- Arguments --------------------------------------------------------------------- */

static const char *not_empty(const char *text)
{
    return text && *text ? text : NULL;
}

static lcl_status solver_path(const lcl_args *args, const char **path, lcl_error *err)
{
    const char *operand =
        lcl_args_n_operands(args) > 0 ? lcl_args_operand(args, 0) : NULL;
    const char *option = not_empty(lcl_args_get(args, "solver"));

    if (operand && option && strcmp(operand, option) != 0)
        return lcl_fail(err, LCL_EUSAGE, "", "two solvers: %s and --solver %s", operand,
                        option);
    *path = operand ? operand : option;
    if (*path)
        return LCL_OK;
    lcl_fail(err, LCL_EUSAGE, "", "Need a solver definition to train.");
    return lcl_hint(err, LCL_EUSAGE, "lenet-cl train SOLVER.prototxt");
}

static lcl_status check_start(const lcl_args *args, lcl_error *err)
{
    if (!not_empty(lcl_args_get(args, "snapshot")) ||
        !not_empty(lcl_args_get(args, "weights")))
        return LCL_OK;
    return lcl_fail(err, LCL_EUSAGE, "",
                    "Give a snapshot to resume training or weights to finetune but not "
                    "both.");
}

/* --weights takes the place of the solver's weights field; --snapshot leaves none. */
static void replace_weights(Caffe__SolverParameter *p, const lcl_args *args)
{
    const char *weights = not_empty(lcl_args_get(args, "weights"));

    if (!weights && !not_empty(lcl_args_get(args, "snapshot")))
        return;
    lcl_list_free(p->weights, p->n_weights);
    p->weights = NULL;
    p->n_weights = 0;
    if (!weights)
        return;
    p->weights = lcl_alloc(1, sizeof *p->weights);
    p->weights[p->n_weights++] = lcl_strdup(weights);
}

/* ---- Training ---------------------------------------------------------------------- */

/* solver_mode says which kind is preferred, device_id which one. */
static lcl_status open_devices(const lcl_args *args, const Caffe__SolverParameter *p,
                               lcl_log *log, lcl_devices *devices, lcl_error *err)
{
    bool cpu = p->solver_mode == CAFFE__SOLVER_PARAMETER__SOLVER_MODE__CPU;
    lcl_preference prefer = cpu                  ? LCL_PREFER_CPU
                            : p->has_solver_mode ? LCL_PREFER_GPU
                                                 : LCL_PREFER_ANY;
    char number[16];

    snprintf(number, sizeof number, "%d", p->device_id);
    return lcl_args_open_devices(args, !cpu && p->device_id > 0 ? number : NULL, prefer,
                                 log, devices, err);
}

static lcl_status optimize(lcl_solver *solver, const lcl_args *args, lcl_log *log,
                           lcl_error *err)
{
    const char *snapshot = not_empty(lcl_args_get(args, "snapshot"));

    if (snapshot) {
        LCL_LOG(log, "Resuming from %s", snapshot);
        LCL_TRY(lcl_solver_restore(solver, snapshot, err));
    }
    LCL_LOG(log, "Starting Optimization");
    LCL_TRY(lcl_solver_solve(solver, NULL, err));
    LCL_LOG(log, "Optimization Done.");
    return LCL_OK;
}

static lcl_status report_profile(lcl_solver *solver, lcl_device *dev, const char *path,
                                 lcl_error *err)
{
    const size_t n = 1 + lcl_solver_n_test_nets(solver);
    lcl_net **nets = lcl_alloc(n, sizeof(lcl_net *));

    nets[0] = lcl_solver_net(solver);
    for (size_t i = 1; i < n; i++)
        nets[i] = lcl_solver_test_net(solver, i - 1);
    lcl_status status = lcl_profile_write(path, dev, err);
    if (status == LCL_OK)
        status = lcl_profile_print(stdout, dev, nets, n, err);
    free(nets);
    return status;
}

/* With --profile FILE: what the device did, in FILE and as a table. */
static lcl_status optimize_profiled(lcl_solver *solver, const lcl_args *args,
                                    lcl_device *dev, lcl_log *log, lcl_error *err)
{
    const char *path = not_empty(lcl_args_get(args, "profile"));

    if (path)
        LCL_TRY(lcl_profile_start(dev, err));
    LCL_TRY(optimize(solver, args, log, err));
    return path ? report_profile(solver, dev, path, err) : LCL_OK;
}

static lcl_status train_on(const lcl_args *args, const lcl_devices *devices,
                           const lcl_proto *source, signal_plan *plan, lcl_log *log,
                           lcl_error *err)
{
    lcl_gemm_backend gemm;
    lcl_residency residency;
    lcl_state_args state;
    lcl_solver *solver = NULL;

    LCL_TRY(lcl_args_gemm(args, &gemm, err));
    LCL_TRY(lcl_args_residency(args, &residency, err));
    LCL_TRY(lcl_args_state(args, &state, err));
    const lcl_solver_options options = {
        .gemm = gemm,
        .has_level = state.has_level,
        .level = state.level,
        .stages = (const char *const *)state.stages,
        .n_stages = state.n_stages,
        .unknown = lcl_args_unknown(args),
        .log = log,
        .poll = poll_signals,
        .context = plan,
        .residency = residency,
        .more_devices = devices->devices + 1,
        .n_more_devices = devices->n - 1,
    };
    lcl_device *dev = devices->devices[0];
    lcl_status status = lcl_solver_create(&solver, dev, source, &options, err);
    if (status == LCL_OK)
        status = optimize_profiled(solver, args, dev, log, err);
    lcl_solver_destroy(solver);
    lcl_state_args_free(&state);
    return status;
}

static lcl_status train(const lcl_args *args, const char *path, signal_plan *plan,
                        lcl_log *log, lcl_error *err)
{
    lcl_proto *source;
    lcl_devices devices;

    LCL_TRY(lcl_proto_read_text(&source, &caffe__solver_parameter__descriptor, path,
                                lcl_args_unknown(args), log, err));
    Caffe__SolverParameter *p = (void *)lcl_proto_root(source);
    replace_weights(p, args);
    lcl_status status = open_devices(args, p, log, &devices, err);
    if (status == LCL_OK)
        status = train_on(args, &devices, source, plan, log, err);
    lcl_devices_close(&devices);
    lcl_proto_destroy(source);
    return status;
}

static int run(const lcl_args *args, lcl_error *err)
{
    signal_plan plan = {0};
    const char *path;
    lcl_status status = solver_path(args, &path, err);

    if (status == LCL_OK)
        status = check_start(args, err);
    if (status == LCL_OK)
        status = make_plan(args, &plan, err);
    if (status != LCL_OK)
        return lcl_exit_code(status);
    lcl_log *log = lcl_log_create(stderr);
    install_handlers(&plan);
    status = train(args, path, &plan, log, err);
    lcl_log_destroy(log);
    return status == LCL_OK && plan.stopped_by ? 128 + plan.stopped_by
                                               : lcl_exit_code(status);
}

static const lcl_option options[] = {
    {"solver", "FILE", NULL, "the solver's prototxt (or as the operand)"},
    {"snapshot", "FILE", NULL, "resume from this .solverstate"},
    {"weights", "A,B", NULL, "start from these .caffemodel files"},
    {"profile", "FILE", NULL, "write what ran when, a Chrome trace, and print a table"},
    {"sigint_effect", "snapshot|stop|none", "stop", "what SIGINT (Ctrl-C) does"},
    {"sighup_effect", "snapshot|stop|none", "snapshot", "what SIGHUP does"},
    LCL_RESIDENT_OPTION,
    LCL_STATE_OPTIONS,
    LCL_DEVICE_OPTIONS,
};

const lcl_command lcl_command_train = {
    .name = "train",
    .operands = "[SOLVER]",
    .summary = "trains a net",
    .help =
        "Trains the net of a Caffe solver.prototxt; logs and snapshots are Caffe's.\n\n"
        "  lenet-cl train lenet_solver.prototxt\n"
        "  lenet-cl train --solver lenet_solver.prototxt \\\n"
        "      --snapshot lenet_iter_5000.solverstate\n"
        "  lenet-cl train lenet_solver.prototxt --device 0,1\n\n"
        "On several devices each takes a batch of its own at a time.\n"
        "SIGINT snapshots and stops (exit code 130), a second one stops at once; SIGHUP\n"
        "snapshots; SIGTERM snapshots and stops (exit code 143).",
    .options = options,
    .n_options = LCL_COUNT(options),
    .max_operands = 1,
    .run = run,
};
