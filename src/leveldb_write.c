/* Writes LevelDB databases, through libleveldb. */
#include "db_write_kind.h"

#include <leveldb/c.h>
#include <stdlib.h>

typedef struct {
    leveldb_options_t *options;
    leveldb_writeoptions_t *writing;
    leveldb_t *db;
} state;

/* Fails with the library's message, which it frees. */
static lcl_status fail_leveldb(const lcl_db_writer *w, char *message, lcl_error *err)
{
    lcl_status status =
        lcl_fail(err, LCL_EIO, w->path, "cannot write the LevelDB database: %s", message);

    leveldb_free(message);
    return status;
}

static lcl_status open_leveldb(lcl_db_writer *w, lcl_error *err)
{
    state *st = w->state = lcl_alloc(1, sizeof *st);
    char *message = NULL;

    st->options = leveldb_options_create();
    leveldb_options_set_create_if_missing(st->options, 1);
    leveldb_options_set_block_size(st->options, 65536); /* as Caffe does */
    st->writing = leveldb_writeoptions_create();
    st->db = leveldb_open(st->options, w->working, &message);
    return st->db ? LCL_OK : fail_leveldb(w, message, err);
}

static lcl_status write_records(lcl_db_writer *w, lcl_error *err)
{
    const state *st = w->state;
    leveldb_writebatch_t *batch = leveldb_writebatch_create();
    char *message = NULL;

    for (size_t i = 0; i < w->n_records; i++) {
        const lcl_db_record *r = &w->records[i];
        leveldb_writebatch_put(batch, w->bytes.text + r->key, r->key_size,
                               w->bytes.text + r->value, r->value_size);
    }
    leveldb_write(st->db, st->writing, batch, &message);
    leveldb_writebatch_destroy(batch);
    return message ? fail_leveldb(w, message, err) : LCL_OK;
}

/* Puts the log into tables, which a reader need not copy; tables are synced as they are
 * made. Compacting reports no failure; an empty write after it does. */
static lcl_status sync_leveldb(lcl_db_writer *w, lcl_error *err)
{
    const state *st = w->state;

    leveldb_compact_range(st->db, NULL, 0, NULL, 0);
    leveldb_writeoptions_set_sync(st->writing, 1);
    return write_records(w, err);
}

static void close_leveldb(lcl_db_writer *w)
{
    state *st = w->state;

    if (st->db)
        leveldb_close(st->db);
    leveldb_writeoptions_destroy(st->writing);
    leveldb_options_destroy(st->options);
    free(st);
}

const lcl_db_kind lcl_leveldb_db = {
    .name = "leveldb",
    .open = open_leveldb,
    .commit = write_records,
    .sync = sync_leveldb,
    .close = close_leveldb,
};
