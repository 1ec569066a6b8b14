/* Datum messages to records and back. */
#include "datum.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "source_kind.h"
#include "text.h"

bool lcl_record_size(const lcl_record *record, size_t *size)
{
    return record->channels > 0 && record->height > 0 && record->width > 0 &&
           lcl_multiply((size_t)record->channels, (size_t)record->height, size) &&
           lcl_multiply(*size, (size_t)record->width, size) && *size <= INT32_MAX;
}

static const char *find_fault(const Caffe__Datum *d, lcl_record *record)
{
    size_t count;

    *record = (lcl_record){.channels = d->channels,
                           .height = d->height,
                           .width = d->width,
                           .label = d->label};
    if (d->encoded) {
        record->encoded = d->data.data;
        record->encoded_size = d->data.len;
        return d->data.len ? NULL : "an encoded Datum without data";
    }
    if (!lcl_record_size(record, &count))
        return "a Datum without proper channels, height and width";
    if (d->has_data && d->data.len == count)
        record->bytes = d->data.data;
    else if (!d->data.len && d->n_float_data == count)
        record->floats = d->float_data;
    else
        return "a Datum whose data does not fill channels x height x width";
    return NULL;
}

bool lcl_datum_decode(Caffe__Datum **datum, lcl_record *record, const void *bytes,
                      size_t size, const char **reason)
{
    Caffe__Datum *d = caffe__datum__unpack(NULL, size, bytes);

    *datum = NULL;
    *reason = d ? find_fault(d, record) : "no Datum message";
    if (*reason) {
        if (d)
            caffe__datum__free_unpacked(d, NULL);
        return false;
    }
    *datum = d;
    return true;
}

void lcl_datum_free(Caffe__Datum **datum)
{
    if (*datum)
        caffe__datum__free_unpacked(*datum, NULL);
    *datum = NULL;
}

/* The key as it can be shown: at most 40 printable characters. */
static void key_text(const unsigned char *key, size_t size, char out[64])
{
    size_t n = size < 40 ? size : 40;

    for (size_t i = 0; i < n; i++)
        out[i] = isprint(key[i]) ? (char)key[i] : '?';
    strcpy(out + n, n < size ? "..." : "");
}

lcl_status lcl_datum_fail(const lcl_source *s, const void *key, size_t key_size,
                          const char *reason, lcl_error *err)
{
    char name[64], number[64];

    key_text(key, key_size, name);
    if (s->count == LCL_SOURCE_UNCOUNTED)
        snprintf(number, sizeof number, "record %zu", s->position + 1);
    else
        snprintf(number, sizeof number, "record %zu of %zu", s->position + 1, s->count);
    return lcl_fail(err, LCL_EDATA, s->path, "the value of key '%s' (%s) is %s", name,
                    number, reason);
}

uint8_t *lcl_datum_encode(const lcl_record *record, size_t *size)
{
    Caffe__Datum d = CAFFE__DATUM__INIT;

    d.has_channels = d.has_height = d.has_width = !record->encoded;
    d.has_label = 1;
    d.channels = record->channels;
    d.height = record->height;
    d.width = record->width;
    d.label = record->label;
    /* Packing only reads; the generated struct has no const. */
    union {
        const void *in;
        uint8_t *bytes;
        float *floats;
    } values = {record->encoded ? record->encoded : record->bytes};
    d.has_encoded = d.encoded = record->encoded != NULL;
    d.has_data = values.in != NULL;
    d.data = (ProtobufCBinaryData){record->encoded_size, values.bytes};
    if (record->bytes)
        lcl_record_size(record, &d.data.len);
    if (!d.has_data) {
        values.in = record->floats;
        d.float_data = values.floats;
        lcl_record_size(record, &d.n_float_data);
    }
    uint8_t *value = lcl_alloc(caffe__datum__get_packed_size(&d), 1);
    *size = caffe__datum__pack(&d, value);
    return value;
}
