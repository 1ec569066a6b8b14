/* Binary messages: read with every length checked and memory bounded, and written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto.h"
#include "text.h"

#define LEAST_BUDGET ((size_t)64 << 20)
#define BUDGET_PER_BYTE 40 /* of memory, for a byte of file */

enum { VARINT = 0, FIXED64 = 1, DELIMITED = 2, FIXED32 = 5 };

/* ---- Is it what it should be? ------------------------------------------------------ */

typedef struct {
    const char *name; /* of the file */
    const uint8_t *start;
    lcl_error *err;
} reader;

__attribute__((format(printf, 3, 4))) static lcl_status
fail(const reader *r, const uint8_t *at, const char *format, ...)
{
    char *where = lcl_format("%s: byte %zu", r->name, (size_t)(at - r->start));
    va_list args;
    char message[512];

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    lcl_fail(r->err, LCL_EPROTO, where, "%s", message);
    free(where);
    return LCL_EPROTO;
}

static bool read_varint(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 70 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        if (shift < 64)
            *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static unsigned wire_type(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT: return FIXED32;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return FIXED64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE: return DELIMITED;
    default: return VARINT;
    }
}

static bool is_array_of(const ProtobufCFieldDescriptor *field, unsigned wire)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED && wire == DELIMITED &&
           wire_type(field) != DELIMITED;
}

/* Numbers side by side must fill their length. */
static lcl_status check_packed(const reader *r, const ProtobufCFieldDescriptor *field,
                               const uint8_t *at, const uint8_t *end)
{
    size_t n = (size_t)(end - at), size = wire_type(field) == FIXED32 ? 4 : 8;
    uint64_t value;

    if (wire_type(field) != VARINT)
        return n % size == 0
                   ? LCL_OK
                   : fail(r, at, "%zu bytes are no whole number of values of %s", n,
                          field->name);
    while (at < end)
        if (!read_varint(&at, end, &value))
            return fail(r, at, "a value of %s is cut off", field->name);
    return LCL_OK;
}

static lcl_status check_message(const reader *r, const ProtobufCMessageDescriptor *type,
                                const uint8_t *at, const uint8_t *end);

static lcl_status check_delimited(const reader *r, const ProtobufCFieldDescriptor *field,
                                  const char *name, const uint8_t **at,
                                  const uint8_t *end)
{
    const uint8_t *start = *at;
    uint64_t length;

    if (!read_varint(at, end, &length))
        return fail(r, start, "the length of %s is cut off", name);
    if (length > (uint64_t)(end - *at))
        return fail(r, start, "%s has %llu bytes, but only %zu are left", name,
                    (unsigned long long)length, (size_t)(end - *at));
    const uint8_t *content = *at;
    *at += length;
    if (field && field->type == PROTOBUF_C_TYPE_MESSAGE)
        return check_message(r, field->descriptor, content, *at);
    return field && is_array_of(field, DELIMITED) ? check_packed(r, field, content, *at)
                                                  : LCL_OK;
}

/* The value of one field; `field` is NULL where the schema does not have it. */
static lcl_status check_value(const reader *r, const ProtobufCFieldDescriptor *field,
                              unsigned wire, const uint8_t **at, const uint8_t *end)
{
    const char *name = field ? field->name : "an unknown field";
    const uint8_t *start = *at;
    size_t size = wire == FIXED32 ? 4 : 8;
    uint64_t value;

    if (field && wire != wire_type(field) && !is_array_of(field, wire))
        return fail(r, start, "%s is not of the type that Caffe gives it", name);
    switch (wire) {
    case VARINT:
        return read_varint(at, end, &value) ? LCL_OK
                                            : fail(r, start, "%s is cut off", name);
    case DELIMITED: return check_delimited(r, field, name, at, end);
    case FIXED32:
    case FIXED64:
        if (size > (size_t)(end - *at))
            return fail(r, start, "%s is cut off", name);
        *at += size;
        return LCL_OK;
    default: return fail(r, start, "%s has wire type %u", name, wire);
    }
}

static lcl_status check_message(const reader *r, const ProtobufCMessageDescriptor *type,
                                const uint8_t *at, const uint8_t *end)
{
    const uint8_t *start = at;
    uint64_t seen = 0; /* required fields, by index */

    while (at < end) {
        const uint8_t *tag_at = at;
        uint64_t tag;
        if (!read_varint(&at, end, &tag))
            return fail(r, tag_at, "a field's tag is cut off");
        if (tag >> 3 == 0 || tag > UINT32_MAX)
            return fail(r, tag_at, "no field of %s can have the number %llu",
                        type->short_name, (unsigned long long)(tag >> 3));
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
        if (field && field->label == PROTOBUF_C_LABEL_REQUIRED)
            seen |= (uint64_t)1 << (field - type->fields);
        LCL_TRY(check_value(r, field, tag & 7, &at, end));
    }
    for (unsigned i = 0; i < type->n_fields; i++)
        if (type->fields[i].label == PROTOBUF_C_LABEL_REQUIRED && !(seen >> i & 1))
            return fail(r, start, "%s lacks the required field %s", type->short_name,
                        type->fields[i].name);
    return LCL_OK;
}

/* ---- What else is it? -------------------------------------------------------------- */

static bool is_text(const uint8_t *bytes, size_t size)
{
    size_t n = size < 512 ? size : 512;

    for (size_t i = 0; i < n; i++)
        if ((bytes[i] < ' ' && !(bytes[i] >= '\t' && bytes[i] <= '\r')) ||
            bytes[i] == 0x7f)
            return false;
    return n > 0;
}

/* Says what the file seems to be, where it is no message of the type. */
static void hint_content(const ProtobufCMessageDescriptor *type, const uint8_t *bytes,
                         size_t size, lcl_error *err)
{
    static const struct {
        size_t at, n;
        const char *magic, *hint;
    } kinds[] = {
        {0, 8, "\x89HDF\r\n\x1a\n", "this is an HDF5 file, not a binary protobuf"},
        {16, 4, "\xde\xc0\xef\xbe", "this is an LMDB database, not a binary protobuf"},
        {0, 2, "\x1f\x8b", "this is a gzip file: unpack it"},
        {0, 2, "\xff\xfe", "this is UTF-16 text: save it as UTF-8"},
        {0, 2, "\xfe\xff", "this is UTF-16 text: save it as UTF-8"},
        {0, 4, "PK\x03\x04", "this is a zip file: unpack it"},
        {0, 24, "version https://git-lfs.",
         "this is only git-lfs's pointer to the file: run git lfs pull"},
        {0, 9, "<!DOCTYPE", "this is a web page: download the file itself"},
        {0, 5, "<html", "this is a web page: download the file itself"},
    };

    for (size_t i = 0; i < LCL_COUNT(kinds); i++)
        if (size >= kinds[i].at + kinds[i].n &&
            memcmp(bytes + kinds[i].at, kinds[i].magic, kinds[i].n) == 0) {
            lcl_hint(err, LCL_EPROTO, "%s", kinds[i].hint);
            return;
        }
    if (is_text(bytes, size))
        lcl_hint(err, LCL_EPROTO,
                 "this looks like a text file (a prototxt?); a binary %s "
                 "is needed here",
                 type->short_name);
    else
        lcl_hint(err, LCL_EPROTO, "the file is truncated, damaged, or no %s",
                 type->short_name);
}

/* ---- Memory ------------------------------------------------------------------------ */

/* Counts what protobuf-c allocates; never gives back. */
typedef struct {
    size_t left;
    bool exceeded;
} budget;

static void *budget_alloc(void *data, size_t size)
{
    budget *b = data;

    b->exceeded |= size > b->left;
    if (b->exceeded)
        return NULL;
    b->left -= size;
    return malloc(size ? size : 1);
}

static void budget_free(void *data, void *pointer)
{
    (void)data;
    free(pointer);
}

/* Values of enums that the schema does not have count as not given, as in Caffe. */
static void drop_unknown_values(ProtobufCMessage *message,
                                const ProtobufCFieldDescriptor *field)
{
    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    size_t n = lcl_field_count(message, field), kept = 0;

    for (size_t i = 0; i < n; i++) {
        int *value = lcl_field_value(message, field, i);
        if (protobuf_c_enum_descriptor_get_value(field->descriptor, *value))
            *(int *)lcl_field_value(message, field, kept++) = *value;
    }
    if (repeated) {
        memcpy((char *)message + field->quantifier_offset, &kept, sizeof kept);
    } else if (n > kept) {
        *(protobuf_c_boolean *)((char *)message + field->quantifier_offset) = 0;
        *(int *)lcl_field_at(message, field) =
            field->default_value
                ? *(const int *)field->default_value
                : ((const ProtobufCEnumDescriptor *)field->descriptor)->values[0].value;
    }
}

static void drop_unknown_enums(ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (field->type == PROTOBUF_C_TYPE_ENUM) {
            drop_unknown_values(message, field);
            continue;
        }
        if (field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        for (size_t j = 0; j < lcl_field_count(message, field); j++)
            drop_unknown_enums(*(ProtobufCMessage **)lcl_field_value(message, field, j));
    }
}

lcl_status lcl_proto_parse_binary(lcl_proto **out, const ProtobufCMessageDescriptor *type,
                                  const char *name, const void *bytes, size_t size,
                                  lcl_error *err)
{
    reader r = {name, bytes, err};
    budget b = {size < SIZE_MAX / BUDGET_PER_BYTE ? size * BUDGET_PER_BYTE : SIZE_MAX,
                false};
    ProtobufCAllocator allocator = {budget_alloc, budget_free, &b};

    if (b.left < LEAST_BUDGET)
        b.left = LEAST_BUDGET;
    if (check_message(&r, type, r.start, r.start + size) != LCL_OK) {
        hint_content(type, bytes, size, err);
        return LCL_EPROTO;
    }
    ProtobufCMessage *root = protobuf_c_message_unpack(type, &allocator, size, bytes);
    if (!root && b.exceeded) {
        lcl_fail(err, LCL_EPROTO, name,
                 "the %s would need far more memory than its %zu bytes", type->short_name,
                 size);
        return lcl_hint(err, LCL_EPROTO, "the file is damaged or made to do harm");
    }
    if (!root) {
        lcl_fail(err, LCL_EPROTO, name, "not a valid %s", type->short_name);
        hint_content(type, bytes, size, err);
        return LCL_EPROTO;
    }
    drop_unknown_enums(root);
    *out = lcl_proto_adopt(root, name);
    return LCL_OK;
}

lcl_status lcl_proto_read_binary(lcl_proto **out, const ProtobufCMessageDescriptor *type,
                                 const char *path, lcl_error *err)
{
    char *bytes;
    size_t size;

    LCL_TRY(lcl_file_read(&bytes, &size, path, 0, err));
    lcl_status status = size ? lcl_proto_parse_binary(out, type, path, bytes, size, err)
                             : lcl_fail(err, LCL_EPROTO, path, "the file is empty: no %s",
                                        type->short_name);
    free(bytes);
    return status;
}

lcl_status lcl_proto_encode(uint8_t **out, size_t *size, const ProtobufCMessage *message,
                            lcl_error *err)
{
    *size = protobuf_c_message_get_packed_size(message);
    if (*size > INT32_MAX)
        return lcl_fail(err, LCL_EPROTO, NULL,
                        "the %s takes %zu bytes; a protobuf message holds at most %d",
                        message->descriptor->short_name, *size, INT32_MAX);
    *out = lcl_alloc(*size + 1, 1);
    protobuf_c_message_pack(message, *out);
    return LCL_OK;
}

lcl_status lcl_proto_write(const ProtobufCMessage *message, const char *path,
                           lcl_error *err)
{
    uint8_t *bytes;
    size_t size;

    LCL_TRY(lcl_proto_encode(&bytes, &size, message, err));
    lcl_status status = lcl_file_write(path, bytes, size, err);
    free(bytes);
    return status;
}
