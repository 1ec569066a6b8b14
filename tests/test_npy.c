/* Tests of .npy files: what is written is read back; foreign and broken files are
 * refused. */
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "npy.h"

static char path[64];

static void setup(void)
{
    snprintf(path, sizeof path, "/tmp/lcl_npy_%ld.npy", (long)getpid());
}

static void teardown(void)
{
    remove(path);
}

/* A version 1 file of `header` and `n` bytes of values. */
static void write_file(const char *header, const void *values, size_t n)
{
    FILE *f = fopen(path, "wb");

    ck_assert_ptr_nonnull(f);
    fwrite("\x93NUMPY\x01\x00", 1, 8, f);
    fputc((int)strlen(header), f);
    fputc(0, f);
    fputs(header, f);
    fwrite(values, 1, n, f);
    fclose(f);
}

START_TEST(round_trip)
{
    static const int shapes[][3] = {{2, 3, 4}, {24, 0, 0}, {4, 6, 0}};
    float values[24];
    lcl_error err;
    lcl_npy a;

    for (int i = 0; i < 24; i++)
        values[i] = testing_value(1, (size_t)i);
    for (int s = 0; s < 3; s++) {
        int n_axes = s == 0 ? 3 : s;
        CHECK_OK(lcl_npy_write(path, values, n_axes, shapes[s], &err));
        CHECK_OK(lcl_npy_read(&a, path, &err));
        ck_assert_int_eq(a.n_axes, n_axes);
        ck_assert_mem_eq(a.shape, shapes[s], (size_t)n_axes * sizeof(int));
        ck_assert_uint_eq(a.count, 24);
        ck_assert_mem_eq(a.values, values, sizeof values);
        free(a.values);
    }
}
END_TEST

START_TEST(one_value)
{
    float x = 4.25f;
    lcl_error err;
    lcl_npy a;

    CHECK_OK(lcl_npy_write(path, &x, 0, NULL, &err));
    CHECK_OK(lcl_npy_read(&a, path, &err));
    ck_assert_int_eq(a.n_axes, 0);
    ck_assert_uint_eq(a.count, 1);
    ck_assert_float_eq(a.values[0], x);
    free(a.values);
}
END_TEST

START_TEST(other_types)
{
    const double d[2] = {1.5, -2};
    const long long l[2] = {7, -8};
    const unsigned char u[2] = {0, 255};
    lcl_error err;
    lcl_npy a;

    write_file("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n", d,
               sizeof d);
    CHECK_OK(lcl_npy_read(&a, path, &err));
    ck_assert_float_eq(a.values[1], -2);
    free(a.values);
    write_file("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }\n", l,
               sizeof l);
    CHECK_OK(lcl_npy_read(&a, path, &err));
    ck_assert_float_eq(a.values[1], -8);
    free(a.values);
    write_file("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n", u,
               sizeof u);
    CHECK_OK(lcl_npy_read(&a, path, &err));
    ck_assert_float_eq(a.values[1], 255);
    free(a.values);
}
END_TEST

START_TEST(halves)
{
    /* 1, -2, the largest, the smallest, the smallest normal, a third, -0, infinity, a NaN */
    static const unsigned short h[9] = {0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400,
                                        0x3555, 0x8000, 0x7c00, 0x7e00};
    static const float wanted[8] = {1,        -2,          65504, 0x1p-24f,
                                    0x1p-14f, 0.33325195f, -0.0f, INFINITY};
    lcl_error err;
    lcl_npy a;

    write_file("{'descr': '<f2', 'fortran_order': False, 'shape': (9,), }\n", h,
               sizeof h);
    CHECK_OK(lcl_npy_read(&a, path, &err));
    ck_assert_mem_eq(a.values, wanted, sizeof wanted);
    ck_assert(isnan(a.values[8]));
    free(a.values);
}
END_TEST

START_TEST(fortran_order)
{
    /* Axis 0 runs first, then 1, then 2. */
    static const float stored[12] = {0, 100, 10, 110, 20, 120, 1, 101, 11, 111, 21, 121};
    static const float wanted[12] = {0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121};
    lcl_error err;
    lcl_npy a;

    write_file("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3, 2), }\n", stored,
               sizeof stored);
    CHECK_OK(lcl_npy_read(&a, path, &err));
    ck_assert_int_eq(a.n_axes, 3);
    ck_assert_mem_eq(a.values, wanted, sizeof wanted);
    free(a.values);
}
END_TEST

START_TEST(doubles_must_fit)
{
    const double d[3] = {-INFINITY, 3.4e38, -1e39};
    lcl_error err;
    lcl_npy a;

    write_file("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n", d, 16);
    CHECK_OK(lcl_npy_read(&a, path, &err));
    ck_assert_float_eq(a.values[0], -INFINITY);
    free(a.values);
    write_file("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n", d,
               sizeof d);
    CHECK_FAILS(lcl_npy_read(&a, path, &err), LCL_EDATA,
                "-1e+39 is too large for a float32");
    ck_assert_ptr_null(a.values);
}
END_TEST

START_TEST(shapes_alone)
{
    static const int shape[2] = {3, 5};
    const float values[15] = {0};
    size_t file_size;
    lcl_text file = {0};
    lcl_error err;
    lcl_npy a;

    lcl_npy_encode(&file, values, 2, shape);
    CHECK_OK(lcl_npy_parse_shape(&a, &file_size, "w", file.text,
                                 file.length - sizeof values, &err));
    ck_assert_int_eq(a.n_axes, 2);
    ck_assert_mem_eq(a.shape, shape, sizeof shape);
    ck_assert_uint_eq(file_size, file.length);
    ck_assert_ptr_null(a.values);
    CHECK_FAILS(lcl_npy_parse_shape(&a, &file_size, "w", file.text, 20, &err), LCL_EDATA,
                "not a whole .npy file");
    free(file.text);
}
END_TEST

START_TEST(broken_files)
{
    const float v[4] = {0};
    lcl_error err;
    lcl_npy a;

    CHECK_FAILS(lcl_npy_read(&a, "/no/such/file.npy", &err), LCL_EIO, "");
    write_file("{'descr': '>f4', 'fortran_order': False, 'shape': (4,), }\n", v,
               sizeof v);
    CHECK_FAILS(lcl_npy_read(&a, path, &err), LCL_EDATA, "type '>f4'");
    ck_assert_str_eq(err.hint, "store the array with .astype('float32')");
    write_file("{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }\n", v,
               sizeof v);
    CHECK_FAILS(lcl_npy_read(&a, path, &err), LCL_EDATA,
                "20 bytes of values, the file has 16");
    write_file("{'descr': '<f4', 'fortran_order': False, 'shape': (-4,), }\n", v,
               sizeof v);
    CHECK_FAILS(lcl_npy_read(&a, path, &err), LCL_EDATA, "bad shape");
    write_file("{'descr': '<f4', 'fortran_order': False, 'shape': "
               "(2000000000, 2000000000, 2000000000), }\n",
               v, sizeof v);
    CHECK_FAILS(lcl_npy_read(&a, path, &err), LCL_EDATA, "bad shape");
    write_file("{'descr': '<f4', 'fortran_order': False, 'shape': (4", v, 0);
    CHECK_FAILS(lcl_npy_read(&a, path, &err), LCL_EDATA, "bad shape");
    write_file("", v, 0);
    CHECK_FAILS(lcl_npy_read(&a, path, &err), LCL_EDATA, "not a whole .npy file");
    ck_assert_ptr_null(a.values);
    FILE *f = fopen(path, "wb");
    fputs("\x93NUMPY\x02", f);
    fclose(f);
    CHECK_FAILS(lcl_npy_read(&a, path, &err), LCL_EDATA, "not a whole .npy file");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("npy");
    TCase *cases = tcase_create("npy");

    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, round_trip);
    tcase_add_test(cases, one_value);
    tcase_add_test(cases, other_types);
    tcase_add_test(cases, halves);
    tcase_add_test(cases, fortran_order);
    tcase_add_test(cases, doubles_must_fit);
    tcase_add_test(cases, shapes_alone);
    tcase_add_test(cases, broken_files);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
