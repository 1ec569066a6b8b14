/* `extract-features`: the records are the blobs that the net computes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lcl/net.h"
#include "source.h"
#include "testing.h"
#include "text.h"

static const char net_text[] =
    "name: 't' layer { name: 'd' type: 'Data' top: 'data' top: 'label' "
    "transform_param { scale: 0.01 } data_param { "
    "source: 'tests/golden/data/mini-images-idx3-ubyte' batch_size: 5 } }"
    "layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv' "
    "convolution_param { num_output: 3 kernel_size: 7 stride: 7 "
    "weight_filler { type: 'xavier' } } }"
    "layer { name: 'relu' type: 'ReLU' bottom: 'conv' top: 'relu' }"
    "layer { name: 'ip' type: 'InnerProduct' bottom: 'relu' top: 'ip' "
    "inner_product_param { num_output: 4 weight_filler { type: 'xavier' } } }";

static lcl_error err;
static char folder[64];
static char *net_path, *weights, *a, *b; /* in it; a and b are databases */

#define EXTRACT(...)                                                                     \
    testing_command(&lcl_command_extract_features,                                       \
                    (const char *const[]){__VA_ARGS__, NULL}, &err)

static lcl_net *read_net(int64_t seed)
{
    const lcl_net_options options = {.phase = CAFFE__PHASE__TEST, .seed = seed};
    lcl_net *net = NULL;

    CHECK_OK(lcl_net_read(&net, testing_device(), net_path, &options, &err));
    return net;
}

static void make_files(void)
{
    strcpy(folder, "/tmp/lcl-extract-features-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    net_path = lcl_path_join(folder, "net.prototxt");
    weights = lcl_path_join(folder, "net.caffemodel.h5");
    a = lcl_path_join(folder, "a");
    b = lcl_path_join(folder, "b");
    CHECK_OK(lcl_file_write(net_path, net_text, sizeof net_text - 1, &err));
    lcl_net *net = read_net(1);
    CHECK_OK(lcl_net_save_hdf5(net, false, weights, &err));
    lcl_net_destroy(net);
}

static void remove_files(void)
{
    char *command = lcl_format("rm -rf %s", folder);

    ck_assert_int_eq(system(command), 0);
    free(command);
    free(net_path);
    free(weights);
    free(a);
    free(b);
}

/* The database holds what 3 batches leave in the net's blob. */
static void check_features(const char *path, const char *blob, int channels, int height,
                           int width)
{
    lcl_net *net = read_net(2);
    size_t count = (size_t)(channels * height * width);
    lcl_source *s;
    lcl_record r;
    bool wrapped;

    CHECK_OK(lcl_net_load(net, weights, &err));
    CHECK_OK(lcl_source_open(&s, path, &err));
    for (int batch = 0; batch < 3; batch++) {
        CHECK_OK(lcl_net_forward(net, &err));
        float *values = lcl_alloc(5 * count, sizeof *values);
        CHECK_OK(lcl_blob_read(lcl_net_blob(net, blob), LCL_DATA, values, &err));
        for (size_t i = 0; i < 5; i++) {
            CHECK_OK(lcl_source_next(s, &r, &wrapped, &err));
            ck_assert(!wrapped && r.channels == channels && r.height == height &&
                      r.width == width && r.floats);
            ck_assert_mem_eq(r.floats, values + i * count, count * sizeof *values);
        }
        free(values);
    }
    CHECK_OK(lcl_source_next(s, &r, &wrapped, &err));
    ck_assert(wrapped);
    lcl_source_close(s);
    lcl_net_destroy(net);
}

START_TEST(records_are_the_blobs)
{
    char *both = lcl_format("%s,%s", a, b);

    ck_assert_int_eq(EXTRACT(weights, net_path, "conv,ip", both, "3"), 0);
    check_features(a, "conv", 3, 4, 4);
    check_features(b, "ip", 4, 1, 1);
    free(both);
}
END_TEST

START_TEST(caffes_command_lines_work)
{
    ck_assert_int_eq(EXTRACT(weights, net_path, "relu", a, "3", "leveldb", "CPU"), 0);
    check_features(a, "relu", 3, 4, 4);
    ck_assert_int_eq(EXTRACT(weights, net_path, "relu", a, "3", "lmdb", "GPU", "0"), 1);
    ck_assert(strstr(err.message, "exists already"));
    ck_assert_int_eq(EXTRACT(weights, net_path, "label", a, "1", "lmdb", "--force"), 0);
}
END_TEST

START_TEST(wrong_arguments_are_told)
{
    ck_assert_int_eq(EXTRACT(weights, net_path, "ip", a), 2);
    ck_assert(strstr(err.message, "5 operands or more, 4 were given"));
    ck_assert_int_eq(EXTRACT(weights, net_path, "ip,conv", a, "3"), 2);
    ck_assert(strstr(err.message, "2 blobs for 1 databases"));
    ck_assert_int_eq(EXTRACT(weights, net_path, "ip", a, "many"), 2);
    ck_assert_int_eq(EXTRACT(weights, net_path, "ip", a, "0"), 2);
    ck_assert_int_eq(EXTRACT(weights, net_path, "ip9", a, "1"), 2);
    ck_assert(strstr(err.message, "the net has no blob 'ip9'"));
    ck_assert_int_eq(EXTRACT(weights, net_path, "ip", a, "1", "bdb"), 2);
    ck_assert_int_eq(EXTRACT(weights, net_path, "ip", a, "1", "lmdb", "TPU"), 2);
    ck_assert(strstr(err.message, "expected CPU or GPU, found 'TPU'"));
    ck_assert_int_eq(EXTRACT("no.caffemodel", net_path, "ip", a, "1"), 1);
    ck_assert_int_eq(EXTRACT(weights, "no.prototxt", "ip", a, "1"), 1);
    ck_assert(!lcl_file_exists(a));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("extract_features");
    TCase *tcase = tcase_create("extract_features");

    tcase_add_checked_fixture(tcase, make_files, remove_files);
    tcase_add_test(tcase, records_are_the_blobs);
    tcase_add_test(tcase, caffes_command_lines_work);
    tcase_add_test(tcase, wrong_arguments_are_told);
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
