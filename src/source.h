/* Where data layers read records from: LMDB and LevelDB databases and IDX files (plain or
 * gzip). */
#ifndef LCL_SOURCE_H
#define LCL_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lcl/error.h"

/* One record; pointers are valid until the next call on the source. */
typedef struct {
    int channels, height, width;
    const uint8_t *bytes; /* channels*height*width values 0..255, or NULL */
    const float *floats;  /* the same as floats, where bytes is NULL */
    int label;
    /* The bytes of an image file (JPEG, PNG) in place of values; channels, height and
     * width, which may be 0 then, say nothing. */
    const uint8_t *encoded;
    size_t encoded_size;
} lcl_record;

typedef struct lcl_source lcl_source;

/* Opens the database folder or IDX file `path`; the kind is found out from its content
 * (Caffe's backend field is only a hint: its default names LevelDB). An IDX images file
 * brings its labels file along by name (images -> labels, idx3 -> idx1).
 * Missing, truncated, empty and foreign files are clear errors, never a crash. */
lcl_status lcl_source_open(lcl_source **out, const char *path, lcl_error *err);
void lcl_source_close(lcl_source *s);

/* Shares the records with other readers: of each 1 + n_others records, from the start of the
 * source on, number `turn` is this one's. */
void lcl_source_take_turns(lcl_source *s, size_t turn, size_t n_others);

/* "lmdb", "leveldb" or "idx". */
const char *lcl_source_kind_name(const lcl_source *s);
const char *lcl_source_path(const lcl_source *s);
/* Records until they repeat; LCL_SOURCE_UNCOUNTED where that is known only after the last
 * one. */
#define LCL_SOURCE_UNCOUNTED SIZE_MAX
size_t lcl_source_count(const lcl_source *s);
/* The next record, in key order; after the last one the first again. *wrapped: this is
 * the first one of a second or later pass. */
lcl_status lcl_source_next(lcl_source *s, lcl_record *record, bool *wrapped,
                           lcl_error *err);
void lcl_source_rewind(lcl_source *s);

#endif
