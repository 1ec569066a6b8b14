/* Records of an LMDB database as Caffe's tools write it: values are Datum messages. */
#include "source_kind.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

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

static void free_datum(state *st)
{
    if (st->datum)
        caffe__datum__free_unpacked(st->datum, NULL);
    st->datum = NULL;
}

static void close_lmdb(lcl_source *s)
{
    state *st = s->state;

    free_datum(st);
    lcl_lmdb_close(st->reader);
    free(st);
}

/* The key as it can be shown: at most 40 printable characters. */
static void key_text(lcl_span key, char out[64])
{
    size_t n = key.size < 40 ? key.size : 40;

    for (size_t i = 0; i < n; i++)
        out[i] = isprint(key.bytes[i]) ? (char)key.bytes[i] : '?';
    strcpy(out + n, n < key.size ? "..." : "");
}

static lcl_status read_lmdb(lcl_source *s, lcl_record *record, lcl_error *err)
{
    state *st = s->state;
    lcl_span key, value;
    const char *reason;
    char name[64];

    free_datum(st);
    LCL_TRY(lcl_lmdb_next(st->reader, &key, &value, err));
    if (lcl_datum_decode(&st->datum, record, value.bytes, value.size, &reason))
        return LCL_OK;
    key_text(key, name);
    return lcl_fail(err, LCL_EDATA, s->path,
                    "the value of key '%s' (record %zu of %zu) is %s", name,
                    s->position + 1, s->count, reason);
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
