/* Stored cases in memory: what is packed comes out, and what is damaged is refused. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "golden.h"
#include "text.h"

static char folder[64];
static char *packed;
static size_t size;

static void shell(const char *format)
{
    char *command = lcl_format(format, folder);

    ck_assert_msg(system(command) == 0, "%s", command);
    free(command);
}

/* Two of the project's cases, as the program carries all of them. */
static void setup(void)
{
    lcl_error err;

    snprintf(folder, sizeof folder, "/tmp/lcl_golden_files_%ld", (long)getpid());
    shell("mkdir %s");
    shell("cd tests/golden && tar -czf %s/cases.tar.gz --format=gnu layers/relu "
          "layers/relu_2d layers/softmax");
    char *path = lcl_format("%s/cases.tar.gz", folder);
    CHECK_OK(lcl_file_read(&packed, &size, path, 0, &err));
    free(path);
}

static void teardown(void)
{
    free(packed);
    shell("rm -r %s");
}

START_TEST(holds_what_was_packed)
{
    static const char path[] = "layers/softmax/top_0.npy";
    lcl_golden_files files = {0};
    char *found, *wanted, **cases;
    size_t n, n_wanted;
    lcl_error err;

    CHECK_OK(lcl_golden_files_unpack(&files, packed, size, &err));
    CHECK_OK(lcl_golden_list(&cases, &n, "layers", &files, &err));
    ck_assert_uint_eq(n, 3);
    ck_assert_str_eq(cases[1], "layers/relu_2d");
    lcl_list_free(cases, n);
    CHECK_OK(lcl_golden_list(&cases, &n, "layers/relu", &files, &err));
    ck_assert_uint_eq(n, 1);
    lcl_list_free(cases, n);
    ck_assert(lcl_golden_has(&files, path));
    CHECK_OK(lcl_golden_read(&files, &found, &n, path, &err));
    CHECK_OK(lcl_file_read(&wanted, &n_wanted, "tests/golden/layers/softmax/top_0.npy", 0,
                           &err));
    ck_assert_uint_eq(n, n_wanted);
    ck_assert_mem_eq(found, wanted, n);
    free(found);
    free(wanted);
    ck_assert(!lcl_golden_has(&files, "layers/softmax"));
    CHECK_FAILS(lcl_golden_read(&files, &found, &n, "layers/x/y", &err), LCL_EIO,
                "no such file");
    CHECK_FAILS(lcl_golden_list(&cases, &n, "layer", &files, &err), LCL_EIO,
                "no cases here");
    lcl_golden_files_free(&files);
}
END_TEST

START_TEST(runs_what_was_packed)
{
    lcl_golden_files files = {0};
    const lcl_golden_options options = {
        .dev = testing_device(), .block = 16, .vector = 16, .files = &files};
    lcl_golden_result result, again;
    lcl_error err;

    CHECK_OK(lcl_golden_files_unpack(&files, packed, size, &err));
    CHECK_OK(lcl_golden_run(&result, "layers/softmax", &options, &err));
    ck_assert(result.passed);
    ck_assert_uint_ne(result.bits, 0);
    CHECK_OK(lcl_golden_run(&again, "layers/softmax", &options, &err));
    ck_assert_uint_eq(result.bits, again.bits);
    lcl_golden_files_free(&files);
}
END_TEST

START_TEST(damage_is_refused)
{
    lcl_golden_files files = {0};
    lcl_error err;

    for (size_t n = 0; n < size; n += size / 7)
        CHECK_FAILS(lcl_golden_files_unpack(&files, packed, n, &err), LCL_EDATA,
                    "not whole");
    packed[size / 2] = (char)~packed[size / 2];
    CHECK_FAILS(lcl_golden_files_unpack(&files, packed, size, &err), LCL_EDATA,
                "not whole");
    lcl_golden_files_free(&files);
}
END_TEST

/* A whole gzip file of an archive that is cut off. */
START_TEST(cut_archives_are_refused)
{
    lcl_golden_files files = {0};
    lcl_error err;
    char *path = lcl_format("%s/cut.tar.gz", folder), *cut;
    size_t n;

    shell("cd %s && gunzip -c cases.tar.gz | head -c 1300 | gzip >cut.tar.gz");
    CHECK_OK(lcl_file_read(&cut, &n, path, 0, &err));
    CHECK_FAILS(lcl_golden_files_unpack(&files, cut, n, &err), LCL_EDATA, "not whole");
    lcl_golden_files_free(&files);
    free(cut);
    free(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("golden_files");
    TCase *cases = tcase_create("golden_files");

    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, holds_what_was_packed);
    tcase_add_test(cases, runs_what_was_packed);
    tcase_add_test(cases, damage_is_refused);
    tcase_add_test(cases, cut_archives_are_refused);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
