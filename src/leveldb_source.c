/* Records of a LevelDB database as Caffe's tools write it: values are Datum messages. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "source_kind.h"

#include <dirent.h>
#include <errno.h>
#include <leveldb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datum.h"
#include "text.h"

/* LevelDB writes to what it opens: it locks it against everybody else, this process
 * included, renames its log, moves its manifest on and may merge tables. So it is given a
 * folder of its own, with links to the tables and copies of the small rest: a database can
 * lie where nobody may write, and be read by several nets at a time. */
typedef struct {
    char *shadow; /* that folder; owned */
    leveldb_options_t *options;
    leveldb_readoptions_t *reading;
    leveldb_t *db;
    leveldb_iterator_t *at; /* on the next record */
    Caffe__Datum *datum;    /* of the last record */
} state;

/* Fails with the library's message, which it frees. */
static lcl_status fail_leveldb(const lcl_source *s, char *message, lcl_error *err)
{
    lcl_status status = lcl_fail(err, LCL_EDATA, s->path,
                                 "cannot read the LevelDB database: %s", message);

    leveldb_free(message);
    return status;
}

/* ---- The shadow -------------------------------------------------------------------- */

static lcl_status link_table(const char *from, const char *to, lcl_error *err)
{
    char *whole = realpath(from, NULL);
    lcl_status status = LCL_OK;

    if (!whole || symlink(whole, to) != 0)
        status = lcl_fail(err, LCL_EIO, to, "cannot make a link to %s: %s", from,
                          strerror(errno));
    free(whole);
    return status;
}

static lcl_status copy_file(const char *from, const char *to, lcl_error *err)
{
    char *bytes;
    size_t size;

    LCL_TRY(lcl_file_read(&bytes, &size, from, 0, err));
    lcl_status status = lcl_file_write(to, bytes, size, err);
    free(bytes);
    return status;
}

static lcl_status shadow_file(const lcl_source *s, const char *name, lcl_error *err)
{
    const state *st = s->state;
    char *from = lcl_path_join(s->path, name), *to = lcl_path_join(st->shadow, name);
    lcl_status status = LCL_OK;

    if (lcl_has_suffix(name, ".ldb") || lcl_has_suffix(name, ".sst"))
        status = link_table(from, to, err);
    else if (strcmp(name, "CURRENT") == 0 || strncmp(name, "MANIFEST-", 9) == 0 ||
             lcl_has_suffix(name, ".log"))
        status = copy_file(from, to, err);
    free(from);
    free(to);
    return status;
}

static lcl_status make_shadow(lcl_source *s, lcl_error *err)
{
    state *st = s->state;
    const char *tmp = getenv("TMPDIR");
    char *shadow = lcl_format("%s/lcl-leveldb-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    DIR *dir = opendir(s->path);
    lcl_status status = LCL_OK;

    if (!dir || !mkdtemp(shadow)) {
        status = lcl_fail(err, LCL_EIO, dir ? shadow : s->path,
                          "cannot open the LevelDB database: %s", strerror(errno));
        free(shadow);
    } else {
        st->shadow = shadow;
        for (struct dirent *entry; status == LCL_OK && (entry = readdir(dir));)
            status = shadow_file(s, entry->d_name, err);
    }
    if (dir)
        closedir(dir);
    return status;
}

static void remove_shadow(state *st)
{
    DIR *dir = st->shadow ? opendir(st->shadow) : NULL;

    if (dir) {
        for (struct dirent *entry; (entry = readdir(dir));) {
            char *path = lcl_path_join(st->shadow, entry->d_name);
            unlink(path);
            free(path);
        }
        closedir(dir);
        rmdir(st->shadow);
    }
    free(st->shadow);
}

/* ---- The source -------------------------------------------------------------------- */

static lcl_status check_iterator(const lcl_source *s, lcl_error *err)
{
    const state *st = s->state;
    char *message = NULL;

    leveldb_iter_get_error(st->at, &message);
    return message ? fail_leveldb(s, message, err) : LCL_OK;
}

static lcl_status open_leveldb(lcl_source *s, lcl_error *err)
{
    state *st = s->state = lcl_alloc(1, sizeof *st);
    char *message = NULL;

    LCL_TRY(make_shadow(s, err));
    st->options = leveldb_options_create();
    leveldb_options_set_paranoid_checks(st->options, 1);
    st->db = leveldb_open(st->options, st->shadow, &message);
    if (!st->db)
        return fail_leveldb(s, message, err);
    st->reading = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(st->reading, 1);
    leveldb_readoptions_set_fill_cache(st->reading, 0);
    st->at = leveldb_create_iterator(st->db, st->reading);
    leveldb_iter_seek_to_first(st->at);
    LCL_TRY(check_iterator(s, err));
    if (!leveldb_iter_valid(st->at))
        return lcl_fail(err, LCL_EDATA, s->path, "the LevelDB database has no records");
    s->count = LCL_SOURCE_UNCOUNTED;
    return LCL_OK;
}

static void close_leveldb(lcl_source *s)
{
    state *st = s->state;

    lcl_datum_free(&st->datum);
    if (st->at)
        leveldb_iter_destroy(st->at);
    if (st->reading)
        leveldb_readoptions_destroy(st->reading);
    if (st->db)
        leveldb_close(st->db);
    if (st->options)
        leveldb_options_destroy(st->options);
    remove_shadow(st);
    free(st);
}

static lcl_status read_leveldb(lcl_source *s, lcl_record *record, lcl_error *err)
{
    state *st = s->state;
    size_t size;
    const void *value = leveldb_iter_value(st->at, &size);
    const char *reason;

    lcl_datum_free(&st->datum);
    if (!lcl_datum_decode(&st->datum, record, value, size, &reason)) {
        const char *key = leveldb_iter_key(st->at, &size);
        return lcl_datum_fail(s, key, size, reason, err);
    }
    leveldb_iter_next(st->at);
    LCL_TRY(check_iterator(s, err));
    if (!leveldb_iter_valid(st->at))
        s->count = s->position + 1;
    return LCL_OK;
}

static void rewind_leveldb(lcl_source *s)
{
    state *st = s->state;

    leveldb_iter_seek_to_first(st->at);
}

const lcl_source_kind lcl_leveldb_source = {
    .name = "leveldb",
    .open = open_leveldb,
    .close = close_leveldb,
    .read = read_leveldb,
    .rewind = rewind_leveldb,
};
