/* LevelDB: Caffe's database is read, left as it is, and can be open more than once; ours is
 * the same; damaged ones are errors. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datum.h"
#include "db_write.h"
#include "idx.h"
#include "source.h"
#include "testing.h"
#include "text.h"

#define DATA "tests/golden/data/"
#define MINI DATA "mini_leveldb"
#define IMAGES DATA "mini-images-idx3-ubyte"

static lcl_error err;
static char folder[64]; /* TMPDIR, with the database `target` beside it */
static char *target, *tmp;

static void make_folder(void)
{
    strcpy(folder, "/tmp/lcl-leveldb-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    target = lcl_format("%s/db", folder);
    tmp = lcl_format("%s/tmp", folder);
    ck_assert_int_eq(mkdir(tmp, 0755), 0);
    setenv("TMPDIR", tmp, 1);
}

/* Nothing is left of the work. */
static void remove_folder(void)
{
    char *command = lcl_format("rm -rf %s", folder);

    ck_assert_msg(rmdir(tmp) == 0, "something is left in TMPDIR");
    unsetenv("TMPDIR");
    ck_assert_int_eq(system(command), 0);
    free(command);
    free(target);
    free(tmp);
}

static size_t count_files(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;

    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

/* ---- Reading ----------------------------------------------------------------------- */

/* Both sources hold the 8 records of the IDX files, round and round. */
static void check_mini(const char *path)
{
    lcl_source *s, *again;
    lcl_idx idx;
    lcl_record r;
    bool wrapped;

    CHECK_OK(lcl_idx_read(&idx, IMAGES, NULL, &err));
    CHECK_OK(lcl_source_open(&s, path, &err));
    ck_assert_str_eq(lcl_source_kind_name(s), "leveldb");
    ck_assert(lcl_source_count(s) == LCL_SOURCE_UNCOUNTED);
    for (size_t i = 0; i < 20; i++) {
        CHECK_OK(lcl_source_next(s, &r, &wrapped, &err));
        ck_assert(wrapped == (i == 8 || i == 16));
        ck_assert(r.channels == 1 && r.height == 28 && r.width == 28);
        ck_assert_int_eq(r.label, idx.labels[i % 8]);
        ck_assert_mem_eq(r.bytes, idx.pixels + i % 8 * 784, 784);
    }
    ck_assert_uint_eq(lcl_source_count(s), 8);
    CHECK_OK(lcl_source_open(&again, path, &err));
    CHECK_OK(lcl_source_next(again, &r, &wrapped, &err));
    ck_assert(!wrapped && r.label == idx.labels[0]);
    lcl_source_close(again);
    lcl_source_rewind(s);
    CHECK_OK(lcl_source_next(s, &r, &wrapped, &err));
    ck_assert(!wrapped && r.label == idx.labels[0]);
    lcl_source_close(s);
    lcl_idx_free(&idx);
}

START_TEST(caffes_database_is_read_and_not_touched)
{
    size_t before = count_files(MINI);

    check_mini(MINI);
    ck_assert_uint_eq(count_files(MINI), before);
    ck_assert(lcl_file_exists(MINI "/MANIFEST-000007"));
    ck_assert(lcl_file_exists(MINI "/000005.ldb"));
}
END_TEST

/* A copy of the golden database with `size` bytes of file `name` as given. */
static void write_copy(const char *name, const void *bytes, size_t size)
{
    char *command = lcl_format("rm -rf %s && cp -r " MINI " %s && chmod -R u+w %s",
                               target, target, target);
    char *path = lcl_path_join(target, name);

    ck_assert_int_eq(system(command), 0);
    CHECK_OK(lcl_file_write(path, bytes, size, &err));
    free(path);
    free(command);
}

static lcl_status read_all(const char *path)
{
    lcl_source *s;
    lcl_record r;
    bool wrapped;

    err = (lcl_error){0};
    LCL_TRY(lcl_source_open(&s, path, &err));
    lcl_status status = LCL_OK;
    for (int i = 0; i < 8 && status == LCL_OK; i++)
        status = lcl_source_next(s, &r, &wrapped, &err);
    lcl_source_close(s);
    return status;
}

START_TEST(damaged_databases_are_errors)
{
    static const char *const names[] = {"000005.ldb", "MANIFEST-000007", "CURRENT"};
    const char *name = names[_i];
    char *path = lcl_path_join(MINI, name), *bytes;
    size_t size, n_steps = _i ? 24 : 12;

    CHECK_OK(lcl_file_read(&bytes, &size, path, 0, &err));
    for (size_t k = 0; k < n_steps; k++) {
        size_t n = size * k / n_steps;
        write_copy(name, bytes, n);
        ck_assert_msg(read_all(target) != LCL_OK, "%s: %zu of %zu bytes", name, n, size);
        ck_assert(err.message[0]);
    }
    for (size_t k = 0; k < n_steps; k++) {
        size_t n = (size - 1) * k / n_steps;
        bytes[n] ^= 0x24;
        write_copy(name, bytes, size);
        read_all(target);
        bytes[n] ^= 0x24;
    }
    free(bytes);
    free(path);
}
END_TEST

START_TEST(a_missing_table_is_an_error)
{
    char *table = lcl_path_join(target, "000005.ldb");

    write_copy("000005.ldb", "", 0);
    ck_assert_int_eq(unlink(table), 0);
    CHECK_FAILS(read_all(target), LCL_EDATA, "cannot read the LevelDB database");
    ck_assert_str_eq(err.where, target);
    free(table);
}
END_TEST

/* ---- Writing ----------------------------------------------------------------------- */

static void write_mini(bool replace)
{
    lcl_db_writer *w;
    lcl_source *s;
    lcl_record r;
    bool wrapped;

    CHECK_OK(lcl_source_open(&s, IMAGES, &err));
    CHECK_OK(lcl_db_create(&w, "leveldb", target, replace, &err));
    for (int i = 0; i < 8; i++) {
        char key[32];
        size_t size;
        snprintf(key, sizeof key, "%08d", i);
        CHECK_OK(lcl_source_next(s, &r, &wrapped, &err));
        uint8_t *value = lcl_datum_encode(&r, &size);
        CHECK_OK(lcl_db_put(w, key, value, size, &err));
        free(value);
    }
    ck_assert(!lcl_file_exists(target) || replace);
    CHECK_OK(lcl_db_finish(w, &err));
    lcl_db_destroy(w);
    lcl_source_close(s);
}

START_TEST(what_is_written_reads_back)
{
    write_mini(false);
    check_mini(target);
    CHECK_FAILS(lcl_db_create(&(lcl_db_writer *){NULL}, "leveldb", target, false, &err),
                LCL_EIO, "exists already");
    write_mini(true);
    check_mini(target);
    ck_assert_uint_eq(count_files(folder), 2); /* tmp and db */
}
END_TEST

/* Records of several commits and tables, in the order of their keys. */
START_TEST(many_records_keep_their_order)
{
    enum { n = 2500 };
    static uint8_t pixels[4000];
    lcl_db_writer *w;
    lcl_source *s;
    lcl_record r = {.channels = 1, .height = 40, .width = 100, .bytes = pixels};
    bool wrapped;

    CHECK_OK(lcl_db_create(&w, "leveldb", target, false, &err));
    for (int i = 0; i < n; i++) {
        char key[32];
        size_t size;
        int number = i * 7 % n; /* 7 and n have no common factor */
        snprintf(key, sizeof key, "%08d", number);
        for (size_t k = 0; k < sizeof pixels; k++)
            pixels[k] = (uint8_t)((size_t)number * 31 + k * k * 7 + (k >> 3));
        r.label = number;
        uint8_t *value = lcl_datum_encode(&r, &size);
        CHECK_OK(lcl_db_put(w, key, value, size, &err));
        free(value);
    }
    CHECK_OK(lcl_db_finish(w, &err));
    lcl_db_destroy(w);
    CHECK_OK(lcl_source_open(&s, target, &err));
    for (int i = 0; i <= n; i++) {
        CHECK_OK(lcl_source_next(s, &r, &wrapped, &err));
        ck_assert_int_eq(r.label, i % n);
        ck_assert(wrapped == (i == n));
        ck_assert(r.bytes[5] == (uint8_t)((i % n) * 31 + 175));
    }
    lcl_source_close(s);
}
END_TEST

START_TEST(unknown_kinds_are_refused)
{
    CHECK_FAILS(lcl_db_create(&(lcl_db_writer *){NULL}, "bdb", target, false, &err),
                LCL_EUSAGE, "'bdb', not lmdb or leveldb");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("leveldb");
    TCase *tcase = tcase_create("leveldb");

    tcase_add_checked_fixture(tcase, make_folder, remove_folder);
    tcase_add_test(tcase, caffes_database_is_read_and_not_touched);
    tcase_add_loop_test(tcase, damaged_databases_are_errors, 0, 3);
    tcase_add_test(tcase, a_missing_table_is_an_error);
    tcase_add_test(tcase, what_is_written_reads_back);
    tcase_add_test(tcase, many_records_keep_their_order);
    tcase_add_test(tcase, unknown_kinds_are_refused);
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
