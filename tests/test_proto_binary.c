/* Binary messages: round trips, the forms of blobs, and files that are damaged or
 * foreign. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lcl/proto.h"
#include "testing.h"
#include "text.h"

#define NET &caffe__net_parameter__descriptor

static lcl_error err;

static const char model[] =
    "name: 'small' layer { name: 'ip' type: 'InnerProduct' bottom: 'a' top: 'b' "
    "inner_product_param { num_output: 2 } param { lr_mult: 0.5 } blobs { shape { dim: "
    "[2, 3] "
    "} data: [1, 2, 3, 4, 5, 6] } blobs { shape { dim: 2 } double_data: [0.5, -1] } "
    "include { "
    "phase: TEST } } layers { type: POOLING blobs_lr: [1, 2] } input_dim: [1, 300, 2, "
    "-7] "
    "state { level: -2 stage: '' } layer { clip_param { min: -1 max: 1 } }";

/* The model in binary. */
static uint8_t *encoded(size_t *size)
{
    lcl_proto *p;
    uint8_t *bytes;

    CHECK_OK(lcl_proto_parse_text(&p, NET, "t", model, strlen(model),
                                  LCL_UNKNOWN_IS_ERROR, NULL, &err));
    CHECK_OK(lcl_proto_encode(&bytes, size, lcl_proto_root(p), &err));
    lcl_proto_destroy(p);
    return bytes;
}

static lcl_status decode(lcl_proto **p, const void *bytes, size_t size)
{
    err = (lcl_error){0};
    return lcl_proto_parse_binary(p, NET, "m", bytes, size, &err);
}

START_TEST(round_trip)
{
    lcl_proto *text, *binary;
    size_t size, size_again;
    uint8_t *bytes = encoded(&size), *again;

    CHECK_OK(lcl_proto_parse_text(&text, NET, "t", model, strlen(model),
                                  LCL_UNKNOWN_IS_ERROR, NULL, &err));
    CHECK_OK(decode(&binary, bytes, size));
    char *one = lcl_proto_print(lcl_proto_root(text));
    char *other = lcl_proto_print(lcl_proto_root(binary));
    ck_assert_str_eq(one, other);

    lcl_proto *copy = lcl_proto_copy(binary, lcl_proto_root(binary));
    CHECK_OK(lcl_proto_encode(&again, &size_again, lcl_proto_root(copy), &err));
    ck_assert_uint_eq(size, size_again);
    ck_assert_mem_eq(bytes, again, size);
    lcl_proto_destroy(text);
    lcl_proto_destroy(binary);
    lcl_proto_destroy(copy);
    free(one);
    free(other);
    free(bytes);
    free(again);
}
END_TEST

START_TEST(an_empty_message)
{
    lcl_proto *p;
    char where[32];

    CHECK_OK(decode(&p, "", 0));
    lcl_proto_where(p, lcl_proto_root(p), "name", where, sizeof where);
    ck_assert_str_eq(where, "m");
    lcl_proto_destroy(p);
}
END_TEST

/* Fields that only forks of Caffe have are kept; enum values that only they have are not.
 */
START_TEST(fields_of_forks)
{
    static const uint8_t bytes[] = {
        0xa2, 6,    9, 0xda, 7, 2, 16, 9, /* layer { relu_param { engine: 9 } */
        0xa2, 0x3f, 1, 'x',               /*         1012: "x" } */
        0x32, 2,    8, 0,                 /* state { phase: TRAIN } */
        0x32, 2,    8, 9,                 /* state { phase: 9 } */
    };
    lcl_proto *p;
    uint8_t *again;
    size_t size;

    CHECK_OK(decode(&p, bytes, sizeof bytes));
    Caffe__NetParameter *net = (Caffe__NetParameter *)lcl_proto_root(p);
    ck_assert_uint_eq(net->n_layer, 1);
    ck_assert(!net->layer[0]->relu_param->has_engine);
    ck_assert_int_eq(net->layer[0]->relu_param->engine, 0);
    ck_assert(!net->state->has_phase);
    ck_assert_int_eq(net->state->phase, CAFFE__PHASE__TEST);
    lcl_proto *copy = lcl_proto_copy(p, lcl_proto_root(p));
    CHECK_OK(lcl_proto_encode(&again, &size, lcl_proto_root(copy), &err));
    /* the state comes first, then the layer with its unknown field at the end */
    ck_assert_uint_eq(size, 12);
    ck_assert_mem_eq(again + size - 4, bytes + 8, 4);
    lcl_proto_destroy(p);
    lcl_proto_destroy(copy);
    free(again);
}
END_TEST

/* --- damage
 * ------------------------------------------------------------------------------- */

START_TEST(every_truncation)
{
    size_t size, accepted = 0;
    uint8_t *bytes = encoded(&size);

    for (size_t n = 0; n < size; n++) {
        /* a block of exactly n bytes, so that a read beyond it is noticed */
        uint8_t *part = lcl_alloc(n, 1);
        lcl_proto *p;
        memcpy(part, bytes, n);
        if (decode(&p, part, n) == LCL_OK) {
            accepted++;
            lcl_proto_destroy(p);
        } else {
            ck_assert_int_eq(err.status, LCL_EPROTO);
            ck_assert_str_ne(err.hint, "");
        }
        free(part);
    }
    /* a message may end after any of its own fields: name, layers, input_dims, state, ...
     */
    ck_assert_uint_le(accepted, 10);
    free(bytes);
}
END_TEST

START_TEST(says_what_is_cut_off)
{
    static const uint8_t long_layer[] = {0xa2, 6, 100, 8, 1};
    static const uint8_t endless[] = {0x28, 0xff, 0xff};
    lcl_proto *p;

    CHECK_FAILS(decode(&p, long_layer, sizeof long_layer), LCL_EPROTO,
                "layer has 100 bytes, but only 2 are left");
    ck_assert_str_eq(err.where, "m: byte 2");
    CHECK_FAILS(decode(&p, endless, sizeof endless), LCL_EPROTO,
                "force_backward is cut off");
}
END_TEST

START_TEST(random_damage)
{
    size_t size;
    uint8_t *bytes = encoded(&size), *damaged = lcl_alloc(size, 1);

    for (unsigned i = 0; i < 20000; i++) {
        lcl_proto *p;
        memcpy(damaged, bytes, size);
        for (unsigned j = 0; j <= i % 3; j++) {
            size_t at = (size_t)((testing_value(i, 2 * j) + 1) / 2 * (float)(size - 1));
            damaged[at] = (uint8_t)((testing_value(i, 2 * j + 1) + 1) * 127);
        }
        if (decode(&p, damaged, size) == LCL_OK) {
            free(lcl_proto_print(lcl_proto_root(p)));
            lcl_proto_destroy(p);
        }
    }
    free(damaged);
    free(bytes);
}
END_TEST

/* Three bytes for an empty layer of several hundred bytes in memory. */
START_TEST(memory_is_bounded)
{
    size_t size = (size_t)2 << 20;
    uint8_t *bytes = lcl_alloc(size, 1);
    lcl_proto *p;

    for (size_t i = 0; i + 3 <= size; i += 3) {
        bytes[i] = 0xa2;
        bytes[i + 1] = 6;
    }
    CHECK_FAILS(decode(&p, bytes, size / 3 * 3), LCL_EPROTO, "far more memory");
    CHECK_OK(decode(&p, bytes, 3 * 1000));
    ck_assert_uint_eq(((Caffe__NetParameter *)lcl_proto_root(p))->n_layer, 1000);
    lcl_proto_destroy(p);
    free(bytes);
}
END_TEST

static const struct {
    const char *bytes;
    size_t size;
    const char *message, *hint;
} foreign[] = {
#define BYTES(s) s, sizeof s - 1
    {BYTES("layer {\n  name: \"data\"\n}\n"), "", "looks like a text file"},
    {BYTES("\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08"), "", "HDF5"},
    {BYTES("\0\0\0\0\0\0\0\0\0\0\x08\0\0\0\0\0\xde\xc0\xef\xbe\x01"), "", "LMDB"},
    {BYTES("\x1f\x8b\x08\0"), "", "gzip"},
    {BYTES("PK\x03\x04zzzz"), "", "zip"},
    {BYTES("version https://git-lfs.github.com/spec/v1\noid sha256:"), "",
     "git lfs pull"},
    {BYTES("<!DOCTYPE html><html>"), "", "web page"},
    {BYTES("\xff\xfel\0a\0"), "", "UTF-16"},
    {BYTES("\x0a\x01"), "name has 1 bytes, but only 0 are left", "truncated"},
    {BYTES("\x0d\0\0\0\0"), "name is not of the type", "damaged"},
    {BYTES("\x7b"), "wire type 3", ""},
    {BYTES("\x02\0"), "number 0", ""},
    {BYTES("\xa2\x06\x08\xa2\x09\x05\x0d\0\0\0\0"), "ClipParameter lacks", ""},
    {BYTES("\xa2\x06\x07\x3a\x05\x2a\x03\0\0\0"), "whole number of values of data", ""},
    {BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"), "tag is cut off", ""},
};

START_TEST(foreign_files)
{
    lcl_proto *p;

    CHECK_FAILS(decode(&p, foreign[_i].bytes, foreign[_i].size), LCL_EPROTO,
                foreign[_i].message);
    ck_assert_msg(strstr(err.hint, foreign[_i].hint) != NULL, "'%s' is not in '%s'",
                  foreign[_i].hint, err.hint);
}
END_TEST

START_TEST(unreadable_files)
{
    char path[] = "/tmp/lcl-test-XXXXXX";
    lcl_proto *p;

    CHECK_FAILS(lcl_proto_read_binary(&p, NET, "/nonexistent/x.caffemodel", &err),
                LCL_EIO, "");
    close(mkstemp(path));
    CHECK_FAILS(lcl_proto_read_binary(&p, NET, path, &err), LCL_EPROTO, "empty");
    unlink(path);
}
END_TEST

/* --- blobs
 * -------------------------------------------------------------------------------- */

static Caffe__BlobProto *blob_of(lcl_proto **p, const char *text)
{
    CHECK_OK(lcl_proto_parse_text(p, &caffe__blob_proto__descriptor, "t", text,
                                  strlen(text), LCL_UNKNOWN_IS_ERROR, NULL, &err));
    return (Caffe__BlobProto *)lcl_proto_root(*p);
}

static void check_blob(const char *text, bool diff, const int *shape, int n_axes,
                       const float *values, size_t count)
{
    const float *got;
    float *owned;
    int axes, sizes[32];
    size_t n;
    lcl_proto *p;
    Caffe__BlobProto *blob = blob_of(&p, text);

    CHECK_OK(lcl_blob_proto_shape(blob, &axes, sizes, &err));
    ck_assert_int_eq(axes, n_axes);
    for (int i = 0; i < n_axes; i++)
        ck_assert_int_eq(sizes[i], shape[i]);
    CHECK_OK(lcl_blob_proto_values(blob, diff, &got, &n, &owned, &err));
    ck_assert_uint_eq(n, count);
    for (size_t i = 0; i < n; i++)
        ck_assert_float_eq(got[i], values[i]);
    free(owned);
    lcl_proto_destroy(p);
}

START_TEST(forms_of_blobs)
{
    const float values[] = {1.5f, -2, 3, 4};

    check_blob("shape { dim: [2, 2] } data: [1.5, -2, 3, 4]", false, (int[]){2, 2}, 2,
               values, 4);
    check_blob("num: 1 channels: 2 height: 2 width: 1 data: [1.5, -2, 3, 4]", false,
               (int[]){1, 2, 2, 1}, 4, values, 4);
    check_blob("shape { dim: 4 } double_data: [1.5, -2, 3, 4]", false, (int[]){4}, 1,
               values, 4);
    check_blob("shape { dim: 2 } data: [9, 9] diff: [1.5, -2]", true, (int[]){2}, 1,
               values, 2);
    check_blob("shape { } data: 1.5", false, NULL, 0, values, 1);
    check_blob("shape { dim: [0, 5] }", false, (int[]){0, 5}, 2, values, 0);
    check_blob("data: [1.5, -2]", false, NULL, 0, values, 2);
}
END_TEST

START_TEST(wrong_blobs)
{
    static const char *const wrong[] = {
        "shape { dim: [2, 2] } data: [1, 2, 3]",
        "shape { dim: [-1] } data: 1",
        "shape { dim: 4294967296 } data: 1",
        "shape { dim: [2147483647, 2147483647, 2147483647] } data: 1",
        "num: 2 channels: 1 height: 1 width: 1 data: 1",
        "num: 2 data: [1, 2]",
        "shape { dim: 2 } double_data: 1 data: [1, 2]",
        "shape { dim: "
        "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1] } "
        "data: 1",
    };
    const float *values;
    float *owned = NULL;
    size_t n;
    lcl_proto *p;

    for (size_t i = 0; i < LCL_COUNT(wrong); i++) {
        CHECK_FAILS(lcl_blob_proto_values(blob_of(&p, wrong[i]), false, &values, &n,
                                          &owned, &err),
                    LCL_EPROTO, "");
        ck_assert_ptr_null(owned);
        lcl_proto_destroy(p);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proto_binary");
    TCase *trips = tcase_create("round trips"), *damage = tcase_create("damage"),
          *blobs = tcase_create("blobs");

    tcase_add_test(trips, round_trip);
    tcase_add_test(trips, an_empty_message);
    tcase_add_test(trips, fields_of_forks);
    suite_add_tcase(suite, trips);
    tcase_add_test(damage, every_truncation);
    tcase_add_test(damage, says_what_is_cut_off);
    tcase_add_test(damage, random_damage);
    tcase_add_test(damage, memory_is_bounded);
    tcase_add_loop_test(damage, foreign_files, 0, (int)LCL_COUNT(foreign));
    tcase_add_test(damage, unreadable_files);
    tcase_set_timeout(damage, 120);
    suite_add_tcase(suite, damage);
    tcase_add_test(blobs, forms_of_blobs);
    tcase_add_test(blobs, wrong_blobs);
    suite_add_tcase(suite, blobs);
    return testing_run(suite);
}
