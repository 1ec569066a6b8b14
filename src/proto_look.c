/* Guesses what a piece of a faulty prototxt was meant to be; see proto_look.h. */
#include "proto_look.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto_hint.h"
#include "text.h"

#define SURE_LENGTH 5 /* of a misspelt name that is glued to other text */

typedef const ProtobufCFieldDescriptor field_type;
typedef const ProtobufCMessageDescriptor message_type;

message_type *lcl_look_type(const lcl_look *l)
{
    return l->open[l->depth];
}

/* ---- Characters -------------------------------------------------------------------- */

char lcl_look_at(const lcl_look *l, size_t offset, size_t *n)
{
    uint32_t code = 0;
    char full_width[2];
    const char *plain;

    *n = lcl_utf8_decode(l->text + offset, l->length - offset, &code);
    if (*n == 0)
        *n = 1;
    if (offset == l->length || code < 0x80)
        return (char)code;
    plain = lcl_plain_form(code, full_width);
    return plain ? plain[0] : '\0';
}

/* Past the character `c`; where it is not there, false. */
static bool take(const lcl_look *l, size_t *offset, char c)
{
    size_t n;

    if (lcl_look_at(l, *offset, &n) != c)
        return false;
    *offset += n;
    return true;
}

size_t lcl_look_past_blanks(const lcl_look *l, size_t offset)
{
    while (take(l, &offset, ' ') || take(l, &offset, '\t') || take(l, &offset, '\r'))
        ;
    return offset;
}

size_t lcl_look_line_end(const lcl_look *l, size_t offset)
{
    return offset + strcspn(l->text + offset, "\n");
}

size_t lcl_look_word(const lcl_look *l, size_t offset)
{
    size_t n = 0;

    while (lcl_is_word(l->text[offset + n]))
        n++;
    return n;
}

static size_t past_digits(const lcl_look *l, size_t offset)
{
    size_t n;

    for (char c; c = lcl_look_at(l, offset, &n), c >= '0' && c <= '9'; offset += n)
        ;
    return offset;
}

size_t lcl_look_number(const lcl_look *l, size_t start)
{
    size_t end = past_digits(l, start), i = end;

    if (take(l, &i, '.') && (end > start || past_digits(l, i) > i))
        end = past_digits(l, i);
    i = end;
    if (end > start && (take(l, &i, 'e') || take(l, &i, 'E'))) {
        if (!take(l, &i, '-'))
            take(l, &i, '+');
        if (past_digits(l, i) > i)
            end = past_digits(l, i);
    }
    return end - start;
}

/* ---- Values ------------------------------------------------------------------------ */

static const char *spelt_enum(const ProtobufCEnumDescriptor *values, const char *word)
{
    const char **names = lcl_alloc(values->n_values, sizeof *names);
    size_t slips;

    for (unsigned i = 0; i < values->n_values; i++)
        names[i] = values->values[i].name;
    const char *name = lcl_misspelt(word, names, values->n_values, &slips);
    free(names);
    return name;
}

static const char *spelt_bool(const char *word)
{
    static const char *const names[] = {"true", "false", "yes", "no", "on", "off"};
    size_t slips;
    const char *name = lcl_misspelt(word, names, 2, &slips);

    for (size_t i = 2; i < LCL_COUNT(names); i++)
        if (strcasecmp(word, names[i]) == 0)
            name = names[i % 2];
    return name;
}

const char *lcl_look_spelt(field_type *field, const char *word)
{
    lcl_look l = {.text = word, .length = strlen(word)};
    size_t end;

    switch (field->type) {
    case PROTOBUF_C_TYPE_ENUM: return spelt_enum(field->descriptor, word);
    case PROTOBUF_C_TYPE_BOOL: return spelt_bool(word);
    case PROTOBUF_C_TYPE_MESSAGE:
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES: return NULL;
    default: return lcl_look_value(&l, field, 0, &end) && end == l.length ? word : NULL;
    }
}

size_t lcl_look_glued(const lcl_look *l, field_type *field, size_t offset)
{
    size_t length = lcl_look_word(l, offset), slips, glued = 0;
    char *word = lcl_format("%.*s", (int)length, l->text + offset);

    for (size_t n = length; n-- > 1 && lcl_look_type(l);) {
        char first = word[n];
        word[n] = '\0';
        const char *head = lcl_look_spelt(field, word);
        bool exact = head && strcmp(head, word) == 0;
        word[n] = first;
        if ((head && lcl_field_find(lcl_look_type(l), word + n, length - n)) ||
            (exact && !glued && lcl_look_misspelt(l, offset + n, &slips)))
            glued = n;
    }
    free(word);
    return glued;
}

/* Past a value that may have the next field's name glued to it. */
static size_t past_word(const lcl_look *l, field_type *field, size_t offset)
{
    size_t glued = lcl_look_glued(l, field, offset);

    return offset + (glued ? glued : lcl_look_word(l, offset));
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

static bool past_string(const lcl_look *l, size_t *offset)
{
    size_t end = lcl_look_line_end(l, *offset), i = *offset, n;
    char quote = lcl_look_at(l, i, &n);

    if (!is_quote(quote))
        return false;
    for (i += n; i < end; i += n)
        if (lcl_look_at(l, i, &n) == quote) {
            *offset = i + n;
            return true;
        }
    return false;
}

bool lcl_look_value(const lcl_look *l, field_type *field, size_t offset, size_t *end)
{
    size_t n;

    *end = offset;
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE: return take(l, end, '{') || take(l, end, '<');
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES: return past_string(l, end);
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_BOOL:
        n = lcl_look_number(l, offset);
        *end = n > 0 ? offset + n : past_word(l, field, offset);
        return *end > offset;
    default:
        take(l, end, '-');
        n = lcl_look_number(l, *end);
        *end += n;
        return n > 0;
    }
}

/* ---- Fields ------------------------------------------------------------------------ */

/* The colon or brace that makes a word (which ends at `offset`) the name of this field. */
static bool past_colon(const lcl_look *l, field_type *field, size_t *offset)
{
    *offset = lcl_look_past_blanks(l, *offset);
    bool colon = take(l, offset, ':') || take(l, offset, '=');
    *offset = lcl_look_past_blanks(l, *offset);
    return colon || field->type == PROTOBUF_C_TYPE_MESSAGE;
}

static bool takes_what_follows(const lcl_look *l, field_type *field, size_t offset,
                               size_t *end)
{
    if (!past_colon(l, field, &offset))
        return false;
    if (field->label == PROTOBUF_C_LABEL_REPEATED && take(l, &offset, '['))
        offset = lcl_look_past_blanks(l, offset);
    return lcl_look_value(l, field, offset, end);
}

field_type *lcl_look_misspelt(const lcl_look *l, size_t offset, size_t *slips)
{
    message_type *type = lcl_look_type(l);
    size_t length = lcl_look_word(l, offset), n = 0, end;
    char *word = lcl_format("%.*s", (int)length, l->text + offset);
    field_type *field = NULL;

    if (type && length > 0 && !lcl_field_elsewhere(type, word)) {
        const char **names = lcl_alloc(type->n_fields, sizeof *names);
        for (unsigned i = 0; i < type->n_fields; i++)
            if (takes_what_follows(l, &type->fields[i], offset + length, &end))
                names[n++] = type->fields[i].name;
        const char *name = lcl_misspelt(word, names, n, slips);
        field = name ? lcl_field_find(type, name, strlen(name)) : NULL;
        free(names);
    }
    free(word);
    return field;
}

/* The field of that name, or of a misspelt one; *end: behind its name. */
static field_type *field_at(const lcl_look *l, size_t offset, size_t *end, size_t *slips)
{
    size_t n = lcl_look_word(l, offset);
    field_type *field = n > 0 && lcl_look_type(l)
                            ? lcl_field_find(lcl_look_type(l), l->text + offset, n)
                            : NULL;

    *end = offset + n;
    *slips = 0;
    return field ? field : lcl_look_misspelt(l, offset, slips);
}

bool lcl_look_goes_on(const lcl_look *l, size_t offset)
{
    size_t n, end, slips;

    offset = lcl_look_past_blanks(l, offset);
    if (offset == lcl_look_line_end(l, offset))
        return true;
    switch (lcl_look_at(l, offset, &n)) {
    case '#':
    case ',':
    case ';': return true;
    case '}':
    case '>': return l->depth > 0;
    case '/': return l->text[offset + 1] == '/' || l->text[offset + 1] == '*';
    }
    field_type *field = field_at(l, offset, &end, &slips);
    return field && past_colon(l, field, &end);
}

bool lcl_look_field(const lcl_look *l, size_t offset, size_t *slips)
{
    lcl_look behind = *l;
    size_t end;
    field_type *field = field_at(l, offset, &end, slips);

    if (!field || !takes_what_follows(l, field, end, &end))
        return false;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE && l->depth < LCL_MAX_DEPTH)
        behind.open[++behind.depth] = field->descriptor;
    return lcl_look_goes_on(&behind, end);
}

bool lcl_look_field_within(const lcl_look *l, size_t offset, size_t *start)
{
    size_t length = lcl_look_word(l, offset), slips, least = SIZE_MAX;

    *start = offset;
    if (lcl_look_field(l, offset, &slips))
        return true;
    for (size_t i = 1; i < length && least > 0; i++) {
        bool sure = l->text[offset + i - 1] != '_' &&
                    lcl_look_field(l, offset + i, &slips) &&
                    (slips == 0 || length - i >= SURE_LENGTH);
        if (!sure || slips >= least)
            continue;
        least = slips;
        *start = offset + i;
    }
    return least < SIZE_MAX;
}
