/* Words of a listing that are misspelt, grown together, or quoted where they should not be. */
#include <stdlib.h>
#include <string.h>

#include "proto_fix_rules.h"

static bool is_string(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_BYTES;
}

/* The reader stopped at, or just behind, a value of p->field. */
static bool at_value(const lcl_parser *p)
{
    return p->field && !p->expected && p->earlier == LCL_NO_PLACE;
}

/* ---- Values ------------------------------------------------------------------------ */

/* The bytes of the text at `offset` that were meant to be a string. */
static size_t unquoted(const lcl_look *l, size_t offset)
{
    size_t n = strcspn(l->text + offset, " \t\r\n{}#;,<>\"'\\$"), slips;

    for (size_t i = 1; i < n; i++)
        if (lcl_look_field(l, offset + i, &slips) && slips == 0)
            return i;
    return n;
}

bool lcl_fix_unquoted(lcl_fault *f)
{
    const lcl_parser *p = f->p;
    size_t start = p->t.token.offset, n, end;

    if (!at_value(p) || !is_string(p->field) || p->t.token.kind == LCL_TOKEN_STRING ||
        p->before.kind != LCL_TOKEN_SYMBOL)
        return false;
    n = unquoted(f->look, start);
    end = start + n;
    if (n == 0 || p->t.text[end] == '<' || p->t.text[end] == '\\' ||
        p->t.text[end] == '$')
        return false;
    char *word = lcl_format("%.*s", (int)n, p->t.text + start);
    const char *now = word;
    if (lcl_look_type(f->look) == &caffe__layer_parameter__descriptor &&
        strcmp(p->field->name, "type") == 0 && lcl_v1_type_name(word))
        now = lcl_v1_type_name(word);
    end += p->t.text[end] == '"' || p->t.text[end] == '\'';
    lcl_fix_replace(f, start, end, "\"%s\"", now);
    free(word);
    return true;
}

bool lcl_fix_quoted(lcl_fault *f)
{
    const lcl_parser *p = f->p;
    lcl_token t = p->t.token;

    if (!at_value(p) || t.kind != LCL_TOKEN_STRING || p->t.error)
        return false;
    char *word = lcl_format("%.*s", (int)t.length - 2, p->t.text + t.offset + 1);
    const char *now = lcl_look_spelt(p->field, word);
    if (now)
        lcl_fix_replace(f, t.offset, t.offset + t.length, "%s", now);
    free(word);
    return now != NULL;
}

bool lcl_fix_misspelt_value(lcl_fault *f)
{
    const lcl_parser *p = f->p;
    lcl_token t = p->word;

    if (!at_value(p) || t.kind != LCL_TOKEN_IDENTIFIER)
        return false;
    char *word = lcl_parser_copy(p, t);
    const char *now = lcl_look_spelt(p->field, word);
    bool other = now && strcmp(now, word) != 0;
    if (other)
        lcl_fix_replace(f, t.offset, t.offset + t.length, "%s", now);
    free(word);
    return other;
}

/* ---- Words grown together ---------------------------------------------------------- */

bool lcl_fix_glued_number(lcl_fault *f)
{
    const lcl_parser *p = f->p;
    size_t start = p->t.token.offset, middle = start + lcl_look_number(f->look, start);
    size_t n = lcl_look_word(f->look, middle), slips;

    if (!p->t.error || middle == start || n == 0 || !lcl_look_type(f->look) ||
        (!lcl_field_find(lcl_look_type(f->look), p->t.text + middle, n) &&
         !lcl_look_misspelt(f->look, middle, &slips)))
        return false;
    return lcl_fix_replace(f, start, middle + n, "%.*s %.*s", (int)(middle - start),
                           p->t.text + start, (int)n, p->t.text + middle);
}

bool lcl_fix_glued_word(lcl_fault *f)
{
    const lcl_parser *p = f->p;
    lcl_token t = p->word;
    const char *word = p->t.text + t.offset;

    if (!at_value(p) || t.kind != LCL_TOKEN_IDENTIFIER)
        return false;
    size_t n = lcl_look_glued(f->look, p->field, t.offset);
    return n > 0 && lcl_fix_replace(f, t.offset, t.offset + t.length, "%.*s %.*s", (int)n,
                                    word, (int)(t.length - n), word + n);
}

/* ---- Fields ------------------------------------------------------------------------ */

bool lcl_fix_misspelt_field(lcl_fault *f)
{
    lcl_token t = f->p->word;
    size_t slips;
    const ProtobufCFieldDescriptor *field =
        lcl_fault_at_unknown(f->p) ? lcl_look_misspelt(f->look, t.offset, &slips) : NULL;

    return field && lcl_fix_replace(f, t.offset, t.offset + t.length, "%s", field->name);
}
