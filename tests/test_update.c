/* The six updates against Caffe's formulas written out on the host. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "testing.h"
#include "text.h"
#include "update.h"
#include "verify/update_reference.h"

#define N_STEPS 3

/* Two layers, so that factors differ; the first weight is longer than a chunk. */
static const char net_text[] =
    "layer { name: 'in' type: 'Input' top: 'x' input_param { shape { dim: 2 dim: 130 } } "
    "}"
    "layer { name: 'a' type: 'InnerProduct' bottom: 'x' top: 'y'"
    "  param { lr_mult: 1 } param { lr_mult: 2 decay_mult: 0 }"
    "  inner_product_param { num_output: 37 weight_filler { type: 'xavier' } } }"
    "layer { name: 'b' type: 'InnerProduct' bottom: 'y' top: 'z'"
    "  param { lr_mult: 0.5 decay_mult: 3 } param { lr_mult: 3 }"
    "  inner_product_param { num_output: 3 weight_filler { type: 'xavier' } } }";

static lcl_net *create_net(void)
{
    lcl_error err = {0};
    lcl_proto *proto = NULL;
    lcl_net *net = NULL;
    const lcl_net_options options = {.seed = 7};

    CHECK_OK(lcl_proto_parse_text(&proto, &caffe__net_parameter__descriptor, "net",
                                  net_text, strlen(net_text), LCL_UNKNOWN_IS_ERROR, NULL,
                                  &err));
    CHECK_OK(lcl_net_create(&net, testing_device(), proto, &options, &err));
    lcl_proto_destroy(proto);
    return net;
}

static lcl_proto *parse_solver(const char *text)
{
    lcl_error err = {0};
    lcl_proto *proto = NULL;

    CHECK_OK(lcl_proto_parse_text(&proto, &caffe__solver_parameter__descriptor, "solver",
                                  text, strlen(text), LCL_UNKNOWN_IS_ERROR, NULL, &err));
    return proto;
}

/* ---- Against the formulas ---------------------------------------------------------- */

static lcl_update_values *read_values(const lcl_net *net)
{
    lcl_update_values *v = NULL;
    lcl_error err;

    CHECK_OK(lcl_update_values_read(&v, net, &err));
    return v;
}

/* New gradients, the same on both sides; some are zero, some weights are. */
static void write_gradients(const lcl_net *net, lcl_update_values *v, unsigned seed)
{
    lcl_error err = {0};

    for (size_t i = 0; i < lcl_net_n_params(net); i++) {
        for (size_t k = 0; k < v[i].n; k++)
            v[i].diff[k] = k % 11 == 0 ? 0 : testing_value(seed + (unsigned)i, k);
        CHECK_OK(
            lcl_blob_write(lcl_net_param_at(net, i)->blob, LCL_DIFF, v[i].diff, &err));
    }
}

static void check_values(const lcl_net *net, const lcl_update_values *v,
                         const char *solver)
{
    lcl_error err = {0};

    for (size_t i = 0; i < lcl_net_n_params(net); i++) {
        float *got = lcl_alloc(v[i].n, sizeof *got);
        CHECK_OK(lcl_blob_read(lcl_net_param_at(net, i)->blob, LCL_DATA, got, &err));
        for (size_t k = 0; k < v[i].n; k++)
            ck_assert_msg(fabs((double)got[k] - (double)v[i].data[k]) <=
                              2e-6 * (1 + fabs((double)v[i].data[k])),
                          "%s: parameter %zu[%zu]: %.9g, expected %.9g", solver, i, k,
                          (double)got[k], (double)v[i].data[k]);
        free(got);
    }
}

static const char *const solvers[] = {
    "type: 'SGD' momentum: 0.9 weight_decay: 0.01",
    "momentum: 0.9 weight_decay: 0.01 regularization_type: 'L1'",
    "momentum: 0.9",
    "momentum: 0.9 weight_decay: 0.01 clip_gradients: 3",
    "momentum: 0.9 weight_decay: 0.01 clip_gradients: 1000",
    "momentum: 0.5 weight_decay: 0.01 iter_size: 4 clip_gradients: 3",
    "momentum: 0.9 weight_decay: 0.01 snapshot_diff: true",
    "type: 'Nesterov' momentum: 0.9 weight_decay: 0.01",
    "type: 'AdaGrad' weight_decay: 0.01 delta: 1e-2",
    "type: 'RMSProp' weight_decay: 0.01 rms_decay: 0.9 delta: 1e-2",
    "type: 'AdaDelta' momentum: 0.95 weight_decay: 0.01 delta: 1e-3",
    "type: 'Adam' momentum: 0.9 momentum2: 0.99 weight_decay: 0.01 delta: 1e-2",
    "type: 'Adam' momentum: 0.9 regularization_type: 'L1' weight_decay: 0.1 delta: 1e-2",
};

/* As a CPU, a GPU and a plain device run it. */
static const struct {
    int vector, group;
} ways[] = {{16, 1}, {4, 64}, {1, 8}};

static void check_formulas(const char *text, int vector, int group)
{
    lcl_error err = {0};
    lcl_net *net = create_net();
    lcl_proto *solver = parse_solver(text);
    const Caffe__SolverParameter *p = (const void *)lcl_proto_root(solver);
    lcl_update *u = NULL;
    lcl_update_values *v = read_values(net);

    CHECK_OK(lcl_update_create_as(&u, net, solver, vector, group, &err));
    for (int i = 0; i < N_STEPS; i++) {
        write_gradients(net, v, 10 * (unsigned)i);
        CHECK_OK(lcl_update_run(u, i, 0.1f, NULL, &err));
        lcl_update_reference(p, net, v, i, 0.1);
        check_values(net, v, text);
    }
    lcl_update_values_free(v, net);
    lcl_update_destroy(u);
    lcl_proto_destroy(solver);
    lcl_net_destroy(net);
}

START_TEST(updates_follow_the_formulas)
{
    for (size_t i = 0; i < LCL_COUNT(ways); i++)
        check_formulas(solvers[_i], ways[i].vector, ways[i].group);
}
END_TEST

START_TEST(clipping_is_logged)
{
    lcl_error err = {0};
    lcl_net *net = create_net();
    lcl_proto *solver = parse_solver("clip_gradients: 2");
    lcl_update *u = NULL;
    lcl_update_values *v = read_values(net);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    lcl_log *log = lcl_log_create(stream);

    CHECK_OK(lcl_update_create(&u, net, solver, &err));
    memset(v[0].diff, 0, v[0].n * sizeof(float));
    v[0].diff[v[0].n - 1] = 8;
    for (size_t i = 0; i < lcl_net_n_params(net); i++)
        CHECK_OK(
            lcl_blob_write(lcl_net_param_at(net, i)->blob, LCL_DIFF, v[i].diff, &err));
    CHECK_OK(lcl_update_run(u, 0, 0.1f, log, &err));
    lcl_log_destroy(log);
    fclose(stream);
    ck_assert_msg(strstr(text,
                         "] Gradient clipping: scaling down gradients (L2 norm 8 > 2) "
                         "by scale factor 0.25\n") != NULL,
                  "%s", text);
    free(text);
    lcl_update_values_free(v, net);
    lcl_update_destroy(u);
    lcl_proto_destroy(solver);
    lcl_net_destroy(net);
}
END_TEST

START_TEST(diffs_hold_the_update_only_where_asked)
{
    lcl_error err = {0};
    lcl_net *net = create_net();

    for (int keep = 0; keep < 2; keep++) {
        lcl_proto *solver = parse_solver(keep ? "debug_info: true" : "");
        lcl_update *u = NULL;
        lcl_update_values *v = read_values(net);
        float diff[3];
        CHECK_OK(lcl_update_create(&u, net, solver, &err));
        ck_assert_int_eq(lcl_update_keeps_diff(u), keep);
        write_gradients(net, v, 3);
        CHECK_OK(lcl_update_run(u, 0, 0.5f, NULL, &err));
        /* The last parameter has lr_mult 3. */
        CHECK_OK(lcl_blob_read(lcl_net_param_at(net, 3)->blob, LCL_DIFF, diff, &err));
        for (int k = 0; k < 3; k++)
            ck_assert_float_eq_tol(diff[k], v[3].diff[k] * (keep ? 1.5f : 1.0f), 1e-6f);
        lcl_update_values_free(v, net);
        lcl_update_destroy(u);
        lcl_proto_destroy(solver);
    }
    lcl_net_destroy(net);
}
END_TEST

static const struct {
    const char *solver, *message, *hint;
} bad[] = {
    {"type: 'Adma'", "unknown solver type \"Adma\"", "Adam"},
    {"type: 'sgd'", "unknown solver type \"sgd\"", "SGD"},
    {"type: 'AdaGrad' momentum: 0.9", "momentum cannot be used with AdaGrad", ""},
    {"type: 'RMSProp' momentum: 0.9", "momentum cannot be used with RMSProp", ""},
    {"type: 'RMSProp' rms_decay: 1", "rms_decay must lie in [0, 1)", ""},
    {"weight_decay: 1 regularization_type: 'L3'", "unknown regularization type \"L3\"",
     "L2"},
};

START_TEST(wrong_fields_are_errors)
{
    lcl_error err = {0};
    lcl_net *net = create_net();
    lcl_proto *solver = parse_solver(bad[_i].solver);
    lcl_update *u = NULL;

    CHECK_FAILS(lcl_update_create(&u, net, solver, &err), LCL_EPROTO, bad[_i].message);
    ck_assert_ptr_nonnull(strstr(err.hint, bad[_i].hint));
    ck_assert_ptr_nonnull(strstr(err.where, "solver:1:"));
    ck_assert_ptr_null(u);
    lcl_proto_destroy(solver);
    lcl_net_destroy(net);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("update");
    TCase *tc = tcase_create("update");

    tcase_add_loop_test(tc, updates_follow_the_formulas, 0, (int)LCL_COUNT(solvers));
    tcase_add_test(tc, clipping_is_logged);
    tcase_add_test(tc, diffs_hold_the_update_only_where_asked);
    tcase_add_loop_test(tc, wrong_fields_are_errors, 0, (int)LCL_COUNT(bad));
    suite_add_tcase(suite, tc);
    return testing_run(suite);
}
