/* Records straight from MNIST's IDX files. */
#include "idx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "source_kind.h"
#include "text.h"

/* ---- One file ---------------------------------------------------------------------- */

enum { LABELS = 2049, IMAGES = 2051 };

typedef struct {
    uint32_t dims[3]; /* count, height, width; 1 where the file has fewer */
    uint8_t *values;
} idx_file;

static uint32_t big_endian(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static lcl_status fail_gz(gzFile gz, const char *path, lcl_error *err)
{
    int code;
    const char *text = gzerror(gz, &code);

    return lcl_fail(err, LCL_EIO, path, "cannot read the file: %s",
                    code == Z_ERRNO ? strerror(errno) : text);
}

static lcl_status read_header(gzFile gz, uint32_t magic, idx_file *f, const char *path,
                              lcl_error *err)
{
    uint8_t bytes[16];
    int size = magic == IMAGES ? 16 : 8;
    int n = gzread(gz, bytes, (unsigned)size);

    if (n < 0)
        return fail_gz(gz, path, err);
    uint32_t found = n >= 4 ? big_endian(bytes) : 0;
    if (n >= 4 && found != magic) {
        lcl_status status = lcl_fail(
            err, LCL_EDATA, path, "is no IDX %s file: it starts with %u, not %u",
            magic == IMAGES ? "images" : "labels", (unsigned)found, (unsigned)magic);
        if (found == LABELS || found == IMAGES)
            return lcl_hint(err, status, "this is the %s file",
                            found == LABELS ? "labels" : "images");
        return lcl_hint(err, status,
                        "a data source is the folder of an LMDB or an IDX images file");
    }
    if (n < size)
        return lcl_fail(err, LCL_EDATA, path, "%d bytes are too few for an IDX file", n);
    for (int i = 0; i < 3; i++)
        f->dims[i] = 4 + 4 * i < size ? big_endian(bytes + 4 + 4 * i) : 1;
    return LCL_OK;
}

/* Reads what the header promises; memory grows with what the file really holds. */
static lcl_status read_values(gzFile gz, size_t size, idx_file *f, const char *path,
                              lcl_error *err)
{
    lcl_text values = {0};
    char chunk[1 << 16];
    int n;

    while ((n = gzread(gz, chunk, sizeof chunk)) > 0 && values.length <= size)
        lcl_text_add_bytes(&values, chunk, (size_t)n);
    f->values = (uint8_t *)values.text;
    if (n < 0)
        return fail_gz(gz, path, err);
    if (values.length != size)
        return lcl_fail(err, LCL_EDATA, path,
                        "the IDX file is %s: its header says %u items, %zu bytes, and "
                        "there are %s%zu",
                        values.length < size ? "truncated" : "too long",
                        (unsigned)f->dims[0], size,
                        values.length < size ? "" : "at least ", values.length);
    return LCL_OK;
}

static lcl_status read_open_file(gzFile gz, uint32_t magic, idx_file *f, const char *path,
                                 lcl_error *err)
{
    size_t image, size;

    LCL_TRY(read_header(gz, magic, f, path, err));
    if (!f->dims[0] || !f->dims[1] || !f->dims[2] ||
        !lcl_multiply(f->dims[1], f->dims[2], &image) || image > INT32_MAX ||
        !lcl_multiply(image, f->dims[0], &size))
        return lcl_fail(err, LCL_EDATA, path, "impossible IDX dimensions %u x %u x %u",
                        (unsigned)f->dims[0], (unsigned)f->dims[1], (unsigned)f->dims[2]);
    return read_values(gz, size, f, path, err);
}

/* The caller frees f->values whatever the outcome. */
static lcl_status read_file(const char *path, uint32_t magic, idx_file *f, lcl_error *err)
{
    gzFile gz = gzopen(path, "rb");

    *f = (idx_file){0};
    if (!gz)
        return lcl_fail(err, LCL_EIO, path, "cannot open the file: %s", strerror(errno));
    lcl_status status = read_open_file(gz, magic, f, path, err);
    gzclose_r(gz);
    return status;
}

/* ---- Images with their labels ------------------------------------------------------ */

/* `path` with the last `from` of its file name changed, or NULL where there is none; new.
 */
static char *replace_last(const char *path, const char *from, const char *to)
{
    const char *slash = strrchr(path, '/'), *found = NULL;

    for (const char *p = slash ? slash : path; (p = strstr(p, from)); p++)
        found = p;
    if (!found)
        return NULL;
    return lcl_format("%.*s%s%s", (int)(found - path), path, to, found + strlen(from));
}

/* Where the labels of `images` are: *found (new), or an error that says what was tried.
 */
static lcl_status find_labels(char **found, const char *images, lcl_error *err)
{
    size_t length = strlen(images);
    bool zipped = length > 3 && strcmp(images + length - 3, ".gz") == 0;
    char *name = replace_last(images, "images", "labels");

    if (!name)
        return lcl_hint(
            err,
            lcl_fail(err, LCL_EDATA, images,
                     "cannot tell the name of the labels file: the name of the "
                     "images file does not have 'images' in it"),
            "name the files as MNIST does, train-images-idx3-ubyte and "
            "train-labels-idx1-ubyte, or convert them to a database");
    char *renamed = replace_last(name, "idx3", "idx1");
    if (renamed) {
        free(name);
        name = renamed;
    }
    char *other = zipped ? lcl_format("%.*s", (int)strlen(name) - 3, name)
                         : lcl_format("%s.gz", name);
    char **pick = lcl_file_exists(name) ? &name : lcl_file_exists(other) ? &other : NULL;
    lcl_status status = LCL_OK;
    if (!pick) {
        status =
            lcl_fail(err, LCL_EIO, images,
                     "the labels of these images are missing: neither %s nor %s exists",
                     name, other);
    } else {
        *found = *pick;
        *pick = NULL;
    }
    free(name);
    free(other);
    return status;
}

lcl_status lcl_idx_read(lcl_idx *out, const char *images_path, const char *labels_path,
                        lcl_error *err)
{
    idx_file images = {0}, labels = {0};
    char *found = NULL;

    lcl_status status = read_file(images_path, IMAGES, &images, err);
    if (status == LCL_OK)
        status = labels_path ? LCL_OK : find_labels(&found, images_path, err);
    if (status == LCL_OK) {
        labels_path = labels_path ? labels_path : found;
        status = read_file(labels_path, LABELS, &labels, err);
    }
    if (status == LCL_OK && labels.dims[0] != images.dims[0])
        status =
            lcl_fail(err, LCL_EDATA, labels_path, "%u labels for %u images (%s)",
                     (unsigned)labels.dims[0], (unsigned)images.dims[0], images_path);
    free(found);
    if (status != LCL_OK) {
        free(images.values);
        free(labels.values);
        return status;
    }
    *out = (lcl_idx){images.dims[0], (int)images.dims[1], (int)images.dims[2],
                     images.values, labels.values};
    return LCL_OK;
}

void lcl_idx_free(lcl_idx *idx)
{
    free(idx->pixels);
    free(idx->labels);
    *idx = (lcl_idx){0};
}

/* ---- As a source ------------------------------------------------------------------- */

static lcl_status open_idx(lcl_source *s, lcl_error *err)
{
    lcl_idx *idx = s->state = lcl_alloc(1, sizeof *idx);

    LCL_TRY(lcl_idx_read(idx, s->path, NULL, err));
    s->count = idx->count;
    return LCL_OK;
}

static void close_idx(lcl_source *s)
{
    lcl_idx_free(s->state);
    free(s->state);
}

static lcl_status read_idx(lcl_source *s, lcl_record *record, lcl_error *err)
{
    const lcl_idx *idx = s->state;
    size_t image = (size_t)idx->height * (size_t)idx->width;

    (void)err;
    *record = (lcl_record){.channels = 1,
                           .height = idx->height,
                           .width = idx->width,
                           .bytes = idx->pixels + s->position * image,
                           .label = idx->labels[s->position]};
    return LCL_OK;
}

static void rewind_idx(lcl_source *s)
{
    (void)s;
}

const lcl_source_kind lcl_idx_source = {
    .name = "idx",
    .open = open_idx,
    .close = close_idx,
    .read = read_idx,
    .rewind = rewind_idx,
};
