/* Records of an LMDB database as Caffe's tools write it: values are Datum messages. */
#include "source_kind.h"

#include <stdlib.h>

#include "datum.h"
#include "lmdb_read.h"
#include "text.h"

typedef struct {
    lcl_lmdb_reader *reader;
    Caffe__Datum *datum; /* of the last record */
} state;

static lcl_status open_lmdb(lcl_source *s, lcl_error *err)
{
    state *st = s->state = lcl_alloc(1, sizeof *st);

    LCL_TRY(lcl_lmdb_open(&st->reader, s->path, err));
    s->count = lcl_lmdb_count(st->reader);
    return LCL_OK;
}

static void close_lmdb(lcl_source *s)
{
    state *st = s->state;

    lcl_datum_free(&st->datum);
    lcl_lmdb_close(st->reader);
    free(st);
}

static lcl_status read_lmdb(lcl_source *s, lcl_record *record, lcl_error *err)
{
    state *st = s->state;
    lcl_span key, value;
    const char *reason;

    lcl_datum_free(&st->datum);
    LCL_TRY(lcl_lmdb_next(st->reader, &key, &value, err));
    if (lcl_datum_decode(&st->datum, record, value.bytes, value.size, &reason))
        return LCL_OK;
    return lcl_datum_fail(s, key.bytes, key.size, reason, err);
}

static void rewind_lmdb(lcl_source *s)
{
    state *st = s->state;

    lcl_lmdb_rewind(st->reader);
}

const lcl_source_kind lcl_lmdb_source = {
    .name = "lmdb",
    .open = open_lmdb,
    .close = close_lmdb,
    .read = read_lmdb,
    .rewind = rewind_lmdb,
};
