/* Writes a new LMDB database: whole, under its name, or not at all. */
#ifndef LCL_LMDB_WRITE_H
#define LCL_LMDB_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "lcl/error.h"

typedef struct lcl_lmdb_writer lcl_lmdb_writer;

/* Starts a database that will be the folder `path`, which must not exist; with `replace`
 * it may be a database, which goes when the new one is complete. */
lcl_status lcl_lmdb_create(lcl_lmdb_writer **out, const char *path, bool replace,
                           lcl_error *err);
lcl_status lcl_lmdb_put(lcl_lmdb_writer *w, const char *key, const void *value,
                        size_t size, lcl_error *err);
/* Writes what is left, syncs, and gives the folder its name. */
lcl_status lcl_lmdb_finish(lcl_lmdb_writer *w, lcl_error *err);
/* Without a finish before, nothing remains. */
void lcl_lmdb_destroy(lcl_lmdb_writer *w);

#endif
