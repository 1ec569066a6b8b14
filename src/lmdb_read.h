/* Reads LMDB databases in key order, without liblmdb. */
#ifndef LCL_LMDB_READ_H
#define LCL_LMDB_READ_H

#include <stddef.h>
#include <stdint.h>

#include "lcl/error.h"

/* Liblmdb maps the file and trusts it: a truncated database kills the program with
 * SIGBUS, a damaged page with abort(); it wants to write a lock file beside the data, and
 * a process may not open one database twice, as a train and a test net do. This reader
 * copies pages with pread, checks all it finds in them, and takes no lock: it notices a
 * writer at work meanwhile and says so. */
typedef struct lcl_lmdb_reader lcl_lmdb_reader;

typedef struct {
    const uint8_t *bytes;
    size_t size;
} lcl_span;

/* The unnamed database of the folder (64-bit little-endian, as on all usual machines). */
lcl_status lcl_lmdb_open(lcl_lmdb_reader **out, const char *folder, lcl_error *err);
void lcl_lmdb_close(lcl_lmdb_reader *r);
size_t lcl_lmdb_count(const lcl_lmdb_reader *r);
/* The next record; both spans are valid until the next call. Not after the last one. */
lcl_status lcl_lmdb_next(lcl_lmdb_reader *r, lcl_span *key, lcl_span *value,
                         lcl_error *err);
void lcl_lmdb_rewind(lcl_lmdb_reader *r);

#endif
