/* .npz archives: what is written reads back and is the same bytes again; broken and foreign
 * archives are errors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "npz.h"
#include "testing.h"
#include "text.h"

static lcl_error err;
static char path[64];

static void setup(void)
{
    snprintf(path, sizeof path, "/tmp/lcl_npz_%ld.npz", (long)getpid());
}

static void teardown(void)
{
    unlink(path);
}

static const float values[6] = {1, -2, 0.5f, 1e30f, 0, 6};

static void write_archive(void)
{
    static const int shape[2] = {2, 3};
    lcl_npz *z;

    CHECK_OK(lcl_npz_create(&z, path, &err));
    CHECK_OK(lcl_npz_add(z, "conv1/0", values, 2, shape, &err));
    CHECK_OK(lcl_npz_add(z, "größe", values, 0, NULL, &err));
    CHECK_OK(lcl_npz_save(z, &err));
    lcl_npz_close(z);
}

START_TEST(what_is_written_reads_back)
{
    lcl_npz *z;
    lcl_npy a;

    write_archive();
    CHECK_OK(lcl_npz_open(&z, path, &err));
    ck_assert_uint_eq(lcl_npz_n(z), 2);
    ck_assert_str_eq(lcl_npz_name(z, 0), "conv1/0");
    ck_assert_str_eq(lcl_npz_name(z, 1), "größe");
    CHECK_OK(lcl_npz_read_shape(z, 0, &a, &err));
    ck_assert_int_eq(a.n_axes, 2);
    ck_assert_int_eq(a.shape[1], 3);
    ck_assert_ptr_null(a.values);
    CHECK_OK(lcl_npz_read(z, 0, &a, &err));
    ck_assert_uint_eq(a.count, 6);
    ck_assert_mem_eq(a.values, values, sizeof values);
    free(a.values);
    CHECK_OK(lcl_npz_read(z, 1, &a, &err));
    ck_assert_int_eq(a.n_axes, 0);
    ck_assert_float_eq(a.values[0], 1);
    free(a.values);
    lcl_npz_close(z);
}
END_TEST

START_TEST(the_same_arrays_are_the_same_bytes)
{
    char *first, *second;
    size_t n, m;

    write_archive();
    CHECK_OK(lcl_file_read(&first, &n, path, 0, &err));
    write_archive();
    CHECK_OK(lcl_file_read(&second, &m, path, 0, &err));
    ck_assert_uint_eq(n, m);
    ck_assert_mem_eq(first, second, n);
    free(first);
    free(second);
}
END_TEST

START_TEST(names)
{
    lcl_npz *z;

    CHECK_OK(lcl_npz_create(&z, path, &err));
    CHECK_OK(lcl_npz_add(z, "a", values, 0, NULL, &err));
    CHECK_FAILS(lcl_npz_add(z, "a", values, 0, NULL, &err), LCL_EDATA, "a: ");
    CHECK_FAILS(lcl_npz_add(z, "\xff\xfe", values, 0, NULL, &err), LCL_EDATA, ": ");
    lcl_npz_close(z);
    ck_assert(!lcl_file_exists(path));
}
END_TEST

/* The archive with byte `at` changed, or cut off there. */
static void damage(char *bytes, size_t size, size_t at, bool cut)
{
    bytes[at] ^= 0x40;
    CHECK_OK(lcl_file_write(path, bytes, cut ? at : size, &err));
    bytes[at] ^= 0x40;
}

/* All arrays of the archive at `path`, as far as they can be read. */
static lcl_status read_all(void)
{
    lcl_npz *z;
    lcl_status status = lcl_npz_open(&z, path, &err);

    if (status != LCL_OK)
        return status;
    for (size_t i = 0; i < lcl_npz_n(z) && status == LCL_OK; i++) {
        lcl_npy a;
        status = lcl_npz_read(z, i, &a, &err);
        free(a.values);
    }
    lcl_npz_close(z);
    return status;
}

START_TEST(broken_archives)
{
    char *bytes;
    size_t size;
    lcl_npz *z;
    lcl_npy a;

    CHECK_FAILS(lcl_npz_open(&z, "/no/such/file.npz", &err), LCL_EIO, "No such file");
    CHECK_OK(lcl_file_write(path, "no archive", 10, &err));
    CHECK_FAILS(lcl_npz_open(&z, path, &err), LCL_EDATA, "Not a zip archive");
    write_archive();
    CHECK_OK(lcl_file_read(&bytes, &size, path, 0, &err));
    /* One of the values: the checksum tells. */
    char *value = bytes;
    while (memcmp(value, values, sizeof values) != 0)
        value++;
    damage(bytes, size, (size_t)(value - bytes), false);
    CHECK_OK(lcl_npz_open(&z, path, &err));
    CHECK_FAILS(lcl_npz_read(z, 0, &a, &err), LCL_EDATA, "conv1/0: CRC error");
    lcl_npz_close(z);
    /* Whatever is wrong, it is an error or changes nothing that matters. */
    for (size_t i = 0; i < size; i++) {
        damage(bytes, size, i, true);
        ck_assert_int_ne(read_all(), LCL_OK);
        damage(bytes, size, i, false);
        read_all();
    }
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("npz");
    TCase *cases = tcase_create("npz");

    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, what_is_written_reads_back);
    tcase_add_test(cases, the_same_arrays_are_the_same_bytes);
    tcase_add_test(cases, names);
    tcase_add_test(cases, broken_archives);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
