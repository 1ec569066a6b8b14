/* Finds out what kind of source a path is, and walks its records round and round. */
#include "source_kind.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "text.h"

static bool holds(const char *folder, const char *name)
{
    char *path = lcl_path_join(folder, name);
    bool found = lcl_file_exists(path);

    free(path);
    return found;
}

static bool is_leveldb(const char *folder)
{
    DIR *dir = holds(folder, "CURRENT") ? opendir(folder) : NULL;
    bool found = false;

    if (!dir)
        return false;
    for (struct dirent *entry; !found && (entry = readdir(dir));)
        found = strncmp(entry->d_name, "MANIFEST-", 9) == 0;
    closedir(dir);
    return found;
}

static lcl_status find_kind(const lcl_source_kind **kind, const char *path,
                            lcl_error *err)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        lcl_status status = lcl_fail(err, LCL_EIO, path,
                                     "cannot open the data source: %s", strerror(errno));
        char *zipped = lcl_format("%s.gz", path);
        if (lcl_file_exists(zipped))
            lcl_hint(err, status, "there is %s: name that", zipped);
        else
            lcl_hint(err, status,
                     "paths are relative to the folder the program is started in; "
                     "'lenet-cl convert' makes databases");
        free(zipped);
        return status;
    }
    if (!S_ISDIR(st.st_mode)) {
        *kind = &lcl_idx_source;
        return LCL_OK;
    }
    if (holds(path, "data.mdb")) {
        *kind = &lcl_lmdb_source;
        return LCL_OK;
    }
    if (is_leveldb(path)) {
        *kind = &lcl_leveldb_source;
        return LCL_OK;
    }
    return lcl_hint(
        err,
        lcl_fail(err, LCL_EDATA, path,
                 "the folder is no database: it has no data.mdb and no CURRENT"),
        "name the folder of an LMDB or LevelDB, or an IDX images file");
}

lcl_status lcl_source_open(lcl_source **out, const char *path, lcl_error *err)
{
    const lcl_source_kind *kind = NULL;

    LCL_TRY(find_kind(&kind, path, err));
    lcl_source *s = lcl_alloc(1, sizeof *s);
    s->kind = kind;
    s->path = lcl_strdup(path);
    lcl_status status = kind->open(s, err);
    if (status != LCL_OK) {
        lcl_source_close(s);
        return status;
    }
    *out = s;
    return LCL_OK;
}

void lcl_source_close(lcl_source *s)
{
    if (!s)
        return;
    s->kind->close(s);
    free(s->path);
    free(s);
}

const char *lcl_source_kind_name(const lcl_source *s)
{
    return s->kind->name;
}
const char *lcl_source_path(const lcl_source *s)
{
    return s->path;
}

size_t lcl_source_count(const lcl_source *s)
{
    const size_t n = 1 + s->n_others;

    return s->count != LCL_SOURCE_UNCOUNTED && s->count % n == 0 ? s->count / n
                                                                 : s->count;
}

void lcl_source_take_turns(lcl_source *s, size_t turn, size_t n_others)
{
    s->turn = turn;
    s->n_others = n_others;
    lcl_source_rewind(s);
}

static lcl_status read_next(lcl_source *s, lcl_record *record, bool *wrapped,
                            lcl_error *err)
{
    if (s->position == s->count) {
        s->kind->rewind(s);
        s->position = 0;
        *wrapped = true;
    }
    LCL_TRY(s->kind->read(s, record, err));
    s->position++;
    return LCL_OK;
}

lcl_status lcl_source_next(lcl_source *s, lcl_record *record, bool *wrapped,
                           lcl_error *err)
{
    size_t n = s->started ? s->n_others : s->turn; /* of other readers */

    *wrapped = false;
    for (; n > 0; n--)
        LCL_TRY(read_next(s, record, wrapped, err));
    s->started = true;
    return read_next(s, record, wrapped, err);
}

void lcl_source_rewind(lcl_source *s)
{
    s->kind->rewind(s);
    s->position = 0;
    s->started = false;
}
