/* LeNet training as 'lenet-cl train' does it, at several batch sizes. */
#include <math.h>
#include <stdlib.h>

#include "bench/folder.h"
#include "bench/lenet.h"
#include "bench/reference.h"
#include "lcl/solver.h"
#include "text.h"

/* Differences of single-precision weights: a thousandth is what they can tell. */
#define STEP_TOLERANCE 2e-3

typedef struct {
    lcl_proto *source;
    lcl_solver *solver;
    lcl_lenet_weights before; /* the first iteration */
} training_run;

static lcl_status run_iteration(void *what, lcl_error *err)
{
    return lcl_solver_step(((training_run *)what)->solver, 1, err);
}

static lcl_status read_weights(const lcl_net *net, lcl_lenet_weights *w, lcl_error *err)
{
    for (size_t i = 0; i < LCL_LENET_PARAMS; i++) {
        w->values[i] = lcl_alloc(lcl_lenet_counts[i], sizeof(float));
        LCL_TRY(
            lcl_blob_read(lcl_net_param_at(net, i)->blob, LCL_DATA, w->values[i], err));
    }
    return LCL_OK;
}

/* What the recipe's first iteration changes a parameter by. */
static double step_of(size_t param, double gradient, double value)
{
    double rate = param % 2 ? 0.02 : 0.01; /* biases: lr_mult 2 */

    return -rate * (gradient + 0.0005 * value);
}

/* The first step of all weights. Batches are the same images, repeated: the same gradient. */
static lcl_status check_step(void *what, double *error, lcl_error *err)
{
    const training_run *t = what;
    lcl_lenet_weights after = {0}, grads = lcl_lenet_gradients(&t->before);
    lcl_status status = read_weights(lcl_solver_net(t->solver), &after, err);

    *error = 0;
    for (size_t p = 0; status == LCL_OK && p < LCL_LENET_PARAMS; p++) {
        lcl_bench_error e = {0};
        for (size_t i = 0; i < lcl_lenet_counts[p]; i++) {
            double before = (double)t->before.values[p][i];
            lcl_bench_compare(&e, (double)after.values[p][i] - before,
                              step_of(p, (double)grads.values[p][i], before));
        }
        *error = fmax(*error, lcl_bench_error_part(&e));
    }
    lcl_lenet_weights_free(&after);
    lcl_lenet_weights_free(&grads);
    return status;
}

static lcl_status prepare(training_run *t, lcl_bench *b, const char *images, int batch,
                          lcl_error *err)
{
    const lcl_solver_options options = {.gemm = b->options->gemm,
                                        .residency = b->options->residency};
    char *net = lcl_lenet_net(images, batch, NULL);
    lcl_status status = lcl_bench_parse(&t->source, &caffe__solver_parameter__descriptor,
                                        "bench", lcl_lenet_solver(net, 1000000000), err);

    free(net);
    if (status == LCL_OK)
        status = lcl_solver_create(&t->solver, b->dev, t->source, &options, err);
    return status == LCL_OK ? read_weights(lcl_solver_net(t->solver), &t->before, err)
                            : status;
}

static void release(training_run *t)
{
    lcl_solver_destroy(t->solver);
    lcl_proto_destroy(t->source);
    lcl_lenet_weights_free(&t->before);
}

static void measure_batch(lcl_bench *b, const char *images, int batch)
{
    training_run t = {0};
    lcl_error err = {0};
    char name[32];

    snprintf(name, sizeof name, "batch %d", batch);
    if (!lcl_bench_wants(b, name))
        return;
    if (prepare(&t, b, images, batch, &err) != LCL_OK) {
        lcl_bench_skip(b, name, "", err.message);
    } else {
        const lcl_bench_case c = {
            .name = name,
            .variant = "",
            .flop = batch * lcl_lenet_training_flop(),
            .images = batch,
            .run = run_iteration,
            .check = check_step,
            .tolerance = STEP_TOLERANCE,
        };
        lcl_bench_do(b, &c, &t);
    }
    release(&t);
}

static void destroy(void *what)
{
    release(what);
    free(what);
}

lcl_status lcl_bench_training_work(lcl_bench_work *out, lcl_bench *b, int batch,
                                   lcl_error *err)
{
    char *images = NULL;

    *out = (lcl_bench_work){run_iteration, check_step, STEP_TOLERANCE,
                            lcl_alloc(1, sizeof(training_run)), destroy};
    LCL_TRY(lcl_bench_folder(&b->folder, err));
    lcl_status status = lcl_lenet_write_images(b->folder, &images, err);
    if (status == LCL_OK)
        status = prepare(out->what, b, images, batch, err);
    free(images);
    return status;
}

void lcl_bench_training(lcl_bench *b)
{
    static const int batches[] = {16, 64, 256, 1024};
    lcl_error err = {0};
    char *images = NULL;
    lcl_status status = lcl_bench_folder(&b->folder, &err);

    if (status == LCL_OK)
        status = lcl_lenet_write_images(b->folder, &images, &err);
    if (status != LCL_OK)
        lcl_bench_skip(b, "all batches", "", err.message);
    for (size_t i = 0; status == LCL_OK && i < LCL_COUNT(batches); i++)
        measure_batch(b, images, batches[i]);
    free(images);
}
