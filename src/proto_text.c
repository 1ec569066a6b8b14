/* Reads prototxts into messages by their descriptors, with the verdicts of Google's
 * parser, and says what to write instead. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto.h"
#include "proto_hint.h"
#include "proto_token.h"

#define TEXT_LIMIT ((size_t)256 << 20)

typedef const ProtobufCFieldDescriptor field_type;

typedef struct {
    lcl_proto *doc;
    lcl_tokenizer t;
    lcl_token before; /* the token before the current one */
    lcl_unknown unknown;
    lcl_log *log;
    int depth;
    size_t open[LCL_MAX_DEPTH];         /* where the messages being read begin */
    const ProtobufCMessage *incomplete; /* the first message without a required field */
    field_type *lacking;
    char shown[96]; /* of got() */
    lcl_error *err;
} parser;

/* --- errors ---------------------------------------------------------------------------
 */

/* The token's text for a message, shortened and without control characters. */
static const char *text_of(parser *p, lcl_token token)
{
    size_t n = token.length, limit = sizeof p->shown - 4;

    if (n > limit)
        for (n = limit; n > 0 && (p->t.text[token.offset + n] & 0xc0) == 0x80; n--)
            ;
    for (size_t i = 0; i < n; i++) {
        char c = p->t.text[token.offset + i];
        p->shown[i] = c >= 0 && (c < ' ' || c == 0x7f) ? '?' : c;
    }
    strcpy(p->shown + n, n < token.length ? "..." : "");
    return p->shown;
}

static const char *got(parser *p)
{
    return p->t.token.kind == LCL_TOKEN_END ? "the end of the text"
                                            : text_of(p, p->t.token);
}

/* Fails at `place` with a mark under `word`. */
__attribute__((format(printf, 4, 5))) static lcl_status
fail_at(parser *p, size_t place, lcl_token word, const char *format, ...)
{
    char message[sizeof p->err->message];
    size_t line, column;
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    lcl_text_position(p->t.text, place, &line, &column);
    char *where = lcl_format("%s:%zu:%zu", p->doc->name, line, column);
    lcl_fail(p->err, LCL_EPROTO, where, "%s", message);
    free(where);
    lcl_text_excerpt(p->t.text, p->t.length, word.offset, word.length, p->err);
    return LCL_EPROTO;
}

/* Google's parser reports what is wrong at the token it is looking at. */
#define FAIL_AT_WORD(p, word, ...) fail_at(p, (p)->t.token.offset, word, __VA_ARGS__)
#define FAIL_HERE(p, ...) FAIL_AT_WORD(p, (p)->t.token, __VA_ARGS__)

static bool hint_character(parser *p)
{
    return lcl_hint_character(p->t.text, p->t.length, p->t.token.offset, p->err);
}

static size_t line_of(const parser *p, size_t offset)
{
    size_t line, column;

    lcl_text_position(p->t.text, offset, &line, &column);
    return line;
}

static void hint_number(parser *p)
{
    const lcl_tokenizer *t = &p->t;
    const char *rest = t->text + t->error_offset;
    int n_number = (int)(t->error_offset - t->token.offset), n_rest = 0;

    while (lcl_is_word(rest[n_rest]))
        n_rest++;
    if (n_rest > 0 && strstr(t->error, "Need space"))
        lcl_hint(p->err, LCL_EPROTO, "missing space between %.*s and %.*s", n_number,
                 t->text + t->token.offset, n_rest, rest);
    else if (strstr(t->error, "octal"))
        lcl_hint(p->err, LCL_EPROTO, "write the number without the leading 0");
}

/* The tokenizer's error. */
static lcl_status fail_token(parser *p)
{
    const lcl_tokenizer *t = &p->t;
    unsigned char c = (unsigned char)t->text[t->token.offset];

    if (c & 0x80)
        fail_at(p, t->error_offset, t->token, "%s %d", t->error, c);
    else
        fail_at(p, t->error_offset, t->token, "%s", t->error);
    if (hint_character(p))
        return LCL_EPROTO;
    if (t->token.kind == LCL_TOKEN_INTEGER || t->token.kind == LCL_TOKEN_FLOAT)
        hint_number(p);
    else if (t->token.kind == LCL_TOKEN_STRING && strstr(t->error, "Invalid escape"))
        lcl_hint(p->err, LCL_EPROTO, "write \\\\ for a backslash, or / in a path");
    else if (t->token.kind == LCL_TOKEN_STRING && !strstr(t->error, "hex digits"))
        lcl_hint(p->err, LCL_EPROTO, "close the string with %c on the line it began on",
                 c);
    else if (c < ' ')
        lcl_hint(p->err, LCL_EPROTO,
                 "is this a binary file? A prototxt is text (a .caffemodel is not)");
    return LCL_EPROTO;
}

static lcl_status fail_identifier(parser *p)
{
    FAIL_HERE(p, "Expected identifier, got: %s", got(p));
    if (hint_character(p))
        return LCL_EPROTO;
    if (p->t.token.kind == LCL_TOKEN_END && p->depth > 0) {
        size_t start = p->open[p->depth - 1], n = 0;
        while (lcl_is_word(p->t.text[start + n]))
            n++;
        lcl_hint(p->err, LCL_EPROTO, "the text ends before the } of %.*s in line %zu",
                 (int)n, p->t.text + start, line_of(p, start));
    } else if (p->depth == 0 && (lcl_token_is(&p->t, "}") || lcl_token_is(&p->t, ">"))) {
        lcl_hint(p->err, LCL_EPROTO, "one %s too many here or above", got(p));
    } else if (lcl_token_is(&p->t, ";") || lcl_token_is(&p->t, ",")) {
        lcl_hint(p->err, LCL_EPROTO, "one %s after a field is enough; none is needed",
                 got(p));
    } else {
        lcl_hint(p->err, LCL_EPROTO, "a field starts with its name, as in max_iter: 100");
    }
    return LCL_EPROTO;
}

/* --- tokens ---------------------------------------------------------------------------
 */

static lcl_status next(parser *p)
{
    p->before = p->t.token;
    return lcl_tokenizer_next(&p->t) ? LCL_OK : fail_token(p);
}

static bool at(const parser *p, const char *symbol)
{
    return lcl_token_is(&p->t, symbol);
}

/* Moves past `symbol` where it is there. */
static lcl_status skip(parser *p, const char *symbol, bool *found)
{
    *found = at(p, symbol);
    return *found ? next(p) : LCL_OK;
}

static lcl_status skip_separator(parser *p)
{
    return at(p, ";") || at(p, ",") ? next(p) : LCL_OK;
}

/* `hint` may be NULL. */
static lcl_status expect(parser *p, const char *symbol, const char *hint)
{
    if (at(p, symbol))
        return next(p);
    FAIL_HERE(p, "Expected \"%s\", found \"%s\"", symbol, got(p));
    if (!hint_character(p) && hint)
        lcl_hint(p->err, LCL_EPROTO, "%s", hint);
    return LCL_EPROTO;
}

static lcl_status expect_identifier(parser *p, lcl_token *word)
{
    *word = p->t.token;
    return word->kind == LCL_TOKEN_IDENTIFIER ? next(p) : fail_identifier(p);
}

/* The token's text as a new string. */
static char *copy_of(const parser *p, lcl_token token)
{
    return lcl_format("%.*s", (int)token.length, p->t.text + token.offset);
}

/* --- scalars --------------------------------------------------------------------------
 */

typedef union {
    int32_t i32;
    uint32_t u32;
    int64_t i64;
    uint64_t u64;
    float f;
    double d;
    protobuf_c_boolean b;
    char *string;
    ProtobufCBinaryData bytes;
} scalar;

static lcl_status read_unsigned(parser *p, uint64_t max, uint64_t *value)
{
    if (p->t.token.kind != LCL_TOKEN_INTEGER) {
        FAIL_HERE(p, "Expected integer, got: %s", got(p));
        if (hint_character(p))
            return LCL_EPROTO;
        if (p->t.token.kind == LCL_TOKEN_FLOAT)
            lcl_hint(p->err, LCL_EPROTO, "this field takes a whole number, such as %.0f",
                     lcl_token_double(&p->t));
        else if (p->t.token.kind == LCL_TOKEN_STRING)
            lcl_hint(p->err, LCL_EPROTO, "this field takes a number, without quotes");
        else if (at(p, "-"))
            lcl_hint(p->err, LCL_EPROTO, "this field takes no negative number");
        else if (at(p, "+"))
            lcl_hint(p->err, LCL_EPROTO, "write the number without +");
        return LCL_EPROTO;
    }
    if (!lcl_token_integer(&p->t, max, value))
        return FAIL_HERE(p, "Integer out of range (%s)", got(p));
    return next(p);
}

static lcl_status read_signed(parser *p, uint64_t max, int64_t *value)
{
    uint64_t magnitude;
    bool negative;

    LCL_TRY(skip(p, "-", &negative));
    LCL_TRY(read_unsigned(p, max + negative, &magnitude));
    *value = (int64_t)(negative ? 0 - magnitude : magnitude);
    return LCL_OK;
}

static lcl_status fail_number(parser *p)
{
    if (p->t.token.kind == LCL_TOKEN_IDENTIFIER) {
        /* Google's parser says the word in lower case. */
        char *word = copy_of(p, p->t.token);
        for (char *c = word; *c; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 'a' - 'A' : *c);
        FAIL_HERE(p, "Expected double, got: %.200s", word);
        free(word);
    } else {
        FAIL_HERE(p, "Expected double, got: %s", got(p));
    }
    if (hint_character(p))
        return LCL_EPROTO;
    if (at(p, "+"))
        lcl_hint(p->err, LCL_EPROTO, "write the number without +");
    else if (p->t.token.kind == LCL_TOKEN_STRING)
        lcl_hint(p->err, LCL_EPROTO, "write the number without quotes");
    else if (at(p, "{") || at(p, "<"))
        lcl_hint(p->err, LCL_EPROTO, "this field is a number, not a message");
    return LCL_EPROTO;
}

static lcl_status read_number(parser *p, double *value)
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
        return next(p);
    }
    if (p->t.token.kind != LCL_TOKEN_INTEGER && p->t.token.kind != LCL_TOKEN_FLOAT)
        return fail_number(p);
    if (p->t.token.kind == LCL_TOKEN_INTEGER && n > 1 && word[0] == '0')
        return FAIL_HERE(p, "Expect a decimal number, got: %s", got(p));
    *value = lcl_token_double(&p->t);
    return next(p);
}

static lcl_status read_double(parser *p, double *value)
{
    bool negative;

    LCL_TRY(skip(p, "-", &negative));
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

static lcl_status read_bool(parser *p, const ProtobufCMessageDescriptor *type,
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
        if (at(p, words[i])) {
            *value = i >= 3;
            return next(p);
        }
    LCL_TRY(expect_identifier(p, &word));
    char *text = copy_of(p, word);
    FAIL_AT_WORD(p, word, "Invalid value for boolean field \"%s\". Value: \"%.200s\"",
                 field->name, text);
    lcl_hint_bool(type, text, p->err);
    free(text);
    return LCL_EPROTO;
}

static lcl_status fail_enum_kind(parser *p, const ProtobufCMessageDescriptor *type,
                                 field_type *field)
{
    lcl_token token = p->t.token;

    FAIL_HERE(p, "Expected integer or identifier, got: %s", got(p));
    if (hint_character(p))
        return LCL_EPROTO;
    if (token.kind != LCL_TOKEN_STRING)
        lcl_hint_enum(type, field, "", p->err);
    else if (type == &caffe__v1_layer_parameter__descriptor)
        lcl_hint(p->err, LCL_EPROTO,
                 "`layers` takes a word such as type: DATA; with type: %s write `layer`",
                 got(p));
    else
        lcl_hint(p->err, LCL_EPROTO, "write it without quotes");
    return LCL_EPROTO;
}

static lcl_status read_enum(parser *p, const ProtobufCMessageDescriptor *type,
                            field_type *field, int32_t *value)
{
    const ProtobufCEnumDescriptor *values = field->descriptor;
    const ProtobufCEnumValue *found;
    lcl_token word = p->t.token;
    int64_t number;
    char *text;

    if (word.kind == LCL_TOKEN_IDENTIFIER) {
        LCL_TRY(next(p));
        text = copy_of(p, word);
        found = protobuf_c_enum_descriptor_get_value_by_name(values, text);
    } else if (word.kind == LCL_TOKEN_INTEGER || at(p, "-")) {
        LCL_TRY(read_signed(p, INT32_MAX, &number));
        text = lcl_format("%lld", (long long)number);
        found = protobuf_c_enum_descriptor_get_value(values, (int)number);
    } else {
        return fail_enum_kind(p, type, field);
    }
    if (found) {
        *value = found->value;
    } else {
        FAIL_AT_WORD(p, word, "Unknown enumeration value of \"%.200s\" for field \"%s\"",
                     text, field->name);
        lcl_hint_enum(type, field, text, p->err);
    }
    free(text);
    return found ? LCL_OK : LCL_EPROTO;
}

static void warn(parser *p, lcl_token token, const char *what)
{
    size_t line, column;

    lcl_text_position(p->t.text, token.offset, &line, &column);
    LCL_WARN(p->log, "%s:%zu:%zu: %s", p->doc->name, line, column, what);
}

static void check_string(parser *p, lcl_token token, const lcl_text *s)
{
    uint32_t code;

    if (memchr(s->text, '\0', s->length))
        warn(p, token, "the string ends at its NUL character");
    for (size_t i = 0, n; i < s->length; i += n) {
        n = lcl_utf8_decode(s->text + i, s->length - i, &code);
        if (n == 0) {
            warn(p, token, "the string is not valid UTF-8");
            return;
        }
    }
}

static lcl_status read_string(parser *p, const ProtobufCMessageDescriptor *type,
                              field_type *field, lcl_text *s)
{
    lcl_token first = p->t.token;

    if (first.kind != LCL_TOKEN_STRING) {
        FAIL_HERE(p, "Expected string, got: %s", got(p));
        if (hint_character(p))
            return LCL_EPROTO;
        char *word = copy_of(p, first);
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
        LCL_TRY(next(p));
    }
    if (field->type == PROTOBUF_C_TYPE_STRING)
        check_string(p, first, s);
    return LCL_OK;
}

static lcl_status read_string_value(parser *p, const ProtobufCMessageDescriptor *type,
                                    field_type *field, scalar *value)
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

static lcl_status read_scalar(parser *p, const ProtobufCMessageDescriptor *type,
                              field_type *field, scalar *value)
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

/* --- fields that the schema does not have ---------------------------------------------
 */

static lcl_status skip_message(parser *p);

static lcl_status skip_value(parser *p)
{
    bool list, end = false;

    if (at(p, "{") || at(p, "<"))
        return skip_message(p);
    LCL_TRY(skip(p, "[", &list));
    if (list) {
        LCL_TRY(skip(p, "]", &end));
        while (!end) {
            if (at(p, "["))
                return FAIL_HERE(p, "Cannot skip field value, unexpected token: [");
            LCL_TRY(skip_value(p));
            LCL_TRY(skip(p, "]", &end));
            if (!end)
                LCL_TRY(expect(p, ",", "separate the values by commas"));
        }
        return LCL_OK;
    }
    LCL_TRY(skip(p, "-", &end));
    if (p->t.token.kind == LCL_TOKEN_END || p->t.token.kind == LCL_TOKEN_SYMBOL) {
        FAIL_HERE(p, "Cannot skip field value, unexpected token: %s", got(p));
        hint_character(p);
        return LCL_EPROTO;
    }
    do
        LCL_TRY(next(p));
    while (p->before.kind == LCL_TOKEN_STRING && p->t.token.kind == LCL_TOKEN_STRING);
    return LCL_OK;
}

static lcl_status skip_field(parser *p)
{
    lcl_token name;
    bool colon;

    LCL_TRY(expect_identifier(p, &name));
    LCL_TRY(skip(p, ":", &colon));
    LCL_TRY(colon ? skip_value(p) : skip_message(p));
    return skip_separator(p);
}

/* { or <; *close is its counterpart. `name` is the field's. */
static lcl_status open_message(parser *p, lcl_token name, const char **close)
{
    if (p->depth == LCL_MAX_DEPTH)
        return FAIL_HERE(p, "Message is too deep: more than %d in one another",
                         LCL_MAX_DEPTH);
    *close = at(p, "<") ? ">" : "}";
    p->open[p->depth++] = name.offset;
    if (at(p, "<"))
        return next(p);
    return expect(p, "{", "this field is a message: write its fields in { }");
}

static lcl_status close_message(parser *p, const char *close)
{
    p->depth--;
    return expect(p, close, "{ is closed by } and < by >");
}

static lcl_status skip_message(parser *p)
{
    const char *close;

    LCL_TRY(open_message(p, p->before, &close));
    while (!at(p, "}") && !at(p, ">"))
        LCL_TRY(skip_field(p));
    return close_message(p, close);
}

static lcl_status read_unknown(parser *p, const ProtobufCMessageDescriptor *type,
                               lcl_token name)
{
    bool colon;

    if (p->unknown == LCL_UNKNOWN_IS_ERROR) {
        char *word = copy_of(p, name);
        FAIL_AT_WORD(p, name, "Message type \"%s\" has no field named \"%.200s\"",
                     type->name, word);
        lcl_hint_field(type, word, p->err);
        free(word);
        return LCL_EPROTO;
    }
    char *what = lcl_format("skipped %s, which %s does not have", text_of(p, name),
                            type->short_name);
    warn(p, name, what);
    free(what);
    LCL_TRY(skip(p, ":", &colon));
    LCL_TRY(colon ? skip_value(p) : skip_message(p));
    return skip_separator(p);
}

/* [package.name]: Caffe's messages have no extensions. */
static lcl_status read_extension(parser *p, const ProtobufCMessageDescriptor *type)
{
    lcl_token word, first = p->t.token;
    bool more = true;

    LCL_TRY(next(p));
    size_t start = p->t.token.offset, end = start;
    while (more) {
        LCL_TRY(expect_identifier(p, &word));
        end = word.offset + word.length;
        LCL_TRY(skip(p, ".", &more));
    }
    LCL_TRY(expect(p, "]", NULL));
    first.length = end + 1 - first.offset;
    return FAIL_AT_WORD(
        p, first, "Extension \"%.*s\" is not defined or is not an extension of \"%s\"",
        (int)(end - start), p->t.text + start, type->name);
}

/* --- messages -------------------------------------------------------------------------
 */

static lcl_status read_fields(parser *p, ProtobufCMessage *message);

static lcl_status read_message(parser *p, ProtobufCMessage *message, field_type *field,
                               lcl_token name)
{
    ProtobufCMessage *made;
    const char *close;

    LCL_TRY(open_message(p, name, &close));
    made = lcl_proto_new(field->descriptor);
    memcpy(lcl_field_add(message, field), &made, sizeof made);
    lcl_proto_set_place(p->doc, made, 0, name.offset);
    LCL_TRY(read_fields(p, made));
    return close_message(p, close);
}

static lcl_status read_value(parser *p, ProtobufCMessage *message, field_type *field,
                             lcl_token name)
{
    scalar value;

    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return read_message(p, message, field, name);
    LCL_TRY(read_scalar(p, message->descriptor, field, &value));
    memcpy(lcl_field_add(message, field), &value, lcl_field_size(field));
    return LCL_OK;
}

static lcl_status read_list(parser *p, ProtobufCMessage *message, field_type *field)
{
    bool end;

    LCL_TRY(skip(p, "]", &end));
    while (!end) {
        LCL_TRY(read_value(p, message, field, p->t.token));
        LCL_TRY(skip(p, "]", &end));
        if (!end)
            LCL_TRY(
                expect(p, ",", "separate the values by commas and end the list with ]"));
    }
    return LCL_OK;
}

/* The other spelling of a field that OpenCL versions of Caffe renamed. */
static field_type *find_field(const parser *p, const ProtobufCMessageDescriptor *type,
                              lcl_token name)
{
    const char *word = p->t.text + name.offset;

    if (type == &caffe__solver_parameter__descriptor && name.length == 6 &&
        strncmp(word, "device", 6) == 0)
        return lcl_field_find(type, "device_id", 9);
    return lcl_field_find(type, word, name.length);
}

static lcl_status fail_colon(parser *p, field_type *field)
{
    FAIL_HERE(p, "Expected \":\", found \"%s\"", got(p));
    if (hint_character(p))
        return LCL_EPROTO;
    if (at(p, "{"))
        lcl_hint(p->err, LCL_EPROTO, "%s holds one value, not a message: write %s: VALUE",
                 field->name, field->name);
    else if (at(p, "="))
        lcl_hint(p->err, LCL_EPROTO, "write %s: with a colon", field->name);
    else
        lcl_hint(p->err, LCL_EPROTO, "write %s: %s", field->name, got(p));
    return LCL_EPROTO;
}

static lcl_status read_field(parser *p, ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    lcl_token name;
    bool found, list = false;

    if (at(p, "["))
        return read_extension(p, type);
    LCL_TRY(expect_identifier(p, &name));
    field_type *field = find_field(p, type, name);
    if (!field)
        return read_unknown(p, type, name);
    size_t before = lcl_proto_place(p->doc, message, field->id);
    if (before != LCL_NO_PLACE && field->label != PROTOBUF_C_LABEL_REPEATED) {
        FAIL_AT_WORD(p, name, "Non-repeated field \"%.*s\" is specified multiple times",
                     (int)name.length, p->t.text + name.offset);
        return lcl_hint(p->err, LCL_EPROTO, "it has a value already, from line %zu",
                        line_of(p, before));
    }
    lcl_proto_set_place(p->doc, message, field->id, name.offset);

    LCL_TRY(skip(p, ":", &found));
    if (!found && field->type != PROTOBUF_C_TYPE_MESSAGE)
        return fail_colon(p, field);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        LCL_TRY(skip(p, "[", &list));
    LCL_TRY(list ? read_list(p, message, field) : read_value(p, message, field, name));
    return skip_separator(p);
}

static void note_missing(parser *p, const ProtobufCMessage *message)
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
static lcl_status read_fields(parser *p, ProtobufCMessage *message)
{
    while (p->depth > 0 ? !at(p, "}") && !at(p, ">") : p->t.token.kind != LCL_TOKEN_END)
        LCL_TRY(read_field(p, message));
    note_missing(p, message);
    return LCL_OK;
}

static lcl_status read_document(parser *p)
{
    LCL_TRY(next(p));
    LCL_TRY(read_fields(p, p->doc->root));
    if (!p->incomplete)
        return LCL_OK;
    return lcl_proto_fail(p->doc, p->incomplete, NULL, p->err, LCL_EPROTO,
                          "%s lacks the required field %s",
                          p->incomplete->descriptor->short_name, p->lacking->name);
}

/* Takes over `text`, which has a NUL after its end. */
static lcl_status parse(lcl_proto **out, const ProtobufCMessageDescriptor *type,
                        const char *name, char *text, size_t length, lcl_unknown unknown,
                        lcl_log *log, lcl_error *err)
{
    parser p = {.unknown = unknown, .log = log, .err = err};
    locale_t before = lcl_c_locale_enter();

    p.doc = lcl_proto_adopt(lcl_proto_new(type), name);
    p.doc->text = text;
    p.doc->length = length;
    p.t.text = text;
    p.t.length = length;
    lcl_status status = read_document(&p);
    lcl_c_locale_leave(before);
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
