/* Datum messages to records and back. */
#include "datum.h"

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
    if (d->encoded)
        return "an encoded image (JPEG or PNG), which this build cannot decode";
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

uint8_t *lcl_datum_encode(const lcl_record *record, size_t *size)
{
    Caffe__Datum d = CAFFE__DATUM__INIT;

    d.has_channels = d.has_height = d.has_width = d.has_data = d.has_label = 1;
    d.channels = record->channels;
    d.height = record->height;
    d.width = record->width;
    d.label = record->label;
    lcl_record_size(record, &d.data.len);
    /* Packing only reads the bytes; the generated struct has no const. */
    union {
        const uint8_t *in;
        uint8_t *out;
    } bytes = {record->bytes};
    d.data.data = bytes.out;
    uint8_t *value = lcl_alloc(caffe__datum__get_packed_size(&d), 1);
    *size = caffe__datum__pack(&d, value);
    return value;
}
