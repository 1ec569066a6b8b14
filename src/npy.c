/* Arrays in NumPy's .npy files: a magic, a Python dictionary as text, then the values. */
#include "npy.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char magic[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

typedef enum { FLOAT16, FLOAT32, FLOAT64, INT32, INT64, UINT8 } npy_type;

static const struct {
    const char *name;
    npy_type type;
    size_t size;
} types[] = {{"'<f2'", FLOAT16, 2}, {"'<f4'", FLOAT32, 4}, {"'<f8'", FLOAT64, 8},
             {"'<i4'", INT32, 4},   {"'<i8'", INT64, 8},   {"'|u1'", UINT8, 1}};

/* What a header says. */
typedef struct {
    npy_type type;
    size_t value_size;
    size_t start, bytes; /* where the values begin, and how many bytes they take */
    bool fortran;
} layout;

/* ---- The header -------------------------------------------------------------------- */

/* The header's text between magic, version and length, as a new string; *start is where the
 * values begin. NULL where this is no such file, or the header does not end in it. */
static char *copy_header(const char *file, size_t size, size_t *start)
{
    const unsigned char *b = (const unsigned char *)file;
    size_t at, length;

    if (size < 10 || memcmp(file, magic, sizeof magic) != 0)
        return NULL;
    if (b[6] == 1) {
        at = 10;
        length = b[8] | (size_t)b[9] << 8;
    } else {
        at = 12;
        if (size < at)
            return NULL;
        length = b[8] | (size_t)b[9] << 8 | (size_t)b[10] << 16 | (size_t)b[11] << 24;
    }
    if (length == 0 || length > LCL_NPY_HEADER - at || length > size - at)
        return NULL;
    *start = at + length;
    return lcl_format("%.*s", (int)length, file + at);
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

static lcl_status find_type(layout *l, const char *descr, const char *name,
                            lcl_error *err)
{
    size_t t = 0;

    while (t < LCL_COUNT(types) &&
           strncmp(descr, types[t].name, strlen(types[t].name)) != 0)
        t++;
    if (t < LCL_COUNT(types)) {
        l->type = types[t].type;
        l->value_size = types[t].size;
        return LCL_OK;
    }
    lcl_fail(err, LCL_EDATA, name, "cannot read values of type %.*s",
             (int)strcspn(descr, ","), descr);
    return lcl_hint(err, LCL_EDATA, "store the array with .astype('float32')");
}

static lcl_status parse_header(lcl_npy *out, layout *l, const char *header,
                               const char *name, lcl_error *err)
{
    LCL_TRY(find_type(l, header_value(header, "'descr'"), name, err));
    l->fortran = strncmp(header_value(header, "'fortran_order'"), "True", 4) == 0;
    if (!parse_shape(header_value(header, "'shape'"), out) ||
        !lcl_multiply(out->count, l->value_size, &l->bytes) ||
        l->bytes > SIZE_MAX - l->start)
        return lcl_fail(err, LCL_EDATA, name, "bad shape in the .npy header");
    return LCL_OK;
}

static lcl_status read_layout(lcl_npy *out, layout *l, const char *name,
                              const char *bytes, size_t size, lcl_error *err)
{
    char *header = copy_header(bytes, size, &l->start);

    *out = (lcl_npy){0};
    if (!header)
        return lcl_fail(err, LCL_EDATA, name, "not a whole .npy file");
    lcl_status status = parse_header(out, l, header, name, err);
    free(header);
    return status;
}

lcl_status lcl_npy_parse_shape(lcl_npy *out, size_t *file_size, const char *name,
                               const char *bytes, size_t size, lcl_error *err)
{
    layout l;

    LCL_TRY(read_layout(out, &l, name, bytes, size, err));
    *file_size = l.start + l.bytes;
    return LCL_OK;
}

/* ---- The values -------------------------------------------------------------------- */

static float from_half(uint16_t half)
{
    int exponent = half >> 10 & 31, fraction = half & 1023;
    float value = exponent == 31 ? fraction ? NAN : INFINITY
                  : exponent     ? ldexpf((float)(fraction + 1024), exponent - 25)
                                 : ldexpf((float)fraction, -24);

    return half >> 15 ? -value : value;
}

static float value_at(const char *bytes, npy_type type)
{
    uint16_t h;
    float f;
    double d;
    int32_t i;
    int64_t l;

    switch (type) {
    case FLOAT16: memcpy(&h, bytes, sizeof h); return from_half(h);
    case FLOAT32: memcpy(&f, bytes, sizeof f); return f;
    case FLOAT64: memcpy(&d, bytes, sizeof d); return (float)d;
    case INT32: memcpy(&i, bytes, sizeof i); return (float)i;
    case INT64: memcpy(&l, bytes, sizeof l); return (float)l;
    case UINT8: break;
    }
    return (float)(unsigned char)*bytes;
}

/* The first double that is a number and as a float is none, or n. */
static size_t find_too_large(const char *bytes, size_t n, double *value)
{
    for (size_t i = 0; i < n; i++) {
        memcpy(value, bytes + i * sizeof *value, sizeof *value);
        if (isfinite(*value) && fabs(*value) > (double)FLT_MAX)
            return i;
    }
    return n;
}

/* Where in the array, row-major, the value is that follows in the file the one at `index`: in
 * Fortran order the first axis runs first. */
static size_t next_place(const lcl_npy *a, int *index)
{
    size_t place = 0;

    for (int i = 0; i < a->n_axes && ++index[i] == a->shape[i]; i++)
        index[i] = 0;
    for (int i = 0; i < a->n_axes; i++)
        place = place * (size_t)a->shape[i] + (size_t)index[i];
    return place;
}

static void take_values(lcl_npy *out, const layout *l, const char *bytes)
{
    int index[LCL_NPY_MAX_AXES] = {0};
    size_t place = 0;

    out->values = lcl_alloc(out->count ? out->count : 1, sizeof(float));
    for (size_t i = 0; i < out->count; i++) {
        out->values[place] = value_at(bytes + i * l->value_size, l->type);
        place = l->fortran ? next_place(out, index) : i + 1;
    }
}

lcl_status lcl_npy_parse(lcl_npy *out, const char *name, const char *bytes, size_t size,
                         lcl_error *err)
{
    layout l;
    double large;

    LCL_TRY(read_layout(out, &l, name, bytes, size, err));
    if (size - l.start != l.bytes)
        return lcl_fail(err, LCL_EDATA, name,
                        "the header asks for %zu bytes of values, the file has %zu",
                        l.bytes, size - l.start);
    bytes += l.start;
    if (l.type == FLOAT64 && find_too_large(bytes, out->count, &large) < out->count)
        return lcl_fail(err, LCL_EDATA, name, "%g is too large for a float32", large);
    take_values(out, &l, bytes);
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

/* ---- Writing ----------------------------------------------------------------------- */

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
