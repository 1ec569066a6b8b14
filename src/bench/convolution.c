/* Convolutions of known nets: forward, and the gradients of the input and of the weights. */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/reference.h"
#include "lcl/net.h"
#include "text.h"

#define N_SAMPLES 48
#define TOLERANCE 1e-4

/* Batch, channels, height, width; kernels, their size; stride, padding, groups. */
typedef struct {
    const char *name;
    int n, c, h, w, k, r, stride, pad, groups;
    bool quick; /* measured with --quick too, even if not asked for by name */
} conv_shape;

static const conv_shape shapes[] = {
    {"lenet_conv1", 64, 1, 28, 28, 20, 5, 1, 0, 1, true},
    {"lenet_conv2", 64, 20, 12, 12, 50, 5, 1, 0, 1, true},
    {"lenet_conv2_b256", 256, 20, 12, 12, 50, 5, 1, 0, 1, false},
    {"cifar_quick_conv1", 100, 3, 32, 32, 32, 5, 1, 2, 1, false},
    {"cifar_quick_conv2", 100, 32, 16, 16, 32, 5, 1, 2, 1, true},
    {"cifar_quick_conv3", 100, 32, 8, 8, 64, 5, 1, 2, 1, false},
    {"alexnet_conv1", 16, 3, 227, 227, 96, 11, 4, 0, 1, false},
    {"alexnet_conv2", 16, 96, 27, 27, 256, 5, 1, 2, 2, false},
    {"alexnet_conv3", 16, 256, 13, 13, 384, 3, 1, 1, 1, false},
    {"alexnet_conv4", 16, 384, 13, 13, 384, 3, 1, 1, 2, false},
    {"vgg_conv1_2", 4, 64, 224, 224, 64, 3, 1, 1, 1, false},
    {"vgg_conv3_2", 4, 256, 56, 56, 256, 3, 1, 1, 1, false},
    {"vgg_conv5_1", 16, 512, 14, 14, 512, 3, 1, 1, 1, false},
    {"resnet_conv1", 16, 3, 224, 224, 64, 7, 2, 3, 1, false},
    {"resnet_2_3x3", 16, 64, 56, 56, 64, 3, 1, 1, 1, true},
    {"resnet_3_3x3", 16, 128, 28, 28, 128, 3, 1, 1, 1, false},
    {"resnet_4_3x3", 16, 256, 14, 14, 256, 3, 1, 1, 1, false},
    {"resnet_5_3x3", 16, 512, 7, 7, 512, 3, 1, 1, 1, false},
    {"resnet_3_down", 16, 64, 56, 56, 128, 3, 2, 1, 1, false},
    {"resnet_3_1x1s2", 16, 64, 56, 56, 128, 1, 2, 0, 1, false},
    {"resnet50_1x1_256_64", 16, 256, 56, 56, 64, 1, 1, 0, 1, true},
    {"resnet50_1x1_512_2048", 16, 512, 7, 7, 2048, 1, 1, 0, 1, false},
    {"googlenet_3a_1x1", 16, 192, 28, 28, 64, 1, 1, 0, 1, false},
    {"googlenet_3a_5x5", 16, 16, 28, 28, 32, 5, 1, 2, 1, false},
    {"mobilenet_dw_112", 16, 32, 112, 112, 32, 3, 1, 1, 32, false},
    {"mobilenet_dw_14", 16, 512, 14, 14, 512, 3, 1, 1, 512, true},
    {"odd_3x3", 7, 17, 19, 23, 29, 3, 2, 1, 1, false},
    {"single_conv2", 1, 20, 12, 12, 50, 5, 1, 0, 1, true},
    {"single_3x3", 1, 128, 28, 28, 128, 3, 1, 1, 1, false},
};

typedef struct {
    lcl_bench_conv v;
    float *input, *weight, *grad; /* owned; what v refers to */
    lcl_proto *net_doc, *layer_doc;
    lcl_net *net; /* only the input, in the layout that nets take for it */
    lcl_layer *layer;
    lcl_blob *bottom, *top; /* bottom is the net's */
} conv_run;

static lcl_status run_forward(void *what, lcl_error *err)
{
    return lcl_layer_forward(((conv_run *)what)->layer, err);
}

static lcl_status run_backward(void *what, lcl_error *err)
{
    return lcl_layer_backward(((conv_run *)what)->layer, err);
}

/* ---- Checking ---------------------------------------------------------------------- */

typedef double element(const lcl_bench_conv *v, size_t index);

static lcl_status check_samples(const conv_run *r, const lcl_blob *blob, lcl_which which,
                                element *right, double *error, lcl_error *err)
{
    const size_t n = lcl_blob_count(blob);
    float *values = lcl_alloc(n, sizeof *values);
    lcl_status status = lcl_blob_read(blob, which, values, err);
    lcl_bench_error e = {0};

    for (size_t s = 0; status == LCL_OK && s < N_SAMPLES; s++) {
        size_t at = lcl_bench_pick(s, n);
        lcl_bench_compare(&e, (double)values[at], right(&r->v, at));
    }
    *error = lcl_bench_error_part(&e);
    free(values);
    return status;
}

static lcl_status check_forward(void *what, double *error, lcl_error *err)
{
    const conv_run *r = what;

    return check_samples(r, r->top, LCL_DATA, lcl_bench_conv_output_at, error, err);
}

static lcl_status check_dgrad(void *what, double *error, lcl_error *err)
{
    const conv_run *r = what;

    return check_samples(r, r->bottom, LCL_DIFF, lcl_bench_conv_input_grad_at, error,
                         err);
}

static lcl_status check_wgrad(void *what, double *error, lcl_error *err)
{
    const conv_run *r = what;

    return check_samples(r, r->layer->params[0], LCL_DIFF, lcl_bench_conv_weight_grad_at,
                         error, err);
}

/* ---- Making the layer -------------------------------------------------------------- */

static lcl_status make_net(conv_run *r, lcl_bench *b, const conv_shape *s, lcl_error *err)
{
    const lcl_net_options options = {.gemm = b->options->gemm};

    LCL_TRY(lcl_bench_parse(
        &r->net_doc, &caffe__net_parameter__descriptor, "bench",
        lcl_format("layer { name: 'data' type: 'Input' top: 'data' input_param { "
                   "shape { dim: %d dim: %d dim: %d dim: %d } } }",
                   s->n, s->c, s->h, s->w),
        err));
    LCL_TRY(lcl_net_create(&r->net, b->dev, r->net_doc, &options, err));
    r->bottom = lcl_net_blob(r->net, "data");
    return lcl_blob_need_diff(r->bottom, err);
}

static lcl_status make_layer(conv_run *r, lcl_bench *b, const conv_shape *s,
                             lcl_error *err)
{
    LCL_TRY(lcl_bench_parse(
        &r->layer_doc, &caffe__layer_parameter__descriptor, "bench",
        lcl_format("name: '%s' type: 'Convolution' bottom: 'data' top: 'top' "
                   "convolution_param { num_output: %d kernel_size: %d stride: "
                   "%d pad: %d group: %d bias_term: false }",
                   s->name, s->k, s->r, s->stride, s->pad, s->groups),
        err));
    r->top = lcl_blob_create(b->dev, "top");
    LCL_TRY(lcl_layer_create(
        &r->layer, (const Caffe__LayerParameter *)lcl_proto_root(r->layer_doc),
        lcl_net_layer(r->net, 0)->env, 1, &r->bottom, 1, &r->top, 1, err));
    LCL_TRY(lcl_blob_need_diff(r->top, err));
    return lcl_blob_need_diff(r->layer->params[0], err);
}

static float *random_values(size_t n, unsigned seed)
{
    float *values = lcl_alloc(n, sizeof *values);

    lcl_bench_fill(values, n, seed);
    return values;
}

static lcl_status fill_blobs(conv_run *r, lcl_error *err)
{
    r->v.input = r->input = random_values(lcl_bench_conv_inputs(&r->v), 1);
    r->v.weight = r->weight = random_values(lcl_bench_conv_weights(&r->v), 2);
    r->v.grad = r->grad = random_values(lcl_bench_conv_outputs(&r->v), 3);
    LCL_TRY(lcl_blob_write(r->bottom, LCL_DATA, r->input, err));
    LCL_TRY(lcl_blob_write(r->layer->params[0], LCL_DATA, r->weight, err));
    return lcl_blob_write(r->top, LCL_DIFF, r->grad, err);
}

static lcl_status prepare(conv_run *r, lcl_bench *b, const conv_shape *s, lcl_error *err)
{
    r->v = (lcl_bench_conv){.n = (size_t)s->n,
                            .c = (size_t)s->c,
                            .h = (size_t)s->h,
                            .w = (size_t)s->w,
                            .k = (size_t)s->k,
                            .r = (size_t)s->r,
                            .stride = (size_t)s->stride,
                            .pad = (size_t)s->pad,
                            .groups = (size_t)s->groups};
    lcl_bench_conv_shape(&r->v);
    LCL_TRY(make_net(r, b, s, err));
    LCL_TRY(make_layer(r, b, s, err));
    LCL_TRY(fill_blobs(r, err));
    return run_forward(r, err);
}

static void release(conv_run *r)
{
    lcl_layer_destroy(r->layer);
    lcl_blob_destroy(r->top);
    lcl_net_destroy(r->net);
    lcl_proto_destroy(r->layer_doc);
    lcl_proto_destroy(r->net_doc);
    free(r->input);
    free(r->weight);
    free(r->grad);
}

/* ---- Measuring --------------------------------------------------------------------- */

typedef struct {
    const char *name;
    lcl_bench_run *run;
    lcl_bench_check *check;
    bool input, weights; /* whose gradient is wanted */
} conv_pass;

static const conv_pass passes[] = {
    {"forward", run_forward, check_forward, false, false},
    {"input gradient", run_backward, check_dgrad, true, false},
    {"weight gradient", run_backward, check_wgrad, false, true},
};

static void choose_pass(conv_run *r, const conv_pass *pass)
{
    r->layer->propagate[0] = pass->input;
    r->layer->param_propagate[0] = pass->weights;
}

static void measure_pass(lcl_bench *b, conv_run *r, const char *name,
                         const conv_pass *pass)
{
    const lcl_bench_conv *v = &r->v;
    const lcl_bench_case c = {
        .name = name,
        .variant = pass->name,
        .flop = lcl_bench_conv_flop(v),
        .bytes = 4.0 * (double)(lcl_bench_conv_inputs(v) + lcl_bench_conv_weights(v) +
                                lcl_bench_conv_outputs(v)),
        .run = pass->run,
        .check = pass->check,
        .tolerance = TOLERANCE,
    };

    choose_pass(r, pass);
    lcl_bench_do(b, &c, r);
}

static void destroy(void *what)
{
    release(what);
    free(what);
}

lcl_status lcl_bench_convolution_work(lcl_bench_work *out, lcl_bench *b,
                                      const char *shape, const char *pass, lcl_error *err)
{
    size_t s = 0, p = 0;
    conv_run *r = lcl_alloc(1, sizeof *r);

    while (s + 1 < LCL_COUNT(shapes) && strcmp(shapes[s].name, shape) != 0)
        s++;
    while (p + 1 < LCL_COUNT(passes) && strcmp(passes[p].name, pass) != 0)
        p++;
    *out = (lcl_bench_work){passes[p].run, passes[p].check, TOLERANCE, r, destroy};
    LCL_TRY(prepare(r, b, &shapes[s], err));
    choose_pass(r, &passes[p]);
    return LCL_OK;
}

void lcl_bench_convolution(lcl_bench *b)
{
    for (size_t i = 0; i < LCL_COUNT(shapes); i++) {
        conv_run r = {0};
        lcl_error err = {0};
        const bool left_out =
            b->options->quick && !shapes[i].quick && !lcl_bench_names(b, shapes[i].name);
        if (left_out || !lcl_bench_wants(b, shapes[i].name))
            continue;
        if (prepare(&r, b, &shapes[i], &err) == LCL_OK)
            for (size_t p = 0; p < LCL_COUNT(passes); p++)
                measure_pass(b, &r, shapes[i].name, &passes[p]);
        else
            lcl_bench_skip(b, shapes[i].name, "", err.message);
        release(&r);
    }
}
