/* Fields that a message does not have: refused, or skipped with their values. */
#include <stdlib.h>
#include <string.h>

#include "proto_hint.h"
#include "proto_parser.h"

static lcl_status skip_message(lcl_parser *p);

static lcl_status skip_value(lcl_parser *p)
{
    bool list, end = false;

    if (lcl_parser_at(p, "{") || lcl_parser_at(p, "<"))
        return skip_message(p);
    LCL_TRY(lcl_parser_skip(p, "[", &list));
    if (list) {
        LCL_TRY(lcl_parser_skip(p, "]", &end));
        while (!end) {
            if (lcl_parser_at(p, "["))
                return LCL_FAIL_HERE(p, "Cannot skip field value, unexpected token: [");
            LCL_TRY(skip_value(p));
            LCL_TRY(lcl_parser_skip(p, "]", &end));
            if (!end)
                LCL_TRY(lcl_parser_expect(p, ",", "separate the values by commas"));
        }
        return LCL_OK;
    }
    LCL_TRY(lcl_parser_skip(p, "-", &end));
    if (p->t.token.kind == LCL_TOKEN_END || p->t.token.kind == LCL_TOKEN_SYMBOL) {
        LCL_FAIL_HERE(p, "Cannot skip field value, unexpected token: %s",
                      lcl_parser_got(p));
        lcl_parser_hint_character(p);
        return LCL_EPROTO;
    }
    do
        LCL_TRY(lcl_parser_next(p));
    while (p->before.kind == LCL_TOKEN_STRING && p->t.token.kind == LCL_TOKEN_STRING);
    return LCL_OK;
}

static lcl_status skip_field(lcl_parser *p)
{
    lcl_token name;
    bool colon;

    LCL_TRY(lcl_parser_identifier(p, &name));
    LCL_TRY(lcl_parser_skip(p, ":", &colon));
    LCL_TRY(colon ? skip_value(p) : skip_message(p));
    return lcl_parser_skip_separator(p);
}

static lcl_status skip_message(lcl_parser *p)
{
    LCL_TRY(lcl_parser_open(p, p->before, NULL));
    while (!lcl_parser_at(p, "}") && !lcl_parser_at(p, ">"))
        LCL_TRY(skip_field(p));
    return lcl_parser_close(p);
}

lcl_status lcl_parser_unknown(lcl_parser *p, const ProtobufCMessageDescriptor *type,
                              lcl_token name)
{
    bool colon;

    if (p->unknown == LCL_UNKNOWN_IS_ERROR) {
        char *word = lcl_parser_copy(p, name);
        LCL_FAIL_AT_WORD(p, name, "Message type \"%s\" has no field named \"%.200s\"",
                         type->name, word);
        lcl_hint_field(type, word, p->err);
        free(word);
        return LCL_EPROTO;
    }
    char *what = lcl_format("skipped %s, which %s does not have",
                            lcl_parser_show(p, name), type->short_name);
    lcl_parser_warn(p, name, what);
    free(what);
    LCL_TRY(lcl_parser_skip(p, ":", &colon));
    LCL_TRY(colon ? skip_value(p) : skip_message(p));
    return lcl_parser_skip_separator(p);
}

lcl_status lcl_parser_extension(lcl_parser *p, const ProtobufCMessageDescriptor *type)
{
    lcl_token word, first = p->t.token;
    bool more = true;

    LCL_TRY(lcl_parser_next(p));
    size_t start = p->t.token.offset, end = start;
    while (more) {
        LCL_TRY(lcl_parser_identifier(p, &word));
        end = word.offset + word.length;
        LCL_TRY(lcl_parser_skip(p, ".", &more));
    }
    LCL_TRY(lcl_parser_expect(p, "]", NULL));
    first.length = end + 1 - first.offset;
    return LCL_FAIL_AT_WORD(
        p, first, "Extension \"%.*s\" is not defined or is not an extension of \"%s\"",
        (int)(end - start), p->t.text + start, type->name);
}
