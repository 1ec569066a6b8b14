/* Image files that a list names. */
#include "commands/convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "image_list.h"
#include "planes.h"
#include "rng.h"
#include "text.h"

#define MAX_SIDE 65535

/* What the flags ask for. */
typedef struct {
    const char *root;
    bool gray, check_size, encoded;
    const char *encode_type; /* "": each file's own */
    long height, width;      /* 0: each file's own */
} request;

/* A conversion under way. */
typedef struct {
    request want;
    lcl_db_writer *db;
    lcl_log *log;
    lcl_planes planes;
    int first_size[3]; /* of the first image; zeros before it */
    size_t n_stored;
} conversion;

/* ---- One image --------------------------------------------------------------------- */

static const char *extension(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot && !strchr(dot, '/') ? dot + 1 : "";
}

static bool same_type(const char *a, const char *b)
{
    if (*a == '.')
        a++;
    if (strcasecmp(a, "jpeg") == 0)
        a = "jpg";
    if (strcasecmp(b, "jpeg") == 0)
        b = "jpg";
    return strcasecmp(a, b) == 0;
}

/* The bytes to store of an image, which may be its file's. */
static lcl_status encode(const conversion *c, const lcl_image *image, const char *path,
                         uint8_t **bytes, size_t *size, lcl_error *err)
{
    const request *w = &c->want;
    const char *type = *w->encode_type ? w->encode_type : extension(path);
    char *file;

    if ((image->channels == 3) == w->gray || w->height ||
        !same_type(type, extension(path)))
        return lcl_image_encode(image, type, bytes, size, err);
    LCL_TRY(lcl_file_read(&file, size, path, 0, err));
    *bytes = (uint8_t *)file;
    return LCL_OK;
}

static lcl_status check_size(conversion *c, const lcl_image *image, const char *path,
                             lcl_error *err)
{
    const int size[3] = {image->channels, image->height, image->width};
    const int *first = c->first_size;

    if (!first[0])
        memcpy(c->first_size, size, sizeof size);
    if (!c->want.check_size || memcmp(first, size, sizeof size) == 0)
        return LCL_OK;
    return lcl_hint(err,
                    lcl_fail(err, LCL_EDATA, path,
                             "the image is %d x %d x %d and the first one %d x %d x %d",
                             size[0], size[1], size[2], first[0], first[1], first[2]),
                    "--resize_height and --resize_width make them equal");
}

static lcl_status store(conversion *c, const lcl_image *image, const char *key,
                        const char *path, int label, lcl_error *err)
{
    uint8_t *bytes = NULL;
    lcl_record record = {.label = label};

    LCL_TRY(check_size(c, image, path, err));
    if (c->want.encoded) {
        LCL_TRY(encode(c, image, path, &bytes, &record.encoded_size, err));
        record.encoded = bytes;
    } else {
        record = lcl_planes_record(&c->planes, image, label);
    }
    lcl_status status = lcl_convert_put(c->db, key, &record, err);
    free(bytes);
    if (++c->n_stored % 1000 == 0)
        LCL_LOG(c->log, "Processed %zu files.", c->n_stored);
    return status;
}

/* As Caffe's tool does, an image that cannot be read is told and left out. */
static lcl_status convert_entry(conversion *c, const lcl_image_entry *entry, size_t i,
                                lcl_error *err)
{
    char *path = lcl_format("%s%s", c->want.root, entry->path);
    char *key = lcl_format("%08zu_%s", i, entry->path);
    lcl_image image;
    lcl_error unreadable = {0};
    lcl_status status = LCL_OK;

    if (lcl_image_read(&image, path, c->want.gray ? LCL_IMAGE_GRAY : LCL_IMAGE_COLOR,
                       &unreadable) == LCL_OK) {
        if (c->want.height)
            lcl_image_resize(&image, (int)c->want.height, (int)c->want.width);
        status = store(c, &image, key, path, entry->label, err);
        lcl_image_free(&image);
    } else {
        LCL_WARN(c->log, "%s: %s; left out", path, unreadable.message);
    }
    free(path);
    free(key);
    return status;
}

/* ---- All of them ------------------------------------------------------------------- */

static lcl_status convert_entries(conversion *c, const lcl_image_entry *entries, size_t n,
                                  const size_t *order, const char *list, lcl_error *err)
{
    for (size_t i = 0; i < n; i++)
        LCL_TRY(convert_entry(c, &entries[order[i]], i, err));
    if (!c->n_stored)
        return lcl_fail(err, LCL_EDATA, list, "none of the %zu images can be read", n);
    LCL_TRY(lcl_db_finish(c->db, err));
    LCL_LOG(c->log, "Processed %zu files.", c->n_stored);
    return LCL_OK;
}

static size_t *make_order(size_t n, bool shuffle, long seed)
{
    size_t *order = lcl_alloc(n, sizeof *order);
    lcl_rng rng;

    for (size_t i = 0; i < n; i++)
        order[i] = i;
    lcl_rng_init(&rng, seed);
    if (shuffle)
        lcl_rng_shuffle(&rng, order, n);
    return order;
}

static lcl_status read_request(request *w, const lcl_args *args, lcl_error *err)
{
    w->root = lcl_args_operand(args, 1);
    w->gray = lcl_args_switch(args, "gray");
    w->check_size = lcl_args_switch(args, "check_size");
    w->encode_type = lcl_args_get(args, "encode_type");
    w->encoded = lcl_args_switch(args, "encoded") || *w->encode_type;
    LCL_TRY(lcl_args_int(args, "resize_height", 0, MAX_SIDE, &w->height, err));
    LCL_TRY(lcl_args_int(args, "resize_width", 0, MAX_SIDE, &w->width, err));
    if (!w->height != !w->width)
        return lcl_fail(err, LCL_EUSAGE, "",
                        "--resize_height and --resize_width must be given together");
    return LCL_OK;
}

static lcl_status convert(const lcl_args *args, lcl_log *log, lcl_error *err)
{
    const char *list = lcl_args_operand(args, 2);
    conversion c = {.log = log};
    lcl_image_entry *entries;
    size_t n;
    long seed;

    LCL_TRY(read_request(&c.want, args, err));
    LCL_TRY(lcl_convert_seed(args, &seed, err));
    LCL_TRY(lcl_image_list_read(&entries, &n, list, err));
    bool shuffle = lcl_args_switch(args, "shuffle");
    if (shuffle)
        LCL_LOG(log, "Shuffling data");
    LCL_LOG(log, "A total of %zu images.", n);
    size_t *order = make_order(n, shuffle, seed);
    lcl_status status = lcl_convert_create(&c.db, args, lcl_args_operand(args, 3), err);
    if (status == LCL_OK)
        status = convert_entries(&c, entries, n, order, list, err);
    lcl_db_destroy(c.db);
    free(c.planes.bytes);
    free(order);
    lcl_image_list_free(entries, n);
    return status;
}

const lcl_converter lcl_convert_imageset = {"imageset", "ROOT/ LIST DB", 3, convert};
