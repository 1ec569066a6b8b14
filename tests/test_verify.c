/* The verify command as a user runs it: what it prints and its exit codes. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "npy.h"
#include "text.h"

static char folder[64];

static void put(const char *name, const char *text)
{
    char *path = lcl_format("%s/%s", folder, name);
    lcl_error err;

    *strrchr(path, '/') = '\0';
    mkdir(path, 0777);
    path[strlen(path)] = '/';
    CHECK_OK(lcl_file_write(path, text, strlen(text), &err));
    free(path);
}

static void put_array(const char *name, float value)
{
    char *path = lcl_format("%s/%s", folder, name);
    const int shape[1] = {1};
    lcl_error err;

    CHECK_OK(lcl_npy_write(path, &value, 1, shape, &err));
    free(path);
}

/* Three cases: right, wrong, and of a layer type that nobody has. */
static void setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/lcl_verify_%ld", (long)getpid());
    mkdir(folder, 0777);
    put("a_right/layer.prototxt", "name: 'r' type: 'ReLU' bottom: 'x' top: 'y'");
    put_array("a_right/bottom_0.npy", 2);
    put_array("a_right/top_0.npy", 2);
    put("b_wrong/layer.prototxt", "name: 'r' type: 'ReLU' bottom: 'x' top: 'y'");
    put_array("b_wrong/bottom_0.npy", 2);
    put_array("b_wrong/top_0.npy", 2.5f);
    put("c_unknown/layer.prototxt", "name: 'r' type: 'NoSuch' bottom: 'x' top: 'y'");
}

static void teardown(void)
{
    char *command = lcl_format("rm -r %s", folder);

    ck_assert_int_eq(system(command), 0);
    free(command);
}

/* Runs "lenet-cl verify <arguments>" and gives its exit code; what it printed is in output. */
static char output[16384];

static int verify(const char *arguments)
{
    char *command = lcl_format("%s verify %s 2>&1", getenv("LENET_CL"), arguments);
    FILE *f = popen(command, "r");

    ck_assert_ptr_nonnull(f);
    output[fread(output, 1, sizeof output - 1, f)] = '\0';
    int status = pclose(f);
    free(command);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool printed(const char *text)
{
    return strstr(output, text) != NULL;
}

START_TEST(passed)
{
    ck_assert_int_eq(verify("--cases tests/golden/layers/softmaxloss_spatial"), 0);
    ck_assert(printed("softmaxloss_spatial"));
    ck_assert(printed("\n1 passed, 0 failed\n"));
    ck_assert_int_eq(verify("--block 8 --vector 2 tests/golden/layers/relu "
                            "tests/golden/layers/pooling_max_mask"),
                     0);
    ck_assert(printed("\n2 passed, 0 failed\n"));
}
END_TEST

START_TEST(failed)
{
    char *all = lcl_format("--cases %s", folder);
    char *skip = lcl_format("--cases %s --skip-unknown", folder);

    ck_assert_int_eq(verify(all), 1);
    ck_assert_msg(printed("\n1 passed, 2 failed\n"), "%s", output);
    ck_assert_msg(printed("FAILED: worst error 2.0e-01 (top_0)"), "%s", output);
    ck_assert_int_eq(verify(skip), 1);
    ck_assert_msg(printed("\n1 passed, 1 failed, 1 skipped\n"), "%s", output);
    ck_assert_msg(printed("no layer type 'NoSuch'"), "%s", output);
    free(all);
    free(skip);
}
END_TEST

START_TEST(usage)
{
    ck_assert_int_eq(verify(""), 2);
    ck_assert(printed("which cases?"));
    ck_assert_int_eq(verify("--block 3 tests/golden/layers/relu"), 2);
    ck_assert(printed("powers of two"));
    ck_assert_int_eq(verify("--cases /no/such/folder"), 1);
    ck_assert(printed("/no/such/folder"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verify");
    TCase *cases = tcase_create("verify");

    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, passed);
    tcase_add_test(cases, failed);
    tcase_add_test(cases, usage);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
