/* Blobs: shapes, blocks, memory that is kept, shared and re-made, host copies. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "lcl/blob.h"
#include "layer_fixture.h"
#include "testing.h"
#include "text.h"

static lcl_blob *make(int n_axes, const int *shape, int block)
{
    lcl_blob *b = lcl_blob_create(testing_device(), "b");
    lcl_error err;

    CHECK_OK(lcl_blob_reshape(b, n_axes, shape, block, &err));
    return b;
}

/* The blob's memory as it lies on the device; free() it. */
static float *stored(const lcl_blob *b, lcl_which which)
{
    size_t n = lcl_blob_stored(b);
    float *x = lcl_alloc(n, sizeof *x);
    lcl_error err;

    CHECK_OK(lcl_buffer_read(b->dev, which == LCL_DATA ? b->data : b->diff, 0,
                             n * sizeof *x, x, &err));
    return x;
}

START_TEST(test_shape)
{
    static const int shape[] = {21, 3, 4, 5};
    lcl_blob *b = make(4, shape, 16), *same = make(4, shape, 1),
             *other = make(3, shape, 1);
    char text[64];

    ck_assert_uint_eq(lcl_blob_count(b), 1260);
    ck_assert_uint_eq(lcl_blob_count_range(b, 1, 3), 12);
    ck_assert_uint_eq(lcl_blob_count_range(b, 2, 2), 1);
    ck_assert_uint_eq(lcl_blob_image_count(b), 60);
    ck_assert_uint_eq(lcl_blob_n_blocks(b), 2);
    ck_assert_uint_eq(lcl_blob_stored(b), 1920);
    ck_assert_uint_eq(lcl_blob_stored(same), 1260);
    ck_assert_int_eq(lcl_blob_dim(b, 3), 5);
    ck_assert_int_eq(lcl_blob_dim(b, 4), 1);
    ck_assert(lcl_blob_same_shape(b, same));
    ck_assert(!lcl_blob_same_shape(b, other));
    lcl_blob_shape_text(b, text, sizeof text);
    ck_assert_str_eq(text, "21 3 4 5 (1260)");
    lcl_blob_destroy(b);
    lcl_blob_destroy(same);
    lcl_blob_destroy(other);
}
END_TEST

START_TEST(test_no_axes)
{
    lcl_blob *b = make(0, NULL, 16);
    float value = 2.5f, read = 0;
    char text[16];
    lcl_error err;

    ck_assert_uint_eq(lcl_blob_count(b), 1);
    ck_assert_uint_eq(lcl_blob_stored(b), 1);
    ck_assert_uint_eq(lcl_blob_n_blocks(b), 1);
    ck_assert_uint_eq(lcl_blob_image_count(b), 1);
    ck_assert_int_eq(lcl_blob_dim(b, 0), 1);
    lcl_blob_shape_text(b, text, sizeof text);
    ck_assert_str_eq(text, "(1)");
    CHECK_OK(lcl_blob_write(b, LCL_DATA, &value, &err));
    CHECK_OK(lcl_blob_read(b, LCL_DATA, &read, &err));
    ck_assert(read == 2.5f);
    lcl_blob_destroy(b);
}
END_TEST

START_TEST(test_no_elements)
{
    static const int shape[] = {0, 3, 4};
    lcl_blob *b = make(3, shape, 16);
    lcl_error err;

    ck_assert_uint_eq(lcl_blob_stored(b), 0);
    ck_assert_ptr_nonnull(b->data);
    CHECK_OK(lcl_blob_need_diff(b, &err));
    CHECK_OK(lcl_blob_write(b, LCL_DIFF, NULL, &err));
    CHECK_OK(lcl_blob_read(b, LCL_DATA, NULL, &err));
    lcl_blob_destroy(b);
}
END_TEST

START_TEST(test_bad_shapes)
{
    static const int negative[] = {2, -3}, huge[] = {65536, 65536},
                     many[LCL_MAX_AXES + 1], padded[] = {INT_MAX},
                     zero[] = {65536, 65536, 0};
    lcl_blob *b = lcl_blob_create(testing_device(), "conv1");
    lcl_error err;

    CHECK_FAILS(lcl_blob_reshape(b, 2, negative, 1, &err), LCL_ESHAPE,
                "blob 'conv1' cannot have shape (2 -3): a dimension is negative");
    CHECK_FAILS(lcl_blob_reshape(b, 2, huge, 1, &err), LCL_ESHAPE,
                "(65536 65536): it has over 2147483647 elements");
    CHECK_FAILS(lcl_blob_reshape(b, 1, padded, 16, &err), LCL_ESHAPE, "it has over");
    CHECK_FAILS(lcl_blob_reshape(b, 3, zero, 1, &err), LCL_ESHAPE, "it has over");
    CHECK_FAILS(lcl_blob_reshape(b, LCL_MAX_AXES + 1, many, 1, &err), LCL_ESHAPE,
                "cannot have 33 axes");
    ck_assert_int_eq(b->n_axes, 0);
    ck_assert_ptr_null(b->data);
    lcl_blob_destroy(b);
    lcl_blob_destroy(NULL);
}
END_TEST

START_TEST(test_copies_are_row_major)
{
    static const struct {
        int shape[4], block;
    } cases[] = {{{5, 2, 3, 1}, 1},   {{5, 2, 3, 1}, 4},  {{16, 3, 2, 2}, 16},
                 {{17, 1, 2, 3}, 16}, {{3, 7, 1, 1}, 32}, {{1, 1, 1, 1}, 16}};

    for (size_t c = 0; c < LCL_COUNT(cases); c++) {
        lcl_blob *b = make(4, cases[c].shape, cases[c].block);
        size_t count = lcl_blob_count(b), image = lcl_blob_image_count(b);
        size_t block = (size_t)cases[c].block, n = (size_t)cases[c].shape[0];
        float *out = lcl_alloc(count, sizeof *out), *lanes;
        lcl_error err;

        CHECK_OK(lcl_buffer_fill(b->dev, b->data, 0, lcl_blob_stored(b) * sizeof(float),
                                 7.0f, &err));
        layer_fixture_fill(b, LCL_DATA, (unsigned)c);
        lanes = stored(b, LCL_DATA);
        for (size_t i = 0; i < lcl_blob_stored(b); i++) {
            size_t number = i / (image * block) * block + i % block;
            size_t element = i / block % image;
            float expected =
                number < n ? testing_value((unsigned)c, number * image + element) : 0.0f;

            ck_assert_msg(lanes[i] == expected, "case %zu, float %zu", c, i);
        }
        CHECK_OK(lcl_blob_read(b, LCL_DATA, out, &err));
        for (size_t i = 0; i < count; i++)
            ck_assert(out[i] == testing_value((unsigned)c, i));
        free(lanes);
        free(out);
        lcl_blob_destroy(b);
    }
}
END_TEST

START_TEST(test_pack_and_unpack)
{
    static const float in[] = {1, 2, 3, 4, 5, 6}, packed[] = {1, 3, 2, 4, 5, 0, 6, 0};
    float out[8], back[6];

    lcl_pack(out, in, 3, 2, 2);
    ck_assert_mem_eq(out, packed, sizeof packed);
    lcl_unpack(back, out, 3, 2, 2);
    ck_assert_mem_eq(back, in, sizeof in);
}
END_TEST

START_TEST(test_smaller_keeps_memory_larger_is_new)
{
    static const int large[] = {4, 6}, small[] = {2, 3}, larger[] = {5, 6};
    lcl_blob *b = make(2, large, 1);
    cl_mem data = b->data;
    float *x;
    lcl_error err;

    layer_fixture_fill(b, LCL_DATA, 1);
    CHECK_OK(lcl_blob_need_diff(b, &err));
    layer_fixture_fill(b, LCL_DIFF, 2);
    CHECK_OK(lcl_blob_reshape(b, 2, small, 1, &err));
    CHECK_OK(lcl_blob_reshape(b, 2, large, 1, &err));
    ck_assert_ptr_eq(b->data, data);
    x = stored(b, LCL_DATA);
    ck_assert(x[23] == testing_value(1, 23));
    free(x);

    CHECK_OK(lcl_blob_reshape(b, 2, larger, 1, &err));
    ck_assert_uint_eq(b->capacity, 30);
    for (lcl_which which = LCL_DATA; which <= LCL_DIFF; which++) {
        x = stored(b, which);
        for (int i = 0; i < 30; i++)
            ck_assert(x[i] == 0.0f);
        free(x);
    }
    lcl_blob_destroy(b);
}
END_TEST

START_TEST(test_diff_is_made_on_demand)
{
    static const int shape[] = {3, 2};
    lcl_blob *b = make(2, shape, 4);
    cl_mem diff;
    float *x;
    lcl_error err;

    ck_assert_ptr_null(b->diff);
    CHECK_OK(lcl_blob_need_diff(b, &err));
    x = stored(b, LCL_DIFF);
    for (size_t i = 0; i < lcl_blob_stored(b); i++)
        ck_assert(x[i] == 0.0f);
    free(x);
    diff = b->diff;
    CHECK_OK(lcl_blob_need_diff(b, &err));
    ck_assert_ptr_eq(b->diff, diff);
    lcl_blob_destroy(b);
}
END_TEST

START_TEST(test_shared_memory_outlives_its_first_owner)
{
    static const int shape[] = {4, 3}, flat[] = {12}, larger[] = {13};
    lcl_blob *a = make(2, shape, 1), *b = make(1, flat, 1);
    float x[13];
    lcl_error err;

    CHECK_OK(lcl_blob_need_diff(a, &err));
    lcl_blob_share_data(b, a);
    lcl_blob_share_diff(b, a);
    lcl_blob_share_data(b, b);
    layer_fixture_fill(a, LCL_DATA, 5);
    layer_fixture_fill(b, LCL_DIFF, 6);
    CHECK_OK(lcl_blob_read(b, LCL_DATA, x, &err));
    ck_assert(x[11] == testing_value(5, 11));
    CHECK_OK(lcl_blob_read(a, LCL_DIFF, x, &err));
    ck_assert(x[11] == testing_value(6, 11));
    lcl_blob_destroy(a);
    CHECK_OK(lcl_blob_read(b, LCL_DATA, x, &err));
    ck_assert(x[11] == testing_value(5, 11));
    CHECK_OK(lcl_blob_reshape(b, 1, larger, 1, &err));
    CHECK_OK(lcl_blob_read(b, LCL_DATA, x, &err));
    ck_assert(x[11] == 0.0f);
    lcl_blob_destroy(b);
}
END_TEST

START_TEST(test_sharing_into_a_larger_blob_lowers_its_capacity)
{
    static const int large[] = {100}, small[] = {10};
    lcl_blob *a = make(1, small, 1), *b = make(1, large, 1);
    lcl_error err;

    CHECK_OK(lcl_blob_reshape(b, 1, small, 1, &err));
    lcl_blob_share_data(b, a);
    CHECK_OK(lcl_blob_reshape(b, 1, large, 1, &err));
    ck_assert_ptr_ne(b->data, a->data);
    layer_fixture_fill(b, LCL_DATA, 1);
    lcl_blob_destroy(a);
    lcl_blob_destroy(b);
}
END_TEST

/* Whatever allocation fails, the blob stays usable and a later try succeeds. */
START_TEST(test_failed_allocations)
{
    static const int small[] = {2, 2}, large[] = {3, 5};

    for (unsigned n = 1; n <= 2; n++) {
        lcl_blob *b = make(2, small, 1);
        lcl_error err;

        CHECK_OK(lcl_blob_need_diff(b, &err));
        lcl_device_fault(b->dev, LCL_FAULT_ALLOC, n);
        CHECK_FAILS(lcl_blob_reshape(b, 2, large, 1, &err), LCL_EDEVICE,
                    n == 1 ? "data of blob 'b'" : "diff of blob 'b'");
        ck_assert_ptr_null(b->data);
        CHECK_OK(lcl_blob_reshape(b, 2, large, 1, &err));
        layer_fixture_fill(b, LCL_DATA, 1);
        lcl_blob_destroy(b);
    }
}
END_TEST

START_TEST(test_failed_copies)
{
    static const int shape[] = {3, 2};

    for (int block = 1; block <= 4; block += 3) {
        lcl_blob *b = make(2, shape, block);
        float x[6] = {0};
        lcl_error err;

        lcl_device_fault(b->dev, LCL_FAULT_COPY, 1);
        CHECK_FAILS(lcl_blob_read(b, LCL_DATA, x, &err), LCL_EDEVICE, "reading");
        lcl_device_fault(b->dev, LCL_FAULT_COPY, 1);
        CHECK_FAILS(lcl_blob_write(b, LCL_DATA, x, &err), LCL_EDEVICE, "writing");
        lcl_blob_destroy(b);
    }
}
END_TEST

/* Data that are written to a blob there are kept, and seen through blobs that share them. */
START_TEST(test_blank_device_keeps_what_is_written)
{
    static const int shape[] = {3, 2}, other[] = {3, 3};
    const float in[6] = {1, 2, 3, 4, 5, 6};
    lcl_device *dev = lcl_device_create_blank();
    lcl_blob *a = lcl_blob_create(dev, "a"), *b = lcl_blob_create(dev, "b");
    float out[9] = {9, 9, 9, 9, 9, 9, 9, 9, 9};
    lcl_error err;

    CHECK_OK(lcl_blob_reshape(a, 2, shape, 1, &err));
    CHECK_OK(lcl_blob_reshape(b, 2, shape, 1, &err));
    lcl_blob_share_data(b, a);
    ck_assert(!lcl_blob_has_data(a) && !lcl_blob_has_data(b));
    CHECK_OK(lcl_blob_read(b, LCL_DATA, out, &err));
    ck_assert_float_eq(out[5], 0);
    CHECK_OK(lcl_blob_write(a, LCL_DATA, in, &err));
    ck_assert(lcl_blob_has_data(a) && lcl_blob_has_data(b));
    CHECK_OK(lcl_blob_read(b, LCL_DATA, out, &err));
    ck_assert_mem_eq(out, in, sizeof in);
    CHECK_OK(lcl_blob_read(a, LCL_DIFF, out, &err));
    ck_assert_float_eq(out[5], 0);
    CHECK_OK(lcl_blob_reshape(a, 2, shape, 4, &err));
    ck_assert(lcl_blob_has_data(a));
    CHECK_OK(lcl_blob_reshape(a, 2, other, 4, &err));
    ck_assert(!lcl_blob_has_data(a));
    lcl_blob_destroy(b);
    lcl_blob_destroy(a);
    lcl_device_close(dev);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("blob");
    TCase *t = tcase_create("blob");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, test_shape);
    tcase_add_test(t, test_no_axes);
    tcase_add_test(t, test_no_elements);
    tcase_add_test(t, test_bad_shapes);
    tcase_add_test(t, test_copies_are_row_major);
    tcase_add_test(t, test_pack_and_unpack);
    tcase_add_test(t, test_smaller_keeps_memory_larger_is_new);
    tcase_add_test(t, test_diff_is_made_on_demand);
    tcase_add_test(t, test_shared_memory_outlives_its_first_owner);
    tcase_add_test(t, test_sharing_into_a_larger_blob_lowers_its_capacity);
    tcase_add_test(t, test_failed_allocations);
    tcase_add_test(t, test_failed_copies);
    tcase_add_test(t, test_blank_device_keeps_what_is_written);
    suite_add_tcase(suite, t);
    return testing_run(suite);
}
