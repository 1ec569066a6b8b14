/* Files of stored cases in memory, as a folder of them is on disk. */
#include "golden_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "npy.h"
#include "text.h"

#define ARCHIVE "the stored cases" /* in messages */
#define GZIP 16 /* added to zlib's window bits: not zlib's own header */

void lcl_golden_files_free(lcl_golden_files *files)
{
    for (size_t i = 0; i < files->n; i++) {
        free(files->list[i].path);
        free(files->list[i].bytes);
    }
    free(files->list);
    *files = (lcl_golden_files){0};
}

void lcl_golden_files_add(lcl_golden_files *files, const char *path, const void *bytes,
                          size_t size)
{
    lcl_golden_file *file;

    files->list = lcl_resize(files->list, files->n + 1, sizeof *files->list);
    file = &files->list[files->n++];
    *file = (lcl_golden_file){.path = lcl_strdup(path),
                              .hash = lcl_hash(0, path, strlen(path)),
                              .bytes = lcl_alloc(size + 1, 1),
                              .size = size};
    if (size > 0)
        memcpy(file->bytes, bytes, size);
}

void lcl_golden_files_add_array(lcl_golden_files *files, const char *folder,
                                const char *kind, int i, const float *values, int n_axes,
                                const int *shape)
{
    char *path = lcl_format("%s/%s_%d.npy", folder, kind, i);
    lcl_text bytes = {0};

    lcl_npy_encode(&bytes, values, n_axes, shape);
    lcl_golden_files_add(files, path, bytes.text, bytes.length);
    free(bytes.text);
    free(path);
}

static const lcl_golden_file *find(const lcl_golden_files *files, const char *path)
{
    const uint64_t hash = lcl_hash(0, path, strlen(path));

    for (size_t i = 0; i < files->n; i++)
        if (files->list[i].hash == hash && strcmp(files->list[i].path, path) == 0)
            return &files->list[i];
    return NULL;
}

bool lcl_golden_has(const lcl_golden_files *files, const char *path)
{
    return files ? find(files, path) != NULL : lcl_file_exists(path);
}

lcl_status lcl_golden_read(const lcl_golden_files *files, char **out, size_t *size,
                           const char *path, lcl_error *err)
{
    const lcl_golden_file *file;

    if (!files)
        return lcl_file_read(out, size, path, 0, err);
    file = find(files, path);
    if (!file)
        return lcl_fail(err, LCL_EIO, path, "no such file among the stored cases");
    *size = file->size;
    *out = lcl_alloc(file->size + 1, 1);
    memcpy(*out, file->bytes, file->size);
    return LCL_OK;
}

/* ---- Unpacking --------------------------------------------------------------------- */

/* All that gzip packed; free *out. */
static lcl_status inflate_all(char **out, size_t *n_out, const void *packed, size_t size,
                              lcl_error *err)
{
    z_stream z = {.next_in = (z_const Bytef *)packed, .avail_in = (uInt)size};
    lcl_text text = {0};
    char chunk[1 << 16];
    int result;

    if (inflateInit2(&z, MAX_WBITS + GZIP) != Z_OK)
        return lcl_fail(err, LCL_EDATA, ARCHIVE, "zlib cannot start");
    do {
        z.next_out = (Bytef *)chunk;
        z.avail_out = sizeof chunk;
        result = inflate(&z, Z_NO_FLUSH);
        lcl_text_add_bytes(&text, chunk, sizeof chunk - z.avail_out);
    } while (result == Z_OK);
    inflateEnd(&z);
    if (result != Z_STREAM_END) {
        free(text.text);
        return lcl_fail(err, LCL_EDATA, ARCHIVE, "not whole: zlib's code %d", result);
    }
    *out = text.text;
    *n_out = text.length;
    return LCL_OK;
}

/* What of a file's header block matters here; the block is 512 bytes. */
enum { BLOCK = 512, NAME_SIZE = 100, SIZE_AT = 124, SIZE_SIZE = 12, KIND_AT = 156 };

/* The archive is a row of header blocks, each with the file's bytes after it in as many
 * blocks as they need; an empty name ends it. */
static lcl_status untar(lcl_golden_files *files, const char *tar, size_t size,
                        lcl_error *err)
{
    for (size_t at = 0; size - at >= BLOCK && tar[at]; at += BLOCK) {
        char name[NAME_SIZE + 1] = {0}, octal[SIZE_SIZE + 1] = {0}, *end;
        memcpy(name, tar + at, NAME_SIZE);
        memcpy(octal, tar + at + SIZE_AT, SIZE_SIZE);
        const unsigned long long bytes = strtoull(octal, &end, 8);
        const char kind = tar[at + KIND_AT];
        if (end == octal || bytes > size - at - BLOCK)
            return lcl_fail(err, LCL_EDATA, ARCHIVE, "not whole at '%s'", name);
        if (kind == '0' || kind == '\0')
            lcl_golden_files_add(files, name, tar + at + BLOCK, (size_t)bytes);
        at += ((size_t)bytes + BLOCK - 1) / BLOCK * BLOCK;
        if (at > size - BLOCK)
            return lcl_fail(err, LCL_EDATA, ARCHIVE, "not whole after '%s'", name);
    }
    return LCL_OK;
}

lcl_status lcl_golden_files_unpack(lcl_golden_files *files, const void *packed,
                                   size_t size, lcl_error *err)
{
    char *tar = NULL;
    size_t n = 0;

    LCL_TRY(inflate_all(&tar, &n, packed, size, err));
    lcl_status status = untar(files, tar, n, err);
    free(tar);
    return status;
}
