/* LeNet's inference in lenet-cl, for bench/compare_peers: answers the requests of peer.py
 * named inference and answers. WORK is its folder, with deploy_N.prototxt for each batch N,
 * weights.caffemodel and images.f32. The net is fused, as 'lenet-cl test' runs it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lcl/net.h"

typedef struct {
    const char *work;
    lcl_device *dev;
    /* Of the batch asked for last; owned. */
    int batch;
    lcl_net *net;
    lcl_blob *data, *prob; /* the net's */
    float *images, *answers;
} inference;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void release(inference *p)
{
    lcl_net_destroy(p->net);
    free(p->images);
    free(p->answers);
    p->net = NULL;
    p->images = p->answers = NULL;
}

static lcl_status read_images(inference *p, lcl_error *err)
{
    const size_t n = lcl_blob_count(p->data), n_answers = lcl_blob_count(p->prob);
    char path[512];

    snprintf(path, sizeof path, "%s/images.f32", p->work);
    p->images = calloc(n, sizeof(float));
    p->answers = calloc(n_answers, sizeof(float));
    if (!p->images || !p->answers)
        return lcl_fail(err, LCL_EIO, path, "no memory for %d images", p->batch);
    FILE *file = fopen(path, "rb");
    const size_t read = file ? fread(p->images, sizeof(float), n, file) : 0;
    if (file)
        fclose(file);
    return read == n ? LCL_OK : lcl_fail(err, LCL_EIO, path, "has too few images");
}

static lcl_status prepare(inference *p, int batch, lcl_error *err)
{
    const lcl_net_options options = {.phase = CAFFE__PHASE__TEST, .fuse = true};
    char net[512], weights[512];

    if (p->net && p->batch == batch)
        return LCL_OK;
    release(p);
    p->batch = batch;
    snprintf(net, sizeof net, "%s/deploy_%d.prototxt", p->work, batch);
    snprintf(weights, sizeof weights, "%s/weights.caffemodel", p->work);
    LCL_TRY(lcl_net_read(&p->net, p->dev, net, &options, err));
    LCL_TRY(lcl_net_load(p->net, weights, err));
    p->data = lcl_net_blob(p->net, "data");
    p->prob = lcl_net_blob(p->net, "prob");
    if (!p->data || !p->prob)
        return lcl_fail(err, LCL_ESHAPE, net, "has no blobs \"data\" and \"prob\"");
    return read_images(p, err);
}

/* One batch, from host memory to host memory. */
static lcl_status run(const inference *p, lcl_error *err)
{
    LCL_TRY(lcl_blob_write(p->data, LCL_DATA, p->images, err));
    LCL_TRY(lcl_net_forward(p->net, err));
    return lcl_blob_read(p->prob, LCL_DATA, p->answers, err);
}

static lcl_status answer_inference(inference *p, int batch, int n, lcl_error *err)
{
    LCL_TRY(prepare(p, batch, err));
    const double start = now();
    for (int i = 0; i < n; i++)
        LCL_TRY(run(p, err));
    printf("%.6f\n", (now() - start) / n * 1e3);
    return LCL_OK;
}

static lcl_status answer_answers(inference *p, int batch, const char *path,
                                 lcl_error *err)
{
    LCL_TRY(prepare(p, batch, err));
    LCL_TRY(run(p, err));
    const size_t n = lcl_blob_count(p->prob);
    FILE *file = fopen(path, "wb");
    const size_t written = file ? fwrite(p->answers, sizeof(float), n, file) : 0;
    if (!file || fclose(file) != 0 || written != n)
        return lcl_fail(err, LCL_EIO, path, "cannot be written");
    printf("written\n");
    return LCL_OK;
}

static lcl_status serve(inference *p, lcl_error *err)
{
    char line[1024], text[1000];
    int batch, n;

    printf("lenet-cl\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "inference %d %d", &batch, &n) == 2)
            LCL_TRY(answer_inference(p, batch, n, err));
        else if (sscanf(line, "answers %d %999[^\n]", &batch, text) == 2)
            LCL_TRY(answer_answers(p, batch, text, err));
        else
            return lcl_fail(err, LCL_EUSAGE, NULL, "not a request: %s", line);
        fflush(stdout);
    }
    return LCL_OK;
}

int main(int argc, char **argv)
{
    const lcl_device_choice choice = {getenv("LCL_PLATFORM"), getenv("LCL_DEVICE"),
                                      LCL_PREFER_ANY};
    inference p = {.work = argc == 2 ? argv[1] : NULL};
    lcl_error err = {0};

    if (argc != 2) {
        fprintf(stderr, "Usage: %s WORK\n", argv[0]);
        return 2;
    }
    lcl_status status = lcl_device_open(&p.dev, &choice, &err);
    if (status == LCL_OK)
        status = serve(&p, &err);
    release(&p);
    lcl_device_close(p.dev);
    if (status != LCL_OK)
        fprintf(stderr, "%s%s%s\n", err.where, err.where[0] ? ": " : "", err.message);
    return status == LCL_OK ? 0 : 1;
}
