/* Whole nets: LeNet's gradients against plain C, and fused layers against the same by
 * themselves. */
#include <math.h>
#include <stdlib.h>

#include "bench/lenet.h"
#include "bench/reference.h"
#include "text.h"
#include "verify/lenet.h"

#define LENET_LIMIT 1e-4
#define FUSED_LIMIT 1e-5

static lcl_status read_param(const lcl_net *net, size_t i, lcl_which which, float **out,
                             lcl_error *err)
{
    const lcl_blob *b = lcl_net_param_at(net, i)->blob;

    *out = lcl_alloc(lcl_blob_count(b), sizeof **out);
    return lcl_blob_read(b, which, *out, err);
}

static void note(lcl_verify *v, const char *row, const char *name, lcl_verify_mode mode,
                 double error, double limit, const lcl_error *failure)
{
    lcl_verify_note(v, (lcl_verify_finding){.row = row,
                                            .name = name,
                                            .where = "gradients",
                                            .mode = mode,
                                            .error = error,
                                            .limit = limit,
                                            .failure = failure});
}

/* ---- LeNet ------------------------------------------------------------------------- */

static lcl_status compare_lenet(const lcl_net *net, double *error, lcl_error *err)
{
    lcl_lenet_weights weights = {0};
    lcl_status status = LCL_OK;

    for (size_t p = 0; status == LCL_OK && p < LCL_LENET_PARAMS; p++)
        status = read_param(net, p, LCL_DATA, &weights.values[p], err);
    lcl_lenet_weights right =
        status == LCL_OK ? lcl_lenet_gradients(&weights) : (lcl_lenet_weights){0};
    for (size_t p = 0; status == LCL_OK && p < LCL_LENET_PARAMS; p++) {
        lcl_bench_error e = {0};
        float *got;
        status = read_param(net, p, LCL_DIFF, &got, err);
        for (size_t i = 0; status == LCL_OK && i < lcl_lenet_counts[p]; i++)
            lcl_bench_compare(&e, (double)got[i], (double)right.values[p][i]);
        *error = fmax(*error, lcl_bench_error_part(&e));
        free(got);
    }
    lcl_lenet_weights_free(&weights);
    lcl_lenet_weights_free(&right);
    return status;
}

static void check_lenet(lcl_verify *v, int block, bool fuse)
{
    lcl_verify_net n = {0};
    lcl_error err = {0};
    double error = 0;

    lcl_verify_progress(v, "LeNet", fuse ? "fused" : "layer by layer");
    lcl_status status = lcl_verify_lenet_open(&n, v, block, fuse, &err);
    if (status == LCL_OK)
        status = lcl_net_forward(n.net, &err);
    if (status == LCL_OK)
        status = lcl_net_backward(n.net, &err);
    if (status == LCL_OK)
        status = compare_lenet(n.net, &error, &err);
    note(v, "LeNet", fuse ? "fused" : "layer by layer",
         (lcl_verify_mode){.block = block, .fused = fuse}, error, LENET_LIMIT,
         status == LCL_OK ? NULL : &err);
    lcl_verify_net_close(&n);
}

/* ---- Patterns ---------------------------------------------------------------------- */

#define INPUT(shape)                                                                     \
    "layer { name: 'in' type: 'Input' top: 'data' top: 'label' input_param { "           \
    "shape { dim: 17 " shape " } shape { dim: 17 } } }\n"
#define CONVOLUTION(bottom, top, more)                                                   \
    "layer { name: '" top "' type: 'Convolution' bottom: '" bottom "' top: '" top        \
    "' convolution_param { weight_filler { type: 'xavier' } "                            \
    "bias_filler { type: 'uniform' } " more " } }\n"
#define INNER_PRODUCT(bottom, top, n)                                                    \
    "layer { name: '" top "' type: 'InnerProduct' bottom: '" bottom "' top: '" top       \
    "' inner_product_param { weight_filler { type: 'xavier' } num_output: " n " } }\n"
#define RELU(blob)                                                                       \
    "layer { name: 'relu_" blob "' type: 'ReLU' bottom: '" blob "' top: '" blob "' }\n"
#define POOL(bottom, top)                                                                \
    "layer { name: '" top "' type: 'Pooling' bottom: '" bottom "' top: '" top            \
    "' pooling_param { pool: MAX kernel_size: 2 stride: 2 } }\n"
#define END(bottom)                                                                      \
    INNER_PRODUCT(bottom, "out", "5")                                                    \
    "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'out' bottom: 'label' top: "   \
    "'loss' }\n"
#define PLANES INPUT("dim: 3 dim: 8 dim: 12")

static const struct {
    const char *row, *text;
    Caffe__Phase phase; /* of the fused net */
    int block;          /* 0: those of the layouts */
} patterns[] = {
    {"convolution, ReLU, pooling",
     PLANES CONVOLUTION("data", "first", "num_output: 9 kernel_size: 1")
         CONVOLUTION("first", "c", "num_output: 5 kernel_size: 3 pad: 1") RELU("c")
             POOL("c", "p") END("p")},
    {"Winograd, pooling, ReLU",
     PLANES CONVOLUTION("data", "first", "num_output: 9 kernel_size: 1")
         CONVOLUTION("first", "c", "num_output: 17 kernel_size: 3 pad: 1") POOL("c", "p")
             RELU("p") END("p")},
    {"convolution by rows, pooling, ReLU",
     INPUT("dim: 3 dim: 10 dim: 26") CONVOLUTION(
         "data", "c", "num_output: 5 kernel_size: 3") POOL("c", "p") RELU("p") END("p"),
     CAFFE__PHASE__TEST, 1},
    {"inner product, ReLU", INPUT("dim: 37") INNER_PRODUCT("data", "a", "33") RELU("a")
                                INNER_PRODUCT("a", "b", "9") RELU("b") END("b")},
};

static lcl_status fill(lcl_net *net, lcl_error *err)
{
    lcl_blob *data = lcl_net_blob(net, "data"), *label = lcl_net_blob(net, "label");
    const size_t n = lcl_blob_count(data), n_labels = lcl_blob_count(label);
    float *values = lcl_alloc(n, sizeof *values);

    lcl_bench_fill(values, n, 1);
    lcl_status status = lcl_blob_write(data, LCL_DATA, values, err);
    for (size_t i = 0; i < n_labels; i++)
        values[i] = (float)(i * 7 % 5);
    if (status == LCL_OK)
        status = lcl_blob_write(label, LCL_DATA, values, err);
    free(values);
    return status;
}

static lcl_status run(lcl_verify_net *n, const lcl_verify *v, const char *text,
                      lcl_net_options options, lcl_error *err)
{
    LCL_TRY(lcl_verify_net_open(n, v, lcl_strdup(text), options, err));
    LCL_TRY(fill(n->net, err));
    LCL_TRY(lcl_net_forward(n->net, err));
    return lcl_net_backward(n->net, err);
}

static lcl_status compare(const lcl_net *plain, const lcl_net *fused, double *error,
                          lcl_error *err)
{
    lcl_status status = LCL_OK;

    for (size_t p = 0; status == LCL_OK && p < lcl_net_n_params(plain); p++) {
        const size_t n = lcl_blob_count(lcl_net_param_at(plain, p)->blob);
        lcl_bench_error e = {0};
        float *got = NULL, *right = NULL;
        status = read_param(plain, p, LCL_DIFF, &right, err);
        if (status == LCL_OK)
            status = read_param(fused, p, LCL_DIFF, &got, err);
        for (size_t i = 0; status == LCL_OK && i < n; i++)
            lcl_bench_compare(&e, (double)got[i], (double)right[i]);
        *error = fmax(*error, lcl_bench_error_part(&e));
        free(got);
        free(right);
    }
    return status;
}

static void check_pattern(lcl_verify *v, size_t i, int block)
{
    lcl_verify_net plain = {0}, fused = {0};
    lcl_error err = {0};
    double error = 0;

    lcl_verify_progress(v, patterns[i].row, NULL);
    lcl_net_options options = {.block = block};
    lcl_status status = run(&plain, v, patterns[i].text, options, &err);
    options.fuse = true;
    options.phase = patterns[i].phase;
    if (status == LCL_OK)
        status = run(&fused, v, patterns[i].text, options, &err);
    if (status == LCL_OK)
        status = compare(plain.net, fused.net, &error, &err);
    note(v, patterns[i].row, "fused", (lcl_verify_mode){.block = block, .fused = true},
         error, FUSED_LIMIT, status == LCL_OK ? NULL : &err);
    lcl_verify_net_close(&plain);
    lcl_verify_net_close(&fused);
}

void lcl_verify_nets(lcl_verify *v)
{
    int blocks[LCL_VERIFY_MODES], vectors[LCL_VERIFY_MODES];
    const bool lenet = !v->options->quick && lcl_verify_wants(v, "LeNet");

    lcl_verify_layouts(v, blocks, vectors);
    for (int m = 0; lenet && m < LCL_VERIFY_MODES; m++)
        for (int fuse = 0; fuse < 2; fuse++)
            check_lenet(v, blocks[m], fuse);
    for (size_t i = 0; i < LCL_COUNT(patterns); i++) {
        const int block = patterns[i].block;
        if (!lcl_verify_wants(v, patterns[i].row))
            continue;
        for (int m = 0; m < (block ? 1 : LCL_VERIFY_MODES); m++)
            check_pattern(v, i, block ? block : blocks[m]);
    }
}
