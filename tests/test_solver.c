/* Training against trajectories of Caffe's, and the solver's rules, lines and reactions. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"
#include "lcl/solver.h"
#include "npy.h"
#include "testing.h"
#include "text.h"

#define GOLDEN "tests/golden/"
#define FASHION "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
#define MINI GOLDEN "data/mini-images-idx3-ubyte"

/* ---- Building a solver ------------------------------------------------------------- */

static lcl_proto *parse(const ProtobufCMessageDescriptor *type, const char *text)
{
    lcl_error err = {0};
    lcl_proto *proto = NULL;

    CHECK_OK(lcl_proto_parse_text(&proto, type, "text", text, strlen(text),
                                  LCL_UNKNOWN_IS_ERROR, NULL, &err));
    return proto;
}

/* The solver of a file with its net put inside, reading its images from `source`. */
static lcl_proto *read_golden_solver(const char *name, const char *source)
{
    lcl_error err = {0};
    lcl_proto *solver = NULL, *net = NULL;
    char path[256];

    snprintf(path, sizeof path, GOLDEN "solvers/%s/solver.prototxt", name);
    CHECK_OK(lcl_proto_read_text(&solver, &caffe__solver_parameter__descriptor, path,
                                 LCL_UNKNOWN_IS_ERROR, NULL, &err));
    Caffe__SolverParameter *p = (void *)lcl_proto_root(solver);
    snprintf(path, sizeof path, GOLDEN "solvers/%s", p->net);
    CHECK_OK(lcl_proto_read_text(&net, &caffe__net_parameter__descriptor, path,
                                 LCL_UNKNOWN_IS_ERROR, NULL, &err));
    Caffe__NetParameter *inside = (void *)lcl_proto_root(net);
    free(inside->layer[0]->data_param->source);
    inside->layer[0]->data_param->source = lcl_strdup(source);
    free(p->net);
    p->net = NULL;
    p->has_display = true;
    p->display = 1;
    char *solver_text = lcl_proto_print(&p->base);
    char *net_text = lcl_proto_print(&inside->base);
    char *text = lcl_format("%s\nnet_param {\n%s}\n", solver_text, net_text);
    lcl_proto_destroy(solver);
    lcl_proto_destroy(net);
    solver = parse(&caffe__solver_parameter__descriptor, text);
    free(solver_text);
    free(net_text);
    free(text);
    return solver;
}

static lcl_solver *create(const lcl_proto *source, const lcl_solver_options *options)
{
    lcl_error err = {0};
    lcl_solver *s = NULL;

    CHECK_OK(lcl_solver_create(&s, testing_device(), source, options, &err));
    return s;
}

/* ---- Caffe's trajectories ---------------------------------------------------------- */

/* How far Caffe is from itself with other BLAS kernels: losses relative, of iterations 0-9,
 * 0-24 and 0-49; weights after the last one absolute. */
typedef struct {
    const char *name;
    double loss10, loss25, loss50, final;
} trajectory;

static const trajectory trajectories[] = {
    {"lenet_sgd", 4.8e-7, 2.6e-4, 7.5e-3, 0},
    {"lenet_adam", 2.2e-7, 2.6e-7, 4e-7, 0},
    {"policy_exp", 1.1e-7, 2e-7, 7.9e-7, 0},
    {"policy_fixed", 1.1e-7, 1.3e-7, 6.4e-7, 0},
    {"policy_inv", 1.1e-7, 2.3e-7, 9.9e-7, 0},
    {"policy_multistep", 1.1e-7, 1.3e-7, 3.8e-7, 0},
    {"policy_poly", 1e-7, 6.5e-7, 1.4e-6, 0},
    {"policy_sigmoid", 1.1e-7, 1.1e-7, 9.7e-7, 0},
    {"policy_step", 1.1e-7, 1.3e-7, 1.9e-7, 0},
    {"resume_sgd", 2.1e-7, 3e-7, 3e-7, 6.1e-7},
    {"resume_sgd_h5", 2.1e-7, 3e-7, 3e-7, 6.1e-7},
    {"sgd_clip", 1.1e-7, 1.2e-7, 1.7e-7, 7.7e-7},
    {"sgd_iter_size2", 1.1e-7, 1.6e-7, 3.3e-7, 3e-6},
    {"sgd_mult", 2.2e-7, 2.2e-7, 3.2e-7, 8.9e-8},
    {"solver_sgd", 1.1e-7, 1.3e-7, 6.4e-7, 5.3e-6},
    {"solver_nesterov", 1.1e-7, 5.5e-4, 2.8e-2, 6.5e-3},
    {"solver_adagrad", 9e-7, 1.7e-6, 1.6e-2, 1.5e-2},
    {"solver_adam", 1.1e-7, 1.7e-7, 2.4e-7, 5.3e-7},
};

/* Where vectors are narrower than 16, sums have another order: a loss of policy_step is 1.5e-6 off (this
 * is the noise of policy_fixed, the same net), and in lenet_adam a pool takes another of two values that
 * are as good as equal, of which Adam makes 3e-3. */
static const trajectory narrow[] = {
    {"lenet_adam", 2.2e-7, 4e-6, 2e-3, 0},
    {"policy_step", 1.1e-7, 1.3e-7, 6.4e-7, 0},
};

/* Four times the noise: the bits are ours, and the same in every run, but not Caffe's. */
static double bound(const trajectory *t, int iteration)
{
    for (size_t i = 0; lcl_device_vector(testing_device()) < 16 && i < LCL_COUNT(narrow);
         i++)
        if (strcmp(t->name, narrow[i].name) == 0)
            t = &narrow[i];
    return 4 * (iteration < 10 ? t->loss10 : iteration < 25 ? t->loss25 : t->loss50);
}

static void check_losses(const trajectory *t, lcl_solver *s)
{
    lcl_error err = {0};
    char path[256], line[128];
    int first = lcl_solver_iteration(s);

    snprintf(path, sizeof path, GOLDEN "solvers/%s/train.csv", t->name);
    FILE *csv = fopen(path, "r");
    ck_assert_ptr_nonnull(csv);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, csv));
    while (fgets(line, sizeof line, csv)) {
        char *end;
        int iteration = (int)strtol(line, &end, 10);
        strtod(end + 1, &end);
        double wanted = strtod(end + 1, NULL);
        ck_assert_int_eq(lcl_solver_iteration(s), iteration);
        CHECK_OK(lcl_solver_step(s, 1, &err));
        double got = (double)lcl_solver_loss(s), off = fabs(got - wanted) / wanted;
        ck_assert_msg(
            off <= bound(t, iteration - first),
            "%s, iteration %d: loss %.9g, Caffe's %.9g: off by %.2g, bound %.2g", t->name,
            iteration, got, wanted, off, bound(t, iteration - first));
    }
    ck_assert_int_eq(lcl_solver_iteration(s), 50);
    fclose(csv);
}

static void check_weights(const trajectory *t, const lcl_net *net)
{
    static const char *const names[] = {"conv1_0", "conv1_1", "conv2_0", "conv2_1",
                                        NULL,      "ip1_1",   "ip2_0",   "ip2_1"};
    lcl_error err = {0};
    char path[256];

    for (size_t i = 0; t->final > 0 && i < LCL_COUNT(names); i++) {
        lcl_npy wanted;
        const lcl_blob *b = lcl_net_param_at(net, i)->blob;
        if (!names[i])
            continue;
        snprintf(path, sizeof path, GOLDEN "solvers/%s/final_%s.npy", t->name, names[i]);
        CHECK_OK(lcl_npy_read(&wanted, path, &err));
        ck_assert_uint_eq(wanted.count, lcl_blob_count(b));
        float *got = lcl_alloc(wanted.count, sizeof *got);
        CHECK_OK(lcl_blob_read(b, LCL_DATA, got, &err));
        for (size_t k = 0; k < wanted.count; k++)
            ck_assert_double_eq_tol((double)got[k], (double)wanted.values[k],
                                    4 * t->final);
        free(got);
        free(wanted.values);
    }
}

/* Winograd's transforms round otherwise than Caffe's sums, by about 1e-6. */
static void without_winograd(void)
{
    setenv("LCL_WINOGRAD", "0", 1);
}
static void with_winograd(void)
{
    unsetenv("LCL_WINOGRAD");
}

START_TEST(trajectories_are_caffes)
{
    const trajectory *t = &trajectories[_i];
    lcl_error err = {0};
    lcl_proto *source = read_golden_solver(t->name, FASHION);
    const lcl_solver_options options = {0};
    lcl_solver *s = create(source, &options);

    if (strncmp(t->name, "resume", 6) == 0) {
        char path[256];
        snprintf(path, sizeof path, GOLDEN "solvers/%s/%s_iter_25.solverstate%s", t->name,
                 t->name, strstr(t->name, "_h5") ? ".h5" : "");
        CHECK_OK(lcl_solver_restore(s, path, &err));
    } else {
        CHECK_OK(lcl_solver_load_weights(s,
                                         strncmp(t->name, "lenet", 5) == 0
                                             ? GOLDEN "lenet/init.caffemodel"
                                             : GOLDEN "solvers/init_tiny.caffemodel",
                                         &err));
    }
    check_losses(t, s);
    check_weights(t, lcl_solver_net(s));
    lcl_solver_destroy(s);
    lcl_proto_destroy(source);
}
END_TEST

/* The recipe of examples/mnist for its first iterations, closer than the noise of Caffe. */
START_TEST(lenet_starts_as_caffes)
{
    lcl_error err = {0};
    lcl_proto *source = read_golden_solver("lenet_sgd", FASHION);
    Caffe__SolverParameter *p = (void *)lcl_proto_root(source);
    const lcl_solver_options options = {0};
    char line[128];

    p->gamma = 0.0001f;
    p->max_iter = 200;
    lcl_solver *s = create(source, &options);
    CHECK_OK(lcl_solver_load_weights(s, GOLDEN "lenet/init.caffemodel", &err));
    FILE *csv = fopen(GOLDEN "lenet/train.csv", "r");
    ck_assert_ptr_nonnull(csv);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, csv));
    for (int i = 0; i < 50; i++) {
        ck_assert_ptr_nonnull(fgets(line, sizeof line, csv));
        double wanted = strtod(strrchr(line, ',') + 1, NULL);
        CHECK_OK(lcl_solver_step(s, 1, &err));
        double off = fabs((double)lcl_solver_loss(s) - wanted) / wanted;
        ck_assert_msg(off <= (i < 10 ? 1e-5 : 2e-3), "iteration %d is off by %g", i, off);
    }
    fclose(csv);
    lcl_solver_destroy(s);
    lcl_proto_destroy(source);
}
END_TEST

/* ---- Small solvers ----------------------------------------------------------------- */

#define MINI_DATA(batch)                                                                 \
    "layer { name: 'data' type: 'Data' top: 'data' top: 'label'"                         \
    " transform_param { scale: 0.00390625 }"                                             \
    " data_param { source: '" MINI "' batch_size: " #batch " } }"
#define MINI_HEAD                                                                        \
    "layer { name: 'ip' type: 'InnerProduct' bottom: 'data' top: 'ip' param { name: "    \
    "'w' }"                                                                              \
    " param { lr_mult: 2 } inner_product_param { num_output: 10"                         \
    " weight_filler { type: 'xavier' } } }"                                              \
    "layer { name: 'accuracy' type: 'Accuracy' bottom: 'ip' bottom: 'label' top: "       \
    "'accuracy'"                                                                         \
    " include { phase: TEST } }"                                                         \
    "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'ip' bottom: 'label' top: "    \
    "'loss' }"
#define MINI_NET(batch) "{ name: 'mini' " MINI_DATA(batch) MINI_HEAD "}"
#define MINI_SOLVER                                                                      \
    "base_lr: 0.1 lr_policy: 'fixed' momentum: 0.9 random_seed: 3 "                      \
    "snapshot_after_train: false "

/* Runs a solver to its end; returns what it logged. */
static char *solve_logged(const char *text, lcl_action (*poll)(void *), void *context,
                          const char *folder)
{
    lcl_error err = {0};
    lcl_proto *source = parse(&caffe__solver_parameter__descriptor, text);
    Caffe__SolverParameter *p = (void *)lcl_proto_root(source);
    char *log_text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&log_text, &size);
    lcl_log *log = lcl_log_create(stream);
    const lcl_solver_options options = {.log = log, .poll = poll, .context = context};

    if (folder)
        p->snapshot_prefix = lcl_format("%s/mini", folder);
    lcl_solver *s = create(source, &options);
    CHECK_OK(lcl_solver_solve(s, NULL, &err));
    lcl_solver_destroy(s);
    lcl_proto_destroy(source);
    lcl_log_destroy(log);
    fclose(stream);
    return log_text;
}

/* The log has these pieces in this order. */
static void check_order(const char *log, const char *const *pieces, size_t n)
{
    const char *at = log;

    for (size_t i = 0; i < n; i++) {
        const char *found = strstr(at, pieces[i]);
        ck_assert_msg(found != NULL, "'%s' does not follow in:\n%.1500s", pieces[i], at);
        at = found + strlen(pieces[i]);
    }
}
#define CHECK_ORDER(log, ...)                                                            \
    check_order(log, (const char *const[]){__VA_ARGS__},                                 \
                sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static int count(const char *text, const char *piece)
{
    int n = 0;

    for (const char *p = text; (p = strstr(p, piece)) != NULL; p++)
        n++;
    return n;
}

START_TEST(lines_stand_in_caffes_order)
{
    char *log =
        solve_logged(MINI_SOLVER "max_iter: 4 display: 2 test_iter: 3 test_interval: 4 "
                                 "net_param " MINI_NET(8),
                     NULL, NULL, NULL);

    CHECK_ORDER(
        log, "] Initializing solver from parameters: \ntest_iter: 3\n",
        "] Creating training net specified in net_param.\n",
        "] Creating test net (#0) specified by net_param\n",
        "] Solver scaffolding done.\n", "] Solving mini\n",
        "] Learning Rate Policy: fixed\n", "] Iteration 0, Testing net (#0)\n",
        "]     Test net output #0: accuracy = ", "]     Test net output #1: loss = ",
        " (* 1 = ", " loss)\n", "] Iteration 0 (0 iter/s, ", "s/2 iters), loss = ",
        "]     Train net output #0: loss = ", " (* 1 = ", " loss)\n",
        "] Iteration 0, lr = 0.1\n", "] Iteration 2 (", "] Iteration 2, lr = 0.1\n",
        "] Iteration 4, loss = ", "] Iteration 4, Testing net (#0)\n",
        "] Optimization Done.\n");
    ck_assert_int_eq(count(log, "Iteration 1"), 0);
    ck_assert_int_eq(count(log, "Train net output"), 2);
    ck_assert_int_eq(count(log, "Snapshotting"), 0);
    ck_assert_int_eq(count(log, "Test loss"), 0);
    free(log);
}
END_TEST

START_TEST(test_loss_and_first_test_are_optional)
{
    char *log =
        solve_logged(MINI_SOLVER "max_iter: 3 test_iter: 2 test_interval: 2 "
                                 "test_initialization: false test_compute_loss: true "
                                 "net_param " MINI_NET(8),
                     NULL, NULL, NULL);

    CHECK_ORDER(log, "] Iteration 2, Testing net (#0)\n", "] Test loss: ",
                "]     Test net output #0: accuracy = ", "] Optimization Done.\n");
    ck_assert_int_eq(count(log, "Testing net"), 1);
    ck_assert_int_eq(count(log, ", loss = "), 0);
    free(log);
}
END_TEST

START_TEST(debug_info_tells_all_magnitudes)
{
    char *log = solve_logged(
        MINI_SOLVER "max_iter: 1 display: 1 debug_info: true net_param " MINI_NET(8),
        NULL, NULL, NULL);

    CHECK_ORDER(log, "]     [Forward] Layer data, top blob data data: ",
                "]     [Forward] Layer ip, top blob ip data: ",
                "]     [Forward] Layer ip, param blob w data: ",
                "]     [Forward] Layer ip, param blob 1 data: 0\n",
                "]     [Forward] Layer loss, top blob loss data: ",
                "]     [Backward] Layer loss, bottom blob ip diff: ",
                "]     [Backward] Layer ip, param blob w diff: ",
                "]     [Backward] Layer ip, param blob 1 diff: ",
                "]     [Backward] All net params (data, diff): L1 norm = (",
                "] Iteration 0, lr = ", "]     [Update] Layer ip, param w data: ",
                "; diff: ", "]     [Update] Layer ip, param 1 data: ");
    free(log);
}
END_TEST

/* ---- Losses ------------------------------------------------------------------------ */

#define MAX_LOSSES 16

/* The losses of the displayed lines, the final one too. */
static int parse_losses(const char *log, double *losses)
{
    int n = 0;

    for (const char *p = log; (p = strstr(p, ", loss = ")) != NULL && n < MAX_LOSSES; p++)
        losses[n++] = strtod(p + strlen(", loss = "), NULL);
    return n;
}

/* average_loss is the mean of the last iterations, though not all of them are displayed. */
START_TEST(losses_are_smoothed)
{
    double each[MAX_LOSSES], smoothed[MAX_LOSSES];
    char *log = solve_logged(MINI_SOLVER "max_iter: 9 display: 1 net_param " MINI_NET(5),
                             NULL, NULL, NULL);

    ck_assert_int_eq(parse_losses(log, each), 10);
    free(log);
    log = solve_logged(MINI_SOLVER
                       "max_iter: 9 display: 3 average_loss: 2 net_param " MINI_NET(5),
                       NULL, NULL, NULL);
    ck_assert_int_eq(parse_losses(log, smoothed), 4);
    free(log);
    ck_assert_double_eq_tol(smoothed[0], each[0], 1e-5);
    for (int i = 1; i < 4; i++)
        ck_assert_double_eq_tol(smoothed[i], (each[3 * i] + each[3 * i - 1]) / 2, 2e-5);
}
END_TEST

/* Two passes of five images are one of ten; the mean of their losses is shown. */
START_TEST(iter_size_splits_a_batch)
{
    double whole[MAX_LOSSES], halves[MAX_LOSSES];
    char *log = solve_logged(MINI_SOLVER "max_iter: 5 display: 1 net_param " MINI_NET(10),
                             NULL, NULL, NULL);

    ck_assert_int_eq(parse_losses(log, whole), 6);
    free(log);
    log = solve_logged(MINI_SOLVER
                       "max_iter: 5 display: 1 iter_size: 2 net_param " MINI_NET(5),
                       NULL, NULL, NULL);
    ck_assert_int_eq(parse_losses(log, halves), 6);
    free(log);
    for (int i = 0; i < 5; i++)
        ck_assert_double_eq_tol(halves[i], whole[i], 2e-5);
    ck_assert_double_lt(whole[4], whole[0]);
}
END_TEST

/* ---- What the caller wants in between ---------------------------------------------- */

/* Asks for `action` at the n-th poll. */
typedef struct {
    int n;
    lcl_action action;
} later;

static lcl_action ask_later(void *context)
{
    later *l = context;

    return --l->n == 0 ? l->action : LCL_GO_ON;
}

static bool exists(const char *folder, const char *name)
{
    char *path = lcl_path_join(folder, name);
    bool found = lcl_file_exists(path);

    remove(path);
    free(path);
    return found;
}

static char *new_folder(void)
{
    char *folder = lcl_strdup("/tmp/test_solver_XXXXXX");

    ck_assert_ptr_nonnull(mkdtemp(folder));
    return folder;
}

START_TEST(a_stop_snapshots_and_ends)
{
    char *folder = new_folder();
    later stop = {3, LCL_STOP};
    char *log = solve_logged(MINI_SOLVER "max_iter: 50 net_param " MINI_NET(8), ask_later,
                             &stop, folder);

    CHECK_ORDER(log, "] Optimization stopped early.\n");
    ck_assert_int_eq(count(log, "Snapshotting"), 0); /* snapshot_after_train is false */
    free(log);
    stop = (later){3, LCL_SNAPSHOT_STOP};
    log = solve_logged(MINI_SOLVER "max_iter: 50 net_param " MINI_NET(8), ask_later,
                       &stop, folder);
    CHECK_ORDER(log, "] Snapshotting to binary proto file ", "/mini_iter_3.caffemodel\n",
                "] Snapshotting solver state to binary proto file ",
                "/mini_iter_3.solverstate\n", "] Optimization stopped early.\n");
    free(log);
    ck_assert(exists(folder, "mini_iter_3.caffemodel"));
    ck_assert(exists(folder, "mini_iter_3.solverstate"));
    rmdir(folder);
    free(folder);
}
END_TEST

START_TEST(a_snapshot_on_demand_goes_on)
{
    char *folder = new_folder();
    later ask = {2, LCL_SNAPSHOT};
    char *log = solve_logged(MINI_SOLVER "max_iter: 4 net_param " MINI_NET(8), ask_later,
                             &ask, folder);

    CHECK_ORDER(log, "/mini_iter_2.solverstate\n", "] Optimization Done.\n");
    free(log);
    ck_assert(exists(folder, "mini_iter_2.caffemodel"));
    ck_assert(exists(folder, "mini_iter_2.solverstate"));
    rmdir(folder);
    free(folder);
}
END_TEST

START_TEST(a_stop_interrupts_a_test)
{
    later stop = {2, LCL_STOP};
    char *log = solve_logged(
        MINI_SOLVER "max_iter: 9 test_iter: 5 test_interval: 9 net_param " MINI_NET(8),
        ask_later, &stop, NULL);

    CHECK_ORDER(log, "] Iteration 0, Testing net (#0)\n", "] Test interrupted.\n",
                "] Optimization stopped early.\n");
    ck_assert_int_eq(count(log, "Test net output"), 0);
    free(log);
}
END_TEST

START_TEST(snapshots_come_at_intervals_and_at_the_end)
{
    static const char *const names[] = {
        "mini_iter_2.caffemodel",  "mini_iter_2.solverstate", "mini_iter_4.caffemodel",
        "mini_iter_4.solverstate", "mini_iter_5.caffemodel",  "mini_iter_5.solverstate"};
    char *folder = new_folder();
    char *log = solve_logged("base_lr: 0.1 lr_policy: 'fixed' max_iter: 5 snapshot: 2 "
                             "net_param " MINI_NET(8),
                             NULL, NULL, folder);

    ck_assert_int_eq(count(log, "Snapshotting to binary"), 3);
    free(log);
    for (size_t i = 0; i < LCL_COUNT(names); i++)
        ck_assert_msg(exists(folder, names[i]), "%s", names[i]);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else is left */
    free(folder);
}
END_TEST

/* ---- Which nets there are ---------------------------------------------------------- */

START_TEST(own_test_nets_come_before_generic_ones)
{
    char *log =
        solve_logged(MINI_SOLVER "max_iter: 1 test_interval: 1 "
                                 "test_iter: 1 test_iter: 2 test_iter: 1 "
                                 "test_state { } test_state { stage: 'x' level: 2 } "
                                 "test_state { } train_state { stage: 'fit' } "
                                 "net_param " MINI_NET(8) "test_net_param " MINI_NET(4),
                     NULL, NULL, NULL);

    CHECK_ORDER(
        log, "] Creating training net specified in net_param.", "phase: TRAIN\n",
        "stage: \"fit\"", "] Creating test net (#0) specified by test_net_param\n",
        "] Creating test net (#1) specified by net_param\n", "phase: TEST\n",
        "level: 2\n", "stage: \"x\"", "] Creating test net (#2) specified by net_param\n",
        "] Iteration 0, Testing net (#0)", "] Iteration 0, Testing net (#1)",
        "] Iteration 0, Testing net (#2)");
    free(log);
}
END_TEST

START_TEST(test_nets_see_the_trained_weights)
{
    lcl_error err = {0};
    lcl_proto *source =
        parse(&caffe__solver_parameter__descriptor, MINI_SOLVER
              "max_iter: 9 test_iter: 1 test_interval: 9 net_param " MINI_NET(8));
    const lcl_solver_options options = {0};
    lcl_solver *s = create(source, &options);
    float before[10], trained[10], tested[10];

    ck_assert_uint_eq(lcl_solver_n_test_nets(s), 1);
    CHECK_OK(lcl_blob_read(lcl_net_param_at(lcl_solver_net(s), 1)->blob, LCL_DATA, before,
                           &err));
    CHECK_OK(lcl_solver_step(s, 2, &err));
    CHECK_OK(lcl_blob_read(lcl_net_param_at(lcl_solver_net(s), 1)->blob, LCL_DATA,
                           trained, &err));
    CHECK_OK(lcl_blob_read(lcl_net_param_at(lcl_solver_test_net(s, 0), 1)->blob, LCL_DATA,
                           tested, &err));
    ck_assert(memcmp(trained, before, sizeof trained) != 0);
    ck_assert(memcmp(trained, tested, sizeof trained) == 0);
    lcl_solver_destroy(s);
    lcl_proto_destroy(source);
}
END_TEST

static const struct {
    const char *text;
    lcl_status status;
    const char *message, *hint;
} bad[] = {
    {"lr_policy: 'fixed'", LCL_EPROTO, "must specify a train net", ""},
    {"lr_policy: 'fixed' net: 'a' train_net: 'b'", LCL_EPROTO,
     "more than one of these fields", ""},
    {"lr_policy: 'fixed' net: 'missing.prototxt'", LCL_EIO, "cannot open", ""},
    {"lr_policy: 'sigmod' net_param " MINI_NET(2), LCL_EPROTO, "sigmod", "sigmoid"},
    {"lr_policy: 'fixed' type: 'Sdg' net_param " MINI_NET(2), LCL_EPROTO, "Sdg", "SGD"},
    {"lr_policy: 'fixed' average_loss: 0 net_param " MINI_NET(2), LCL_EPROTO,
     "average_loss must be at least 1", ""},
    {"lr_policy: 'fixed' iter_size: 0 net_param " MINI_NET(2), LCL_EPROTO,
     "iter_size must be at least 1", ""},
    {"lr_policy: 'fixed' test_iter: 1 net_param " MINI_NET(2), LCL_EPROTO,
     "test_interval must be greater than 0", ""},
    {"lr_policy: 'fixed' test_interval: 1 test_net_param " MINI_NET(
         2) "net_param " MINI_NET(2),
     LCL_EPROTO, "test_iter must be specified for each test network", ""},
    {"lr_policy: 'fixed' test_interval: 1 test_iter: 1 test_iter: 1 "
     "test_net_param " MINI_NET(2) "train_net_param " MINI_NET(2),
     LCL_EPROTO, "test_iter must be specified for each test network", ""},
    {"lr_policy: 'fixed' test_interval: 1 test_iter: 1 test_state {} test_state {} "
     "net_param " MINI_NET(2),
     LCL_EPROTO, "test_state must be unspecified or specified once per test net", ""},
    {"lr_policy: 'fixed' snapshot_prefix: '/no/such/folder/x' net_param " MINI_NET(2),
     LCL_EIO, "Cannot write to snapshot prefix '/no/such/folder/x'",
     "mkdir -p /no/such/folder"},
    {"lr_policy: 'fixed' weights: 'x.solverstate' snapshot_after_train: false "
     "net_param " MINI_NET(2),
     LCL_EUSAGE, "this is a solver's state", "resume from it with --snapshot"},
    {"lr_policy: 'fixed' weights: 'x.caffemodel' snapshot_after_train: false "
     "net_param " MINI_NET(2),
     LCL_EIO, "", ""},
};

START_TEST(wrong_solvers_are_errors)
{
    lcl_error err = {0};
    lcl_proto *source = parse(&caffe__solver_parameter__descriptor, bad[_i].text);
    const lcl_solver_options options = {0};
    lcl_solver *s = NULL;

    CHECK_FAILS(lcl_solver_create(&s, testing_device(), source, &options, &err),
                bad[_i].status, bad[_i].message);
    ck_assert_msg(strstr(err.hint, bad[_i].hint) != NULL, "'%s' is not in '%s'",
                  bad[_i].hint, err.hint);
    ck_assert_ptr_null(s);
    lcl_proto_destroy(source);
}
END_TEST

/* ---- A device that fails ----------------------------------------------------------- */

/* Builds, trains, tests and snapshots. */
static lcl_status whole_run(const lcl_proto *source, lcl_error *err)
{
    const lcl_solver_options options = {0};
    lcl_solver *s = NULL;
    lcl_status status = lcl_solver_create(&s, testing_device(), source, &options, err);

    if (status == LCL_OK)
        status = lcl_solver_solve(s, NULL, err);
    if (status == LCL_OK)
        status = lcl_solver_snapshot(s, err);
    lcl_solver_destroy(s);
    return status;
}

/* The first call of a kind fails, then the second, ... until a run goes through. */
START_TEST(every_device_failure_is_an_error)
{
    char *folder = new_folder();
    char *text = lcl_format(MINI_SOLVER "max_iter: 2 display: 1 test_iter: 1 "
                                        "test_interval: 2 clip_gradients: 0.1 "
                                        "snapshot_prefix: '%s/s' net_param " MINI_NET(8),
                            folder);
    lcl_proto *source = parse(&caffe__solver_parameter__descriptor, text);
    lcl_status status = LCL_EDEVICE;
    unsigned n = 0;

    while (status != LCL_OK) {
        lcl_error err = {0};
        lcl_device_fault(testing_device(), (lcl_fault)_i, ++n);
        status = whole_run(source, &err);
        lcl_device_fault(testing_device(), (lcl_fault)_i, 0);
        ck_assert_msg(status == LCL_OK || status == LCL_EDEVICE, "call %u: %s", n,
                      err.message);
        ck_assert_msg(status == LCL_OK || err.message[0], "call %u: no message", n);
        ck_assert_uint_lt(n, 1000);
    }
    ck_assert_int_eq(exists(folder, "s_iter_2.caffemodel"), 1);
    ck_assert_int_eq(exists(folder, "s_iter_2.solverstate"), 1);
    ck_assert_int_eq(rmdir(folder), 0);
    lcl_proto_destroy(source);
    free(text);
    free(folder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("solver");
    TCase *tc = tcase_create("solver");
    TCase *direct = tcase_create("direct");

    tcase_set_timeout(direct, 300);
    tcase_add_checked_fixture(direct, without_winograd, with_winograd);
    tcase_add_loop_test(direct, trajectories_are_caffes, 0, (int)LCL_COUNT(trajectories));
    suite_add_tcase(suite, direct);
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, lenet_starts_as_caffes);
    tcase_add_test(tc, lines_stand_in_caffes_order);
    tcase_add_test(tc, test_loss_and_first_test_are_optional);
    tcase_add_test(tc, debug_info_tells_all_magnitudes);
    tcase_add_test(tc, losses_are_smoothed);
    tcase_add_test(tc, iter_size_splits_a_batch);
    tcase_add_test(tc, a_stop_snapshots_and_ends);
    tcase_add_test(tc, a_snapshot_on_demand_goes_on);
    tcase_add_test(tc, a_stop_interrupts_a_test);
    tcase_add_test(tc, snapshots_come_at_intervals_and_at_the_end);
    tcase_add_test(tc, own_test_nets_come_before_generic_ones);
    tcase_add_test(tc, test_nets_see_the_trained_weights);
    tcase_add_loop_test(tc, wrong_solvers_are_errors, 0, (int)LCL_COUNT(bad));
    tcase_add_loop_test(tc, every_device_failure_is_an_error, 0, LCL_N_FAULTS);
    suite_add_tcase(suite, tc);
    return testing_run(suite);
}
