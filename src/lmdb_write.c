/* An LMDB written in a folder of its own beside the final one, which is renamed at the
 * end. */
#include "lmdb_write.h"

#include <dirent.h>
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "text.h"

#define RECORDS_PER_COMMIT 1000 /* as Caffe's tools */

typedef struct {
    size_t key, key_size, value, value_size; /* offsets and sizes in `bytes` */
} record;

struct lcl_lmdb_writer {
    char *path;    /* what it will be called */
    char *working; /* what it is called until then */
    char *old;     /* where the database to replace waits; NULL: there is none */
    MDB_env *env;
    MDB_dbi dbi;
    bool finished;
    lcl_text bytes; /* keys and values of the records to commit next */
    record records[RECORDS_PER_COMMIT];
    size_t n_records;
};

/* ---- Folders ---------------------------------------------------------------------- */

static bool is_database_file(const char *name)
{
    static const char *const names[] = {".", "..", "data.mdb", "lock.mdb"};

    for (size_t i = 0; i < LCL_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* True for a folder with nothing but a database in it. */
static bool is_database(const char *path)
{
    DIR *dir = opendir(path);
    bool only = true;

    if (!dir)
        return false;
    for (struct dirent *entry; only && (entry = readdir(dir));)
        only = is_database_file(entry->d_name);
    closedir(dir);
    return only;
}

static void remove_database(const char *path)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};

    for (size_t i = 0; i < LCL_COUNT(names); i++) {
        char *file = lcl_path_join(path, names[i]);
        unlink(file);
        free(file);
    }
    rmdir(path);
}

static lcl_status check_target(const char *path, bool replace, bool *exists,
                               lcl_error *err)
{
    struct stat st;

    *exists = lstat(path, &st) == 0;
    if (!*exists)
        return LCL_OK;
    if (!replace)
        return lcl_hint(err, lcl_fail(err, LCL_EIO, path, "exists already"),
                        "--force replaces it");
    if (!is_database(path))
        return lcl_fail(err, LCL_EIO, path,
                        "will not be replaced: it is not an LMDB database's folder");
    return LCL_OK;
}

/* ---- Starting --------------------------------------------------------------------- */

static bool disk_is_full(const char *path)
{
    struct statvfs fs;

    return statvfs(path, &fs) == 0 && fs.f_bavail * fs.f_frsize < 1 << 20;
}

/* Liblmdb calls a write that a full disk cut short an input/output error. */
static lcl_status fail_mdb(const lcl_lmdb_writer *w, int code, lcl_error *err)
{
    if (code == EIO && disk_is_full(w->working))
        code = ENOSPC;
    return lcl_fail(err, LCL_EIO, w->path, "cannot write the LMDB database: %s",
                    mdb_strerror(code));
}

/* Nobody else knows the folder and it is synced at the end: no lock, no sync per commit.
 */
static int open_environment(lcl_lmdb_writer *w)
{
    int code = mdb_env_create(&w->env);

    return code ? code : mdb_env_open(w->env, w->working, MDB_NOLOCK | MDB_NOSYNC, 0664);
}

lcl_status lcl_lmdb_create(lcl_lmdb_writer **out, const char *path, bool replace,
                           lcl_error *err)
{
    size_t length = strlen(path);
    bool exists;

    LCL_TRY(check_target(path, replace, &exists, err));
    lcl_lmdb_writer *w = lcl_alloc(1, sizeof *w);
    while (length > 1 && path[length - 1] == '/')
        length--;
    w->path = lcl_format("%.*s", (int)length, path);
    w->working = lcl_format("%s.tmp-%ld", w->path, (long)getpid());
    w->old = exists ? lcl_format("%s.old-%ld", w->path, (long)getpid()) : NULL;
    lcl_status status = LCL_OK;
    int code;
    if (mkdir(w->working, 0755) != 0) {
        status = lcl_fail(err, LCL_EIO, w->path, "cannot make the folder %s: %s",
                          w->working, strerror(errno));
        w->finished = true; /* nothing of ours to remove */
    } else if ((code = open_environment(w)) != 0) {
        status = fail_mdb(w, code, err);
    }
    if (status != LCL_OK) {
        lcl_lmdb_destroy(w);
        return status;
    }
    *out = w;
    return LCL_OK;
}

/* ---- Writing ---------------------------------------------------------------------- */

/* Room for everything committed, the pending records (a value fills pages of its own, or
 * shares a leaf) and the pages that a commit copies. The file grows only as it is filled.
 */
static int grow_map(lcl_lmdb_writer *w)
{
    MDB_envinfo info;
    MDB_stat stat;
    int code = mdb_env_info(w->env, &info);

    if (!code)
        code = mdb_env_stat(w->env, &stat);
    if (code)
        return code;
    size_t page = stat.ms_psize;
    size_t pages =
        info.me_last_pgno + 4 * w->n_records + 2 * (w->bytes.length / page) + 256;
    return mdb_env_set_mapsize(w->env, pages * page);
}

static int put_records(lcl_lmdb_writer *w, MDB_txn *txn)
{
    int code = w->dbi ? 0 : mdb_dbi_open(txn, NULL, 0, &w->dbi);

    for (size_t i = 0; i < w->n_records && !code; i++) {
        const record *r = &w->records[i];
        MDB_val key = {r->key_size, w->bytes.text + r->key};
        MDB_val value = {r->value_size, w->bytes.text + r->value};
        code = mdb_put(txn, w->dbi, &key, &value, 0);
    }
    return code;
}

static lcl_status commit(lcl_lmdb_writer *w, lcl_error *err)
{
    MDB_txn *txn = NULL;
    int code = grow_map(w);

    if (!code)
        code = mdb_txn_begin(w->env, NULL, 0, &txn);
    if (!code)
        code = put_records(w, txn);
    if (code)
        mdb_txn_abort(txn);
    else
        code = mdb_txn_commit(txn);
    w->n_records = w->bytes.length = 0;
    return code ? fail_mdb(w, code, err) : LCL_OK;
}

lcl_status lcl_lmdb_put(lcl_lmdb_writer *w, const char *key, const void *value,
                        size_t size, lcl_error *err)
{
    record *r = &w->records[w->n_records++];

    r->key = w->bytes.length;
    r->key_size = strlen(key);
    r->value = r->key + r->key_size;
    r->value_size = size;
    lcl_text_add_bytes(&w->bytes, key, r->key_size);
    lcl_text_add_bytes(&w->bytes, value, size);
    return w->n_records == RECORDS_PER_COMMIT ? commit(w, err) : LCL_OK;
}

/* Puts the working folder in the place of the final one. */
static lcl_status swap_folders(lcl_lmdb_writer *w, lcl_error *err)
{
    if (w->old && rename(w->path, w->old) != 0)
        return lcl_fail(err, LCL_EIO, w->path, "cannot move the old database away: %s",
                        strerror(errno));
    if (rename(w->working, w->path) != 0) {
        lcl_status status =
            lcl_fail(err, LCL_EIO, w->path, "cannot give the new database its name: %s",
                     strerror(errno));
        if (w->old)
            rename(w->old, w->path);
        return status;
    }
    if (w->old)
        remove_database(w->old);
    return LCL_OK;
}

lcl_status lcl_lmdb_finish(lcl_lmdb_writer *w, lcl_error *err)
{
    LCL_TRY(commit(w, err));
    int code = mdb_env_sync(w->env, 1);
    if (code)
        return fail_mdb(w, code, err);
    LCL_TRY(swap_folders(w, err));
    w->finished = true;
    return LCL_OK;
}

void lcl_lmdb_destroy(lcl_lmdb_writer *w)
{
    if (!w)
        return;
    if (w->env)
        mdb_env_close(w->env);
    if (!w->finished)
        remove_database(w->working);
    free(w->bytes.text);
    free(w->old);
    free(w->working);
    free(w->path);
    free(w);
}
