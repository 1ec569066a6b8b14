/* lenet-cl time: how long each layer takes, forward and backward. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "commands/net_args.h"
#include "commands/profile_report.h"
#include "text.h"

/* Milliseconds, summed over the iterations. */
typedef struct {
    lcl_net *net;
    lcl_log *log;
    long n_iterations;
    size_t n_layers;
    double *forward, *backward; /* of each layer; owned */
    double all_forward, all_backward, total;
} timing;

static double now_ms(void)
{
    return 1e3 * lcl_now();
}

/* Runs one layer and waits for it; adds the time to *sum. */
static lcl_status time_layer(timing *t, size_t layer,
                             lcl_status (*pass)(lcl_net *, size_t, lcl_error *),
                             double *sum, lcl_error *err)
{
    double start = now_ms();

    LCL_TRY(pass(t->net, layer, err));
    LCL_TRY(lcl_device_finish(lcl_net_device(t->net), err));
    *sum += now_ms() - start;
    return LCL_OK;
}

static lcl_status time_iteration(timing *t, long number, lcl_error *err)
{
    double start = now_ms();

    for (size_t i = 0; i < t->n_layers; i++)
        LCL_TRY(time_layer(t, i, lcl_net_forward_layer, &t->forward[i], err));
    double middle = now_ms();
    for (size_t i = t->n_layers; i-- > 0;)
        LCL_TRY(time_layer(t, i, lcl_net_backward_layer, &t->backward[i], err));
    double end = now_ms();
    t->all_forward += middle - start;
    t->all_backward += end - middle;
    LCL_LOG(t->log, "Iteration: %ld forward-backward time: %g ms.", number, end - start);
    return LCL_OK;
}

/* A first pass, so that kernels are built and memory is there. */
static lcl_status warm_up(const timing *t, lcl_error *err)
{
    float loss;

    LCL_LOG(t->log, "Performing Forward");
    LCL_TRY(lcl_net_forward(t->net, err));
    LCL_TRY(lcl_net_loss(t->net, &loss, err));
    LCL_LOG(t->log, "Initial loss: %g", (double)loss);
    LCL_LOG(t->log, "Performing Backward");
    LCL_TRY(lcl_net_backward(t->net, err));
    return lcl_device_finish(lcl_net_device(t->net), err);
}

static void log_averages(const timing *t)
{
    double n = (double)t->n_iterations;

    LCL_LOG(t->log, "Average time per layer: ");
    for (size_t i = 0; i < t->n_layers; i++) {
        const char *name = lcl_net_layer(t->net, i)->param->name;
        LCL_LOG(t->log, "%10s\tforward: %g ms.", name, t->forward[i] / n);
        LCL_LOG(t->log, "%10s\tbackward: %g ms.", name, t->backward[i] / n);
    }
    LCL_LOG(t->log, "Average Forward pass: %g ms.", t->all_forward / n);
    LCL_LOG(t->log, "Average Backward pass: %g ms.", t->all_backward / n);
    LCL_LOG(t->log, "Average Forward-Backward: %g ms.", t->total / n);
    LCL_LOG(t->log, "Total Time: %g ms.", t->total);
}

static lcl_status run_benchmark(timing *t, lcl_error *err)
{
    LCL_TRY(warm_up(t, err));
    LCL_LOG(t->log, "*** Benchmark begins ***");
    LCL_LOG(t->log, "Testing for %ld iterations.", t->n_iterations);
    double start = now_ms();
    for (long i = 1; i <= t->n_iterations; i++)
        LCL_TRY(time_iteration(t, i, err));
    t->total = now_ms() - start;
    log_averages(t);
    LCL_LOG(t->log, "*** Benchmark ends ***");
    return LCL_OK;
}

static lcl_status time_net(lcl_net *net, long n, lcl_log *log, lcl_error *err)
{
    size_t n_layers = lcl_net_n_layers(net);
    timing t = {.net = net,
                .log = log,
                .n_iterations = n,
                .n_layers = n_layers,
                .forward = lcl_alloc(n_layers + 1, sizeof(double)),
                .backward = lcl_alloc(n_layers + 1, sizeof(double))};
    lcl_status status = run_benchmark(&t, err);

    free(t.forward);
    free(t.backward);
    return status;
}

/* The same passes again, without waiting between layers. */
static lcl_status profile_net(lcl_net *net, long n, lcl_error *err)
{
    lcl_device *dev = lcl_net_device(net);

    LCL_TRY(lcl_profile_start(dev, err));
    for (long i = 0; i < n; i++) {
        LCL_TRY(lcl_net_forward(net, err));
        LCL_TRY(lcl_net_backward(net, err));
        LCL_TRY(lcl_device_finish(dev, err));
    }
    return lcl_profile_print(stdout, dev, &net, 1, err);
}

static lcl_status check_args(const lcl_args *args, long *n, Caffe__Phase *phase,
                             lcl_error *err)
{
    if (!lcl_args_given(args, "model"))
        return lcl_fail(err, LCL_EUSAGE, "--model", "Need a model definition to time.");
    LCL_TRY(lcl_args_phase(args, phase, err));
    return lcl_args_int(args, "iterations", 1, INT_MAX, n, err);
}

static int run(const lcl_args *args, lcl_error *err)
{
    long n = 0;
    Caffe__Phase phase = CAFFE__PHASE__TRAIN;
    lcl_device *dev = NULL;
    lcl_net *net = NULL;
    lcl_status status = check_args(args, &n, &phase, err);

    if (status != LCL_OK)
        return lcl_exit_code(status);
    lcl_log *log = lcl_log_create(stderr);
    status = lcl_args_open_net(args, phase, log, &dev, &net, err);
    if (status == LCL_OK)
        status = time_net(net, n, log, err);
    if (status == LCL_OK && lcl_args_switch(args, "profile"))
        status = profile_net(net, n, err);
    lcl_net_destroy(net);
    lcl_device_close(dev);
    lcl_log_destroy(log);
    return lcl_exit_code(status);
}

static const lcl_option options[] = {
    {"model", "FILE", NULL, "the net's prototxt"},
    {"weights", "FILE", NULL, "weights to run with"},
    {"iterations", "N", "50", "passes to time"},
    {"profile", NULL, NULL, "print what each kernel took, by the device's clock"},
    {"phase", "TRAIN|TEST", "TRAIN", "phase of the net"},
    LCL_RESIDENT_OPTION,
    LCL_STATE_OPTIONS,
    LCL_DEVICE_OPTIONS,
};

const lcl_command lcl_command_time = {
    .name = "time",
    .operands = "",
    .summary = "times each layer of a net",
    .help =
        "Runs a net forward and backward and prints the time of each layer, as 'caffe "
        "time'\n"
        "does. The device is waited for after each layer, so the sum is more than an\n"
        "iteration of training takes.\n\n"
        "  lenet-cl time --model lenet_train_test.prototxt --iterations 100\n\n"
        "With --profile a table of layers and kernels follows, from passes that do not\n"
        "wait. GFLOP/s are nominal (a faster algorithm may pass the device's peak); "
        "GB/s\n"
        "count every blob and parameter once; a fused layer's time is its first's.",
    .options = options,
    .n_options = LCL_COUNT(options),
    .max_operands = 0,
    .run = run,
};
