/* Whether the device gives the same bits when it computes the same a second time. */
#include <stdlib.h>
#include <string.h>

#include "bench/lenet.h"
#include "text.h"
#include "update.h"
#include "verify/lenet.h"

#define N_STEPS 5

static void note(lcl_verify *v, const char *row, const char *name, lcl_status status,
                 const uint64_t bits[2], const lcl_error *err)
{
    lcl_verify_note(v, (lcl_verify_finding){.row = row,
                                            .name = name,
                                            .mode.block = v->device->block,
                                            .error = bits[0] == bits[1] ? 0 : 1,
                                            .where = "bits",
                                            .failure = status == LCL_OK ? NULL : err});
}

static void repeat_layers(lcl_verify *v)
{
    const lcl_golden_options options = {.dev = v->dev,
                                        .gemm = v->options->gemm,
                                        .block = v->device->block,
                                        .vector = v->device->vector,
                                        .files = &v->files};
    char **cases;
    size_t n;

    if (lcl_golden_list(&cases, &n, "layers", &v->files, NULL) != LCL_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        lcl_golden_result result;
        lcl_error err = {0};
        lcl_status status = LCL_OK;
        uint64_t bits[2] = {0};
        lcl_verify_progress(v, "every layer", cases[i]);
        for (int k = 0; status == LCL_OK && k < 2; k++) {
            status = lcl_golden_run(&result, cases[i], &options, &err);
            bits[k] = result.bits;
        }
        note(v, "every layer", strchr(cases[i], '/') + 1, status, bits, &err);
        free(cases[i]);
    }
    free(cases);
}

/* A hash of LeNet's parameters after some updates. */
static lcl_status train(const lcl_verify *v, lcl_verify_net *n, lcl_proto **solver,
                        lcl_update **update, uint64_t *bits, lcl_error *err)
{
    LCL_TRY(lcl_verify_lenet_open(n, v, v->device->block, true, err));
    LCL_TRY(lcl_bench_parse(solver, &caffe__solver_parameter__descriptor, "verify",
                            lcl_strdup("momentum: 0.9 weight_decay: 0.0005"), err));
    LCL_TRY(lcl_update_create(update, n->net, *solver, err));
    for (int i = 0; i < N_STEPS; i++) {
        LCL_TRY(lcl_net_forward(n->net, err));
        LCL_TRY(lcl_net_backward(n->net, err));
        LCL_TRY(lcl_update_run(*update, i, 0.01f, NULL, err));
    }
    const size_t size = lcl_net_param_count(n->net) * sizeof(float);
    void *params = lcl_alloc(size, 1);
    lcl_status status =
        lcl_buffer_read(v->dev, lcl_net_param_data(n->net), 0, size, params, err);
    *bits = lcl_hash(0, params, size);
    free(params);
    return status;
}

static void repeat_training(lcl_verify *v)
{
    uint64_t bits[2] = {0};
    lcl_error err = {0};
    lcl_status status = LCL_OK;

    lcl_verify_progress(v, "LeNet trained", NULL);
    for (int k = 0; status == LCL_OK && k < 2; k++) {
        lcl_verify_net n = {0};
        lcl_proto *solver = NULL;
        lcl_update *update = NULL;
        status = train(v, &n, &solver, &update, &bits[k], &err);
        lcl_update_destroy(update);
        lcl_proto_destroy(solver);
        lcl_verify_net_close(&n);
    }
    note(v, "LeNet trained", NULL, status, bits, &err);
}

void lcl_verify_repeats(lcl_verify *v)
{
    if (lcl_verify_wants(v, "every layer") && !v->options->quick)
        repeat_layers(v);
    if (lcl_verify_wants(v, "LeNet trained") && !v->options->quick)
        repeat_training(v);
}
