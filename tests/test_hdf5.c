/* HDF5: what is written reads back, models and states have Caffe's names, and damaged or
 * foreign files are errors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hdf5_file.h"
#include "lcl/net.h"
#include "snapshot_hdf5.h"
#include "testing.h"
#include "text.h"

#define DATA "tests/golden/data/"
#define STATE "tests/golden/solvers/resume_sgd_h5/resume_sgd_h5_iter_25.solverstate.h5"

static lcl_error err;
static char folder[] = "/tmp/test_hdf5_XXXXXX";
static char *path; /* of a file in it */

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    path = lcl_path_join(folder, "a.h5");
}

static void remove_folder(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    free(path);
}

static lcl_hdf5 *open_it(const char *name)
{
    lcl_hdf5 *f = NULL;

    CHECK_OK(lcl_hdf5_open(&f, name, &err));
    return f;
}

/* ---- Files ------------------------------------------------------------------------- */

START_TEST(what_is_written_reads_back)
{
    const float values[6] = {1, -2, 0.5f, 1e30f, 0, 6};
    lcl_hdf5 *f;
    lcl_hdf5_array a;
    char **names, *text;
    size_t n;
    int number;

    CHECK_OK(lcl_hdf5_create(&f, path, &err));
    CHECK_OK(lcl_hdf5_add(f, "data/conv1/0", 2, (int[]){2, 3}, values, &err));
    CHECK_OK(lcl_hdf5_add(f, "scalar", 0, NULL, values, &err));
    CHECK_OK(lcl_hdf5_add_group(f, "data/relu", &err));
    CHECK_OK(lcl_hdf5_add_group(f, "data/relu", &err));
    CHECK_OK(lcl_hdf5_add_int(f, "iter", -7, &err));
    CHECK_OK(lcl_hdf5_add_string(f, "name", "a b", &err));
    ck_assert(!lcl_file_exists(path));
    CHECK_OK(lcl_hdf5_save(f, &err));
    lcl_hdf5_close(f);
    ck_assert(lcl_hdf5_is(path));

    f = open_it(path);
    CHECK_OK(lcl_hdf5_read(f, "data/conv1/0", &a, &err));
    ck_assert(a.n_axes == 2 && a.shape[0] == 2 && a.shape[1] == 3 && a.count == 6);
    ck_assert(memcmp(a.values, values, sizeof values) == 0);
    free(a.values);
    CHECK_OK(lcl_hdf5_read(f, "scalar", &a, &err));
    ck_assert(a.n_axes == 0 && a.count == 1 && a.values[0] == 1);
    free(a.values);
    CHECK_OK(lcl_hdf5_read_int(f, "iter", &number, &err));
    ck_assert_int_eq(number, -7);
    CHECK_OK(lcl_hdf5_read_string(f, "name", &text, &err));
    ck_assert_str_eq(text, "a b");
    free(text);
    CHECK_OK(lcl_hdf5_list(f, "data", &names, &n, &err));
    ck_assert_uint_eq(n, 2);
    ck_assert_str_eq(names[0], "conv1");
    ck_assert_str_eq(names[1], "relu");
    lcl_list_free(names, n);
    ck_assert(lcl_hdf5_has(f, "data/conv1") && lcl_hdf5_is_group(f, "data/conv1"));
    ck_assert(lcl_hdf5_has(f, "iter") && !lcl_hdf5_is_group(f, "iter"));
    ck_assert(!lcl_hdf5_has(f, "no") && !lcl_hdf5_has(f, "no/such/thing"));
    lcl_hdf5_close(f);
}
END_TEST

START_TEST(wrong_content_is_named)
{
    lcl_hdf5 *f;
    lcl_hdf5_array a;
    char **names, *text;
    size_t n;
    int number;

    CHECK_FAILS(lcl_hdf5_open(&f, "no/such.h5", &err), LCL_EIO, "No such file");
    CHECK_FAILS(lcl_hdf5_open(&f, DATA "mini_h5.txt", &err), LCL_EDATA,
                "is not an HDF5 file");
    CHECK_FAILS(lcl_hdf5_open(&f, DATA, &err), LCL_EDATA, "is not an HDF5 file");
    f = open_it(STATE);
    CHECK_FAILS(lcl_hdf5_read(f, "histories/0", &a, &err), LCL_EDATA,
                "has no data set 'histories/0'");
    CHECK_FAILS(lcl_hdf5_read(f, "history", &a, &err), LCL_EDATA,
                "cannot open data set 'history'");
    CHECK_FAILS(lcl_hdf5_read(f, "learned_net", &a, &err), LCL_EDATA,
                "'learned_net' does not hold integers or floats");
    CHECK_FAILS(lcl_hdf5_read_int(f, "history/0", &number, &err), LCL_EDATA,
                "is not one integer");
    CHECK_FAILS(lcl_hdf5_read_int(f, "nothing", &number, &err), LCL_EDATA, "no data set");
    CHECK_FAILS(lcl_hdf5_read_string(f, "iter", &text, &err), LCL_EDATA,
                "is not a string");
    CHECK_FAILS(lcl_hdf5_list(f, "nothing", &names, &n, &err), LCL_EDATA,
                "no group 'nothing'");
    lcl_hdf5_close(f);
    CHECK_OK(lcl_hdf5_create(&f, "no/such/folder/x.h5", &err));
    CHECK_FAILS(lcl_hdf5_save(f, &err), LCL_EIO, "");
    lcl_hdf5_close(f);
}
END_TEST

START_TEST(rows_are_appended)
{
    const float values[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    lcl_hdf5 *f;
    lcl_hdf5_array a;

    CHECK_OK(lcl_hdf5_create(&f, path, &err));
    CHECK_OK(lcl_hdf5_save(f, &err));
    lcl_hdf5_close(f);
    CHECK_OK(lcl_hdf5_append(path, "data", 2, (int[]){2, 3}, values, &err));
    CHECK_OK(lcl_hdf5_append(path, "data", 2, (int[]){1, 3}, values + 6, &err));
    CHECK_OK(lcl_hdf5_append(path, "data", 2, (int[]){1, 3}, values + 9, &err));
    CHECK_FAILS(lcl_hdf5_append(path, "data", 2, (int[]){1, 4}, values, &err), LCL_ESHAPE,
                "rows of another size");
    CHECK_FAILS(lcl_hdf5_append(path, "data", 1, (int[]){3}, values, &err), LCL_ESHAPE,
                "rows of another size");
    CHECK_FAILS(lcl_hdf5_append("no/such.h5", "data", 1, (int[]){3}, values, &err),
                LCL_EIO, "cannot open HDF5 file");
    f = open_it(path);
    CHECK_OK(lcl_hdf5_read(f, "data", &a, &err));
    ck_assert(a.n_axes == 2 && a.shape[0] == 4 && a.shape[1] == 3);
    ck_assert(memcmp(a.values, values, sizeof values) == 0);
    free(a.values);
    lcl_hdf5_close(f);
}
END_TEST

/* Whatever is cut off or changed: an error or numbers, and no crash. */
static void read_all(const char *name)
{
    lcl_hdf5 *f;
    lcl_hdf5_array a;
    lcl_proto *state;

    if (lcl_hdf5_open(&f, name, &err) != LCL_OK)
        return;
    if (lcl_hdf5_read(f, "data", &a, &err) == LCL_OK)
        free(a.values);
    lcl_hdf5_close(f);
    if (lcl_state_read_hdf5(&state, name, &err) == LCL_OK)
        lcl_proto_destroy(state);
}

START_TEST(damaged_files_are_errors)
{
    char *bytes;
    size_t size;
    lcl_hdf5 *f;

    CHECK_OK(lcl_file_read(&bytes, &size, _i ? STATE : DATA "mini.h5", 0, &err));
    for (size_t n = 0; n < size; n += 1 + size / 64) {
        CHECK_OK(lcl_file_write(path, bytes, n, &err));
        err = (lcl_error){0};
        ck_assert_int_eq(lcl_hdf5_open(&f, path, &err), LCL_EDATA);
        ck_assert_int_eq(lcl_state_read_hdf5(&(lcl_proto *){NULL}, path, &err),
                         LCL_EDATA);
    }
    for (size_t i = 0; i < size && i < 2048; i += 5) {
        char was = bytes[i];
        bytes[i] = (char)(was ^ 0x55);
        CHECK_OK(lcl_file_write(path, bytes, size, &err));
        read_all(path);
        bytes[i] = was;
    }
    free(bytes);
}
END_TEST

/* ---- Models ------------------------------------------------------------------------ */

#define NET                                                                              \
    "layer { name: 'in' type: 'Input' top: 'x' input_param { shape { dim: 2 dim: 3 } } " \
    "}"
#define IP(name, bottom, top, n, rest)                                                   \
    "layer { name: '" name "' type: 'InnerProduct' bottom: '" bottom "' top: '" top "' " \
    "inner_product_param { num_output: " n " weight_filler { type: 'xavier' } } " rest   \
    "}"
/* Two layers with one weight, and a name with a slash in it. */
#define SHARING                                                                          \
    NET IP("a", "x", "y", "3", "param { name: 'w' }")                                    \
        IP("b", "y", "z", "3", "param { name: 'w' }") IP("c/d", "z", "v", "2", "")

static lcl_net *make_net(const char *text, int64_t seed)
{
    const lcl_net_options options = {.seed = seed};
    lcl_proto *source;
    lcl_net *net = NULL;

    CHECK_OK(lcl_proto_parse_text(&source, &caffe__net_parameter__descriptor, "net", text,
                                  strlen(text), LCL_UNKNOWN_IS_ERROR, NULL, &err));
    CHECK_OK(lcl_net_create(&net, testing_device(), source, &options, &err));
    lcl_proto_destroy(source);
    return net;
}

static float *params_of(const lcl_net *net)
{
    size_t count = lcl_net_param_count(net);
    float *values = lcl_alloc(count, sizeof *values);

    CHECK_OK(lcl_buffer_read(testing_device(), lcl_net_param_data(net), 0,
                             count * sizeof *values, values, &err));
    return values;
}

START_TEST(models_have_caffes_names)
{
    static const char *const there[] = {"data/in",    "data/a/0",   "data/a/1",
                                        "data/b/1",   "data/c/d/0", "data/c/d/1",
                                        "diff/c/d/1", "diff/in",    "diff/b/1"};
    static const char *const absent[] = {"data/b/0", "data/in/0", "diff/b/0"};
    lcl_net *net = make_net(SHARING, 1), *other = make_net(SHARING, 2);

    CHECK_OK(lcl_net_save_hdf5(net, true, path, &err));
    lcl_hdf5 *f = open_it(path);
    for (size_t i = 0; i < LCL_COUNT(there); i++)
        ck_assert_msg(lcl_hdf5_has(f, there[i]), "%s", there[i]);
    for (size_t i = 0; i < LCL_COUNT(absent); i++)
        ck_assert_msg(!lcl_hdf5_has(f, absent[i]), "%s", absent[i]);
    lcl_hdf5_close(f);
    CHECK_OK(lcl_net_load(other, path, &err));
    float *a = params_of(net), *b = params_of(other);
    ck_assert(memcmp(a, b, lcl_net_param_count(net) * sizeof *a) == 0);
    CHECK_OK(lcl_net_save_hdf5(net, false, path, &err));
    f = open_it(path);
    ck_assert(!lcl_hdf5_has(f, "diff"));
    lcl_hdf5_close(f);
    free(a);
    free(b);
    lcl_net_destroy(net);
    lcl_net_destroy(other);
}
END_TEST

START_TEST(models_that_do_not_fit_are_refused)
{
    lcl_net *net = make_net(NET IP("a", "x", "y", "3", ""), 1);
    lcl_net *wider = make_net(NET IP("a", "x", "y", "4", ""), 1);
    lcl_net *poorer =
        make_net(NET "layer { name: 'a' type: 'InnerProduct' bottom: 'x' top: 'y' "
                     "inner_product_param { num_output: 3 bias_term: false } }",
                 1);
    lcl_net *stranger = make_net(NET IP("e", "x", "y", "3", ""), 1);

    CHECK_OK(lcl_net_save_hdf5(net, false, path, &err));
    CHECK_FAILS(lcl_net_load(wider, path, &err), LCL_ESHAPE,
                "Cannot copy param 0 weights from layer 'a'; shape mismatch.  Source "
                "param shape is 3 3 (9); target param shape is 4 3 (12).");
    CHECK_FAILS(lcl_net_load(poorer, path, &err), LCL_ESHAPE,
                "Incompatible number of blobs for layer a: the model has 2, the net 1");
    CHECK_OK(lcl_net_load(stranger, path, &err));
    CHECK_OK(lcl_net_save_hdf5(poorer, false, path, &err));
    CHECK_FAILS(lcl_net_load(net, path, &err), LCL_ESHAPE, "the model has no 'data/a/1'");
    CHECK_FAILS(lcl_net_load(net, DATA "mini.h5", &err), LCL_EDATA,
                "the HDF5 file has no group 'data'");
    lcl_net_destroy(net);
    lcl_net_destroy(wider);
    lcl_net_destroy(poorer);
    lcl_net_destroy(stranger);
}
END_TEST

/* ---- States ------------------------------------------------------------------------ */

/* The golden state is Caffe's: read, written and read again it is the same message. */
START_TEST(states_keep_everything)
{
    lcl_proto *golden, *again;

    CHECK_OK(lcl_state_read_hdf5(&golden, STATE, &err));
    const Caffe__SolverState *state = (const void *)lcl_proto_root(golden);
    ck_assert_int_eq(state->iter, 25);
    ck_assert_int_eq(state->current_step, 1);
    ck_assert_str_eq(state->learned_net, "resume_sgd_h5_iter_25.caffemodel.h5");
    ck_assert_uint_eq(state->n_history, 8);
    ck_assert_uint_eq(state->history[0]->n_data, 8 * 25);
    CHECK_OK(lcl_state_write_hdf5(state, path, &err));
    CHECK_OK(lcl_state_read_hdf5(&again, path, &err));
    char *a = lcl_proto_print(lcl_proto_root(golden)),
         *b = lcl_proto_print(lcl_proto_root(again));
    ck_assert_str_eq(a, b);
    free(a);
    free(b);
    lcl_proto_destroy(golden);
    lcl_proto_destroy(again);
    CHECK_FAILS(lcl_state_read_hdf5(&golden, DATA "mini.h5", &err), LCL_EDATA,
                "no data set 'iter'");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hdf5");
    TCase *tcase = tcase_create("hdf5");

    tcase_add_checked_fixture(tcase, make_folder, remove_folder);
    tcase_add_test(tcase, what_is_written_reads_back);
    tcase_add_test(tcase, wrong_content_is_named);
    tcase_add_test(tcase, rows_are_appended);
    tcase_add_loop_test(tcase, damaged_files_are_errors, 0, 2);
    tcase_add_test(tcase, models_have_caffes_names);
    tcase_add_test(tcase, models_that_do_not_fit_are_refused);
    tcase_add_test(tcase, states_keep_everything);
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
