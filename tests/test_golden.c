/* Every stored case passes in every layout, and the runner tells a wrong result. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device_state.h"
#include "golden.h"
#include "npy.h"
#include "text.h"

static void check_folder(const char *path, const lcl_golden_options *options)
{
    lcl_golden_result result;
    lcl_error err;
    char **cases;
    size_t n;

    CHECK_OK(lcl_golden_list(&cases, &n, path, NULL, &err));
    for (size_t i = 0; i < n; i++) {
        CHECK_OK(lcl_golden_run(&result, cases[i], options, &err));
        ck_assert_msg(result.passed, "%s, block %d, vector %d: error %g in %s", cases[i],
                      options->block, options->vector, result.error, result.array);
        free(cases[i]);
    }
    free(cases);
}

static void check_layout(const char *path, int block, int vector)
{
    const lcl_golden_options options = {testing_device(), LCL_GEMM_AUTO, block, vector};

    check_folder(path, &options);
}

START_TEST(layers_block_16)
{
    check_layout("tests/golden/layers", 16, 16);
}
END_TEST
START_TEST(layers_block_1)
{
    check_layout("tests/golden/layers", 1, 1);
}
END_TEST
START_TEST(layers_block_32)
{
    check_layout("tests/golden/layers", 32, 4);
}
END_TEST
/* What a GPU gets (small work-items, groups of many) computes the same on any device. */
START_TEST(layers_as_on_a_gpu)
{
    static const int layouts[][2] = {{32, 4}, {1, 1}};
    lcl_device_choice choice = {getenv("LCL_PLATFORM"), getenv("LCL_DEVICE"),
                                LCL_PREFER_ANY};
    lcl_device *dev;
    lcl_error err;

    CHECK_OK(lcl_device_open(&dev, &choice, &err));
    dev->info.type = CL_DEVICE_TYPE_GPU;
    for (size_t i = 0; i < LCL_COUNT(layouts); i++) {
        const lcl_golden_options options = {dev, LCL_GEMM_OWN, layouts[i][0],
                                            layouts[i][1]};
        check_folder("tests/golden/layers", &options);
    }
    lcl_device_close(dev);
}
END_TEST

START_TEST(data)
{
    check_layout("tests/golden/data", 16, 16);
    check_layout("tests/golden/data", 1, 1);
}
END_TEST

/* ---- A case of our own that can be spoiled
 * --------------------------------------------- */

static char folder[64];

static char *path_of(const char *name)
{
    return lcl_format("%s/%s", folder, name);
}

static void write_text(const char *text)
{
    char *path = path_of("layer.prototxt");
    lcl_error err;

    CHECK_OK(lcl_file_write(path, text, strlen(text), &err));
    free(path);
}

static void write_array(const char *name, const float *values, int n)
{
    char *path = path_of(name);
    lcl_error err;

    CHECK_OK(lcl_npy_write(path, values, 1, &n, &err));
    free(path);
}

static void setup(void)
{
    static const float x[3] = {-1, 2, 3}, y[3] = {0, 2, 3};

    snprintf(folder, sizeof folder, "/tmp/lcl_golden_%ld", (long)getpid());
    mkdir(folder, 0777);
    write_text("name: 'r' type: 'ReLU' bottom: 'x' top: 'y'");
    write_array("bottom_0.npy", x, 3);
    write_array("top_0.npy", y, 3);
}

static void teardown(void)
{
    static const char *const names[] = {"layer.prototxt", "bottom_0.npy", "top_0.npy"};

    for (size_t i = 0; i < LCL_COUNT(names); i++) {
        char *path = path_of(names[i]);
        remove(path);
        free(path);
    }
    rmdir(folder);
}

static lcl_status run(lcl_golden_result *result, lcl_error *err)
{
    lcl_golden_options options = {testing_device(), LCL_GEMM_AUTO, 1, 1};

    return lcl_golden_run(result, folder, &options, err);
}

START_TEST(wrong_values_fail)
{
    static const float off[3] = {0, 2, 3.003f}, nan_at[3] = {0, 0.0f / 0.0f, 3};
    lcl_golden_result result;
    lcl_error err;

    CHECK_OK(run(&result, &err));
    ck_assert(result.passed);
    write_array("top_0.npy", off, 3);
    CHECK_OK(run(&result, &err));
    ck_assert(!result.passed);
    ck_assert_str_eq(result.array, "top_0");
    ck_assert_double_eq_tol(result.error, 1e-3, 1e-5);
    write_array("top_0.npy", nan_at, 3);
    CHECK_OK(run(&result, &err));
    ck_assert(!result.passed);
}
END_TEST

START_TEST(cases_that_cannot_run)
{
    static const float four[4] = {0, 2, 3, 4};
    lcl_golden_result result;
    char type[32], **list;
    lcl_error err;
    size_t n;

    write_array("top_0.npy", four, 4);
    CHECK_FAILS(run(&result, &err), LCL_ESHAPE, "top_0.npy has shape 4");
    write_text("name: 'r' type: 'NoSuch' bottom: 'x' top: 'y'");
    CHECK_FAILS(run(&result, &err), LCL_EPROTO, "NoSuch");
    ck_assert(!lcl_golden_knows(folder, NULL, type, sizeof type));
    ck_assert_str_eq(type, "NoSuch");
    write_text("name: 'r' bottom: 'x' top: 'y'");
    CHECK_FAILS(run(&result, &err), LCL_EPROTO, "no type");
    write_text("name: 'r' typ");
    CHECK_FAILS(run(&result, &err), LCL_EPROTO, "");
    write_text("name: 'r' type: 'ReLU' bottom: 'x' bottom: 'z' top: 'y'");
    CHECK_FAILS(run(&result, &err), LCL_EIO, "there is no bottom_1.npy");
    CHECK_FAILS(lcl_golden_list(&list, &n, "tests/cl", NULL, &err), LCL_EIO,
                "no cases here");
    CHECK_FAILS(lcl_golden_list(&list, &n, "/no/such/folder", NULL, &err), LCL_EIO,
                "No such");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("golden");
    TCase *cases = tcase_create("cases"), *runner = tcase_create("runner");

    tcase_set_timeout(cases, 600);
    tcase_add_test(cases, layers_block_16);
    tcase_add_test(cases, layers_block_1);
    tcase_add_test(cases, layers_block_32);
    tcase_add_test(cases, layers_as_on_a_gpu);
    tcase_add_test(cases, data);
    suite_add_tcase(suite, cases);
    tcase_add_checked_fixture(runner, setup, teardown);
    tcase_add_test(runner, wrong_values_fail);
    tcase_add_test(runner, cases_that_cannot_run);
    suite_add_tcase(suite, runner);
    return testing_run(suite);
}
