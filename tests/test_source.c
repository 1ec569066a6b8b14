/* Sources: LMDB and IDX files give the records they hold, and broken ones give errors. */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "idx.h"
#include "source.h"
#include "testing.h"
#include "text.h"

#define DATA "tests/golden/data/"
#define IMAGES DATA "mini-images-idx3-ubyte"
#define LABELS DATA "mini-labels-idx1-ubyte"

static char folder[64]; /* each test's own */
static lcl_error err;

static void make_folder(void)
{
    strcpy(folder, "/tmp/lcl-source-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char *command = lcl_format("rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
    free(command);
}

/* folder/name; the caller frees it. */
static char *in_folder(const char *name)
{
    return lcl_format("%s/%s", folder, name);
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

static void write_gz(const char *path, const void *bytes, size_t size)
{
    gzFile gz = gzopen(path, "wb");

    ck_assert_int_eq(gzwrite(gz, bytes, (unsigned)size), (int)size);
    gzclose(gz);
}

/* Reads every record of `path` and one more; true where all went well. */
static bool read_all(const char *path, uint8_t *out, size_t *count)
{
    lcl_source *s;
    lcl_record r;
    bool wrapped, good = true;

    if (lcl_source_open(&s, path, &err) != LCL_OK)
        return false;
    *count = lcl_source_count(s);
    for (size_t i = 0; i <= *count && good; i++) {
        good = lcl_source_next(s, &r, &wrapped, &err) == LCL_OK;
        ck_assert(!good || wrapped == (i == *count));
        if (good && i < 8 && out && r.bytes)
            memcpy(out + i * 784, r.bytes, 784);
    }
    lcl_source_close(s);
    return good;
}

/* ---- Good data --------------------------------------------------------------------- */

START_TEST(lmdb_holds_what_idx_holds)
{
    lcl_source *lmdb, *idx;
    lcl_record a, b;
    bool wrapped_a, wrapped_b;

    CHECK_OK(lcl_source_open(&lmdb, DATA "mini_lmdb", &err));
    CHECK_OK(lcl_source_open(&idx, IMAGES, &err));
    ck_assert_str_eq(lcl_source_kind_name(lmdb), "lmdb");
    ck_assert_str_eq(lcl_source_kind_name(idx), "idx");
    ck_assert_uint_eq(lcl_source_count(lmdb), 8);
    ck_assert_uint_eq(lcl_source_count(idx), 8);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(lcl_source_next(lmdb, &a, &wrapped_a, &err));
        CHECK_OK(lcl_source_next(idx, &b, &wrapped_b, &err));
        ck_assert(wrapped_a == (i == 8 || i == 16) && wrapped_b == wrapped_a);
        ck_assert(a.channels == 1 && a.height == 28 && a.width == 28 && !a.floats);
        ck_assert(b.channels == 1 && b.height == 28 && b.width == 28 && !b.floats);
        ck_assert_int_eq(a.label, b.label);
        ck_assert_mem_eq(a.bytes, b.bytes, 784);
    }
    lcl_source_rewind(lmdb);
    CHECK_OK(lcl_source_next(lmdb, &a, &wrapped_a, &err));
    ck_assert(!wrapped_a && a.label == 9);
    lcl_source_close(lmdb);
    lcl_source_close(idx);
}
END_TEST

/* Each of n readers gets its own of each n records, round and round. */
START_TEST(readers_take_turns)
{
    static const char *const paths[] = {DATA "mini_lmdb", IMAGES, DATA "mini_leveldb"};
    lcl_source *all, *one;
    lcl_record ra, ro;
    bool wrapped;

    for (size_t n = 1; n <= 5; n++)
        for (size_t turn = 0; turn < n; turn++) {
            CHECK_OK(lcl_source_open(&all, IMAGES, &err));
            CHECK_OK(lcl_source_open(&one, paths[_i], &err));
            lcl_source_take_turns(one, turn, n - 1);
            for (size_t i = 0; i < 30; i++) {
                CHECK_OK(lcl_source_next(all, &ra, &wrapped, &err));
                if (i % n != turn)
                    continue;
                CHECK_OK(lcl_source_next(one, &ro, &wrapped, &err));
                ck_assert(wrapped == (i >= n && i / 8 != (i - n) / 8));
                ck_assert_int_eq(ro.label, ra.label);
                ck_assert_mem_eq(ro.bytes, ra.bytes, 784);
            }
            ck_assert_uint_eq(lcl_source_count(one), 8 % n == 0 ? 8 / n : 8);
            lcl_source_rewind(one);
            lcl_source_rewind(all);
            for (size_t i = 0; i <= turn; i++)
                CHECK_OK(lcl_source_next(all, &ra, &wrapped, &err));
            CHECK_OK(lcl_source_next(one, &ro, &wrapped, &err));
            ck_assert_mem_eq(ro.bytes, ra.bytes, 784);
            lcl_source_close(one);
            lcl_source_close(all);
        }
}
END_TEST

START_TEST(one_database_opens_twice)
{
    lcl_source *a, *b;
    lcl_record ra, rb;
    bool wrapped;

    CHECK_OK(lcl_source_open(&a, DATA "mini_lmdb", &err));
    CHECK_OK(lcl_source_open(&b, DATA "mini_lmdb", &err));
    for (int i = 0; i < 3; i++)
        CHECK_OK(lcl_source_next(a, &ra, &wrapped, &err));
    CHECK_OK(lcl_source_next(b, &rb, &wrapped, &err));
    ck_assert_int_eq(rb.label, 9);
    lcl_source_close(a);
    CHECK_OK(lcl_source_next(b, &rb, &wrapped, &err));
    ck_assert_int_eq(rb.label, 2);
    lcl_source_close(b);
    ck_assert_msg(!lcl_file_exists(DATA "mini_lmdb/lock.mdb"), "a lock file was made");
}
END_TEST

/* ---- Broken LMDB ------------------------------------------------------------------- */

START_TEST(truncated_lmdb_is_an_error)
{
    char *whole, *path = in_folder("data.mdb");
    size_t size, count;
    uint8_t images[8 * 784];
    lcl_idx idx;

    CHECK_OK(lcl_file_read(&whole, &size, DATA "mini_lmdb/data.mdb", 0, &err));
    CHECK_OK(lcl_idx_read(&idx, IMAGES, NULL, &err));
    ck_assert_uint_eq(size, 20480);
    for (size_t n = 0; n < size; n += n < 300 ? 1 : 97) {
        write_file(path, whole, n);
        err = (lcl_error){0};
        ck_assert_msg(!read_all(folder, images, &count), "%zu bytes were accepted", n);
        ck_assert(err.message[0] && err.where[0]);
    }
    write_file(path, whole, size);
    ck_assert(read_all(folder, images, &count) && count == 8);
    ck_assert_mem_eq(images, idx.pixels, sizeof images);
    lcl_idx_free(&idx);
    free(path);
    free(whole);
}
END_TEST

START_TEST(zeroed_page_is_an_error)
{
    char *whole, *path = in_folder("data.mdb");
    size_t size, count;

    CHECK_OK(lcl_file_read(&whole, &size, DATA "mini_lmdb/data.mdb", 0, &err));
    for (size_t page = 0; page < size; page += 4096) {
        char *broken = lcl_alloc(size, 1);
        memcpy(broken, whole, size);
        memset(broken + page, 0, 4096);
        write_file(path, broken, size);
        err = (lcl_error){0};
        /* Page 0 and 1 are two versions of one thing; the older may be lost. */
        if (!read_all(folder, NULL, &count))
            ck_assert(err.message[0]);
        else
            ck_assert_msg(page < 8192, "page at %zu was not missed", page);
        free(broken);
    }
    free(path);
    free(whole);
}
END_TEST

START_TEST(damaged_bytes_never_crash)
{
    char *whole, *path = in_folder("data.mdb");
    size_t size, count, n_good = 0, n_bad = 0;

    CHECK_OK(lcl_file_read(&whole, &size, DATA "mini_lmdb/data.mdb", 0, &err));
    for (size_t i = 0; i < size; i += i % 4096 < 160 ? 1 : 61) {
        whole[i] ^= (char)0xa5;
        write_file(path, whole, size);
        whole[i] ^= (char)0xa5;
        err = (lcl_error){0};
        bool good = read_all(folder, NULL, &count);
        ck_assert(good || err.message[0]);
        n_good += good;
        n_bad += !good;
    }
    ck_assert_uint_gt(n_good, 100); /* bytes of pictures, unused ones */
    ck_assert_uint_gt(n_bad, 20);
    free(path);
    free(whole);
}
END_TEST

/* A database with one record of `value` under key "k". */
static void write_lmdb(const void *value, size_t size, const char *key)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    union {
        const void *in;
        void *out;
    } k = {key}, v = {value};
    MDB_val mk = {strlen(key), k.out}, mv = {size, v.out};

    ck_assert_int_eq(mdb_env_create(&env), 0);
    ck_assert_int_eq(mdb_env_open(env, folder, 0, 0664), 0);
    ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    ck_assert_int_eq(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
    if (size)
        ck_assert_int_eq(mdb_put(txn, dbi, &mk, &mv, 0), 0);
    ck_assert_int_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

/* The only record of a database with that value is refused with `text` in the message. */
static void check_value(const void *value, size_t size, const char *text)
{
    lcl_source *s;
    lcl_record r;
    bool wrapped;

    write_lmdb(value, size, "a\tkey");
    CHECK_OK(lcl_source_open(&s, folder, &err));
    CHECK_FAILS(lcl_source_next(s, &r, &wrapped, &err), LCL_EDATA, text);
    ck_assert_msg(strstr(err.message, "'a?key'") != NULL, "%s", err.message);
    lcl_source_close(s);
}

START_TEST(foreign_values_are_errors)
{
    static const uint8_t no_data[] = {8, 1, 16, 2, 24, 2};
    static const uint8_t short_data[] = {8, 1, 16, 2, 24, 2, 34, 3, 1, 2, 3};
    static const uint8_t long_data[] = {8, 1, 16, 1, 24, 2, 34, 3, 1, 2, 3};
    static const uint8_t overrun[] = {8, 1, 16, 2, 24, 2, 34, 100, 1, 2};
    static const uint8_t negative[] = {8,    0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 1,    16,
                                       1,    24,   1,    34,   1,    7};
    static const uint8_t huge[] = {8,    0xff, 0xff, 0xff, 0xff, 7,  16,
                                   0xff, 0xff, 0xff, 0xff, 7,    24, 0xff,
                                   0xff, 0xff, 0xff, 7,    34,   0};
    static const uint8_t encoded[] = {8, 0, 56, 1};

    check_value("hello, world", 12, "no Datum message");
    check_value(no_data, sizeof no_data, "does not fill");
    check_value(short_data, sizeof short_data, "does not fill");
    check_value(long_data, sizeof long_data, "does not fill");
    check_value(overrun, sizeof overrun, "no Datum message");
    check_value(negative, sizeof negative, "without proper channels");
    check_value(huge, sizeof huge, "without proper channels");
    check_value(encoded, sizeof encoded, "an encoded Datum without data");
}
END_TEST

START_TEST(float_data_is_read)
{
    static const uint8_t value[] = {8,    2, 16, 1,    24,   1, 40, 7, /* 2x1x1, 7 */
                                    0x35, 0, 0,  0x80, 0x3f,           /* 1 */
                                    0x35, 0, 0,  0x00, 0xc0};          /* -2 */
    lcl_source *s;
    lcl_record r;
    bool wrapped;

    write_lmdb(value, sizeof value, "0");
    CHECK_OK(lcl_source_open(&s, folder, &err));
    CHECK_OK(lcl_source_next(s, &r, &wrapped, &err));
    ck_assert(!r.bytes && r.channels == 2 && r.label == 7);
    ck_assert(r.floats[0] == 1 && r.floats[1] == -2);
    lcl_source_close(s);
}
END_TEST

START_TEST(empty_lmdb_is_an_error)
{
    lcl_source *s;

    write_lmdb("", 0, "x");
    CHECK_FAILS(lcl_source_open(&s, folder, &err), LCL_EDATA, "no records");
}
END_TEST

START_TEST(change_meanwhile_is_an_error)
{
    static const uint8_t value[] = {8, 1, 16, 1, 24, 1, 34, 1, 5};
    lcl_source *s;
    lcl_record r;
    bool wrapped;

    write_lmdb(value, sizeof value, "1");
    CHECK_OK(lcl_source_open(&s, folder, &err));
    CHECK_OK(lcl_source_next(s, &r, &wrapped, &err));
    write_lmdb(value, sizeof value, "2");
    CHECK_FAILS(lcl_source_next(s, &r, &wrapped, &err), LCL_EDATA,
                "another program changed");
    lcl_source_close(s);
}
END_TEST

START_TEST(lock_file_does_not_matter)
{
    static const uint8_t value[] = {8, 1, 16, 1, 24, 1, 34, 1, 5};
    char *lock = in_folder("lock.mdb"), *data = in_folder("data.mdb");
    size_t count;

    write_lmdb(value, sizeof value, "1");
    ck_assert_int_eq(chmod(lock, 0), 0);
    ck_assert_int_eq(chmod(data, 0444), 0);
    ck_assert_int_eq(chmod(folder, 0555), 0);
    ck_assert_msg(read_all(folder, NULL, &count), "%s", err.message);
    ck_assert_int_eq(chmod(folder, 0755), 0);
    free(lock);
    free(data);
}
END_TEST

START_TEST(wrong_folders_are_errors)
{
    lcl_source *s;
    char *path = in_folder("CURRENT"), *manifest = in_folder("MANIFEST-000007");
    char *data = in_folder("data.mdb");

    CHECK_FAILS(lcl_source_open(&s, "no/such/place", &err), LCL_EIO, "No such file");
    ck_assert_str_eq(err.where, "no/such/place");
    CHECK_FAILS(lcl_source_open(&s, folder, &err), LCL_EDATA, "it has no data.mdb");
    write_file(path, "", 0);
    write_file(manifest, "", 0);
    CHECK_FAILS(lcl_source_open(&s, folder, &err), LCL_EDATA, "LevelDB");
    char foreign[8192] = "SQLite format 3";
    write_file(data, foreign, sizeof foreign);
    CHECK_FAILS(lcl_source_open(&s, folder, &err), LCL_EDATA, "not an LMDB");
    CHECK_FAILS(lcl_source_open(&s, data, &err), LCL_EDATA, "no IDX images file");
    ck_assert(strstr(err.hint, "folder of an LMDB"));
    free(path);
    free(manifest);
    free(data);
}
END_TEST

/* ---- IDX --------------------------------------------------------------------------- */

typedef struct {
    const char *images, *labels;
} names;

START_TEST(labels_are_found_by_name)
{
    static const names good[] = {
        {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
        {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"},
        {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte"},
        {"train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz"},
        {"t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"},
        {"images", "labels"},
    };
    char *images, *labels;
    size_t n_images, n_labels, count;

    CHECK_OK(lcl_file_read(&images, &n_images, IMAGES, 0, &err));
    CHECK_OK(lcl_file_read(&labels, &n_labels, LABELS, 0, &err));
    for (size_t i = 0; i < LCL_COUNT(good); i++) {
        char *a = in_folder(good[i].images), *b = in_folder(good[i].labels);
        (strstr(a, ".gz") ? write_gz : write_file)(a, images, n_images);
        (strstr(b, ".gz") ? write_gz : write_file)(b, labels, n_labels);
        ck_assert_msg(read_all(a, NULL, &count), "%s: %s", a, err.message);
        ck_assert_uint_eq(count, 8);
        ck_assert_int_eq(remove(a), 0);
        ck_assert_int_eq(remove(b), 0);
        free(a);
        free(b);
    }
    free(images);
    free(labels);
}
END_TEST

START_TEST(broken_idx_is_an_error)
{
    char *images, *labels, *path = in_folder("images"), *label_path = in_folder("labels");
    char *other = in_folder("digits");
    size_t n_images, n_labels;
    lcl_idx idx;

    CHECK_OK(lcl_file_read(&images, &n_images, IMAGES, 0, &err));
    CHECK_OK(lcl_file_read(&labels, &n_labels, LABELS, 0, &err));
    for (size_t n = 0; n < n_images; n += n < 40 ? 1 : 501) {
        write_file(path, images, n);
        ck_assert_int_eq(lcl_idx_read(&idx, path, LABELS, &err), LCL_EDATA);
        write_gz(path, images, n);
        ck_assert_int_eq(lcl_idx_read(&idx, path, LABELS, &err), LCL_EDATA);
    }
    for (size_t n = 0; n < n_labels; n++) {
        write_file(path, labels, n);
        ck_assert_int_eq(lcl_idx_read(&idx, IMAGES, path, &err), LCL_EDATA);
    }
    images[3] = 9;
    write_file(path, images, n_images);
    CHECK_FAILS(lcl_idx_read(&idx, path, LABELS, &err), LCL_EDATA, "starts with 2057");
    images[3] = 3;
    CHECK_FAILS(lcl_idx_read(&idx, LABELS, LABELS, &err), LCL_EDATA,
                "no IDX images file");
    ck_assert(strstr(err.hint, "labels file"));
    memset(images + 4, 0xff, 12);
    write_file(path, images, n_images);
    CHECK_FAILS(lcl_idx_read(&idx, path, LABELS, &err), LCL_EDATA, "impossible");
    memset(images + 4, 0, 12);
    images[7] = 7;
    images[11] = images[15] = 28;
    write_file(path, images, n_images);
    CHECK_FAILS(lcl_idx_read(&idx, path, LABELS, &err), LCL_EDATA, "too long");
    write_file(path, images, 16 + 7 * 784);
    CHECK_FAILS(lcl_idx_read(&idx, path, NULL, &err), LCL_EIO, "labels.gz exists");
    write_file(label_path, labels, n_labels);
    CHECK_FAILS(lcl_idx_read(&idx, path, NULL, &err), LCL_EDATA, "8 labels for 7 images");
    write_file(other, images, 16 + 7 * 784);
    CHECK_FAILS(lcl_idx_read(&idx, other, NULL, &err), LCL_EDATA, "name of the labels");
    CHECK_FAILS(lcl_idx_read(&idx, "no-images", NULL, &err), LCL_EIO, "No such file");
    free(images);
    free(labels);
    free(path);
    free(label_path);
    free(other);
}
END_TEST

START_TEST(truncated_gz_is_an_error)
{
    char *images, *zipped, *path = in_folder("images.gz");
    size_t n_images, n_zipped;
    lcl_idx idx;

    CHECK_OK(lcl_file_read(&images, &n_images, IMAGES, 0, &err));
    write_gz(path, images, n_images);
    CHECK_OK(lcl_file_read(&zipped, &n_zipped, path, 0, &err));
    for (size_t n = 0; n < n_zipped; n += n < 40 ? 1 : 101) {
        write_file(path, zipped, n);
        err = (lcl_error){0};
        ck_assert_int_ne(lcl_idx_read(&idx, path, LABELS, &err), LCL_OK);
        ck_assert(err.message[0]);
    }
    zipped[n_zipped / 2] ^= 0x55;
    write_file(path, zipped, n_zipped);
    ck_assert_int_ne(lcl_idx_read(&idx, path, LABELS, &err), LCL_OK);
    free(images);
    free(zipped);
    free(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("source");
    TCase *good = tcase_create("good"), *lmdb = tcase_create("lmdb");
    TCase *idx = tcase_create("idx");

    tcase_add_test(good, lmdb_holds_what_idx_holds);
    tcase_add_loop_test(good, readers_take_turns, 0, 3);
    tcase_add_test(good, one_database_opens_twice);
    suite_add_tcase(suite, good);
    tcase_add_checked_fixture(lmdb, make_folder, remove_folder);
    tcase_add_test(lmdb, truncated_lmdb_is_an_error);
    tcase_add_test(lmdb, zeroed_page_is_an_error);
    tcase_add_test(lmdb, damaged_bytes_never_crash);
    tcase_add_test(lmdb, foreign_values_are_errors);
    tcase_add_test(lmdb, float_data_is_read);
    tcase_add_test(lmdb, empty_lmdb_is_an_error);
    tcase_add_test(lmdb, change_meanwhile_is_an_error);
    tcase_add_test(lmdb, lock_file_does_not_matter);
    tcase_add_test(lmdb, wrong_folders_are_errors);
    suite_add_tcase(suite, lmdb);
    tcase_add_checked_fixture(idx, make_folder, remove_folder);
    tcase_add_test(idx, labels_are_found_by_name);
    tcase_add_test(idx, broken_idx_is_an_error);
    tcase_add_test(idx, truncated_gz_is_an_error);
    suite_add_tcase(suite, idx);
    return testing_run(suite);
}
