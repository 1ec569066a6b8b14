/* NumPy's .npz files, through libzip. */
#include "npz.h"

#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "text.h"

#define SUFFIX ".npy"

struct lcl_npz {
    zip_t *archive;       /* NULL once saved */
    zip_source_t *memory; /* what is written; NULL in reading */
    char *path;           /* owned */
    char **names;         /* owned; of reading */
    size_t n;
};

static lcl_status zip_failed(const lcl_npz *z, const char *what, zip_error_t *e,
                             lcl_error *err)
{
    bool io =
        zip_error_system_type(e) == ZIP_ET_SYS || zip_error_code_zip(e) == ZIP_ER_NOENT;

    return lcl_fail(err, io ? LCL_EIO : LCL_EDATA, z->path, "%s: %s", what,
                    zip_error_strerror(e));
}

static lcl_npz *new_npz(const char *path)
{
    lcl_npz *z = lcl_alloc(1, sizeof *z);

    z->path = lcl_strdup(path);
    return z;
}

void lcl_npz_close(lcl_npz *z)
{
    if (!z)
        return;
    if (z->archive)
        zip_discard(z->archive);
    if (z->memory)
        zip_source_free(z->memory);
    lcl_list_free(z->names, z->n);
    free(z->path);
    free(z);
}

/* ---- Reading ----------------------------------------------------------------------- */

static void list_names(lcl_npz *z)
{
    z->n = (size_t)zip_get_num_entries(z->archive, 0);
    z->names = lcl_alloc(z->n, sizeof *z->names);
    for (size_t i = 0; i < z->n; i++) {
        const char *name = zip_get_name(z->archive, i, 0);
        z->names[i] = lcl_strdup(name ? name : "");
        if (lcl_has_suffix(z->names[i], SUFFIX))
            z->names[i][strlen(z->names[i]) - strlen(SUFFIX)] = '\0';
    }
}

lcl_status lcl_npz_open(lcl_npz **out, const char *path, lcl_error *err)
{
    lcl_npz *z = new_npz(path);
    int code = 0;

    z->archive = zip_open(path, ZIP_RDONLY, &code);
    if (!z->archive) {
        zip_error_t e;
        zip_error_init_with_code(&e, code);
        lcl_status status = zip_failed(z, "cannot open the .npz archive", &e, err);
        zip_error_fini(&e);
        lcl_npz_close(z);
        return status;
    }
    list_names(z);
    *out = z;
    return LCL_OK;
}

size_t lcl_npz_n(const lcl_npz *z)
{
    return z->n;
}

const char *lcl_npz_name(const lcl_npz *z, size_t i)
{
    return z->names[i];
}

/* "weights.npz(conv1/0)", for messages. */
static char *place_of(const lcl_npz *z, size_t i)
{
    return lcl_format("%s(%s)", z->path, z->names[i]);
}

/* The first `limit` bytes of a file in the archive, or all. Where that is all of it, its
 * checksum is right. */
static lcl_status read_file(lcl_npz *z, size_t i, size_t limit, char **bytes,
                            size_t *size, lcl_error *err)
{
    zip_stat_t stat;
    zip_file_t *file;
    zip_int64_t n, end = 0;

    if (zip_stat_index(z->archive, i, 0, &stat) != 0 || !(stat.valid & ZIP_STAT_SIZE) ||
        !(file = zip_fopen_index(z->archive, i, 0)))
        return zip_failed(z, z->names[i], zip_get_error(z->archive), err);
    *size = stat.size < limit ? (size_t)stat.size : limit;
    *bytes = lcl_alloc(*size + 1, 1);
    n = zip_fread(file, *bytes, *size);
    if (n >= 0 && stat.size <= limit)
        end = zip_fread(file, *bytes + *size, 1);
    lcl_status status = LCL_OK;
    if (n < 0 || end < 0)
        status = zip_failed(z, z->names[i], zip_file_get_error(file), err);
    else if ((size_t)n != *size || end > 0)
        status = lcl_fail(err, LCL_EDATA, z->path, "%s: not as long as the archive says",
                          z->names[i]);
    zip_fclose(file);
    if (status != LCL_OK)
        free(*bytes);
    return status;
}

/* An array's shape, and how long its file must be. */
static lcl_status read_header(lcl_npz *z, size_t i, const char *place, lcl_npy *out,
                              size_t *file_size, lcl_error *err)
{
    size_t size;
    char *bytes;

    *out = (lcl_npy){0};
    LCL_TRY(read_file(z, i, LCL_NPY_HEADER, &bytes, &size, err));
    lcl_status status = lcl_npy_parse_shape(out, file_size, place, bytes, size, err);
    free(bytes);
    return status;
}

lcl_status lcl_npz_read_shape(lcl_npz *z, size_t i, lcl_npy *out, lcl_error *err)
{
    size_t file_size;
    char *place = place_of(z, i);
    lcl_status status = read_header(z, i, place, out, &file_size, err);

    free(place);
    return status;
}

lcl_status lcl_npz_read(lcl_npz *z, size_t i, lcl_npy *out, lcl_error *err)
{
    size_t size, file_size;
    char *bytes, *place = place_of(z, i);
    lcl_status status = read_header(z, i, place, out, &file_size, err);

    /* No more than the header asks for, whatever the archive says: one byte shows that. */
    if (status == LCL_OK)
        status = read_file(z, i, file_size + 1, &bytes, &size, err);
    if (status == LCL_OK) {
        status = lcl_npy_parse(out, place, bytes, size, err);
        free(bytes);
    }
    free(place);
    return status;
}

/* ---- Writing ----------------------------------------------------------------------- */

lcl_status lcl_npz_create(lcl_npz **out, const char *path, lcl_error *err)
{
    lcl_npz *z = new_npz(path);
    zip_error_t e;

    zip_error_init(&e);
    z->memory = zip_source_buffer_create(NULL, 0, 0, &e);
    if (z->memory)
        z->archive = zip_open_from_source(z->memory, ZIP_TRUNCATE, &e);
    if (!z->archive) {
        lcl_status status = zip_failed(z, "cannot make an archive", &e, err);
        zip_error_fini(&e);
        lcl_npz_close(z);
        return status;
    }
    zip_source_keep(z->memory); /* the archive has taken over the first reference */
    *out = z;
    return LCL_OK;
}

/* Adds a file, stored, with NumPy's date: the same arrays make the same bytes. */
static bool add_file(lcl_npz *z, const char *name, zip_source_t *source)
{
    enum { JANUARY_1980 = 1 << 5 | 1 };
    zip_int64_t i = zip_file_add(z->archive, name, source, ZIP_FL_ENC_UTF_8);

    if (i < 0) {
        zip_source_free(source);
        return false;
    }
    return zip_set_file_compression(z->archive, (zip_uint64_t)i, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(z->archive, (zip_uint64_t)i, 0, JANUARY_1980, 0) == 0;
}

lcl_status lcl_npz_add(lcl_npz *z, const char *name, const float *values, int n_axes,
                       const int *shape, lcl_error *err)
{
    lcl_text bytes = {0};
    char *file = lcl_format("%s" SUFFIX, name);
    lcl_status status = LCL_OK;

    lcl_npy_encode(&bytes, values, n_axes, shape);
    zip_source_t *source = zip_source_buffer(z->archive, bytes.text, bytes.length, 1);
    if (!source)
        free(bytes.text);
    if (!source || !add_file(z, file, source))
        status = zip_failed(z, name, zip_get_error(z->archive), err);
    free(file);
    return status;
}

/* All that the archive wrote; free(*bytes). */
static bool read_memory(zip_source_t *memory, char **bytes, size_t *size)
{
    zip_stat_t stat;

    zip_stat_init(&stat);
    if (zip_source_stat(memory, &stat) != 0 || zip_source_open(memory) != 0)
        return false;
    *size = (size_t)stat.size;
    *bytes = lcl_alloc(*size + 1, 1);
    bool whole = zip_source_read(memory, *bytes, *size) == (zip_int64_t)*size;
    zip_source_close(memory);
    if (!whole)
        free(*bytes);
    return whole;
}

lcl_status lcl_npz_save(lcl_npz *z, lcl_error *err)
{
    size_t size;
    char *bytes;

    if (zip_close(z->archive) != 0)
        return zip_failed(z, "cannot make the archive", zip_get_error(z->archive), err);
    z->archive = NULL;
    if (!read_memory(z->memory, &bytes, &size))
        return zip_failed(z, "cannot make the archive", zip_source_error(z->memory), err);
    lcl_status status = lcl_file_write(z->path, bytes, size, err);
    free(bytes);
    return status;
}
