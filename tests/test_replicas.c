/* Training on several devices: the same as one device with all their batches in one. The
 * devices are the tests' device, opened once more each. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lcl/solver.h"
#include "testing.h"
#include "text.h"

#define MINI "tests/golden/data/mini-images-idx3-ubyte"
#define MOST 3 /* devices */
#define N_ITERATIONS 6

static lcl_error err;
static lcl_device *more[MOST - 1];

static void open_devices(void)
{
    const lcl_device_info *info = lcl_device_get_info(testing_device());
    char *platform = lcl_format("%d", info->platform);
    char *device = lcl_format("%d", info->device);

    for (size_t i = 0; i < LCL_COUNT(more); i++)
        CHECK_OK(lcl_device_open(&more[i], &(lcl_device_choice){platform, device}, &err));
    free(device);
    free(platform);
}

static void close_devices(void)
{
    for (size_t i = 0; i < LCL_COUNT(more); i++)
        lcl_device_close(more[i]);
}

/* ---- A small net ------------------------------------------------------------------- */

/* Data layers of batches of %d. */
#define DATA                                                                             \
    "type: 'Data' transform_param { scale: 0.00390625 } "                                \
    "data_param { source: '" MINI "' batch_size: %d }"
#define HDF5_DATA                                                                        \
    "type: 'HDF5Data' "                                                                  \
    "hdf5_data_param { source: 'tests/golden/data/mini_h5.txt' batch_size: %d }"
#define IMAGE_DATA                                                                       \
    "type: 'ImageData' transform_param { scale: 0.00390625 } "                           \
    "image_data_param { source: 'tests/data/images/list.txt' "                           \
    "root_folder: 'tests/data/images/' new_height: 12 new_width: 12 batch_size: %d }"

#define CONVOLUTION                                                                      \
    "layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv' "               \
    "convolution_param { num_output: 3 kernel_size: 3 "                                  \
    "weight_filler { type: 'xavier' } } } "                                              \
    "layer { name: 'relu' type: 'ReLU' bottom: 'conv' top: 'conv' } "
#define LOSS                                                                             \
    "layer { name: 'ip' type: 'InnerProduct' bottom: 'conv' top: 'ip' "                  \
    "inner_product_param { num_output: 10 weight_filler { type: 'xavier' } } } "         \
    "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'ip' bottom: 'label' "         \
    "top: 'loss' }"

static lcl_proto *parse(const char *text)
{
    lcl_proto *solver;

    CHECK_OK(lcl_proto_parse_text(&solver, &caffe__solver_parameter__descriptor, "solver",
                                  text, strlen(text), LCL_UNKNOWN_IS_ERROR, NULL, &err));
    return solver;
}

static lcl_proto *parse_solver(const char *data, const char *fields, int batch)
{
    char *layer = lcl_format(data, batch);
    char *text = lcl_format(
        "lr_policy: 'fixed' momentum: 0.9 weight_decay: 0.001 "
        "random_seed: 7 base_lr: %g display: 1 max_iter: 100 snapshot_after_train: false "
        "%s "
        "net_param { layer { name: 'data' top: 'data' top: 'label' %s } " CONVOLUTION LOSS
        " }",
        strstr(fields, "Adam") ? 0.001 : 0.1, fields, layer);
    lcl_proto *solver = parse(text);

    free(text);
    free(layer);
    return solver;
}

/* What training came to. */
typedef struct {
    float losses[N_ITERATIONS];
    float *weights; /* all, in order; owned */
    size_t n;
} result;

static void read_weights(result *r, const lcl_net *net)
{
    for (size_t i = 0; i < lcl_net_n_params(net); i++) {
        const lcl_blob *b = lcl_net_param_at(net, i)->blob;
        const size_t n = lcl_blob_count(b);
        r->weights = lcl_resize(r->weights, r->n + n, sizeof *r->weights);
        CHECK_OK(lcl_blob_read(b, LCL_DATA, r->weights + r->n, &err));
        r->n += n;
    }
}

/* Trains on n devices, from the snapshot `from` where that is not NULL. */
static result train(const char *data, const char *fields, int batch, size_t n,
                    lcl_residency residency, const char *from)
{
    lcl_proto *source = parse_solver(data, fields, batch);
    const lcl_solver_options options = {
        .residency = residency, .more_devices = more, .n_more_devices = n - 1};
    lcl_solver *s;
    result r = {0};

    CHECK_OK(lcl_solver_create(&s, testing_device(), source, &options, &err));
    if (from)
        CHECK_OK(lcl_solver_restore(s, from, &err));
    for (int i = 0; i < N_ITERATIONS; i++) {
        CHECK_OK(lcl_solver_step(s, 1, &err));
        r.losses[i] = lcl_solver_loss(s);
    }
    read_weights(&r, lcl_solver_net(s));
    lcl_solver_destroy(s);
    lcl_proto_destroy(source);
    return r;
}

static void check_same(const result *a, const result *b, double tolerance)
{
    for (int i = 0; i < N_ITERATIONS; i++)
        ck_assert_msg(fabs((double)(a->losses[i] - b->losses[i])) <=
                          tolerance * (double)b->losses[i],
                      "iteration %d: loss %.9g, not %.9g", i, (double)a->losses[i],
                      (double)b->losses[i]);
    ck_assert_uint_eq(a->n, b->n);
    for (size_t i = 0; i < a->n; i++)
        ck_assert_msg(fabs((double)(a->weights[i] - b->weights[i])) <= tolerance,
                      "weight %zu: %.9g, not %.9g", i, (double)a->weights[i],
                      (double)b->weights[i]);
}

/* ---- The tests --------------------------------------------------------------------- */

static const struct {
    const char *data, *fields;
    int batch;
    size_t n;
    lcl_residency residency;
} cases[] = {
    {DATA, "", 4, 2, LCL_RESIDENT_ON},
    {DATA, "", 3, 2,
     LCL_RESIDENT_ON}, /* batches end within a round through the 8 images */
    {DATA, "", 5, 3, LCL_RESIDENT_ON}, /* 8 is no multiple of 3 */
    {DATA, "", 5, 3, LCL_RESIDENT_OFF},
    {DATA, "iter_size: 2", 3, 2, LCL_RESIDENT_OFF},
    {DATA, "clip_gradients: 0.5", 4, 2, LCL_RESIDENT_ON},
    {DATA, "type: 'Adam'", 4, 3, LCL_RESIDENT_ON},
    {DATA, "debug_info: true", 4, 2, LCL_RESIDENT_ON},
    {HDF5_DATA, "", 5, 2, LCL_RESIDENT_AUTO},
    {IMAGE_DATA, "", 3, 3, LCL_RESIDENT_AUTO},
};

START_TEST(batches_of_all_devices_count_as_one)
{
    const char *data = cases[_i].data, *fields = cases[_i].fields;
    const int batch = cases[_i].batch;
    const size_t n = cases[_i].n;
    const lcl_residency residency = cases[_i].residency;
    result several = train(data, fields, batch, n, residency, NULL);
    result again = train(data, fields, batch, n, residency, NULL);
    result one = train(data, fields, batch * (int)n, 1, residency, NULL);

    check_same(&several, &one, 2e-5);
    check_same(&several, &again, 0);
    ck_assert(one.losses[N_ITERATIONS - 1] < one.losses[0]);
    free(several.weights);
    free(again.weights);
    free(one.weights);
}
END_TEST

START_TEST(a_snapshot_goes_to_all_devices)
{
    char folder[] = "/tmp/lcl-replicas-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char *fields =
        lcl_format("snapshot: %d snapshot_prefix: '%s/s'", N_ITERATIONS, folder);
    char *from = lcl_format("%s/s_iter_%d.solverstate", folder, N_ITERATIONS);
    char *clean = lcl_format("rm -r %s", folder);

    result before = train(DATA, fields, 4, 2, LCL_RESIDENT_AUTO, NULL);
    result several = train(DATA, "", 4, 2, LCL_RESIDENT_AUTO, from);
    result one = train(DATA, "", 8, 1, LCL_RESIDENT_AUTO, from);
    check_same(&several, &one, 2e-5);
    ck_assert(several.losses[0] < before.losses[N_ITERATIONS - 1]);
    ck_assert_int_eq(system(clean), 0);
    free(before.weights);
    free(several.weights);
    free(one.weights);
    free(clean);
    free(from);
    free(fields);
}
END_TEST

START_TEST(nobody_shares_an_output_file)
{
    lcl_proto *source =
        parse("base_lr: 1 lr_policy: 'fixed' net_param { layer { name: 'd' "
              "type: 'DummyData' top: 'd' top: 'l' dummy_data_param { shape { dim: 2 } "
              "} } layer { name: 'out' type: 'HDF5Output' bottom: 'd' bottom: 'l' "
              "hdf5_output_param { file_name: '/tmp/lcl-replicas.h5' } } }");
    const lcl_solver_options options = {.more_devices = more, .n_more_devices = 1};
    lcl_solver *s;

    CHECK_FAILS(lcl_solver_create(&s, testing_device(), source, &options, &err),
                LCL_EUSAGE, "only one device");
    unlink("/tmp/lcl-replicas.h5");
    lcl_proto_destroy(source);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replicas");
    TCase *tcase = tcase_create("replicas");

    tcase_set_timeout(tcase, 300);
    tcase_add_unchecked_fixture(tcase, open_devices, close_devices);
    tcase_add_loop_test(tcase, batches_of_all_devices_count_as_one, 0,
                        (int)LCL_COUNT(cases));
    tcase_add_test(tcase, a_snapshot_goes_to_all_devices);
    tcase_add_test(tcase, nobody_shares_an_output_file);
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
