/* Characters, quotes, colons and braces that a listing lost, or has in another script's
 * form. */
#include <stdlib.h>
#include <string.h>

#include "proto_fix_rules.h"
#include "proto_hint.h"

/* ---- Characters -------------------------------------------------------------------- */

/* The ASCII form of a character that only looks like one, or NULL; *n: its bytes. */
static const char *plain_form(const lcl_look *l, size_t offset, char buffer[2], size_t *n)
{
    uint32_t code;

    *n = lcl_utf8_decode(l->text + offset, l->length - offset, &code);
    return *n > 1 ? lcl_plain_form(code, buffer) : NULL;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

/* The next quote of the line: of the kind of `quote`, or (NUL) of any kind that may end a
 * string where it stands. The line's end where there is none. */
static size_t next_quote(const lcl_look *l, size_t i, char quote)
{
    size_t end = lcl_look_line_end(l, i), n;

    for (; i < end; i += n) {
        char c = lcl_look_at(l, i, &n);
        if (quote ? c == quote : is_quote(c) && lcl_look_goes_on(l, i + n))
            return i;
    }
    return end;
}

/* A typographic quote, and the one that belongs to it. */
static bool fix_quotes(lcl_fault *f, size_t start)
{
    const lcl_look *l = f->look;
    size_t first, n, end = lcl_look_line_end(l, start);
    char quote = lcl_look_at(l, start, &first);
    size_t second = next_quote(l, start + first, quote);

    lcl_look_at(l, second, &n);
    if ((second == end || !lcl_look_goes_on(l, second + n)) &&
        next_quote(l, start + first, '\0') < end)
        second = next_quote(l, start + first, '\0');
    if (second == end)
        return lcl_fix_replace(f, start, start + first, "%c", quote);
    lcl_look_at(l, second, &n);
    return lcl_fix_replace(f, start, second + n, "%c%.*s%c", quote,
                           (int)(second - start - first), l->text + start + first, quote);
}

bool lcl_fix_look_alike(lcl_fault *f)
{
    size_t start = f->p->t.token.offset, end = start, n;
    lcl_text plain = {0};
    char buffer[2];
    const char *form = plain_form(f->look, start, buffer, &n);

    if (form && is_quote(*form))
        return fix_quotes(f, start);
    for (; form && !is_quote(*form); form = plain_form(f->look, end, buffer, &n)) {
        end += n;
        bool full_stop = *form == '.' && lcl_look_number(f->look, end) == 0;
        lcl_text_add(&plain, full_stop ? "" : form);
    }
    if (end > start)
        lcl_fix_replace(f, start, end, "%s", plain.text);
    free(plain.text);
    return end > start;
}

/* ---- Strings ----------------------------------------------------------------------- */

/* Where a string stands that should not, one before it in the line may end with a quote of
 * another form, and so may this one. */
bool lcl_fix_half_quoted(lcl_fault *f)
{
    const lcl_look *l = f->look;
    size_t i = f->p->t.token.offset, n;
    char open = '\0';

    if (f->p->t.token.kind != LCL_TOKEN_STRING ||
        !(f->p->t.error || f->p->expected || lcl_fault_at_unknown(f->p)))
        return false;
    while (i > 0 && l->text[i - 1] != '\n')
        i--;
    for (size_t end = lcl_look_line_end(l, i); i < end; i += n) {
        char c = lcl_look_at(l, i, &n);
        if (!is_quote(c))
            continue;
        if (open && (n > 1 || c != open) && lcl_look_goes_on(l, i + n))
            return lcl_fix_replace(f, i, i + n, "%c", open);
        if (n == 1)
            open = !open ? c : c == open ? '\0' : open;
    }
    return false;
}

bool lcl_fix_unclosed(lcl_fault *f)
{
    const lcl_token *token = &f->p->t.token;
    const char *s = f->look->text + token->offset;

    if (token->kind != LCL_TOKEN_STRING || !f->p->t.error ||
        f->p->t.error_offset != token->offset + token->length)
        return false;
    size_t n = 1 + strcspn(s + 1, " \t\r\n{}#;,\\\"'");
    if (n == 1 || s[n] == '\\')
        return false;
    return lcl_fix_replace(f, token->offset, token->offset + n + is_quote(s[n]), "%.*s%c",
                           (int)n, s, *s);
}

/* ---- Signs and braces -------------------------------------------------------------- */

static bool is_expected(const lcl_parser *p, const char *symbol)
{
    return p->expected && strcmp(p->expected, symbol) == 0;
}

/* The current token can be nothing but the field's value. */
static bool fits(const lcl_fault *f)
{
    const lcl_parser *p = f->p;
    bool is_word =
        p->field->type == PROTOBUF_C_TYPE_ENUM || p->field->type == PROTOBUF_C_TYPE_BOOL;
    char *word = lcl_parser_copy(p, p->t.token);
    size_t end;
    bool does = is_word ? lcl_look_spelt(p->field, word) != NULL
                        : lcl_look_value(f->look, p->field, p->t.token.offset, &end);

    free(word);
    return does;
}

bool lcl_fix_sign(lcl_fault *f)
{
    const lcl_parser *p = f->p;
    size_t start = p->before.offset, end = start + p->before.length;

    if ((is_expected(p, ":") || is_expected(p, "{")) && lcl_token_is(&p->t, "="))
        return lcl_fix_replace(f, p->t.token.offset, p->t.token.offset + 1, ":");
    if ((is_expected(p, ":") || is_expected(p, ",")) && p->field && fits(f))
        return lcl_fix_replace(f, start, end, "%.*s%s", (int)p->before.length,
                               p->t.text + start, p->expected);
    return false;
}

bool lcl_fault_at_unknown(const lcl_parser *p)
{
    return !p->field && p->word.kind == LCL_TOKEN_IDENTIFIER &&
           p->word.offset < p->t.token.offset;
}

static bool has_field(const ProtobufCMessageDescriptor *type, const lcl_parser *p)
{
    return type && lcl_field_find(type, p->t.text + p->word.offset, p->word.length);
}

int lcl_fault_missing_braces(const lcl_fault *f)
{
    const lcl_parser *p = f->p;

    if (p->t.token.kind == LCL_TOKEN_END && p->t.token.offset == p->word.offset)
        return p->field ? 0 : p->depth;
    for (int depth = p->depth - 1; depth >= 0 && lcl_fault_at_unknown(p); depth--)
        if (has_field(f->look->open[depth], p))
            return p->depth - depth;
    return 0;
}

/* Behind the last token before `offset`, which begins one. */
static size_t end_before(const lcl_fault *f, size_t offset)
{
    lcl_tokenizer t = f->p->t;
    size_t end = 0;

    for (t.next = f->p->open[0].name; t.next < offset;
         end = t.token.offset + t.token.length) {
        lcl_tokenizer_next(&t);
        if (t.token.offset >= offset)
            break;
    }
    return end;
}

static bool at_close(const lcl_parser *p)
{
    return lcl_token_is(&p->t, "}") || lcl_token_is(&p->t, ">");
}

bool lcl_fix_wrong_brace(lcl_fault *f)
{
    const lcl_parser *p = f->p;
    size_t start = p->t.token.offset;

    return (is_expected(p, "}") || is_expected(p, ">")) && at_close(p) &&
           lcl_fix_replace(f, start, start + 1, "%s", p->expected);
}

bool lcl_fix_missing_brace(lcl_fault *f)
{
    const lcl_parser *p = f->p;
    int n = lcl_fault_missing_braces(f);
    lcl_text braces = {0};

    if (is_expected(p, "{") && p->field && p->t.token.kind == LCL_TOKEN_IDENTIFIER &&
        lcl_field_find(p->field->descriptor, p->t.text + p->t.token.offset,
                       p->t.token.length))
        return lcl_fix_replace(f, p->t.token.offset, p->t.token.offset, "{ ");
    if (n == 0)
        return false;
    size_t place = end_before(f, p->word.offset);
    for (int i = 0; i < n; i++) {
        lcl_text_add(&braces, i ? " " : "");
        lcl_text_add_bytes(&braces, &p->open[p->depth - 1 - i].close, 1);
    }
    bool lines = memchr(p->t.text + place, '\n', p->word.offset - place) != NULL;
    lcl_fix_replace(f, place, place, "%s%s", lines ? "\n" : " ", braces.text);
    free(braces.text);
    return true;
}

bool lcl_fix_surplus_brace(lcl_fault *f)
{
    const lcl_parser *p = f->p;

    if (p->depth == 0 && !p->field && at_close(p))
        return lcl_fix_replace(f, p->t.token.offset, p->t.token.offset + 1, "%s", "");
    return lcl_fault_at_unknown(p) && has_field(p->closed.type, p) &&
           lcl_fix_replace(f, p->closed.end, p->closed.end + 1, "%s", "");
}

bool lcl_fix_stray(lcl_fault *f)
{
    const lcl_parser *p = f->p;
    size_t start = p->t.token.offset, n = 1;
    char c = p->t.text[start];

    if (p->t.token.kind != LCL_TOKEN_SYMBOL || p->expected || p->t.error ||
        p->word.offset != start)
        return false;
    bool doubled = p->field && p->before.length == 1 &&
                   p->t.text[p->before.offset] == c && strchr(":,", c);
    if (!doubled && (p->field || !strchr("~`;,:.|\\^*", c)))
        return false;
    while (p->t.text[start + n] == c)
        n++;
    if (c == '.' && n > 1)
        return false; /* ...: something was left out */
    return lcl_fix_replace(f, start, start + n, "%s", "");
}
