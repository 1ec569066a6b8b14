/* The update rules of all solvers, and the mean of several devices' gradients. */
#include <math.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/reference.h"
#include "solver_replicas.h"
#include "text.h"
#include "update.h"
#include "verify/update_reference.h"
#include "verify/verify.h"

#define N_STEPS 3
#define RATE 0.1f
#define LIMIT 1e-5

static const struct {
    const char *row, *name, *text;
    bool is_mean;
} rules[] = {
    {"SGD", "", "momentum: 0.9 weight_decay: 0.01"},
    {"SGD", "L1", "momentum: 0.9 weight_decay: 0.01 regularization_type: 'L1'"},
    {"SGD", "clipped", "momentum: 0.9 weight_decay: 0.01 clip_gradients: 3"},
    {"SGD", "iter_size", "momentum: 0.5 iter_size: 4 clip_gradients: 1000"},
    {"Nesterov", "", "type: 'Nesterov' momentum: 0.9 weight_decay: 0.01"},
    {"AdaGrad", "", "type: 'AdaGrad' weight_decay: 0.01 delta: 1e-2"},
    {"RMSProp", "", "type: 'RMSProp' weight_decay: 0.01 rms_decay: 0.9 delta: 1e-2"},
    {"AdaDelta", "", "type: 'AdaDelta' momentum: 0.95 weight_decay: 0.01 delta: 1e-3"},
    {"Adam", "",
     "type: 'Adam' momentum: 0.9 momentum2: 0.99 weight_decay: 0.01 delta: 1e-2"},
    {"several devices", "", "", true},
};

/* Two layers, so that factors differ. */
static const char net_text[] =
    "layer { name: 'in' type: 'Input' top: 'x' input_param { shape { dim: 2 dim: 130 } } "
    "}"
    "layer { name: 'a' type: 'InnerProduct' bottom: 'x' top: 'y'"
    "  param { lr_mult: 1 } param { lr_mult: 2 decay_mult: 0 }"
    "  inner_product_param { num_output: 37 weight_filler { type: 'xavier' } } }"
    "layer { name: 'b' type: 'InnerProduct' bottom: 'y' top: 'z'"
    "  param { lr_mult: 0.5 decay_mult: 3 } param { lr_mult: 3 }"
    "  inner_product_param { num_output: 3 weight_filler { type: 'xavier' } } }";

typedef struct {
    lcl_proto *net_source, *solver_source;
    lcl_net *net;
    lcl_update *update;
    lcl_update_values *values;
} run;

static lcl_status prepare(run *r, lcl_device *dev, const char *text, lcl_error *err)
{
    const lcl_net_options options = {.seed = 7};

    LCL_TRY(lcl_bench_parse(&r->net_source, &caffe__net_parameter__descriptor, "verify",
                            lcl_strdup(net_text), err));
    LCL_TRY(lcl_bench_parse(&r->solver_source, &caffe__solver_parameter__descriptor,
                            "verify", lcl_strdup(text), err));
    LCL_TRY(lcl_net_create(&r->net, dev, r->net_source, &options, err));
    LCL_TRY(lcl_update_create(&r->update, r->net, r->solver_source, err));
    return lcl_update_values_read(&r->values, r->net, err);
}

static void release(run *r)
{
    if (r->net)
        lcl_update_values_free(r->values, r->net);
    lcl_update_destroy(r->update);
    lcl_net_destroy(r->net);
    lcl_proto_destroy(r->solver_source);
    lcl_proto_destroy(r->net_source);
}

/* Random gradients, which r->values then has, too. */
static lcl_status write_gradients(run *r, lcl_net *net, unsigned seed, lcl_error *err)
{
    for (size_t i = 0; i < lcl_net_n_params(net); i++) {
        lcl_bench_fill(r->values[i].diff, r->values[i].n, seed + (unsigned)i);
        LCL_TRY(lcl_blob_write(lcl_net_param_at(net, i)->blob, LCL_DIFF,
                               r->values[i].diff, err));
    }
    return LCL_OK;
}

/* The worst error of the parameters' data or diff. */
static lcl_status compare(const run *r, lcl_which which, double *error, lcl_error *err)
{
    lcl_bench_error e = {0};
    lcl_status status = LCL_OK;

    for (size_t i = 0; status == LCL_OK && i < lcl_net_n_params(r->net); i++) {
        const lcl_update_values *v = &r->values[i];
        float *got = lcl_alloc(v->n, sizeof *got);
        status = lcl_blob_read(lcl_net_param_at(r->net, i)->blob, which, got, err);
        for (size_t k = 0; status == LCL_OK && k < v->n; k++)
            lcl_bench_compare(&e, (double)got[k],
                              (double)(which == LCL_DATA ? v->data : v->diff)[k]);
        free(got);
    }
    *error = lcl_bench_error_part(&e);
    return status;
}

static lcl_status steps(run *r, double *error, lcl_error *err)
{
    const Caffe__SolverParameter *p =
        (const Caffe__SolverParameter *)lcl_proto_root(r->solver_source);

    for (int i = 0; i < N_STEPS; i++) {
        LCL_TRY(write_gradients(r, r->net, 10 * (unsigned)i + 1, err));
        LCL_TRY(lcl_update_run(r->update, i, RATE, NULL, err));
        lcl_update_reference(p, r->net, r->values, i, (double)RATE);
    }
    return compare(r, LCL_DATA, error, err);
}

/* The mean of the gradients of two nets, as of two devices that train together. */
static lcl_status mean(run *r, double *error, lcl_error *err)
{
    const lcl_net_options options = {.seed = 7};
    lcl_net **copies = lcl_alloc(1, sizeof(lcl_net *));
    lcl_replicas *replicas = NULL;

    lcl_status status =
        lcl_net_create(&copies[0], lcl_net_device(r->net), r->net_source, &options, err);
    if (status != LCL_OK) {
        free(copies);
        return status;
    }
    LCL_TRY(lcl_replicas_create(&replicas, r->net, copies, 1, err));
    status = write_gradients(r, copies[0], 50, err);
    lcl_update_values *theirs = r->values;
    r->values = NULL;
    if (status == LCL_OK)
        status = lcl_update_values_read(&r->values, r->net, err);
    if (status == LCL_OK)
        status = write_gradients(r, r->net, 1, err);
    for (size_t i = 0; status == LCL_OK && i < lcl_net_n_params(r->net); i++)
        for (size_t k = 0; k < r->values[i].n; k++)
            r->values[i].diff[k] = (r->values[i].diff[k] + theirs[i].diff[k]) / 2;
    lcl_update_values_free(theirs, r->net);
    if (status == LCL_OK)
        status = lcl_replicas_mean_diff(replicas, err);
    if (status == LCL_OK)
        status = compare(r, LCL_DIFF, error, err);
    lcl_replicas_destroy(replicas);
    return status;
}

void lcl_verify_updates(lcl_verify *v)
{
    for (size_t i = 0; i < LCL_COUNT(rules); i++) {
        run r = {0};
        lcl_error err = {0};
        double error = 0;
        if (!lcl_verify_wants(v, rules[i].row))
            continue;
        lcl_verify_progress(v, rules[i].row, rules[i].name);
        lcl_status status = prepare(&r, v->dev, rules[i].text, &err);
        if (status == LCL_OK)
            status = rules[i].is_mean ? mean(&r, &error, &err) : steps(&r, &error, &err);
        lcl_verify_note(v,
                        (lcl_verify_finding){.row = rules[i].row,
                                             .name = rules[i].name,
                                             .where = "parameters",
                                             .error = error,
                                             .limit = LIMIT,
                                             .failure = status == LCL_OK ? NULL : &err});
        release(&r);
    }
}
