/* Reads a prototxt's numbers, words and strings, and says what to write instead. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto_hint.h"
#include "proto_parser.h"

typedef const ProtobufCFieldDescriptor field_type;

static lcl_status read_unsigned(lcl_parser *p, uint64_t max, uint64_t *value)
{
    if (p->t.token.kind != LCL_TOKEN_INTEGER) {
        LCL_FAIL_HERE(p, "Expected integer, got: %s", lcl_parser_got(p));
        if (lcl_parser_hint_character(p))
            return LCL_EPROTO;
        if (p->t.token.kind == LCL_TOKEN_FLOAT)
            lcl_hint(p->err, LCL_EPROTO, "this field takes a whole number, such as %.0f",
                     lcl_token_double(&p->t));
        else if (p->t.token.kind == LCL_TOKEN_STRING)
            lcl_hint(p->err, LCL_EPROTO, "this field takes a number, without quotes");
        else if (lcl_parser_at(p, "-"))
            lcl_hint(p->err, LCL_EPROTO, "this field takes no negative number");
        else if (lcl_parser_at(p, "+"))
            lcl_hint(p->err, LCL_EPROTO, "write the number without +");
        return LCL_EPROTO;
    }
    if (!lcl_token_integer(&p->t, max, value))
        return LCL_FAIL_HERE(p, "Integer out of range (%s)", lcl_parser_got(p));
    return lcl_parser_next(p);
}

static lcl_status read_signed(lcl_parser *p, uint64_t max, int64_t *value)
{
    uint64_t magnitude;
    bool negative;

    LCL_TRY(lcl_parser_skip(p, "-", &negative));
    LCL_TRY(read_unsigned(p, max + negative, &magnitude));
    *value = (int64_t)(negative ? 0 - magnitude : magnitude);
    return LCL_OK;
}

static lcl_status fail_number(lcl_parser *p)
{
    if (p->t.token.kind == LCL_TOKEN_IDENTIFIER) {
        /* Google's parser says the word in lower case. */
        char *word = lcl_parser_copy(p, p->t.token);
        for (char *c = word; *c; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 'a' - 'A' : *c);
        LCL_FAIL_HERE(p, "Expected double, got: %.200s", word);
        free(word);
    } else {
        LCL_FAIL_HERE(p, "Expected double, got: %s", lcl_parser_got(p));
    }
    if (lcl_parser_hint_character(p))
        return LCL_EPROTO;
    if (lcl_parser_at(p, "+"))
        lcl_hint(p->err, LCL_EPROTO, "write the number without +");
    else if (p->t.token.kind == LCL_TOKEN_STRING)
        lcl_hint(p->err, LCL_EPROTO, "write the number without quotes");
    else if (lcl_parser_at(p, "{") || lcl_parser_at(p, "<"))
        lcl_hint(p->err, LCL_EPROTO, "this field is a number, not a message");
    return LCL_EPROTO;
}

static lcl_status read_number(lcl_parser *p, double *value)
{
    const char *word = p->t.text + p->t.token.offset;
    size_t n = p->t.token.length;

    if (p->t.token.kind == LCL_TOKEN_IDENTIFIER) {
        if ((n == 3 && strncasecmp(word, "inf", n) == 0) ||
            (n == 8 && strncasecmp(word, "infinity", n) == 0))
            *value = INFINITY;
        else if (n == 3 && strncasecmp(word, "nan", n) == 0)
            *value = NAN;
        else
            return fail_number(p);
        return lcl_parser_next(p);
    }
    if (p->t.token.kind != LCL_TOKEN_INTEGER && p->t.token.kind != LCL_TOKEN_FLOAT)
        return fail_number(p);
    if (p->t.token.kind == LCL_TOKEN_INTEGER && n > 1 && word[0] == '0')
        return LCL_FAIL_HERE(p, "Expect a decimal number, got: %s", lcl_parser_got(p));
    *value = lcl_token_double(&p->t);
    return lcl_parser_next(p);
}

static lcl_status read_double(lcl_parser *p, double *value)
{
    bool negative;

    LCL_TRY(lcl_parser_skip(p, "-", &negative));
    LCL_TRY(read_number(p, value));
    if (negative)
        *value = -*value;
    return LCL_OK;
}

/* What rounds to the largest float is the largest float; more is infinite. */
static float to_float(double value)
{
    const double limit = 3.4028235677973366e+38;

    if (fabs(value) <= FLT_MAX || isnan(value))
        return (float)value;
    return copysignf(fabs(value) <= limit ? FLT_MAX : INFINITY,
                     (float)copysign(1, value));
}

static lcl_status read_bool(lcl_parser *p, const ProtobufCMessageDescriptor *type,
                            field_type *field, protobuf_c_boolean *value)
{
    static const char *const words[] = {"false", "False", "f", "true", "True", "t"};
    lcl_token word = p->t.token;
    uint64_t number;

    if (word.kind == LCL_TOKEN_INTEGER) {
        LCL_TRY(read_unsigned(p, 1, &number));
        *value = (int)number;
        return LCL_OK;
    }
    for (int i = 0; i < 6; i++)
        if (lcl_parser_at(p, words[i])) {
            *value = i >= 3;
            return lcl_parser_next(p);
        }
    LCL_TRY(lcl_parser_identifier(p, &word));
    char *text = lcl_parser_copy(p, word);
    LCL_FAIL_AT_WORD(p, word, "Invalid value for boolean field \"%s\". Value: \"%.200s\"",
                     field->name, text);
    lcl_hint_bool(type, text, p->err);
    free(text);
    return LCL_EPROTO;
}

static lcl_status fail_enum_kind(lcl_parser *p, const ProtobufCMessageDescriptor *type,
                                 field_type *field)
{
    lcl_token token = p->t.token;

    LCL_FAIL_HERE(p, "Expected integer or identifier, got: %s", lcl_parser_got(p));
    if (lcl_parser_hint_character(p))
        return LCL_EPROTO;
    if (token.kind != LCL_TOKEN_STRING)
        lcl_hint_enum(type, field, "", p->err);
    else if (type == &caffe__v1_layer_parameter__descriptor)
        lcl_hint(p->err, LCL_EPROTO,
                 "`layers` takes a word such as type: DATA; with type: %s write `layer`",
                 lcl_parser_got(p));
    else
        lcl_hint(p->err, LCL_EPROTO, "write it without quotes");
    return LCL_EPROTO;
}

static lcl_status read_enum(lcl_parser *p, const ProtobufCMessageDescriptor *type,
                            field_type *field, int32_t *value)
{
    const ProtobufCEnumDescriptor *values = field->descriptor;
    const ProtobufCEnumValue *found;
    lcl_token word = p->t.token;
    int64_t number;
    char *text;

    if (word.kind == LCL_TOKEN_IDENTIFIER) {
        LCL_TRY(lcl_parser_next(p));
        text = lcl_parser_copy(p, word);
        found = protobuf_c_enum_descriptor_get_value_by_name(values, text);
    } else if (word.kind == LCL_TOKEN_INTEGER || lcl_parser_at(p, "-")) {
        LCL_TRY(read_signed(p, INT32_MAX, &number));
        text = lcl_format("%lld", (long long)number);
        found = protobuf_c_enum_descriptor_get_value(values, (int)number);
    } else {
        return fail_enum_kind(p, type, field);
    }
    if (found) {
        *value = found->value;
    } else {
        LCL_FAIL_AT_WORD(p, word,
                         "Unknown enumeration value of \"%.200s\" for field \"%s\"", text,
                         field->name);
        lcl_hint_enum(type, field, text, p->err);
    }
    free(text);
    return found ? LCL_OK : LCL_EPROTO;
}

static void check_string(lcl_parser *p, lcl_token token, const lcl_text *s)
{
    uint32_t code;

    if (memchr(s->text, '\0', s->length))
        lcl_parser_warn(p, token, "the string ends at its NUL character");
    for (size_t i = 0, n; i < s->length; i += n) {
        n = lcl_utf8_decode(s->text + i, s->length - i, &code);
        if (n == 0) {
            lcl_parser_warn(p, token, "the string is not valid UTF-8");
            return;
        }
    }
}

static lcl_status read_string(lcl_parser *p, const ProtobufCMessageDescriptor *type,
                              field_type *field, lcl_text *s)
{
    lcl_token first = p->t.token;

    if (first.kind != LCL_TOKEN_STRING) {
        LCL_FAIL_HERE(p, "Expected string, got: %s", lcl_parser_got(p));
        if (lcl_parser_hint_character(p))
            return LCL_EPROTO;
        char *word = lcl_parser_copy(p, first);
        if (first.kind == LCL_TOKEN_IDENTIFIER)
            lcl_hint_string(type, field, word, p->err);
        else if (first.kind != LCL_TOKEN_END)
            lcl_hint(p->err, LCL_EPROTO, "%s is a string: write it in quotes",
                     field->name);
        free(word);
        return LCL_EPROTO;
    }
    lcl_text_add(s, "");
    while (p->t.token.kind == LCL_TOKEN_STRING) {
        lcl_token_string(&p->t, s);
        LCL_TRY(lcl_parser_next(p));
    }
    if (field->type == PROTOBUF_C_TYPE_STRING)
        check_string(p, first, s);
    return LCL_OK;
}

static lcl_status read_string_value(lcl_parser *p, const ProtobufCMessageDescriptor *type,
                                    field_type *field, lcl_scalar *value)
{
    lcl_text s = {0};
    lcl_status status = read_string(p, type, field, &s);

    if (status != LCL_OK)
        free(s.text);
    else if (field->type == PROTOBUF_C_TYPE_STRING)
        value->string = s.text;
    else
        value->bytes = (ProtobufCBinaryData){s.length, (uint8_t *)s.text};
    return status;
}

lcl_status lcl_parser_scalar(lcl_parser *p, const ProtobufCMessageDescriptor *type,
                             field_type *field, lcl_scalar *value)
{
    uint64_t natural = 0;
    int64_t integer = 0;
    double real = 0;

    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        LCL_TRY(read_signed(p, INT32_MAX, &integer));
        value->i32 = (int32_t)integer;
        return LCL_OK;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        LCL_TRY(read_unsigned(p, UINT32_MAX, &natural));
        value->u32 = (uint32_t)natural;
        return LCL_OK;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64: return read_signed(p, INT64_MAX, &value->i64);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64: return read_unsigned(p, UINT64_MAX, &value->u64);
    case PROTOBUF_C_TYPE_FLOAT:
        LCL_TRY(read_double(p, &real));
        value->f = to_float(real);
        return LCL_OK;
    case PROTOBUF_C_TYPE_DOUBLE: return read_double(p, &value->d);
    case PROTOBUF_C_TYPE_BOOL: return read_bool(p, type, field, &value->b);
    case PROTOBUF_C_TYPE_ENUM: return read_enum(p, type, field, &value->i32);
    default: return read_string_value(p, type, field, value);
    }
}
