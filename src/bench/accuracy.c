/* How long LeNet trains until it knows 90 % of Fashion-MNIST's test images. */
#include <math.h>
#include <stdlib.h>

#include "bench/lenet.h"
#include "lcl/solver.h"
#include "text.h"

#define GOAL 0.90
#define INTERVAL 250
#define MOST_ITERATIONS 15000
#define TEST_BATCHES 100

typedef struct {
    lcl_proto *source;
    lcl_solver *solver;
    double best; /* accuracy so far */
} accuracy_run;

/* train-images-idx3-ubyte or the same .gz in the folder; new, NULL: neither. */
static char *find_images(const char *folder, const char *kind)
{
    static const char *const suffixes[] = {"", ".gz"};

    for (size_t i = 0; folder && i < LCL_COUNT(suffixes); i++) {
        char *path = lcl_format("%s/%s-images-idx3-ubyte%s", folder, kind, suffixes[i]);
        if (lcl_file_exists(path))
            return path;
        free(path);
    }
    return NULL;
}

static lcl_status prepare(accuracy_run *a, lcl_bench *b, const char *train,
                          const char *test, lcl_error *err)
{
    const lcl_solver_options options = {.gemm = b->options->gemm,
                                        .residency = b->options->residency};
    char *net = lcl_lenet_net(train, 64, test);
    lcl_status status =
        lcl_bench_parse(&a->source, &caffe__solver_parameter__descriptor, "bench",
                        lcl_lenet_solver(net, MOST_ITERATIONS), err);

    free(net);
    if (status != LCL_OK)
        return status;
    return lcl_solver_create(&a->solver, b->dev, a->source, &options, err);
}

static lcl_status test(const accuracy_run *a, double *accuracy, lcl_error *err)
{
    lcl_net *net = lcl_solver_test_net(a->solver, 0);
    const lcl_blob *blob = lcl_net_blob(net, "accuracy");
    double sum = 0;
    float value;

    for (int i = 0; i < TEST_BATCHES; i++) {
        LCL_TRY(lcl_net_forward(net, err));
        LCL_TRY(lcl_blob_read(blob, LCL_DATA, &value, err));
        sum += (double)value;
    }
    *accuracy = sum / TEST_BATCHES;
    return LCL_OK;
}

/* Until the goal or the last iteration is reached. */
static lcl_status train(accuracy_run *a, lcl_bench *b, lcl_error *err)
{
    double accuracy;

    while (a->best < GOAL && lcl_solver_iteration(a->solver) < MOST_ITERATIONS) {
        LCL_TRY(lcl_solver_step(a->solver, INTERVAL, err));
        LCL_TRY(test(a, &accuracy, err));
        a->best = fmax(a->best, accuracy);
        lcl_log_progress(b->log, "%s: %.4f after %d iterations", b->group->title,
                         accuracy, lcl_solver_iteration(a->solver));
    }
    return LCL_OK;
}

static void measure(lcl_bench *b, const char *train_images, const char *test_images)
{
    accuracy_run a = {0};
    lcl_error err = {0};
    char text[128];
    double start = lcl_now();
    lcl_status status = prepare(&a, b, train_images, test_images, &err);

    if (status == LCL_OK)
        status = train(&a, b, &err);
    double seconds = lcl_now() - start;
    if (status != LCL_OK) {
        lcl_bench_skip(b, "90 %", "", err.message);
    } else if (a.best < GOAL) {
        snprintf(text, sizeof text, "not reached in %d iterations, the best is %.2f %%",
                 MOST_ITERATIONS, 100 * a.best);
        lcl_bench_skip(b, "90 %", "", text);
    } else {
        snprintf(text, sizeof text, "%d iterations", lcl_solver_iteration(a.solver));
        lcl_bench_add_time(b, "90 %", text, lcl_bench_statistics(&seconds, 1), 0);
    }
    lcl_solver_destroy(a.solver);
    lcl_proto_destroy(a.source);
}

void lcl_bench_accuracy(lcl_bench *b)
{
    char *train_images = find_images(b->options->data, "train");
    char *test_images = find_images(b->options->data, "t10k");

    if (b->options->quick)
        lcl_bench_skip(b, "90 %", "", "takes about half a minute: leave out --quick");
    else if (!train_images || !test_images)
        lcl_bench_skip(b, "90 %", "",
                       "no images: install dataset-fashion-mnist, or give --data FOLDER");
    else
        measure(b, train_images, test_images);
    free(train_images);
    free(test_images);
}
