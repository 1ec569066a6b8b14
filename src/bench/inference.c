/* LeNet's answers for batches of images, from and to host memory, and on the device alone. */
#include <stdlib.h>
#include <string.h>

#include "bench/lenet.h"
#include "bench/reference.h"
#include "lcl/net.h"
#include "text.h"

#define TOLERANCE 1e-4

typedef struct {
    int n;
    lcl_proto *source;
    lcl_net *net;
    lcl_blob *data, *prob; /* of the net */
    float *images, *answers;
} inference_run;

static lcl_status run_device(void *what, lcl_error *err)
{
    return lcl_net_forward(((inference_run *)what)->net, err);
}

static lcl_status run_host(void *what, lcl_error *err)
{
    inference_run *r = what;

    LCL_TRY(lcl_blob_write(r->data, LCL_DATA, r->images, err));
    LCL_TRY(lcl_net_forward(r->net, err));
    return lcl_blob_read(r->prob, LCL_DATA, r->answers, err);
}

/* Probabilities of the first and the last images. */
static lcl_status check_answers(void *what, double *error, lcl_error *err)
{
    inference_run *r = what;
    lcl_lenet_weights w = {0};
    lcl_bench_error e = {0};
    lcl_status status = lcl_blob_read(r->prob, LCL_DATA, r->answers, err);

    for (size_t i = 0; status == LCL_OK && i < LCL_LENET_PARAMS; i++) {
        w.values[i] = lcl_alloc(lcl_lenet_counts[i], sizeof(float));
        status =
            lcl_blob_read(lcl_net_param_at(r->net, i)->blob, LCL_DATA, w.values[i], err);
    }
    for (int i = 0; status == LCL_OK && i < r->n; i++) {
        double right[LCL_LENET_CLASSES];
        if (i >= 4 && i < r->n - 4)
            continue;
        lcl_lenet_forward(&w, r->images + i * LCL_LENET_PIXELS, right);
        for (int c = 0; c < LCL_LENET_CLASSES; c++)
            lcl_bench_compare(&e, (double)r->answers[i * LCL_LENET_CLASSES + c],
                              right[c]);
    }
    *error = lcl_bench_error_part(&e);
    lcl_lenet_weights_free(&w);
    return status;
}

static lcl_status prepare(inference_run *r, lcl_bench *b, lcl_error *err)
{
    const lcl_net_options options = {
        .phase = CAFFE__PHASE__TEST, .gemm = b->options->gemm, .fuse = true};
    const size_t n = (size_t)r->n * LCL_LENET_PIXELS;

    LCL_TRY(lcl_bench_parse(&r->source, &caffe__net_parameter__descriptor, "bench",
                            lcl_lenet_deploy(r->n), err));
    LCL_TRY(lcl_net_create(&r->net, b->dev, r->source, &options, err));
    r->data = lcl_net_blob(r->net, "data");
    r->prob = lcl_net_blob(r->net, "prob");
    r->images = lcl_alloc(n, sizeof(float));
    r->answers = lcl_alloc((size_t)r->n * LCL_LENET_CLASSES, sizeof(float));
    lcl_bench_fill(r->images, n, 1);
    return lcl_blob_write(r->data, LCL_DATA, r->images, err);
}

static void release(inference_run *r)
{
    lcl_net_destroy(r->net);
    lcl_proto_destroy(r->source);
    free(r->images);
    free(r->answers);
}

static void measure_batch(lcl_bench *b, int n)
{
    inference_run r = {.n = n};
    lcl_error err = {0};
    char name[32];

    snprintf(name, sizeof name, "batch %d", n);
    if (!lcl_bench_wants(b, name))
        return;
    lcl_bench_case c = {
        .name = name,
        .variant = "host to host",
        .flop = n * lcl_lenet_forward_flop(),
        .images = n,
        .run = run_host,
        .check = check_answers,
        .tolerance = TOLERANCE,
    };
    if (prepare(&r, b, &err) != LCL_OK) {
        lcl_bench_skip(b, name, "", err.message);
    } else {
        lcl_bench_do(b, &c, &r);
        c.variant = "device";
        c.run = run_device;
        lcl_bench_do(b, &c, &r);
    }
    release(&r);
}

static void destroy(void *what)
{
    release(what);
    free(what);
}

lcl_status lcl_bench_inference_work(lcl_bench_work *out, lcl_bench *b, int batch,
                                    lcl_error *err)
{
    inference_run *r = lcl_alloc(1, sizeof *r);

    r->n = batch;
    *out = (lcl_bench_work){run_host, check_answers, TOLERANCE, r, destroy};
    return prepare(r, b, err);
}

void lcl_bench_inference(lcl_bench *b)
{
    static const int batches[] = {1, 16, 100, 1000};

    for (size_t i = 0; i < LCL_COUNT(batches); i++)
        measure_batch(b, batches[i]);
}
