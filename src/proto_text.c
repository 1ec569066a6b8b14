/* Reads prototxts into messages by their descriptors, with the verdicts of Google's
 * parser. */
#include <stdlib.h>
#include <string.h>

#include "proto_hint.h"
#include "proto_parser.h"

#define TEXT_LIMIT ((size_t)256 << 20)

typedef const ProtobufCFieldDescriptor field_type;

static lcl_status read_fields(lcl_parser *p, ProtobufCMessage *message);

static lcl_status read_message(lcl_parser *p, ProtobufCMessage *message,
                               field_type *field, lcl_token name)
{
    ProtobufCMessage *made;

    LCL_TRY(lcl_parser_open(p, name, field->descriptor));
    made = lcl_proto_new(field->descriptor);
    memcpy(lcl_field_add(message, field), &made, sizeof made);
    lcl_proto_set_place(p->doc, made, 0, name.offset);
    LCL_TRY(read_fields(p, made));
    return lcl_parser_close(p);
}

static lcl_status read_value(lcl_parser *p, ProtobufCMessage *message, field_type *field,
                             lcl_token name)
{
    lcl_scalar value;

    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return read_message(p, message, field, name);
    LCL_TRY(lcl_parser_scalar(p, message->descriptor, field, &value));
    memcpy(lcl_field_add(message, field), &value, lcl_field_size(field));
    return LCL_OK;
}

static lcl_status read_list(lcl_parser *p, ProtobufCMessage *message, field_type *field)
{
    bool end;

    LCL_TRY(lcl_parser_skip(p, "]", &end));
    while (!end) {
        LCL_TRY(read_value(p, message, field, p->t.token));
        LCL_TRY(lcl_parser_skip(p, "]", &end));
        if (!end)
            LCL_TRY(lcl_parser_expect(
                p, ",", "separate the values by commas and end the list with ]"));
    }
    return LCL_OK;
}

/* The other spelling of a field that OpenCL versions of Caffe renamed. */
static field_type *find_field(const lcl_parser *p, const ProtobufCMessageDescriptor *type,
                              lcl_token name)
{
    const char *word = p->t.text + name.offset;

    if (type == &caffe__solver_parameter__descriptor && name.length == 6 &&
        strncmp(word, "device", 6) == 0)
        return lcl_field_find(type, "device_id", 9);
    return lcl_field_find(type, word, name.length);
}

static lcl_status fail_colon(lcl_parser *p, field_type *field)
{
    p->expected = ":";
    LCL_FAIL_HERE(p, "Expected \":\", found \"%s\"", lcl_parser_got(p));
    if (lcl_parser_hint_character(p))
        return LCL_EPROTO;
    if (lcl_parser_at(p, "{"))
        lcl_hint(p->err, LCL_EPROTO, "%s holds one value, not a message: write %s: VALUE",
                 field->name, field->name);
    else if (lcl_parser_at(p, "="))
        lcl_hint(p->err, LCL_EPROTO, "write %s: with a colon", field->name);
    else
        lcl_hint(p->err, LCL_EPROTO, "write %s: %s", field->name, lcl_parser_got(p));
    return LCL_EPROTO;
}

static lcl_status read_field(lcl_parser *p, ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    lcl_token name;
    bool found, list = false;

    p->field = NULL;
    p->earlier = LCL_NO_PLACE;
    if (p->before.offset != p->closed.end)
        p->closed.type = NULL;
    if (lcl_parser_at(p, "["))
        return lcl_parser_extension(p, type);
    LCL_TRY(lcl_parser_identifier(p, &name));
    field_type *field = p->field = find_field(p, type, name);
    p->name = name;
    if (!field)
        return lcl_parser_unknown(p, type, name);
    size_t before = lcl_proto_place(p->doc, message, field->id);
    if (before != LCL_NO_PLACE && field->label != PROTOBUF_C_LABEL_REPEATED) {
        p->earlier = before;
        LCL_FAIL_AT_WORD(p, name,
                         "Non-repeated field \"%.*s\" is specified multiple times",
                         (int)name.length, p->t.text + name.offset);
        return lcl_hint(p->err, LCL_EPROTO, "it has a value already, from line %zu",
                        lcl_parser_line(p, before));
    }
    lcl_proto_set_place(p->doc, message, field->id, name.offset);

    LCL_TRY(lcl_parser_skip(p, ":", &found));
    if (!found && field->type != PROTOBUF_C_TYPE_MESSAGE)
        return fail_colon(p, field);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        LCL_TRY(lcl_parser_skip(p, "[", &list));
    LCL_TRY(list ? read_list(p, message, field) : read_value(p, message, field, name));
    return lcl_parser_skip_separator(p);
}

static void note_missing(lcl_parser *p, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;

    for (unsigned i = 0; i < type->n_fields && !p->incomplete; i++)
        if (type->fields[i].label == PROTOBUF_C_LABEL_REQUIRED &&
            lcl_proto_place(p->doc, message, type->fields[i].id) == LCL_NO_PLACE) {
            p->incomplete = message;
            p->lacking = &type->fields[i];
        }
}

/* Up to the message's end, or the text's. */
static lcl_status read_fields(lcl_parser *p, ProtobufCMessage *message)
{
    while (p->depth > 0 ? !lcl_parser_at(p, "}") && !lcl_parser_at(p, ">")
                        : p->t.token.kind != LCL_TOKEN_END)
        LCL_TRY(read_field(p, message));
    note_missing(p, message);
    return LCL_OK;
}

static lcl_status read_document(lcl_parser *p)
{
    LCL_TRY(lcl_parser_next(p));
    LCL_TRY(read_fields(p, p->doc->root));
    if (!p->incomplete)
        return LCL_OK;
    p->place = lcl_proto_place(p->doc, p->incomplete, 0);
    return lcl_proto_fail(p->doc, p->incomplete, NULL, p->err, LCL_EPROTO,
                          "%s lacks the required field %s",
                          p->incomplete->descriptor->short_name, p->lacking->name);
}

lcl_status lcl_parser_read(lcl_parser *p, const ProtobufCMessageDescriptor *type,
                           const char *name, char *text, size_t length)
{
    locale_t before = lcl_c_locale_enter();

    p->doc = lcl_proto_adopt(lcl_proto_new(type), name);
    p->doc->text = text;
    p->doc->length = length;
    p->t.text = text;
    p->t.length = length;
    lcl_status status = read_document(p);
    lcl_c_locale_leave(before);
    return status;
}

static lcl_status parse(lcl_proto **out, const ProtobufCMessageDescriptor *type,
                        const char *name, char *text, size_t length, lcl_unknown unknown,
                        lcl_log *log, lcl_error *err)
{
    lcl_parser p = {.unknown = unknown, .log = log, .err = err};
    lcl_status status = lcl_parser_read(&p, type, name, text, length);

    if (status == LCL_OK)
        *out = p.doc;
    else
        lcl_proto_destroy(p.doc);
    return status;
}

lcl_status lcl_proto_parse_text(lcl_proto **out, const ProtobufCMessageDescriptor *type,
                                const char *name, const char *text, size_t length,
                                lcl_unknown unknown, lcl_log *log, lcl_error *err)
{
    char *copy = lcl_alloc(length + 1, 1);

    if (length)
        memcpy(copy, text, length);
    return parse(out, type, name, copy, length, unknown, log, err);
}

lcl_status lcl_proto_read_text(lcl_proto **out, const ProtobufCMessageDescriptor *type,
                               const char *path, lcl_unknown unknown, lcl_log *log,
                               lcl_error *err)
{
    char *text;
    size_t length;

    LCL_TRY(lcl_file_read(&text, &length, path, TEXT_LIMIT, err));
    return parse(out, type, path, text, length, unknown, log, err);
}
