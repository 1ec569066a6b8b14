/* What a kind of source is: one const lcl_source_kind per file, listed in source.c. */
#ifndef LCL_SOURCE_KIND_H
#define LCL_SOURCE_KIND_H

#include "source.h"

typedef struct {
    const char *name; /* "lmdb", as Caffe logs it */
    /* Sets s->count (not 0), s->state and puts the cursor on the first record. On failure
     * close is called as well. A count that is not known yet is LCL_SOURCE_UNCOUNTED until
     * the last record is read. */
    lcl_status (*open)(lcl_source *s, lcl_error *err);
    void (*close)(lcl_source *s);
    /* Reads record s->position (0 after a rewind, else the one after the last). */
    lcl_status (*read)(lcl_source *s, lcl_record *record, lcl_error *err);
    /* Called before record 0 is read again. */
    void (*rewind)(lcl_source *s);
} lcl_source_kind;

struct lcl_source {
    const lcl_source_kind *kind;
    char *path;
    size_t count, position; /* of all records */
    size_t turn, n_others;  /* readers that share the records */
    bool started;           /* a record was taken since the last rewind */
    void *state;
};

extern const lcl_source_kind lcl_lmdb_source, lcl_leveldb_source, lcl_idx_source;

#endif
