/* Writes a new database: whole, under its name, or not at all. */
#ifndef LCL_DB_WRITE_H
#define LCL_DB_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "lcl/error.h"

typedef struct lcl_db_writer lcl_db_writer;

/* Starts a database of kind "lmdb" or "leveldb" that will be the folder `path`, which must
 * not exist; with `replace` it may be a database, which goes when the new one is complete.
 */
lcl_status lcl_db_create(lcl_db_writer **out, const char *kind, const char *path,
                         bool replace, lcl_error *err);
lcl_status lcl_db_put(lcl_db_writer *w, const char *key, const void *value, size_t size,
                      lcl_error *err);
/* Writes what is left, syncs, and gives the folder its name. */
lcl_status lcl_db_finish(lcl_db_writer *w, lcl_error *err);
/* Without a finish before, nothing remains. */
void lcl_db_destroy(lcl_db_writer *w);

#endif
