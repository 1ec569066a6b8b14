/* What a kind of database is to its writer: one const lcl_db_kind per file, listed in
 * db_write.c. */
#ifndef LCL_DB_WRITE_KIND_H
#define LCL_DB_WRITE_KIND_H

#include "db_write.h"
#include "text.h"

#define LCL_DB_BATCH 1000 /* records a commit, as in Caffe's tools */

typedef struct {
    size_t key, key_size, value, value_size; /* offsets in `bytes`, and sizes */
} lcl_db_record;

typedef struct {
    const char *name; /* of the backend */
    /* Makes an empty database in the folder w->working and sets w->state. On failure
     * close is called as well. */
    lcl_status (*open)(lcl_db_writer *w, lcl_error *err);
    /* Writes w->records. */
    lcl_status (*commit)(lcl_db_writer *w, lcl_error *err);
    /* After the last commit: everything is on the disk when it returns. */
    lcl_status (*sync)(lcl_db_writer *w, lcl_error *err);
    void (*close)(lcl_db_writer *w);
} lcl_db_kind;

struct lcl_db_writer {
    const lcl_db_kind *kind;
    char *path;    /* what it will be called */
    char *working; /* what it is called until then */
    char *old;     /* where the database to replace waits; NULL: there is none */
    bool made;     /* the working folder is ours and there */
    void *state;
    lcl_text bytes; /* keys and values of the records to commit next */
    lcl_db_record records[LCL_DB_BATCH];
    size_t n_records;
};

extern const lcl_db_kind lcl_lmdb_db, lcl_leveldb_db;

#endif
