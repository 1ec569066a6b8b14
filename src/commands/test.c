/* lenet-cl test: scores a trained net on the data of its TEST phase. */
#include <limits.h>
#include <stdlib.h>

#include "commands/net_args.h"
#include "solver_reader.h"
#include "text.h"

/* Sums over the batches. */
typedef struct {
    lcl_log *log;
    lcl_net *net;
    lcl_reader *outputs, *losses;
    double *sums; /* owned */
    size_t n_sums;
    double loss;
} scores;

/* Logs the oldest batch that was enqueued and adds it up. */
static lcl_status take_batch(scores *s, long batch, lcl_error *err)
{
    const float *values;
    size_t count;
    float loss;

    LCL_TRY(lcl_reader_take_loss(s->losses, &loss, err));
    LCL_TRY(lcl_reader_take(s->outputs, &values, &count, err));
    s->loss += (double)loss;
    if (count > s->n_sums) {
        s->sums = lcl_resize(s->sums, count, sizeof *s->sums);
        while (s->n_sums < count)
            s->sums[s->n_sums++] = 0;
    }
    for (size_t i = 0; i < count; i++) {
        s->sums[i] += (double)values[i];
        LCL_LOG(s->log, "Batch %ld, %s = %g", batch, lcl_reader_name(s->outputs, i),
                (double)values[i]);
    }
    return LCL_OK;
}

/* The next batch is enqueued before the last one's outputs are read. */
static lcl_status run_batches(scores *s, long n, lcl_error *err)
{
    for (long i = 0; i < n; i++) {
        LCL_TRY(lcl_net_forward(s->net, err));
        LCL_TRY(lcl_reader_request(s->losses, err));
        LCL_TRY(lcl_reader_request(s->outputs, err));
        if (i > 0)
            LCL_TRY(take_batch(s, i - 1, err));
    }
    return take_batch(s, n - 1, err);
}

static void log_means(const scores *s, long n)
{
    char line[512];

    LCL_LOG(s->log, "Loss: %g", s->loss / (double)n);
    for (size_t i = 0; i < s->n_sums; i++) {
        lcl_reader_line(s->outputs, i, s->sums[i] / (double)n, line, sizeof line);
        LCL_LOG(s->log, "%s", line);
    }
}

static lcl_status score_net(lcl_net *net, long n, lcl_log *log, lcl_error *err)
{
    scores s = {.log = log,
                .net = net,
                .outputs = lcl_reader_of_outputs(net),
                .losses = lcl_reader_of_losses(net)};

    LCL_LOG(log, "Running for %ld iterations.", n);
    lcl_status status = run_batches(&s, n, err);
    if (status == LCL_OK)
        log_means(&s, n);
    lcl_reader_destroy(s.outputs);
    lcl_reader_destroy(s.losses);
    free(s.sums);
    return status;
}

static lcl_status check_args(const lcl_args *args, long *n, lcl_error *err)
{
    if (!lcl_args_given(args, "model"))
        return lcl_fail(err, LCL_EUSAGE, "--model", "Need a model definition to score.");
    if (!lcl_args_given(args, "weights"))
        return lcl_fail(err, LCL_EUSAGE, "--weights", "Need model weights to score.");
    return lcl_args_int(args, "iterations", 1, INT_MAX, n, err);
}

static int run(const lcl_args *args, lcl_error *err)
{
    long n = 0;
    lcl_device *dev = NULL;
    lcl_net *net = NULL;
    lcl_status status = check_args(args, &n, err);

    if (status != LCL_OK)
        return lcl_exit_code(status);
    lcl_log *log = lcl_log_create(stderr);
    status = lcl_args_open_net(args, CAFFE__PHASE__TEST, log, &dev, &net, err);
    if (status == LCL_OK)
        status = score_net(net, n, log, err);
    lcl_net_destroy(net);
    lcl_device_close(dev);
    lcl_log_destroy(log);
    return lcl_exit_code(status);
}

static const lcl_option options[] = {
    {"model", "FILE", NULL, "the net's prototxt"},
    {"weights", "FILE", NULL, "its .caffemodel"},
    {"iterations", "N", "50", "batches to run"},
    LCL_RESIDENT_OPTION,
    LCL_STATE_OPTIONS,
    LCL_DEVICE_OPTIONS,
};

const lcl_command lcl_command_test = {
    .name = "test",
    .operands = "",
    .summary = "scores a trained net on its test data",
    .help =
        "Runs the TEST phase of a net with trained weights and prints the mean of each\n"
        "output, as 'caffe test' does.\n\n"
        "  lenet-cl test --model lenet_train_test.prototxt \\\n"
        "      --weights lenet_iter_10000.caffemodel --iterations 100",
    .options = options,
    .n_options = LCL_COUNT(options),
    .max_operands = 0,
    .run = run,
};
