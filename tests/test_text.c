/* Strings, "did you mean", paths, and files that are written whole or not at all. */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "testing.h"
#include "text.h"

static char folder[] = "/tmp/lcl-text-XXXXXX";
static char *path;

static void setup(void)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    path = lcl_path_join(folder, "file");
}

static size_t n_files(void)
{
    DIR *dir = opendir(folder);
    size_t n = 0;

    ck_assert_ptr_nonnull(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir))
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void teardown(void)
{
    unlink(path);
    rmdir(folder);
    free(path);
}

START_TEST(test_multiply_finds_overflow)
{
    size_t product = 7;

    ck_assert(lcl_multiply(0, SIZE_MAX, &product));
    ck_assert_uint_eq(product, 0);
    ck_assert(lcl_multiply(SIZE_MAX, 1, &product));
    ck_assert_uint_eq(product, SIZE_MAX);
    ck_assert(!lcl_multiply(SIZE_MAX / 2 + 1, 2, &product));
}
END_TEST

START_TEST(test_text_grows)
{
    lcl_text t = {0};

    for (int i = 0; i < 1000; i++)
        lcl_text_printf(&t, "%03d,", i);
    ck_assert_uint_eq(t.length, 4000);
    ck_assert_str_eq(t.text + 3992, "998,999,");
    lcl_text_add_bytes(&t, "a\0b", 3);
    ck_assert_uint_eq(t.length, 4003);
    ck_assert_mem_eq(t.text + 4000, "a\0b", 4);
    free(t.text);
}
END_TEST

START_TEST(test_empty_text_is_terminated)
{
    lcl_text t = {0};

    lcl_text_add(&t, "");
    ck_assert_str_eq(t.text, "");
    free(t.text);
}
END_TEST

START_TEST(test_nearest)
{
    static const char *const names[] = {"gaussian", "sigmoid",         "kernel_size",
                                        "constant", "kernel_h",        "xavier",
                                        "Pooling",  "SoftmaxWithLoss", "lr"};
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        {"guassion", "gaussian"},
        {"sigmod", "sigmoid"},
        {"kernal_size", "kernel_size"},
        {"GAUSSIAN", "gaussian"},
        {"kernel_w", "kernel_h"},
        {"xvaier", "xavier"},
        {"pooling", "Pooling"},
        {"SoftMaxLoss", NULL},
        {"SoftmaxWithLos", "SoftmaxWithLoss"},
        {"rl", "lr"},
        {"banana", NULL},
        {"x", NULL},
        {"", NULL},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        const char *nearest = lcl_nearest(cases[i].word, names, LCL_COUNT(names));

        ck_assert_msg((nearest == NULL) == (cases[i].nearest == NULL) &&
                          (!nearest || strcmp(nearest, cases[i].nearest) == 0),
                      "'%s': got %s", cases[i].word, nearest ? nearest : "nothing");
    }
    ck_assert_ptr_null(lcl_nearest("word", names, 0));
}
END_TEST

START_TEST(test_misspelt)
{
    static const char *const names[] = {"gaussian", "pad_h", "pad_w", "kernel_size",
                                        "ReLU",     "conv1", "MAX"};
    static const struct {
        const char *word, *name;
        size_t slips;
    } cases[] = {
        {"guassion", "gaussian", 2}, {"kernal_size", "kernel_size", 1},
        {"relu", "ReLU", 0},         {"kernelsise", "kernel_size", 2},
        {"pad_x", NULL, 0},      /* either of two */
        {"krenalsize", NULL, 0}, /* too far */
        {"ReLU6", NULL, 0},      /* another number */
        {"conv2", NULL, 0},          {"MIN", NULL, 0},
    };
    size_t slips;

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        const char *name = lcl_misspelt(cases[i].word, names, LCL_COUNT(names), &slips);

        ck_assert_pstr_eq(name, cases[i].name);
        if (name)
            ck_assert_uint_eq(slips, cases[i].slips);
    }
}
END_TEST

START_TEST(test_nearest_takes_the_nearest_of_several)
{
    static const char *const names[] = {"stride_w", "strideh", "stride_h"};

    ck_assert_str_eq(lcl_nearest("stride_h", names, 3), "stride_h");
    ck_assert_str_eq(lcl_nearest("stridh", names, 3), "strideh");
}
END_TEST

static void check_text(char *got, const char *expected)
{
    ck_assert_str_eq(got, expected);
    free(got);
}

START_TEST(test_paths)
{
    check_text(lcl_dirname("a/b/c"), "a/b");
    check_text(lcl_dirname("c"), ".");
    check_text(lcl_dirname("/c"), "/");
    check_text(lcl_path_join("a", "b"), "a/b");
    check_text(lcl_path_join("a/", "b"), "a/b");
    check_text(lcl_path_join(".", "b"), "b");
    check_text(lcl_path_join("", "b"), "b");
    check_text(lcl_path_join("a", "/b"), "/b");
    ck_assert(lcl_file_exists("/"));
    ck_assert(!lcl_file_exists("/no/such/file"));
}
END_TEST

START_TEST(test_file_round_trip)
{
    lcl_error err;
    char bytes[200000], *read = NULL;
    size_t size = 0;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 31 >> 3);
    CHECK_OK(lcl_file_write(path, bytes, sizeof bytes, &err));
    CHECK_OK(lcl_file_read(&read, &size, path, 0, &err));
    ck_assert_uint_eq(size, sizeof bytes);
    ck_assert_mem_eq(read, bytes, size);
    ck_assert_int_eq(read[size], '\0');
    free(read);
    CHECK_OK(lcl_file_read(&read, &size, path, sizeof bytes, &err));
    free(read);
    CHECK_FAILS(lcl_file_read(&read, &size, path, sizeof bytes - 1, &err), LCL_EIO,
                "larger than 199999 bytes");
    ck_assert_str_eq(err.where, path);
    CHECK_OK(lcl_file_write(path, "", 0, &err));
    CHECK_OK(lcl_file_read(&read, &size, path, 0, &err));
    ck_assert_uint_eq(size, 0);
    ck_assert_str_eq(read, "");
    free(read);
    ck_assert_uint_eq(n_files(), 1);
}
END_TEST

START_TEST(test_file_errors)
{
    lcl_error err;
    char *read = NULL, *inside = lcl_path_join(path, "below");

    CHECK_FAILS(lcl_file_read(&read, NULL, path, 0, &err), LCL_EIO, "No such file");
    ck_assert_str_eq(err.where, path);
    CHECK_FAILS(lcl_file_read(&read, NULL, folder, 0, &err), LCL_EIO, "Is a directory");
    CHECK_FAILS(lcl_file_write(inside, "x", 1, &err), LCL_EIO, "No such file");
    CHECK_FAILS(lcl_file_write(folder, "x", 1, &err), LCL_EIO, "cannot write");
    ck_assert_ptr_null(read);
    ck_assert_uint_eq(n_files(), 0);
    free(inside);
}
END_TEST

/* A write that fails half-way, as on a full disk: the limit on the size of files stands
 * for the disk's. */
START_TEST(test_failed_write_keeps_the_old_file)
{
    lcl_error err;
    struct rlimit before, small;
    char *read = NULL, big[100000] = {0};
    size_t size = 0;
    lcl_status status;

    CHECK_OK(lcl_file_write(path, "old", 3, &err));
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    small = before;
    small.rlim_cur = 50000;
    setrlimit(RLIMIT_FSIZE, &small);
    err = (lcl_error){0};
    status = lcl_file_write(path, big, sizeof big, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);

    ck_assert_int_eq(status, LCL_EIO);
    ck_assert_str_eq(err.where, path);
    ck_assert_ptr_nonnull(strstr(err.message, "File too large"));
    CHECK_OK(lcl_file_read(&read, &size, path, 0, &err));
    ck_assert_str_eq(read, "old");
    free(read);
    ck_assert_uint_eq(n_files(), 1);
}
END_TEST

START_TEST(test_write_replaces_a_read_only_file)
{
    lcl_error err;
    struct stat st;

    CHECK_OK(lcl_file_write(path, "old", 3, &err));
    ck_assert_int_eq(chmod(path, 0400), 0);
    CHECK_OK(lcl_file_write(path, "newer", 5, &err));
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_size, 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *t = tcase_create("text"), *files = tcase_create("files");

    tcase_add_test(t, test_multiply_finds_overflow);
    tcase_add_test(t, test_text_grows);
    tcase_add_test(t, test_empty_text_is_terminated);
    tcase_add_test(t, test_nearest);
    tcase_add_test(t, test_misspelt);
    tcase_add_test(t, test_nearest_takes_the_nearest_of_several);
    tcase_add_test(t, test_paths);
    suite_add_tcase(suite, t);
    tcase_add_checked_fixture(files, setup, teardown);
    tcase_add_test(files, test_file_round_trip);
    tcase_add_test(files, test_file_errors);
    tcase_add_test(files, test_failed_write_keeps_the_old_file);
    tcase_add_test(files, test_write_replaces_a_read_only_file);
    suite_add_tcase(suite, files);
    return testing_run(suite);
}
