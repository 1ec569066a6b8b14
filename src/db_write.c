/* A database written in a folder of its own beside the final one, which is renamed at the
 * end. */
#include "db_write_kind.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const lcl_db_kind *const kinds[] = {&lcl_lmdb_db, &lcl_leveldb_db};

/* ---- Folders ----------------------------------------------------------------------- */

static bool is_database_file(const char *name)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "CURRENT",
                                        "LOCK",     "LOG",      "LOG.old"};

    for (size_t i = 0; i < LCL_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strncmp(name, "MANIFEST-", 9) == 0 || lcl_has_suffix(name, ".ldb") ||
           lcl_has_suffix(name, ".sst") || lcl_has_suffix(name, ".log");
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* True for a folder with nothing but a database in it. */
static bool is_database(const char *path)
{
    DIR *dir = opendir(path);
    bool only = true, any = false, marked = false;

    if (!dir)
        return false;
    for (struct dirent *entry; only && (entry = readdir(dir));) {
        const char *name = entry->d_name;
        if (is_dots(name))
            continue;
        any = true;
        only = is_database_file(name);
        marked |= strcmp(name, "data.mdb") == 0 || strcmp(name, "CURRENT") == 0;
    }
    closedir(dir);
    return only && (marked || !any);
}

static void remove_database(const char *path)
{
    DIR *dir = opendir(path);

    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!is_database_file(entry->d_name))
            continue;
        char *file = lcl_path_join(path, entry->d_name);
        unlink(file);
        free(file);
    }
    closedir(dir);
    rmdir(path);
}

static lcl_status check_target(const char *path, bool replace, bool *exists,
                               lcl_error *err)
{
    struct stat st;

    *exists = lstat(path, &st) == 0;
    if (!*exists)
        return LCL_OK;
    if (!replace)
        return lcl_hint(err, lcl_fail(err, LCL_EIO, path, "exists already"),
                        "--force replaces it");
    if (!is_database(path))
        return lcl_fail(err, LCL_EIO, path,
                        "will not be replaced: it is not a database's folder");
    return LCL_OK;
}

/* ---- Starting ---------------------------------------------------------------------- */

static lcl_status find_kind(const lcl_db_kind **kind, const char *name, lcl_error *err)
{
    for (size_t i = 0; i < LCL_COUNT(kinds); i++)
        if (strcmp(kinds[i]->name, name) == 0) {
            *kind = kinds[i];
            return LCL_OK;
        }
    return lcl_fail(err, LCL_EUSAGE, NULL,
                    "the kind of database is '%s', not lmdb or leveldb", name);
}

lcl_status lcl_db_create(lcl_db_writer **out, const char *kind, const char *path,
                         bool replace, lcl_error *err)
{
    size_t length = strlen(path);
    const lcl_db_kind *found = NULL;
    bool exists;

    LCL_TRY(find_kind(&found, kind, err));
    LCL_TRY(check_target(path, replace, &exists, err));
    lcl_db_writer *w = lcl_alloc(1, sizeof *w);
    w->kind = found;
    while (length > 1 && path[length - 1] == '/')
        length--;
    w->path = lcl_format("%.*s", (int)length, path);
    w->working = lcl_format("%s.tmp-%ld", w->path, (long)getpid());
    w->old = exists ? lcl_format("%s.old-%ld", w->path, (long)getpid()) : NULL;
    w->made = mkdir(w->working, 0755) == 0;
    lcl_status status =
        w->made ? found->open(w, err)
                : lcl_fail(err, LCL_EIO, w->path, "cannot make the folder %s: %s",
                           w->working, strerror(errno));
    if (status != LCL_OK) {
        lcl_db_destroy(w);
        return status;
    }
    *out = w;
    return LCL_OK;
}

/* ---- Writing ----------------------------------------------------------------------- */

static lcl_status commit(lcl_db_writer *w, lcl_error *err)
{
    lcl_status status = w->kind->commit(w, err);

    w->n_records = w->bytes.length = 0;
    return status;
}

lcl_status lcl_db_put(lcl_db_writer *w, const char *key, const void *value, size_t size,
                      lcl_error *err)
{
    lcl_db_record *r = &w->records[w->n_records++];

    r->key = w->bytes.length;
    r->key_size = strlen(key);
    r->value = r->key + r->key_size;
    r->value_size = size;
    lcl_text_add_bytes(&w->bytes, key, r->key_size);
    lcl_text_add_bytes(&w->bytes, value, size);
    return w->n_records == LCL_DB_BATCH ? commit(w, err) : LCL_OK;
}

/* Puts the working folder in the place of the final one. */
static lcl_status swap_folders(lcl_db_writer *w, lcl_error *err)
{
    if (w->old && rename(w->path, w->old) != 0)
        return lcl_fail(err, LCL_EIO, w->path, "cannot move the old database away: %s",
                        strerror(errno));
    if (rename(w->working, w->path) != 0) {
        lcl_status status =
            lcl_fail(err, LCL_EIO, w->path, "cannot give the new database its name: %s",
                     strerror(errno));
        if (w->old)
            rename(w->old, w->path);
        return status;
    }
    if (w->old)
        remove_database(w->old);
    return LCL_OK;
}

static void close_database(lcl_db_writer *w)
{
    if (w->state)
        w->kind->close(w);
    w->state = NULL;
}

lcl_status lcl_db_finish(lcl_db_writer *w, lcl_error *err)
{
    LCL_TRY(commit(w, err));
    LCL_TRY(w->kind->sync(w, err));
    close_database(w);
    LCL_TRY(swap_folders(w, err));
    w->made = false;
    return LCL_OK;
}

void lcl_db_destroy(lcl_db_writer *w)
{
    if (!w)
        return;
    close_database(w);
    if (w->made)
        remove_database(w->working);
    free(w->bytes.text);
    free(w->old);
    free(w->working);
    free(w->path);
    free(w);
}
