/* Documents: a message tree, where its fields came from, and access to fields by
 * descriptor. */
#include "proto.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* ---- Messages ---------------------------------------------------------------------- */

void *lcl_proto_new(const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = lcl_alloc(1, type->sizeof_message);

    protobuf_c_message_init(type, message);
    return message;
}

void lcl_proto_free(ProtobufCMessage *message)
{
    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
}

const ProtobufCFieldDescriptor *lcl_field_find(const ProtobufCMessageDescriptor *type,
                                               const char *name, size_t length)
{
    for (unsigned i = 0; i < type->n_fields; i++)
        if (strncmp(type->fields[i].name, name, length) == 0 &&
            type->fields[i].name[length] == '\0')
            return &type->fields[i];
    return NULL;
}

size_t lcl_field_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return 8;
    case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING: return sizeof(char *);
    case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_MESSAGE: return sizeof(ProtobufCMessage *);
    default: return 4;
    }
}

void *lcl_field_at(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (char *)(uintptr_t)message + field->offset;
}

static void *quantifier(const ProtobufCMessage *message,
                        const ProtobufCFieldDescriptor *field)
{
    return (char *)(uintptr_t)message + field->quantifier_offset;
}

static bool is_pointer(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_STRING ||
           field->type == PROTOBUF_C_TYPE_MESSAGE;
}

size_t lcl_field_count(const ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return *(size_t *)quantifier(message, field);
    if (is_pointer(field)) {
        const void *pointer = *(void **)lcl_field_at(message, field);
        return pointer && pointer != field->default_value;
    }
    if (field->label == PROTOBUF_C_LABEL_REQUIRED)
        return 1;
    return *(protobuf_c_boolean *)quantifier(message, field) != 0;
}

void *lcl_field_value(const ProtobufCMessage *message,
                      const ProtobufCFieldDescriptor *field, size_t i)
{
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return lcl_field_at(message, field);
    return *(char **)lcl_field_at(message, field) + i * lcl_field_size(field);
}

/* Room for n elements, rounded up to a power of two. */
static size_t grown(size_t n)
{
    size_t capacity = 4;

    while (capacity < n)
        capacity *= 2;
    return capacity;
}

void *lcl_field_add(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    size_t size = lcl_field_size(field);
    void *at = lcl_field_at(message, field);

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t *n = quantifier(message, field);
        char **array = at;
        *array = lcl_resize(*array, grown(*n + 1), size);
        at = *array + *n * size;
        ++*n;
    } else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && !is_pointer(field)) {
        *(protobuf_c_boolean *)quantifier(message, field) = 1;
    }
    memset(at, 0, size);
    return at;
}

/* ---- Places ------------------------------------------------------------------------ */

/* The slot of (message, field), free or taken. The table is never full. */
static lcl_place *slot(const lcl_proto *p, const void *message, uint32_t field)
{
    uint64_t hash = ((uint64_t)(uintptr_t)message + field * 40503u) * 0x9e3779b97f4a7c15u;
    size_t mask = p->capacity - 1;

    for (size_t i = (size_t)(hash >> 20) & mask;; i = (i + 1) & mask) {
        lcl_place *place = &p->places[i];
        if (!place->message || (place->message == message && place->field == field))
            return place;
    }
}

static void grow_places(lcl_proto *p)
{
    lcl_place *old = p->places;
    size_t n = p->capacity;

    p->capacity = n ? 2 * n : 64;
    p->places = lcl_alloc(p->capacity, sizeof *p->places);
    for (size_t i = 0; i < n; i++)
        if (old[i].message)
            *slot(p, old[i].message, old[i].field) = old[i];
    free(old);
}

static lcl_place *find(const lcl_proto *p, const void *message, uint32_t field)
{
    lcl_place *place = p->capacity ? slot(p, message, field) : NULL;

    return place && place->message ? place : NULL;
}

/* The place of (message, field), made where there is none. */
static lcl_place *obtain(lcl_proto *p, const void *message, uint32_t field)
{
    if (2 * (p->n_places + 1) > p->capacity)
        grow_places(p);
    lcl_place *place = slot(p, message, field);
    if (!place->message) {
        *place = (lcl_place){message, field, LCL_NO_PLACE};
        p->n_places++;
    }
    return place;
}

size_t lcl_proto_place(const lcl_proto *p, const void *message, uint32_t field)
{
    const lcl_place *place = find(p, message, field);

    return place ? place->offset : LCL_NO_PLACE;
}

void lcl_proto_set_place(lcl_proto *p, const void *message, uint32_t field, size_t offset)
{
    lcl_place *place = obtain(p, message, field);

    if (place->offset == LCL_NO_PLACE)
        place->offset = offset;
}

void lcl_proto_derive(lcl_proto *p, const void *made, const void *origin)
{
    const ProtobufCMessageDescriptor *type = ((const ProtobufCMessage *)made)->descriptor;
    const ProtobufCMessageDescriptor *from =
        ((const ProtobufCMessage *)origin)->descriptor;

    /* A freed message may have lain at this address: what is known of it is replaced. */
    if (p->text)
        obtain(p, made, 0)->offset = lcl_proto_place(p, origin, 0);
    for (unsigned i = 0; i < type->n_fields && p->text; i++) {
        const char *name = type->fields[i].name;
        const ProtobufCFieldDescriptor *field = lcl_field_find(from, name, strlen(name));
        size_t offset = field ? lcl_proto_place(p, origin, field->id) : LCL_NO_PLACE;
        if (offset != LCL_NO_PLACE || find(p, made, type->fields[i].id))
            obtain(p, made, type->fields[i].id)->offset = offset;
    }
}

/* Where to point for `field` of `message`: the field, else the message. */
static size_t place_of(const lcl_proto *p, const void *message, const char *field)
{
    size_t offset = LCL_NO_PLACE;

    if (message && field) {
        const ProtobufCMessageDescriptor *type =
            ((const ProtobufCMessage *)message)->descriptor;
        const ProtobufCFieldDescriptor *f = lcl_field_find(type, field, strlen(field));
        if (f)
            offset = lcl_proto_place(p, message, f->id);
    }
    if (message && offset == LCL_NO_PLACE)
        offset = lcl_proto_place(p, message, 0);
    return offset;
}

static void where(const lcl_proto *p, size_t offset, char *out, size_t size)
{
    size_t line, column;

    if (offset == LCL_NO_PLACE) {
        snprintf(out, size, "%s", p->name);
        return;
    }
    lcl_text_position(p->text, offset, &line, &column);
    snprintf(out, size, "%s:%zu:%zu", p->name, line, column);
}

void lcl_proto_where(const lcl_proto *p, const void *message, const char *field,
                     char *out, size_t size)
{
    where(p, place_of(p, message, field), out, size);
}

lcl_status lcl_proto_fail(const lcl_proto *p, const void *message, const char *field,
                          lcl_error *err, lcl_status status, const char *format, ...)
{
    if (!err)
        return status;

    size_t offset = place_of(p, message, field), width = 0;
    char at[sizeof err->where], text[sizeof err->message];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    where(p, offset, at, sizeof at);
    lcl_fail(err, status, at, "%s", text);
    if (offset == LCL_NO_PLACE)
        return status;
    while (lcl_is_word(p->text[offset + width]))
        width++;
    lcl_text_excerpt(p->text, p->length, offset, width, err);
    return status;
}

/* ---- Documents --------------------------------------------------------------------- */

lcl_proto *lcl_proto_adopt(ProtobufCMessage *root, const char *name)
{
    lcl_proto *p = lcl_alloc(1, sizeof *p);

    p->root = root;
    p->name = lcl_strdup(name);
    return p;
}

void lcl_proto_retire(lcl_proto *p, ProtobufCMessage *message)
{
    p->retired = lcl_resize(p->retired, p->n_retired + 1, sizeof *p->retired);
    p->retired[p->n_retired++] = message;
}

void lcl_proto_destroy(lcl_proto *p)
{
    if (!p)
        return;
    lcl_proto_free(p->root);
    for (size_t i = 0; i < p->n_retired; i++)
        lcl_proto_free(p->retired[i]);
    free(p->retired);
    free(p->places);
    free(p->text);
    free(p->name);
    free(p);
}

ProtobufCMessage *lcl_proto_root(const lcl_proto *p)
{
    return p->root;
}

const char *lcl_proto_name(const lcl_proto *p)
{
    return p->name;
}

/* ---- Copies ------------------------------------------------------------------------ */

static ProtobufCMessage *copy_message(lcl_proto *to, const lcl_proto *from,
                                      const ProtobufCMessage *message);

static void copy_value(lcl_proto *to, const lcl_proto *from,
                       const ProtobufCFieldDescriptor *field, void *out, const void *in)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        ProtobufCMessage *made = copy_message(to, from, *(ProtobufCMessage *const *)in);
        memcpy(out, &made, sizeof made);
    } else if (field->type == PROTOBUF_C_TYPE_STRING) {
        char *made = lcl_strdup(*(char *const *)in);
        memcpy(out, &made, sizeof made);
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
        const ProtobufCBinaryData *bytes = in;
        ProtobufCBinaryData made = {bytes->len, lcl_alloc(bytes->len + 1, 1)};
        if (bytes->len)
            memcpy(made.data, bytes->data, bytes->len);
        memcpy(out, &made, sizeof made);
    } else {
        memcpy(out, in, lcl_field_size(field));
    }
}

static void copy_field(lcl_proto *to, const lcl_proto *from, ProtobufCMessage *made,
                       const ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field)
{
    size_t n = lcl_field_count(message, field), size = lcl_field_size(field);
    size_t offset = lcl_proto_place(from, message, field->id);

    if (offset != LCL_NO_PLACE)
        lcl_proto_set_place(to, made, field->id, offset);
    if (n == 0)
        return;
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        copy_value(to, from, field, lcl_field_add(made, field),
                   lcl_field_value(message, field, 0));
        return;
    }
    char *array = lcl_alloc(n, size);
    memcpy(lcl_field_at(made, field), &array, sizeof array);
    memcpy((char *)made + field->quantifier_offset, &n, sizeof n);
    for (size_t i = 0; i < n; i++)
        copy_value(to, from, field, array + i * size, lcl_field_value(message, field, i));
}

static void copy_unknown(ProtobufCMessage *made, const ProtobufCMessage *message)
{
    if (message->n_unknown_fields == 0)
        return;
    made->n_unknown_fields = message->n_unknown_fields;
    made->unknown_fields =
        lcl_alloc(message->n_unknown_fields, sizeof *made->unknown_fields);
    for (unsigned i = 0; i < message->n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *field = &message->unknown_fields[i];
        made->unknown_fields[i] = *field;
        made->unknown_fields[i].data = lcl_alloc(field->len + 1, 1);
        memcpy(made->unknown_fields[i].data, field->data, field->len);
    }
}

static ProtobufCMessage *copy_message(lcl_proto *to, const lcl_proto *from,
                                      const ProtobufCMessage *message)
{
    ProtobufCMessage *made = lcl_proto_new(message->descriptor);
    size_t offset = lcl_proto_place(from, message, 0);

    if (offset != LCL_NO_PLACE)
        lcl_proto_set_place(to, made, 0, offset);
    for (unsigned i = 0; i < message->descriptor->n_fields; i++)
        copy_field(to, from, made, message, &message->descriptor->fields[i]);
    copy_unknown(made, message);
    return made;
}

lcl_proto *lcl_proto_copy(const lcl_proto *p, const ProtobufCMessage *message)
{
    lcl_proto *copy = lcl_proto_adopt(NULL, p->name);

    if (p->text) {
        copy->length = p->length;
        copy->text = lcl_alloc(p->length + 1, 1);
        memcpy(copy->text, p->text, p->length);
    }
    copy->root = copy_message(copy, p, message);
    return copy;
}

locale_t lcl_c_locale_enter(void)
{
    return uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0));
}

void lcl_c_locale_leave(locale_t before)
{
    freelocale(uselocale(before));
}
