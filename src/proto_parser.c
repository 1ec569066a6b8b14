/* The prototxt reader's words and errors, with the verdicts of Google's parser. */
#include "proto_parser.h"

#include <stdlib.h>
#include <string.h>

#include "proto_hint.h"

/* ---- Errors ------------------------------------------------------------------------ */

const char *lcl_parser_show(lcl_parser *p, lcl_token token)
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

const char *lcl_parser_got(lcl_parser *p)
{
    return p->t.token.kind == LCL_TOKEN_END ? "the end of the text"
                                            : lcl_parser_show(p, p->t.token);
}

lcl_status lcl_parser_fail(lcl_parser *p, size_t place, lcl_token word,
                           const char *format, ...)
{
    char message[sizeof p->err->message];
    size_t line, column;
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    p->place = place;
    p->word = word;
    lcl_text_position(p->t.text, place, &line, &column);
    char *where = lcl_format("%s:%zu:%zu", p->doc->name, line, column);
    lcl_fail(p->err, LCL_EPROTO, where, "%s", message);
    free(where);
    lcl_text_excerpt(p->t.text, p->t.length, word.offset, word.length, p->err);
    return LCL_EPROTO;
}

bool lcl_parser_hint_character(lcl_parser *p)
{
    return lcl_hint_character(p->t.text, p->t.length, p->t.token.offset, p->err);
}

size_t lcl_parser_line(const lcl_parser *p, size_t offset)
{
    size_t line, column;

    lcl_text_position(p->t.text, offset, &line, &column);
    return line;
}

static void hint_number(lcl_parser *p)
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
static lcl_status fail_token(lcl_parser *p)
{
    const lcl_tokenizer *t = &p->t;
    unsigned char c = (unsigned char)t->text[t->token.offset];

    if (c & 0x80)
        lcl_parser_fail(p, t->error_offset, t->token, "%s %d", t->error, c);
    else
        lcl_parser_fail(p, t->error_offset, t->token, "%s", t->error);
    if (lcl_parser_hint_character(p))
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

static lcl_status fail_identifier(lcl_parser *p)
{
    LCL_FAIL_HERE(p, "Expected identifier, got: %s", lcl_parser_got(p));
    if (lcl_parser_hint_character(p))
        return LCL_EPROTO;
    if (p->t.token.kind == LCL_TOKEN_END && p->depth > 0) {
        size_t start = p->open[p->depth - 1].name, n = 0;
        while (lcl_is_word(p->t.text[start + n]))
            n++;
        lcl_hint(p->err, LCL_EPROTO, "the text ends before the } of %.*s in line %zu",
                 (int)n, p->t.text + start, lcl_parser_line(p, start));
    } else if (p->depth == 0 && (lcl_token_is(&p->t, "}") || lcl_token_is(&p->t, ">"))) {
        lcl_hint(p->err, LCL_EPROTO, "one %s too many here or above", lcl_parser_got(p));
    } else if (lcl_token_is(&p->t, ";") || lcl_token_is(&p->t, ",")) {
        lcl_hint(p->err, LCL_EPROTO, "one %s after a field is enough; none is needed",
                 lcl_parser_got(p));
    } else {
        lcl_hint(p->err, LCL_EPROTO, "a field starts with its name, as in max_iter: 100");
    }
    return LCL_EPROTO;
}

/* ---- Words ------------------------------------------------------------------------- */

lcl_status lcl_parser_next(lcl_parser *p)
{
    p->before = p->t.token;
    return lcl_tokenizer_next(&p->t) ? LCL_OK : fail_token(p);
}

bool lcl_parser_at(const lcl_parser *p, const char *symbol)
{
    return lcl_token_is(&p->t, symbol);
}

lcl_status lcl_parser_skip(lcl_parser *p, const char *symbol, bool *found)
{
    *found = lcl_parser_at(p, symbol);
    return *found ? lcl_parser_next(p) : LCL_OK;
}

lcl_status lcl_parser_skip_separator(lcl_parser *p)
{
    return lcl_parser_at(p, ";") || lcl_parser_at(p, ",") ? lcl_parser_next(p) : LCL_OK;
}

lcl_status lcl_parser_expect(lcl_parser *p, const char *symbol, const char *hint)
{
    if (lcl_parser_at(p, symbol))
        return lcl_parser_next(p);
    p->expected = symbol;
    LCL_FAIL_HERE(p, "Expected \"%s\", found \"%s\"", symbol, lcl_parser_got(p));
    if (!lcl_parser_hint_character(p) && hint)
        lcl_hint(p->err, LCL_EPROTO, "%s", hint);
    return LCL_EPROTO;
}

lcl_status lcl_parser_identifier(lcl_parser *p, lcl_token *word)
{
    *word = p->t.token;
    return word->kind == LCL_TOKEN_IDENTIFIER ? lcl_parser_next(p) : fail_identifier(p);
}

lcl_status lcl_parser_open(lcl_parser *p, lcl_token name,
                           const ProtobufCMessageDescriptor *type)
{
    if (p->depth == LCL_MAX_DEPTH)
        return LCL_FAIL_HERE(p, "Message is too deep: more than %d in one another",
                             LCL_MAX_DEPTH);
    bool angle = lcl_parser_at(p, "<");
    p->open[p->depth++] =
        (lcl_parser_message){.type = type, name.offset, angle ? '>' : '}'};
    if (angle)
        return lcl_parser_next(p);
    return lcl_parser_expect(p, "{", "this field is a message: write its fields in { }");
}

lcl_status lcl_parser_close(lcl_parser *p)
{
    p->closed = p->open[--p->depth];
    p->closed.end = p->t.token.offset;
    p->field = NULL;
    return lcl_parser_expect(p, p->closed.close == '>' ? ">" : "}",
                             "{ is closed by } and < by >");
}

char *lcl_parser_copy(const lcl_parser *p, lcl_token token)
{
    return lcl_format("%.*s", (int)token.length, p->t.text + token.offset);
}

void lcl_parser_warn(lcl_parser *p, lcl_token token, const char *what)
{
    size_t line, column;

    lcl_text_position(p->t.text, token.offset, &line, &column);
    LCL_WARN(p->log, "%s:%zu:%zu: %s", p->doc->name, line, column, what);
}
