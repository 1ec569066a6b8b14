/* Snapshots: what is written can be read, by Caffe's rules; wrong files are told apart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#include "snapshot.h"
#include "testing.h"
#include "text.h"

static const char net_text[] =
    "layer { name: 'in' type: 'Input' top: 'x' input_param { shape { dim: 2 dim: 5 } } }"
    "layer { name: 'a' type: 'InnerProduct' bottom: 'x' top: 'y'"
    "  inner_product_param { num_output: 3 weight_filler { type: 'xavier' } } }";

/* A net with its update, and a folder for its files. */
typedef struct {
    lcl_proto *solver;
    lcl_net *net;
    lcl_update *update;
    char folder[64];
} fixture;

static lcl_proto *parse(const ProtobufCMessageDescriptor *type, const char *text)
{
    lcl_error err = {0};
    lcl_proto *proto = NULL;

    CHECK_OK(lcl_proto_parse_text(&proto, type, "text", text, strlen(text),
                                  LCL_UNKNOWN_IS_ERROR, NULL, &err));
    return proto;
}

/* Takes the folder of `beside` where given, else makes one. */
static void set_up(fixture *f, const char *solver, int64_t seed, const fixture *beside)
{
    lcl_error err = {0};
    const lcl_net_options options = {.seed = seed};
    lcl_proto *net = parse(&caffe__net_parameter__descriptor, net_text);

    snprintf(f->folder, sizeof f->folder, "%s",
             beside ? beside->folder : "/tmp/test_snapshot_XXXXXX");
    if (!beside)
        ck_assert_ptr_nonnull(mkdtemp(f->folder));
    f->solver = parse(&caffe__solver_parameter__descriptor, solver);
    ((Caffe__SolverParameter *)lcl_proto_root(f->solver))->snapshot_prefix =
        lcl_format("%s/s", f->folder);
    CHECK_OK(lcl_net_create(&f->net, testing_device(), net, &options, &err));
    CHECK_OK(lcl_update_create(&f->update, f->net, f->solver, &err));
    lcl_proto_destroy(net);
}

static void tear_down(fixture *f, bool with_folder)
{
    lcl_update_destroy(f->update);
    lcl_net_destroy(f->net);
    lcl_proto_destroy(f->solver);
    if (with_folder)
        ck_assert_int_eq(rmdir(f->folder), 0);
}

static char *path_in(const fixture *f, const char *name)
{
    return lcl_path_join(f->folder, name);
}

static void remove_in(const fixture *f, const char *name)
{
    char *path = path_in(f, name);

    ck_assert_msg(unlink(path) == 0, "%s", path);
    free(path);
}

/* The parameters' and histories' floats, one after the other. */
static float *read_all(const fixture *f, size_t *n)
{
    lcl_error err = {0};
    size_t count = lcl_net_param_count(f->net), k = 1 + lcl_update_n_histories(f->update);
    float *all = lcl_alloc(k * count, sizeof *all);

    for (size_t i = 0; i < k; i++)
        CHECK_OK(lcl_buffer_read(testing_device(),
                                 i == 0 ? lcl_net_param_data(f->net)
                                        : lcl_update_history(f->update, i - 1),
                                 0, count * sizeof *all, all + i * count, &err));
    *n = k * count;
    return all;
}

static void take_steps(fixture *f, int n)
{
    lcl_error err = {0};
    float diff[15];

    for (int i = 0; i < n; i++) {
        for (size_t k = 0; k < 15; k++)
            diff[k] = testing_value((unsigned)i, k);
        CHECK_OK(lcl_blob_write(lcl_net_param_at(f->net, 0)->blob, LCL_DIFF, diff, &err));
        CHECK_OK(lcl_blob_write(lcl_net_param_at(f->net, 1)->blob, LCL_DIFF, diff, &err));
        CHECK_OK(lcl_update_run(f->update, i, 0.1f, NULL, &err));
    }
}

static const char *const solvers[] = {
    "momentum: 0.9",
    "type: 'Adam' momentum: 0.9",
    "momentum: 0.9 snapshot_format: HDF5",
    "type: 'Adam' momentum: 0.9 snapshot_format: HDF5",
};

START_TEST(a_snapshot_restores_everything)
{
    lcl_error err = {0};
    fixture f, g;
    lcl_progress progress = {7, 2};
    bool hdf5 = strstr(solvers[_i], "HDF5") != NULL;
    const char *model_name = hdf5 ? "s_iter_7.caffemodel.h5" : "s_iter_7.caffemodel";
    const char *state_name = hdf5 ? "s_iter_7.solverstate.h5" : "s_iter_7.solverstate";

    set_up(&f, solvers[_i], 1, NULL);
    set_up(&g, solvers[_i], 2, &f);
    take_steps(&f, 3);
    CHECK_OK(lcl_snapshot_write(f.net, f.update, f.solver, progress, NULL, &err));
    char *path = path_in(&f, state_name);
    progress = (lcl_progress){0, 0};
    CHECK_OK(lcl_snapshot_read(g.net, g.update, path, &progress, NULL, &err));
    ck_assert_int_eq(progress.iteration, 7);
    ck_assert_int_eq(progress.current_step, 2);
    size_t n, m;
    float *a = read_all(&f, &n), *b = read_all(&g, &m);
    ck_assert_uint_eq(n, m);
    ck_assert(memcmp(a, b, n * sizeof *a) == 0);
    free(a);
    free(b);
    free(path);
    remove_in(&f, state_name);
    remove_in(&f, model_name);
    tear_down(&g, false);
    tear_down(&f, true);
}
END_TEST

/* The state's message is Caffe's: fields and shapes. */
START_TEST(the_state_is_caffes_message)
{
    lcl_error err = {0};
    fixture f;
    lcl_proto *document = NULL;

    set_up(&f, "momentum: 0.9", 1, NULL);
    CHECK_OK(
        lcl_snapshot_write(f.net, f.update, f.solver, (lcl_progress){12, 1}, NULL, &err));
    char *path = path_in(&f, "s_iter_12.solverstate");
    char *model = path_in(&f, "s_iter_12.caffemodel");
    CHECK_OK(
        lcl_proto_read_binary(&document, &caffe__solver_state__descriptor, path, &err));
    const Caffe__SolverState *state = (const void *)lcl_proto_root(document);
    ck_assert_int_eq(state->iter, 12);
    ck_assert_int_eq(state->current_step, 1);
    ck_assert_str_eq(state->learned_net, model);
    ck_assert_uint_eq(state->n_history, 2);
    ck_assert_uint_eq(state->history[0]->shape->n_dim, 2);
    ck_assert_int_eq(state->history[0]->shape->dim[0], 3);
    ck_assert_int_eq(state->history[0]->shape->dim[1], 5);
    ck_assert_uint_eq(state->history[0]->n_data, 15);
    ck_assert_uint_eq(state->history[1]->n_data, 3);
    lcl_proto_destroy(document);
    free(path);
    free(model);
    remove_in(&f, "s_iter_12.solverstate");
    remove_in(&f, "s_iter_12.caffemodel");
    tear_down(&f, true);
}
END_TEST

/* Files that moved together are found, whatever folder the state names. */
START_TEST(the_model_is_found_beside_the_state)
{
    lcl_error err = {0};
    fixture f;
    lcl_progress progress;
    char moved[80];

    set_up(&f, "momentum: 0.9", 1, NULL);
    CHECK_OK(
        lcl_snapshot_write(f.net, f.update, f.solver, (lcl_progress){1, 0}, NULL, &err));
    snprintf(moved, sizeof moved, "%s_moved", f.folder);
    ck_assert_int_eq(rename(f.folder, moved), 0);
    char *path = lcl_path_join(moved, "s_iter_1.solverstate");
    CHECK_OK(lcl_snapshot_read(f.net, f.update, path, &progress, NULL, &err));
    ck_assert_int_eq(progress.iteration, 1);
    ck_assert_int_eq(rename(moved, f.folder), 0);
    remove_in(&f, "s_iter_1.caffemodel");
    free(path);
    path = path_in(&f, "s_iter_1.solverstate");
    CHECK_FAILS(lcl_snapshot_read(f.net, f.update, path, &progress, NULL, &err), LCL_EIO,
                "s_iter_1.caffemodel' that this state belongs to is missing");
    free(path);
    remove_in(&f, "s_iter_1.solverstate");
    tear_down(&f, true);
}
END_TEST

START_TEST(states_of_other_solvers_and_other_files_are_refused)
{
    static const char *const golden =
        "tests/golden/solvers/resume_sgd/resume_sgd_iter_25";
    lcl_error err = {0};
    fixture f, g;
    lcl_progress progress;

    set_up(&f, "momentum: 0.9", 1, NULL);
    set_up(&g, "type: 'Adam'", 1, &f);
    CHECK_OK(
        lcl_snapshot_write(f.net, f.update, f.solver, (lcl_progress){1, 0}, NULL, &err));
    char *state = path_in(&f, "s_iter_1.solverstate"),
         *model = path_in(&f, "s_iter_1.caffemodel");
    char *renamed = path_in(&f, "model.solverstate");
    CHECK_FAILS(lcl_snapshot_read(g.net, g.update, state, &progress, NULL, &err),
                LCL_EPROTO, "Incorrect length of history blobs: the state has 2");
    ck_assert_ptr_nonnull(strstr(err.hint, "another solver type"));
    CHECK_FAILS(lcl_snapshot_read(f.net, f.update, model, &progress, NULL, &err),
                LCL_EPROTO, "a .caffemodel holds weights");
    ck_assert_ptr_nonnull(strstr(err.hint, "--weights"));
    ck_assert_int_eq(rename(model, renamed), 0);
    err = (lcl_error){0};
    ck_assert_int_eq(lcl_snapshot_read(f.net, f.update, renamed, &progress, NULL, &err),
                     LCL_EPROTO);
    CHECK_FAILS(
        lcl_snapshot_read(f.net, f.update, "x.solverstate.h5", &progress, NULL, &err),
        LCL_EIO, "cannot open: No such file");
    CHECK_FAILS(
        lcl_snapshot_read(f.net, f.update, "/no/such.solverstate", &progress, NULL, &err),
        LCL_EIO, "No such file");
    char *other = lcl_format("%s.solverstate", golden);
    CHECK_FAILS(lcl_snapshot_read(f.net, f.update, other, &progress, NULL, &err),
                LCL_EPROTO, "Incorrect length of history blobs: the state has 8");
    free(other);
    ck_assert_int_eq(unlink(renamed), 0);
    remove_in(&f, "s_iter_1.solverstate");
    free(state);
    free(model);
    free(renamed);
    tear_down(&g, false);
    tear_down(&f, true);
}
END_TEST

/* A truncated state is an error at every length, and changes nothing. */
START_TEST(truncated_states_are_errors)
{
    lcl_error err = {0};
    fixture f;
    lcl_progress progress = {3, 0};
    char *bytes = NULL;
    size_t size;

    set_up(&f, "momentum: 0.9", 1, NULL);
    CHECK_OK(lcl_snapshot_write(f.net, f.update, f.solver, progress, NULL, &err));
    char *path = path_in(&f, "s_iter_3.solverstate");
    CHECK_OK(lcl_file_read(&bytes, &size, path, 0, &err));
    for (size_t n = 0; n < size; n++) {
        CHECK_OK(lcl_file_write(path, bytes, n, &err));
        lcl_status status =
            lcl_snapshot_read(f.net, f.update, path, &progress, NULL, &err);
        ck_assert_msg(status == LCL_EPROTO || status == LCL_ESHAPE || status == LCL_EIO ||
                          (status == LCL_OK && n + 2 >= size),
                      "%zu of %zu bytes: %d", n, size, status);
    }
    free(bytes);
    free(path);
    remove_in(&f, "s_iter_3.solverstate");
    remove_in(&f, "s_iter_3.caffemodel");
    tear_down(&f, true);
}
END_TEST

/* A disk that is full halfway leaves the previous snapshot as it was. */
START_TEST(a_full_disk_is_an_error_and_keeps_the_old_file)
{
    lcl_error err = {0};
    fixture f;
    const lcl_progress progress = {5, 0};
    struct rlimit old, tight;
    char *before = NULL, *after = NULL;
    size_t n_before, n_after;

    set_up(&f, "momentum: 0.9", 1, NULL);
    CHECK_OK(lcl_snapshot_write(f.net, f.update, f.solver, progress, NULL, &err));
    char *model = path_in(&f, "s_iter_5.caffemodel");
    CHECK_OK(lcl_file_read(&before, &n_before, model, 0, &err));
    take_steps(&f, 1);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight = (struct rlimit){40, old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &tight), 0);
    lcl_status status =
        lcl_snapshot_write(f.net, f.update, f.solver, progress, NULL, &err);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_DFL);
    ck_assert_int_eq(status, LCL_EIO);
    ck_assert_ptr_nonnull(strstr(err.message, "File too large"));
    CHECK_OK(lcl_file_read(&after, &n_after, model, 0, &err));
    ck_assert_uint_eq(n_before, n_after);
    ck_assert(memcmp(before, after, n_before) == 0);
    free(before);
    free(after);
    free(model);
    remove_in(&f, "s_iter_5.solverstate");
    remove_in(&f, "s_iter_5.caffemodel");
    tear_down(&f, true); /* no temporary file is left */
}
END_TEST

START_TEST(diffs_are_saved_where_asked)
{
    lcl_error err = {0};
    fixture f;
    lcl_proto *document = NULL;

    set_up(&f, "momentum: 0.9 snapshot_diff: true", 1, NULL);
    take_steps(&f, 1);
    CHECK_OK(
        lcl_snapshot_write(f.net, f.update, f.solver, (lcl_progress){1, 0}, NULL, &err));
    char *model = path_in(&f, "s_iter_1.caffemodel");
    CHECK_OK(
        lcl_proto_read_binary(&document, &caffe__net_parameter__descriptor, model, &err));
    const Caffe__NetParameter *net = (const void *)lcl_proto_root(document);
    const Caffe__BlobProto *bias = net->layer[net->n_layer - 1]->blobs[1];
    ck_assert_uint_eq(bias->n_diff, 3);
    ck_assert_float_eq_tol(bias->diff[0], 0.1f * testing_value(0, 0), 1e-6f);
    lcl_proto_destroy(document);
    free(model);
    remove_in(&f, "s_iter_1.solverstate");
    remove_in(&f, "s_iter_1.caffemodel");
    tear_down(&f, true);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *tc = tcase_create("snapshot");

    tcase_add_loop_test(tc, a_snapshot_restores_everything, 0, (int)LCL_COUNT(solvers));
    tcase_add_test(tc, the_state_is_caffes_message);
    tcase_add_test(tc, the_model_is_found_beside_the_state);
    tcase_add_test(tc, states_of_other_solvers_and_other_files_are_refused);
    tcase_add_test(tc, truncated_states_are_errors);
    tcase_add_test(tc, a_full_disk_is_an_error_and_keeps_the_old_file);
    tcase_add_test(tc, diffs_are_saved_where_asked);
    suite_add_tcase(suite, tc);
    return testing_run(suite);
}
