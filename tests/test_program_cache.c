/* The cache of compiled programs: hits, misses, damage, several processes, its limit. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "device_state.h"
#include "program_build.h"
#include "program_cache.h"
#include "testing.h"
#include "text.h"

#define OPTIONS "-cl-std=CL1.2 -w"

static const char source[] = "kernel void one(global float *x) { *x = 1; }\n";
static const char other[] = "kernel void one(global float *x) { *x = 2; }\n";
static char folder[] = "/tmp/lcl-test-cache-XXXXXX";

static char *run(const char *format, const char *argument)
{
    char *command = lcl_format(format, argument), line[512] = "";
    FILE *pipe = popen(command, "r");

    ck_assert_ptr_nonnull(pipe);
    if (!fgets(line, sizeof line, pipe))
        line[0] = '\0';
    ck_assert_int_eq(pclose(pipe), 0);
    line[strcspn(line, "\n")] = '\0';
    free(command);
    return lcl_strdup(line);
}

static void empty_folder(void)
{
    free(run("rm -rf %s/*", folder));
    setenv("LCL_CACHE_DIR", folder, 1);
    setenv("LCL_CACHE", "1", 1);
}

/* The path of the only entry. */
static char *entry_path(void)
{
    char *path = run("ls %s/*.clbin", folder);

    ck_assert(lcl_file_exists(path));
    return path;
}

static bool is_kept(const char *text, const char *options)
{
    cl_program program = lcl_cache_load(testing_device(), text, options);

    if (!program)
        return false;
    clReleaseProgram(program);
    return true;
}

static void build(const char *text)
{
    cl_program program = NULL;
    lcl_error err;

    CHECK_OK(lcl_program_build(&program, testing_device(),
                               &(lcl_program_source){text, "test", ""}, &err));
    clReleaseProgram(program);
}

START_TEST(test_hit_and_miss)
{
    empty_folder();
    ck_assert(!is_kept(source, OPTIONS));
    build(source);
    ck_assert(is_kept(source, OPTIONS));
    ck_assert(!is_kept(other, OPTIONS));
    ck_assert(!is_kept(source, OPTIONS " -DX=1"));
    free(entry_path());
}
END_TEST

START_TEST(test_kept_program_runs)
{
    lcl_device *dev = testing_device();
    cl_program program;
    cl_kernel kernel;
    cl_mem x = NULL;
    cl_int rc;
    float value = 0;
    lcl_error err;

    empty_folder();
    build(source);
    program = lcl_cache_load(dev, source, OPTIONS);
    ck_assert_ptr_nonnull(program);
    kernel = clCreateKernel(program, "one", &rc);
    ck_assert_int_eq(rc, CL_SUCCESS);
    CHECK_OK(lcl_buffer_create(&x, dev, 4, "x", &err));
    ck_assert_int_eq(clSetKernelArg(kernel, 0, sizeof x, &x), CL_SUCCESS);
    ck_assert_int_eq(clEnqueueNDRangeKernel(dev->queue, kernel, 1, NULL, (size_t[]){1},
                                            NULL, 0, NULL, NULL),
                     CL_SUCCESS);
    CHECK_OK(lcl_buffer_read(dev, x, 0, 4, &value, &err));
    ck_assert(value == 1.0f);
    lcl_buffer_release(&x);
    clReleaseKernel(kernel);
    clReleaseProgram(program);
}
END_TEST

START_TEST(test_off)
{
    empty_folder();
    setenv("LCL_CACHE", "0", 1);
    build(source);
    ck_assert(!is_kept(source, OPTIONS));
    setenv("LCL_CACHE", "1", 1);
    ck_assert(!is_kept(source, OPTIONS));
}
END_TEST

static void write_entry(const char *path, const char *bytes, size_t size)
{
    lcl_error err;

    CHECK_OK(lcl_file_write(path, bytes, size, &err));
}

/* Every byte of what precedes the binary, and some of the binary. */
START_TEST(test_damage)
{
    char *path, *bytes = NULL;
    size_t size = 0;
    lcl_error err;

    empty_folder();
    build(source);
    path = entry_path();
    CHECK_OK(lcl_file_read(&bytes, &size, path, 0, &err));
    for (size_t i = 0; i < size; i += i < 512 ? 1 : 997) {
        bytes[i] ^= 0x10;
        write_entry(path, bytes, size);
        ck_assert_msg(!is_kept(source, OPTIONS), "byte %zu changed", i);
        bytes[i] ^= 0x10;
    }
    for (size_t length = 0; length < size; length += length < 64 ? 1 : 1009) {
        write_entry(path, bytes, length);
        ck_assert_msg(!is_kept(source, OPTIONS), "cut at %zu", length);
    }
    build(source); /* over the damaged one */
    ck_assert(is_kept(source, OPTIONS));
    free(bytes);
    free(path);
}
END_TEST

/* Two keys of one hash: the entry is whole, but another program's. */
START_TEST(test_foreign_entry)
{
    char *path, *bytes = NULL;
    size_t size = 0;
    lcl_error err;

    empty_folder();
    build(other);
    path = entry_path();
    CHECK_OK(lcl_file_read(&bytes, &size, path, 0, &err));
    ck_assert_int_eq(unlink(path), 0);
    free(path);
    build(source);
    path = entry_path();
    write_entry(path, bytes, size);
    ck_assert(!is_kept(source, OPTIONS));
    build(source);
    ck_assert(is_kept(source, OPTIONS));
    free(bytes);
    free(path);
}
END_TEST

START_TEST(test_folder_that_cannot_be)
{
    empty_folder();
    free(run("touch %s/file", folder));
    char *inside = lcl_format("%s/file/deeper/cache", folder);

    setenv("LCL_CACHE_DIR", inside, 1);
    build(source);
    ck_assert(!is_kept(source, OPTIONS));
    free(inside);
}
END_TEST

START_TEST(test_folder_is_made)
{
    empty_folder();
    char *inside = lcl_format("%s/not/yet", folder);

    setenv("LCL_CACHE_DIR", inside, 1);
    build(source);
    ck_assert(is_kept(source, OPTIONS));
    free(inside);
}
END_TEST

static char *make_old(const char *name, long age)
{
    char *path = lcl_format("%s/%s.clbin", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    struct timespec used[2];

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, 100 << 20), 0); /* sparse */
    clock_gettime(CLOCK_REALTIME, &used[0]);
    used[0].tv_sec -= age;
    used[1] = used[0];
    ck_assert_int_eq(futimens(fd, used), 0);
    close(fd);
    return path;
}

START_TEST(test_limit_removes_what_was_used_longest_ago)
{
    empty_folder();
    char *middle = make_old("a", 200), *oldest = make_old("b", 300),
         *newest = make_old("c", 100);

    build(source);
    ck_assert(!lcl_file_exists(oldest));
    ck_assert(lcl_file_exists(middle));
    ck_assert(lcl_file_exists(newest));
    ck_assert(is_kept(source, OPTIONS));
    free(oldest);
    free(middle);
    free(newest);
}
END_TEST

START_TEST(test_processes_at_once)
{
    const char *program = getenv("LENET_CL");
    FILE *pipes[3];

    if (!program)
        return;
    empty_folder();
    char *command =
        lcl_format("%s verify tests/golden/layers/relu 2>&1 >/dev/null", program);
    for (size_t i = 0; i < LCL_COUNT(pipes); i++)
        ck_assert_ptr_nonnull(pipes[i] = popen(command, "r"));
    for (size_t i = 0; i < LCL_COUNT(pipes); i++) {
        while (fgetc(pipes[i]) != EOF)
            ;
        ck_assert_int_eq(pclose(pipes[i]), 0);
    }
    char *left = run("ls %s | grep -vc 'clbin$' || true", folder);
    ck_assert_str_eq(left, "0"); /* no temporary file */
    free(left);
    free(command);
}
END_TEST

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    free(run("rm -rf %s", folder));
}

int main(void)
{
    Suite *suite = suite_create("program_cache");
    TCase *t = tcase_create("cache");

    tcase_add_unchecked_fixture(t, make_folder, remove_folder);
    tcase_add_test(t, test_hit_and_miss);
    tcase_add_test(t, test_kept_program_runs);
    tcase_add_test(t, test_off);
    tcase_add_test(t, test_damage);
    tcase_add_test(t, test_foreign_entry);
    tcase_add_test(t, test_folder_that_cannot_be);
    tcase_add_test(t, test_folder_is_made);
    tcase_add_test(t, test_limit_removes_what_was_used_longest_ago);
    tcase_add_test(t, test_processes_at_once);
    suite_add_tcase(suite, t);
    return testing_run(suite);
}
