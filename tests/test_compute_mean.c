/* `compute-mean`: the file is Caffe's, whatever the kind of database. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datum.h"
#include "db_write.h"
#include "lcl/proto.h"
#include "testing.h"
#include "text.h"

#define DATA "tests/golden/data/"
#define MEAN(...)                                                                        \
    testing_command(&lcl_command_compute_mean, (const char *const[]){__VA_ARGS__, NULL}, \
                    &err)

static lcl_error err;
static char folder[64], db[96], out[96];

static void make_folder(void)
{
    strcpy(folder, "/tmp/lcl-compute-mean-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(db, sizeof db, "%s/db", folder);
    snprintf(out, sizeof out, "%s/mean.binaryproto", folder);
}

static void remove_folder(void)
{
    char *command = lcl_format("rm -rf %s", folder);

    ck_assert_int_eq(system(command), 0);
    free(command);
}

START_TEST(the_file_is_caffes)
{
    static const char *const sources[] = {DATA "mini_lmdb", DATA "mini_leveldb",
                                          DATA "mini-images-idx3-ubyte"};
    char *caffes, *ours;
    size_t n, m;

    CHECK_OK(lcl_file_read(&caffes, &n, DATA "mean.binaryproto", 0, &err));
    for (size_t i = 0; i < LCL_COUNT(sources); i++) {
        ck_assert_int_eq(MEAN(sources[i], out, "--backend", "lmdb"), 0);
        CHECK_OK(lcl_file_read(&ours, &m, out, 0, &err));
        ck_assert_uint_eq(n, m);
        ck_assert_mem_eq(ours, caffes, n);
        free(ours);
    }
    free(caffes);
    ck_assert_int_eq(MEAN(DATA "mini_lmdb"), 0);
}
END_TEST

static void write_records(const lcl_record *records, size_t n)
{
    lcl_db_writer *w;

    CHECK_OK(lcl_db_create(&w, "lmdb", db, true, &err));
    for (size_t i = 0; i < n; i++) {
        char key[32];
        size_t size;
        snprintf(key, sizeof key, "%zu", i);
        uint8_t *value = lcl_datum_encode(&records[i], &size);
        CHECK_OK(lcl_db_put(w, key, value, size, &err));
        free(value);
    }
    CHECK_OK(lcl_db_finish(w, &err));
    lcl_db_destroy(w);
}

START_TEST(floats_and_encoded_records_count_too)
{
    static const float floats[] = {1, 2, 3, 4, 5, 6};
    static const uint8_t bytes[] = {3, 4, 5, 6, 7, 8};
    const lcl_record records[] = {{3, 1, 2, .floats = floats}, {3, 1, 2, .bytes = bytes}};
    lcl_proto *mean;
    char *png;
    lcl_record encoded = {0};

    write_records(records, 2);
    ck_assert_int_eq(MEAN(db, out), 0);
    CHECK_OK(lcl_proto_read_binary(&mean, &caffe__blob_proto__descriptor, out, &err));
    const Caffe__BlobProto *blob = (const void *)lcl_proto_root(mean);
    ck_assert(blob->num == 1 && blob->channels == 3 && blob->height == 1 &&
              blob->width == 2 && !blob->shape);
    for (size_t i = 0; i < 6; i++)
        ck_assert(blob->data[i] == (float)(i + 2));
    lcl_proto_destroy(mean);

    CHECK_OK(lcl_file_read(&png, &encoded.encoded_size, "tests/data/images/color.png", 0,
                           &err));
    encoded.encoded = (const uint8_t *)png;
    write_records(&encoded, 1);
    ck_assert_int_eq(MEAN(db, out), 0);
    CHECK_OK(lcl_proto_read_binary(&mean, &caffe__blob_proto__descriptor, out, &err));
    blob = (const void *)lcl_proto_root(mean);
    ck_assert(blob->channels == 3 && blob->height == 21 && blob->width == 34);
    lcl_proto_destroy(mean);
    encoded.encoded_size = 50;
    write_records(&encoded, 1);
    ck_assert_int_eq(MEAN(db, out), 1);
    ck_assert(strstr(err.message, "PNG image is damaged"));
    free(png);
}
END_TEST

START_TEST(what_cannot_be_averaged_is_an_error)
{
    static const uint8_t bytes[6] = {0};
    const lcl_record records[] = {{3, 1, 2, .bytes = bytes}, {1, 2, 3, .bytes = bytes}};

    write_records(records, 2);
    ck_assert_int_eq(MEAN(db, out), 1);
    ck_assert(strstr(err.message, "record 2 is 1 x 2 x 3 and the first one 3 x 1 x 2"));
    ck_assert(!lcl_file_exists(out));
    ck_assert_int_eq(MEAN("no/such/db"), 1);
    ck_assert_int_eq(MEAN(DATA "mini_lmdb", "no/such/folder/mean"), 1);
    ck_assert_int_eq(
        testing_command(&lcl_command_compute_mean, (const char *const[]){NULL}, &err), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("compute_mean");
    TCase *tcase = tcase_create("compute_mean");

    tcase_add_checked_fixture(tcase, make_folder, remove_folder);
    tcase_add_test(tcase, the_file_is_caffes);
    tcase_add_test(tcase, floats_and_encoded_records_count_too);
    tcase_add_test(tcase, what_cannot_be_averaged_is_an_error);
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
