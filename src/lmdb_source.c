/* Records of an LMDB database as Caffe's tools write it: values are Datum messages. */
#include "source_kind.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datum.h"
#include "text.h"

typedef struct {
    MDB_env *env;
    MDB_txn *txn;
    MDB_cursor *cursor;
    Caffe__Datum *datum; /* of the last record */
    MDB_cursor_op step;  /* to the next record */
} state;

/* ---- The file's own word on its size
 * --------------------------------------------------- */

/* The start of each of the file's first two pages; LMDB writes it as the host has it. */
typedef struct {
    size_t page;
    uint16_t pad, flags, lower, upper;
    uint32_t magic, version;
    void *address;
    size_t map_size;
    struct {
        uint32_t pad; /* of the first tree: the page size */
        uint16_t flags, depth;
        size_t branch_pages, leaf_pages, overflow_pages, entries, root;
    } trees[2];
    size_t last_page, transaction;
} meta;

static bool read_meta(int file, off_t offset, meta *m)
{
    return pread(file, m, sizeof *m, offset) == (ssize_t)sizeof *m;
}

/* LMDB maps the file and trusts it: touching a page that a truncated file lacks kills the
 * program (SIGBUS). So the size is compared with what the newer meta page says first. */
static lcl_status check_pages(int file, off_t size, const char *path, lcl_error *err)
{
    meta first, second;
    size_t need;

    if (!read_meta(file, 0, &first))
        return lcl_fail(err, LCL_EDATA, path,
                        "%lld bytes are too few for an LMDB database", (long long)size);
    if (first.magic != 0xBEEFC0DE)
        return lcl_fail(err, LCL_EDATA, path, "is not an LMDB database");
    if (first.version != 1)
        return lcl_fail(err, LCL_EDATA, path, "%s (version %u, not 1)",
                        mdb_strerror(MDB_VERSION_MISMATCH), (unsigned)first.version);
    uint32_t page = first.trees[0].pad;
    if (page < 256 || page > 65536 || (page & (page - 1)) ||
        !read_meta(file, (off_t)page, &second) || second.magic != first.magic ||
        second.trees[0].pad != page)
        return lcl_fail(err, LCL_EDATA, path,
                        "the LMDB database's first pages are broken");
    const meta *newer = second.transaction > first.transaction ? &second : &first;
    if (newer->last_page == SIZE_MAX ||
        !lcl_multiply(newer->last_page + 1, page, &need) || need > (size_t)size)
        return lcl_hint(err,
                        lcl_fail(err, LCL_EDATA, path,
                                 "the LMDB database is truncated: it has %lld bytes, but "
                                 "%zu pages of %u bytes",
                                 (long long)size, newer->last_page + 1, (unsigned)page),
                        "copy or convert it again");
    return LCL_OK;
}

static lcl_status check_file(const char *path, size_t *size, lcl_error *err)
{
    struct stat st;
    int file = open(path, O_RDONLY);

    if (file < 0 || fstat(file, &st) != 0) {
        lcl_status status =
            lcl_fail(err, LCL_EIO, path, "cannot open the database: %s", strerror(errno));
        if (file >= 0)
            close(file);
        return status;
    }
    *size = (size_t)st.st_size;
    lcl_status status = check_pages(file, st.st_size, path, err);
    close(file);
    return status;
}

/* ---- Through LMDB
 * ------------------------------------------------------------------------ */

static lcl_status fail_mdb(const lcl_source *s, int code, lcl_error *err)
{
    return lcl_fail(err, code > 0 ? LCL_EIO : LCL_EDATA, s->path,
                    "cannot read the LMDB database: %s", mdb_strerror(code));
}

/* Without LMDB's lock file: it would have to be written, in a folder that may be
 * read-only, and a process may not open it twice, as a train and a test net of one
 * database do. What the lock would guard against, a writer at work meanwhile,
 * check_unchanged notices. */
static int open_cursor(state *st, const char *path, size_t size)
{
    MDB_dbi dbi;
    int code = mdb_env_create(&st->env);

    if (!code)
        code = mdb_env_set_mapsize(st->env, size);
    if (!code)
        code = mdb_env_open(st->env, path, MDB_RDONLY | MDB_NOTLS | MDB_NOLOCK, 0);
    if (!code)
        code = mdb_txn_begin(st->env, NULL, MDB_RDONLY, &st->txn);
    if (!code)
        code = mdb_dbi_open(st->txn, NULL, 0, &dbi);
    if (!code)
        code = mdb_cursor_open(st->txn, dbi, &st->cursor);
    return code;
}

static lcl_status open_lmdb(lcl_source *s, lcl_error *err)
{
    state *st = s->state = lcl_alloc(1, sizeof *st);
    char *file = lcl_path_join(s->path, "data.mdb");
    size_t size = 0;
    MDB_stat stat;

    lcl_status status = check_file(file, &size, err);
    free(file);
    if (status != LCL_OK)
        return status;
    int code = open_cursor(st, s->path, size);
    if (!code)
        code = mdb_stat(st->txn, mdb_cursor_dbi(st->cursor), &stat);
    if (code)
        return fail_mdb(s, code, err);
    if (!stat.ms_entries)
        return lcl_fail(err, LCL_EDATA, s->path, "the LMDB database has no records");
    s->count = stat.ms_entries;
    st->step = MDB_FIRST;
    return LCL_OK;
}

static void close_lmdb(lcl_source *s)
{
    state *st = s->state;

    if (st->datum)
        caffe__datum__free_unpacked(st->datum, NULL);
    if (st->cursor)
        mdb_cursor_close(st->cursor);
    mdb_txn_abort(st->txn);
    mdb_env_close(st->env);
    free(st);
}

/* The key as it can be shown: at most 40 printable characters. */
static void key_text(const MDB_val *key, char out[64])
{
    const unsigned char *bytes = key->mv_data;
    size_t n = key->mv_size < 40 ? key->mv_size : 40;

    for (size_t i = 0; i < n; i++)
        out[i] = isprint(bytes[i]) ? (char)bytes[i] : '?';
    strcpy(out + n, n < key->mv_size ? "..." : "");
}

static lcl_status check_unchanged(const lcl_source *s, lcl_error *err)
{
    const state *st = s->state;
    MDB_envinfo info;
    int code = mdb_env_info(st->env, &info);

    if (code)
        return fail_mdb(s, code, err);
    if (info.me_last_txnid != mdb_txn_id(st->txn))
        return lcl_hint(
            err,
            lcl_fail(err, LCL_EDATA, s->path,
                     "another program changed the database while it was read"),
            "write databases under another name and rename them when done");
    return LCL_OK;
}

static lcl_status read_lmdb(lcl_source *s, lcl_record *record, lcl_error *err)
{
    state *st = s->state;
    MDB_val key, value;
    const char *reason;
    char name[64];

    if (st->datum)
        caffe__datum__free_unpacked(st->datum, NULL);
    st->datum = NULL;
    LCL_TRY(check_unchanged(s, err));
    int code = mdb_cursor_get(st->cursor, &key, &value, st->step);
    st->step = MDB_NEXT;
    if (code)
        return fail_mdb(s, code == MDB_NOTFOUND ? MDB_CORRUPTED : code, err);
    if (lcl_datum_decode(&st->datum, record, value.mv_data, value.mv_size, &reason))
        return LCL_OK;
    key_text(&key, name);
    return lcl_fail(err, LCL_EDATA, s->path,
                    "the value of key '%s' (record %zu of %zu) is %s", name,
                    s->position + 1, s->count, reason);
}

static lcl_status rewind_lmdb(lcl_source *s, lcl_error *err)
{
    state *st = s->state;

    (void)err;
    st->step = MDB_FIRST;
    return LCL_OK;
}

const lcl_source_kind lcl_lmdb_source = {
    .name = "lmdb",
    .open = open_lmdb,
    .close = close_lmdb,
    .read = read_lmdb,
    .rewind = rewind_lmdb,
};
