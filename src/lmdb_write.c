/* Writes LMDB databases, through liblmdb. */
#include "db_write_kind.h"

#include <errno.h>
#include <lmdb.h>
#include <stdlib.h>
#include <sys/statvfs.h>

typedef struct {
    MDB_env *env;
    MDB_dbi dbi;
} state;

static bool disk_is_full(const char *path)
{
    struct statvfs fs;

    return statvfs(path, &fs) == 0 && fs.f_bavail * fs.f_frsize < 1 << 20;
}

/* Liblmdb calls a write that a full disk cut short an input/output error. */
static lcl_status fail_mdb(const lcl_db_writer *w, int code, lcl_error *err)
{
    if (code == EIO && disk_is_full(w->working))
        code = ENOSPC;
    return lcl_fail(err, LCL_EIO, w->path, "cannot write the LMDB database: %s",
                    mdb_strerror(code));
}

/* Nobody else knows the folder and it is synced at the end: no lock, no sync per commit.
 */
static lcl_status open_lmdb(lcl_db_writer *w, lcl_error *err)
{
    state *st = w->state = lcl_alloc(1, sizeof *st);
    int code = mdb_env_create(&st->env);

    if (!code)
        code = mdb_env_open(st->env, w->working, MDB_NOLOCK | MDB_NOSYNC, 0664);
    return code ? fail_mdb(w, code, err) : LCL_OK;
}

static void close_lmdb(lcl_db_writer *w)
{
    state *st = w->state;

    if (st->env)
        mdb_env_close(st->env);
    free(st);
}

/* Room for everything committed, the pending records (a value fills pages of its own, or
 * shares a leaf) and the pages that a commit copies. The file grows only as it is filled.
 */
static int grow_map(const lcl_db_writer *w)
{
    const state *st = w->state;
    MDB_envinfo info;
    MDB_stat stat;
    int code = mdb_env_info(st->env, &info);

    if (!code)
        code = mdb_env_stat(st->env, &stat);
    if (code)
        return code;
    size_t page = stat.ms_psize;
    size_t pages =
        info.me_last_pgno + 4 * w->n_records + 2 * (w->bytes.length / page) + 256;
    return mdb_env_set_mapsize(st->env, pages * page);
}

static int put_records(lcl_db_writer *w, MDB_txn *txn)
{
    state *st = w->state;
    int code = st->dbi ? 0 : mdb_dbi_open(txn, NULL, 0, &st->dbi);

    for (size_t i = 0; i < w->n_records && !code; i++) {
        const lcl_db_record *r = &w->records[i];
        MDB_val key = {r->key_size, w->bytes.text + r->key};
        MDB_val value = {r->value_size, w->bytes.text + r->value};
        code = mdb_put(txn, st->dbi, &key, &value, 0);
    }
    return code;
}

static lcl_status commit_lmdb(lcl_db_writer *w, lcl_error *err)
{
    state *st = w->state;
    MDB_txn *txn = NULL;
    int code = grow_map(w);

    if (!code)
        code = mdb_txn_begin(st->env, NULL, 0, &txn);
    if (!code)
        code = put_records(w, txn);
    if (code)
        mdb_txn_abort(txn);
    else
        code = mdb_txn_commit(txn);
    return code ? fail_mdb(w, code, err) : LCL_OK;
}

static lcl_status sync_lmdb(lcl_db_writer *w, lcl_error *err)
{
    const state *st = w->state;
    int code = mdb_env_sync(st->env, 1);

    return code ? fail_mdb(w, code, err) : LCL_OK;
}

const lcl_db_kind lcl_lmdb_db = {
    .name = "lmdb",
    .open = open_lmdb,
    .commit = commit_lmdb,
    .sync = sync_lmdb,
    .close = close_lmdb,
};
