/* Arrays in NumPy's .npy files: a magic, a Python dictionary as text, then the values. */
#include "npy.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static const char magic[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

typedef enum { FLOAT32, FLOAT64, INT32, INT64, UINT8 } npy_type;

static const struct {
    const char *name;
    npy_type type;
    size_t size;
} types[] = {{"'<f4'", FLOAT32, 4},
             {"'<f8'", FLOAT64, 8},
             {"'<i4'", INT32, 4},
             {"'<i8'", INT64, 8},
             {"'|u1'", UINT8, 1}};

static float value_at(const char *bytes, npy_type type)
{
    float f;
    double d;
    int32_t i;
    int64_t l;

    switch (type) {
    case FLOAT32: memcpy(&f, bytes, sizeof f); return f;
    case FLOAT64: memcpy(&d, bytes, sizeof d); return (float)d;
    case INT32: memcpy(&i, bytes, sizeof i); return (float)i;
    case INT64: memcpy(&l, bytes, sizeof l); return (float)l;
    case UINT8: break;
    }
    return (float)(unsigned char)*bytes;
}

/* The header's text between magic, version and length, and the values; NULL where the
 * file is none or shorter than its header says. */
static char *split_header(char *file, size_t size, const char **values)
{
    const unsigned char *b = (const unsigned char *)file;
    size_t start, length;

    if (size < 10 || memcmp(file, magic, sizeof magic) != 0)
        return NULL;
    if (b[6] == 1) {
        start = 10;
        length = b[8] | (size_t)b[9] << 8;
    } else {
        start = 12;
        if (size < start)
            return NULL;
        length = b[8] | (size_t)b[9] << 8 | (size_t)b[10] << 16 | (size_t)b[11] << 24;
    }
    if (length == 0 || length > size - start)
        return NULL;
    *values = file + start + length;
    file[start + length - 1] = '\0';
    return file + start;
}

/* What follows "'key':" in the header, or "". */
static const char *header_value(const char *header, const char *key)
{
    const char *at = strstr(header, key);

    if (!at)
        return "";
    at += strlen(key);
    return at + strspn(at, ": ");
}

static bool parse_shape(const char *text, lcl_npy *out)
{
    out->n_axes = 0;
    out->count = 1;
    if (*text++ != '(')
        return false;
    for (;;) {
        char *end;

        text += strspn(text, " ,");
        if (*text == ')')
            return true;
        long n = strtol(text, &end, 10);
        if (end == text || n < 0 || n > INT_MAX || out->n_axes == LCL_NPY_MAX_AXES ||
            !lcl_multiply(out->count, (size_t)n, &out->count))
            return false;
        out->shape[out->n_axes++] = (int)n;
        text = end;
    }
}

lcl_status lcl_npy_parse(lcl_npy *out, const char *path, char *file, size_t size,
                         lcl_error *err)
{
    const char *values = NULL, *header = split_header(file, size, &values);
    size_t t = 0, bytes;

    *out = (lcl_npy){0};
    if (!header)
        return lcl_fail(err, LCL_EDATA, path, "not a whole .npy file");
    const char *descr = header_value(header, "'descr'");
    while (t < LCL_COUNT(types) &&
           strncmp(descr, types[t].name, strlen(types[t].name)) != 0)
        t++;
    if (t == LCL_COUNT(types))
        return lcl_fail(err, LCL_EDATA, path, "cannot read values of type %.8s", descr);
    if (strncmp(header_value(header, "'fortran_order'"), "False", 5) != 0)
        return lcl_fail(err, LCL_EDATA, path, "the array is not in C order");
    if (!parse_shape(header_value(header, "'shape'"), out) ||
        !lcl_multiply(out->count, types[t].size, &bytes))
        return lcl_fail(err, LCL_EDATA, path, "bad shape in the .npy header");
    size_t there = size - (size_t)(values - file);
    if (there != bytes)
        return lcl_fail(err, LCL_EDATA, path,
                        "the header asks for %zu bytes of values, the file has %zu",
                        bytes, there);
    out->values = lcl_alloc(out->count ? out->count : 1, sizeof(float));
    for (size_t i = 0; i < out->count; i++)
        out->values[i] = value_at(values + i * types[t].size, types[t].type);
    return LCL_OK;
}

lcl_status lcl_npy_read(lcl_npy *out, const char *path, lcl_error *err)
{
    char *file;
    size_t size;

    *out = (lcl_npy){0};
    LCL_TRY(lcl_file_read(&file, &size, path, 0, err));
    lcl_status status = lcl_npy_parse(out, path, file, size, err);
    free(file);
    return status;
}

void lcl_npy_encode(lcl_text *out, const float *values, int n_axes, const int *shape)
{
    lcl_text header = {0};
    size_t count = 1;

    lcl_text_printf(&header, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < n_axes; i++) {
        count *= (size_t)shape[i];
        lcl_text_printf(&header, n_axes == 1 ? "%d," : i ? ", %d" : "%d", shape[i]);
    }
    lcl_text_add(&header, "), }");
    while ((10 + header.length + 1) % 64 != 0)
        lcl_text_add(&header, " ");
    lcl_text_add(&header, "\n");

    const char version_length[4] = {1, 0, (char)(header.length & 255),
                                    (char)(header.length >> 8)};
    lcl_text_add_bytes(out, magic, sizeof magic);
    lcl_text_add_bytes(out, version_length, sizeof version_length);
    lcl_text_add_bytes(out, header.text, header.length);
    lcl_text_add_bytes(out, values, count * sizeof(float));
    free(header.text);
}

lcl_status lcl_npy_write(const char *path, const float *values, int n_axes,
                         const int *shape, lcl_error *err)
{
    lcl_text file = {0};

    lcl_npy_encode(&file, values, n_axes, shape);
    lcl_status status = lcl_file_write(path, file.text, file.length, err);
    free(file.text);
    return status;
}
