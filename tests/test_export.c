/* `export` and `import`: parameters go out and come back; what does not fit is refused before
 * anything is written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lcl/net.h"
#include "npz.h"
#include "testing.h"
#include "text.h"

static const char net_text[] =
    "name: 't'\n"
    "layer { name: 'd' type: 'Input' top: 'data'\n"
    "  input_param { shape { dim: 2 dim: 1 dim: 6 dim: 6 } } }\n"
    "layer { name: 'a/conv' type: 'Convolution' bottom: 'data' top: 'conv'\n"
    "  convolution_param { num_output: 3 kernel_size: 3\n"
    "    weight_filler { type: 'xavier' } } }\n"
    "layer { name: 'ip' type: 'InnerProduct' bottom: 'conv' top: 'ip'\n"
    "  param { name: 'shared' } inner_product_param { num_output: 4\n"
    "    weight_filler { type: 'gaussian' } bias_filler { value: 0.5 } } }\n"
    "layer { name: 'ip2' type: 'InnerProduct' bottom: 'conv' top: 'ip2'\n"
    "  param { name: 'shared' } inner_product_param { num_output: 4 } }\n";

static lcl_error err;
static char folder[64];
static char *net_path, *weights, *npz, *back; /* in it */

#define EXPORT(...)                                                                      \
    testing_command(&lcl_command_export, (const char *const[]){__VA_ARGS__, NULL}, &err)
#define IMPORT(...)                                                                      \
    testing_command(&lcl_command_import, (const char *const[]){__VA_ARGS__, NULL}, &err)

static lcl_net *read_net(const char *model)
{
    const lcl_net_options options = {.phase = CAFFE__PHASE__TEST, .seed = 1};
    lcl_net *net = NULL;

    CHECK_OK(lcl_net_read(&net, testing_device(), net_path, &options, &err));
    if (model)
        CHECK_OK(lcl_net_load(net, model, &err));
    return net;
}

static void make_files(void)
{
    strcpy(folder, "/tmp/lcl-export-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    net_path = lcl_path_join(folder, "net.prototxt");
    weights = lcl_path_join(folder, "net.caffemodel");
    npz = lcl_path_join(folder, "net.npz");
    back = lcl_path_join(folder, "back.caffemodel");
    CHECK_OK(lcl_file_write(net_path, net_text, sizeof net_text - 1, &err));
    lcl_net *net = read_net(NULL);
    CHECK_OK(lcl_net_save(net, false, weights, &err));
    lcl_net_destroy(net);
}

static void remove_files(void)
{
    char *command = lcl_format("rm -rf %s", folder);

    ck_assert_int_eq(system(command), 0);
    free(command);
    free(net_path);
    free(weights);
    free(npz);
    free(back);
}

/* Parameter i of both nets is the same. */
static void check_equal(const lcl_net *a, const lcl_net *b, size_t i)
{
    const lcl_blob *x = lcl_net_param_at(a, i)->blob, *y = lcl_net_param_at(b, i)->blob;
    size_t n = lcl_blob_count(x);
    float *v = lcl_alloc(n, sizeof *v), *w = lcl_alloc(n, sizeof *w);

    CHECK_OK(lcl_blob_read(x, LCL_DATA, v, &err));
    CHECK_OK(lcl_blob_read(y, LCL_DATA, w, &err));
    ck_assert_mem_eq(v, w, n * sizeof *v);
    free(v);
    free(w);
}

/* ---- Both ways --------------------------------------------------------------------- */

START_TEST(parameters_go_out_and_come_back)
{
    static const char *const names[] = {"a/conv/0", "a/conv/1", "ip/0", "ip/1", "ip2/1"};
    lcl_npz *z;

    ck_assert_int_eq(EXPORT("--npz", npz, "--model", net_path, "--weights", weights), 0);
    CHECK_OK(lcl_npz_open(&z, npz, &err));
    ck_assert_uint_eq(lcl_npz_n(z), LCL_COUNT(names));
    for (size_t i = 0; i < LCL_COUNT(names); i++)
        ck_assert_str_eq(lcl_npz_name(z, i), names[i]);
    lcl_npz_close(z);
    for (int h5 = 0; h5 < 2; h5++) {
        char *out = lcl_format("%s%s", back, h5 ? ".h5" : "");
        ck_assert_int_eq(IMPORT("--npz", npz, "--model", net_path, "--out", out), 0);
        lcl_net *a = read_net(weights), *b = read_net(out);
        for (size_t i = 0; i < LCL_COUNT(names); i++)
            check_equal(a, b, i);
        lcl_net_destroy(a);
        lcl_net_destroy(b);
        free(out);
    }
}
END_TEST

/* A model of fewer layers would leave random numbers in a net that is trained on. */
START_TEST(weights_that_lack_a_layer)
{
    lcl_proto *model;
    uint8_t *bytes;
    size_t size;

    CHECK_OK(
        lcl_proto_read_binary(&model, &caffe__net_parameter__descriptor, weights, &err));
    Caffe__NetParameter *m = (Caffe__NetParameter *)lcl_proto_root(model);
    for (size_t i = 0; i < m->n_layer; i++)
        if (strcmp(m->layer[i]->name, "ip2") == 0)
            m->layer[i]->name[2] = '3';
    CHECK_OK(lcl_proto_encode(&bytes, &size, &m->base, &err));
    CHECK_OK(lcl_file_write(back, bytes, size, &err));
    free(bytes);
    lcl_proto_destroy(model);
    ck_assert_int_eq(EXPORT("--npz", npz, "--model", net_path, "--weights", back), 3);
    ck_assert_str_eq(err.message,
                     "the net's layer 'ip2' has parameters, but there are none for it");
    ck_assert(!lcl_file_exists(npz));
}
END_TEST

START_TEST(both_files)
{
    char *onnx = lcl_path_join(folder, "net.onnx");

    ck_assert_int_eq(EXPORT("--npz", npz, "--onnx", onnx, "--model", net_path,
                            "--weights", weights, "--fixed-batch"),
                     0);
    ck_assert(lcl_file_exists(npz) && lcl_file_exists(onnx));
    unlink(onnx);
    ck_assert_int_eq(EXPORT("--onnx", onnx, "--model", net_path, "--weights", weights,
                            "--phase", "TRAIN"),
                     2);
    ck_assert(!lcl_file_exists(onnx));
    ck_assert_int_eq(EXPORT("--layers"), 0);
    free(onnx);
}
END_TEST

/* ---- What import refuses ----------------------------------------------------------- */

static const float zeros[6 * 36];

/* An archive with ip/0 of that name and shape, or without it; and one array more. */
static void write_arrays(const char *name, int outputs, const char *more)
{
    const int conv[4] = {3, 1, 3, 3}, ip[2] = {outputs, 48}, four = 4, three = 3;
    lcl_npz *z;

    CHECK_OK(lcl_npz_create(&z, npz, &err));
    if (more)
        CHECK_OK(lcl_npz_add(z, more, zeros, 1, &four, &err));
    CHECK_OK(lcl_npz_add(z, "ip2/1", zeros, 1, &four, &err));
    CHECK_OK(lcl_npz_add(z, "a/conv/0", zeros, 4, conv, &err));
    CHECK_OK(lcl_npz_add(z, "a/conv/1", zeros, 1, &three, &err));
    CHECK_OK(lcl_npz_add(z, "ip/1", zeros, 1, &four, &err));
    if (name)
        CHECK_OK(lcl_npz_add(z, name, zeros, 2, ip, &err));
    CHECK_OK(lcl_npz_save(z, &err));
    lcl_npz_close(z);
}

static void check_refused(const char *message, const char *hint)
{
    ck_assert_int_eq(IMPORT("--npz", npz, "--model", net_path, "--out", back), 3);
    ck_assert_str_eq(err.where, npz);
    ck_assert_str_eq(err.message, message);
    ck_assert_str_eq(err.hint, hint);
    ck_assert(!lcl_file_exists(back));
}

START_TEST(arrays_that_do_not_fit)
{
    write_arrays("ip/0", 4, NULL);
    ck_assert_int_eq(IMPORT("--npz", npz, "--model", net_path, "--out", back), 0);
    unlink(back);
    write_arrays("ip/0", 3, NULL);
    check_refused("'ip/0' has shape 3 48 (144); the net's has 4 48 (192)", "");
    write_arrays(NULL, 0, NULL);
    check_refused("1 of the net's 5 parameters is missing, the first of them 'ip/0' of "
                  "shape 4 48 (192)",
                  "");
    write_arrays("ipp/0", 4, NULL);
    check_refused("the net has no parameter 'ipp/0'", "did you mean 'ip/0'?");
    write_arrays("ip/0", 4, "optimizer_state");
    check_refused("the net has no parameter 'optimizer_state'",
                  "arrays are named as their layers, with /0, /1, ... behind");
}
END_TEST

START_TEST(usage)
{
    ck_assert_int_eq(EXPORT("--model", net_path, "--weights", weights), 2);
    ck_assert_int_eq(EXPORT("--npz", npz, "--weights", weights), 2);
    ck_assert_int_eq(EXPORT("--npz", npz, "--model", net_path), 2);
    ck_assert_int_eq(IMPORT("--npz", npz, "--model", net_path), 2);
    ck_assert_int_eq(IMPORT("--npz", npz, "--out", back), 2);
    ck_assert_int_eq(IMPORT("--model", net_path, "--out", back), 2);
    ck_assert_int_eq(IMPORT("--npz", npz, "--model", net_path, "--out", back), 1);
    ck_assert_int_eq(EXPORT("--npz", "/no/such/folder/a.npz", "--model", net_path,
                            "--weights", weights),
                     1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("export");
    TCase *cases = tcase_create("export");

    tcase_add_checked_fixture(cases, make_files, remove_files);
    tcase_add_test(cases, parameters_go_out_and_come_back);
    tcase_add_test(cases, weights_that_lack_a_layer);
    tcase_add_test(cases, both_files);
    tcase_add_test(cases, arrays_that_do_not_fit);
    tcase_add_test(cases, usage);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
