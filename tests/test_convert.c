/* Writing LMDB databases: the writer, and `convert mnist` against Caffe's own database.
 */
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lmdb_read.h"
#include "db_write.h"
#include "testing.h"
#include "text.h"

#define DATA "tests/golden/data/"
#define IMAGES DATA "mini-images-idx3-ubyte"
#define LABELS DATA "mini-labels-idx1-ubyte"

static char folder[64], target[96]; /* target: folder/db */
static lcl_error err;

static void make_folder(void)
{
    strcpy(folder, "/tmp/lcl-convert-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(target, sizeof target, "%s/db", folder);
}

static void remove_folder(void)
{
    char *command = lcl_format("rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
    free(command);
}

/* Runs `lenet-cl convert` with the words given; the exit code. */
static int convert(const char *const *words)
{
    return testing_command(&lcl_command_convert, words, &err);
}

#define CONVERT(...) convert((const char *const[]){__VA_ARGS__, NULL})

/* ---- Through liblmdb --------------------------------------------------------------- */

typedef struct {
    MDB_env *env;
    MDB_txn *txn;
    MDB_cursor *cursor;
} library;

static void library_open(library *l, const char *path)
{
    MDB_dbi dbi;

    ck_assert_int_eq(mdb_env_create(&l->env), 0);
    ck_assert_int_eq(mdb_env_open(l->env, path, MDB_RDONLY | MDB_NOLOCK, 0), 0);
    ck_assert_int_eq(mdb_txn_begin(l->env, NULL, MDB_RDONLY, &l->txn), 0);
    ck_assert_int_eq(mdb_dbi_open(l->txn, NULL, 0, &dbi), 0);
    ck_assert_int_eq(mdb_cursor_open(l->txn, dbi, &l->cursor), 0);
}

static void library_close(library *l)
{
    mdb_cursor_close(l->cursor);
    mdb_txn_abort(l->txn);
    mdb_env_close(l->env);
}

static void check_same(const MDB_val *a, lcl_span b)
{
    ck_assert_uint_eq(a->mv_size, b.size);
    ck_assert_mem_eq(a->mv_data, b.bytes, b.size);
}

/* Our reader gives what liblmdb gives, record by record; returns how many. */
static size_t check_readers_agree(const char *path)
{
    library l;
    lcl_lmdb_reader *r;
    MDB_val key, value;
    lcl_span our_key, our_value;
    size_t n = 0;

    library_open(&l, path);
    CHECK_OK(lcl_lmdb_open(&r, path, &err));
    while (mdb_cursor_get(l.cursor, &key, &value, MDB_NEXT) == 0) {
        CHECK_OK(lcl_lmdb_next(r, &our_key, &our_value, &err));
        check_same(&key, our_key);
        check_same(&value, our_value);
        n++;
    }
    ck_assert_uint_eq(n, lcl_lmdb_count(r));
    CHECK_FAILS(lcl_lmdb_next(r, &our_key, &our_value, &err), LCL_EDATA, "damaged");
    lcl_lmdb_close(r);
    library_close(&l);
    return n;
}

/* Two databases hold the same bytes, as liblmdb reads them. */
static void check_same_records(const char *path_a, const char *path_b)
{
    library a, b;
    MDB_val ka, va, kb, vb;
    int code;

    library_open(&a, path_a);
    library_open(&b, path_b);
    do {
        code = mdb_cursor_get(a.cursor, &ka, &va, MDB_NEXT);
        ck_assert_int_eq(mdb_cursor_get(b.cursor, &kb, &vb, MDB_NEXT), code);
        if (code == 0) {
            check_same(&ka, (lcl_span){kb.mv_data, kb.mv_size});
            check_same(&va, (lcl_span){vb.mv_data, vb.mv_size});
        }
    } while (code == 0);
    library_close(&a);
    library_close(&b);
}

/* ---- The writer -------------------------------------------------------------------- */

/* Length of value i: empty, in the leaf, on one page and on many. */
static size_t length_of(size_t i, size_t most)
{
    return i * i * 37 % (i % 50 ? 3000 : most);
}

static void write_values(size_t n, size_t most)
{
    lcl_db_writer *w;
    char key[32], *value = lcl_alloc(most, 1);

    CHECK_OK(lcl_db_create(&w, "lmdb", target, false, &err));
    for (size_t i = 0; i < n; i++) {
        snprintf(key, sizeof key, "%08zu", i * 7919 % n); /* not in order */
        memset(value, (int)(i % 251), most);
        CHECK_OK(lcl_db_put(w, key, value, length_of(i, most), &err));
        ck_assert(!lcl_file_exists(target));
    }
    CHECK_OK(lcl_db_finish(w, &err));
    lcl_db_destroy(w);
    free(value);
}

START_TEST(readers_agree)
{
    struct stat st;
    char *file = lcl_format("%s/data.mdb", target);

    ck_assert_uint_eq(check_readers_agree(DATA "mini_lmdb"), 8);
    write_values(3500, 100000);
    ck_assert_uint_eq(check_readers_agree(target), 3500);
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_int_lt(st.st_size, 20000000); /* no more than it holds */
    free(file);
}
END_TEST

START_TEST(one_record_and_whole_commits)
{
    static const size_t counts[] = {1, 999, 1000, 1001, 2000};

    for (size_t i = 0; i < LCL_COUNT(counts); i++) {
        write_values(counts[i], 5000);
        ck_assert_uint_eq(check_readers_agree(target), counts[i]);
        remove_folder();
        ck_assert_int_eq(mkdir(folder, 0755), 0);
    }
}
END_TEST

static const char *const kinds[] = {"lmdb", "leveldb"};

START_TEST(unfinished_database_vanishes)
{
    lcl_db_writer *w;

    CHECK_OK(lcl_db_create(&w, kinds[_i], target, false, &err));
    CHECK_OK(lcl_db_put(w, "k", "v", 1, &err));
    lcl_db_destroy(w);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing left in it */
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    CHECK_FAILS(lcl_db_create(&w, "lmdb", "no/such/folder/db", false, &err), LCL_EIO,
                "No such file");
}
END_TEST

START_TEST(failed_write_is_an_error)
{
    struct rlimit before, small;
    lcl_db_writer *w;
    char value[5000] = {0};

    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 65536;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    CHECK_OK(lcl_db_create(&w, "lmdb", target, false, &err));
    for (char key[] = "a"; key[0] <= 'z'; key[0]++)
        CHECK_OK(lcl_db_put(w, key, value, sizeof value, &err));
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    lcl_status status = lcl_db_finish(w, &err);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    ck_assert_int_eq(status, LCL_EIO);
    ck_assert(strstr(err.message, "cannot write"));
    lcl_db_destroy(w);
    ck_assert_int_eq(rmdir(folder), 0);
    ck_assert_int_eq(mkdir(folder, 0755), 0);
}
END_TEST

/* ---- The command ------------------------------------------------------------------- */

START_TEST(records_are_caffes)
{
    ck_assert_int_eq(CONVERT("mnist", IMAGES, LABELS, target), 0);
    check_same_records(target, DATA "mini_lmdb");
    ck_assert_uint_eq(check_readers_agree(target), 8);
}
END_TEST

START_TEST(existing_database_is_kept_unless_forced)
{
    char *stray = lcl_format("%s/notes.txt", target);

    ck_assert_int_eq(CONVERT("mnist", IMAGES, LABELS, target), 0);
    ck_assert_int_eq(CONVERT("mnist", IMAGES, LABELS, target), 1);
    ck_assert(strstr(err.message, "exists already") && strstr(err.hint, "--force"));
    char *slashed = lcl_format("%s//", target);
    ck_assert_int_eq(CONVERT("mnist", IMAGES, LABELS, slashed, "--force"), 0);
    free(slashed);
    check_same_records(target, DATA "mini_lmdb");
    FILE *f = fopen(stray, "w");
    ck_assert_ptr_nonnull(f);
    fclose(f);
    ck_assert_int_eq(CONVERT("mnist", IMAGES, LABELS, target, "--force"), 1);
    ck_assert(strstr(err.message, "not a database"));
    check_same_records(target, DATA "mini_lmdb");
    ck_assert_int_eq(remove(stray), 0);
    ck_assert_int_eq(CONVERT("mnist", LABELS, IMAGES, target, "--force"), 1);
    check_same_records(target, DATA "mini_lmdb"); /* a failure keeps the old one */
    free(stray);
}
END_TEST

START_TEST(wrong_arguments_are_errors)
{
    ck_assert_int_eq(CONVERT("mnist", IMAGES, LABELS), 2);
    ck_assert(strstr(err.message, "takes 3 names, 2 were given"));
    ck_assert_int_eq(CONVERT("mnit", IMAGES, LABELS, target), 2);
    ck_assert(strstr(err.message, "'mnit'") && strstr(err.hint, "mean mnist?"));
    ck_assert_int_eq(CONVERT("cifar", IMAGES, LABELS, target), 2);
    ck_assert(strstr(err.message, "convert cifar takes 2 names, 3 were given"));
    ck_assert_int_eq(convert((const char *const[]){NULL}), 2);
    ck_assert_int_eq(CONVERT("mnist", IMAGES, LABELS, target, "--backend", "bdb"), 2);
    ck_assert(strstr(err.message, "is 'bdb', not lmdb or leveldb"));
    ck_assert_int_eq(CONVERT("mnist", "missing", LABELS, target), 1);
    ck_assert(strstr(err.message, "No such file"));
    ck_assert(!lcl_file_exists(target));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("convert");
    TCase *tests = tcase_create("convert");

    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, readers_agree);
    tcase_add_test(tests, one_record_and_whole_commits);
    tcase_add_loop_test(tests, unfinished_database_vanishes, 0, 2);
    tcase_add_test(tests, failed_write_is_an_error);
    tcase_add_test(tests, records_are_caffes);
    tcase_add_test(tests, existing_database_is_kept_unless_forced);
    tcase_add_test(tests, wrong_arguments_are_errors);
    suite_add_tcase(suite, tests);
    return testing_run(suite);
}
