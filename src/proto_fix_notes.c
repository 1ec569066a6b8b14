/* Notes in listings: `//` becomes `#`, and a field that a lost newline has joined to a note
 * gets a line of its own again. */
#include <stdlib.h>
#include <string.h>

#include "proto_fix_rules.h"
#include "proto_hint.h"

static bool is_refused(const lcl_fault *f, size_t end)
{
    return lcl_repairs_origin(f->repairs, end) < f->refused;
}

/* Where fields go on in a note whose text begins at `from`: at a field with its value, or at
 * a closing brace that the note did not open, with more of that kind behind. Where there is
 * nothing of the kind, or the note is itself a field (one that was taken out), the line's
 * end. */
static size_t end_of_note(const lcl_fault *f, const lcl_look *l, size_t from)
{
    size_t end = lcl_look_line_end(l, from), braces = 0, start, slips, n;
    lcl_look outside = *l;

    outside.depth -= l->depth > 0;
    if (lcl_look_field(l, lcl_look_past_blanks(l, from), &slips))
        return end;
    for (size_t i = from; i < end; i += n) {
        char c = lcl_look_at(l, i, &n);
        if (c == '{') {
            braces++;
        } else if (c == '}' && braces > 0) {
            braces--;
        } else if (c == '}' && l->depth > 0 && lcl_look_goes_on(&outside, i + n)) {
            if (!is_refused(f, i))
                return i;
        } else if (lcl_look_word(l, i) > 0) {
            n = lcl_look_word(l, i);
            if (lcl_look_field_within(l, i, &start) && !is_refused(f, start))
                return start;
        }
    }
    return end;
}

/* The note text[from, to), which begins at `mark`, becomes a comment; what follows on the line
 * gets a line of its own. */
static bool split(lcl_fault *f, const lcl_look *l, size_t mark, size_t from, size_t to)
{
    size_t last = to, first = to, n;
    const char *space = from == mark ? " " : "";

    while (last > from && strchr(" \t\r", l->text[last - 1]))
        last--;
    if (to == lcl_look_line_end(l, to))
        return lcl_fix_replace(f, mark, last, "#%s%.*s", space, (int)(last - from),
                               l->text + from);
    bool brace = lcl_look_at(l, to, &n) == '}';
    first += brace ? n : lcl_look_word(l, to);
    return lcl_fix_replace(f, mark, first, "#%s%.*s\n%*s%.*s", space, (int)(last - from),
                           l->text + from, 2 * (l->depth - brace), "", (int)(first - to),
                           l->text + to);
}

/* Each line of the note gets a # of its own. */
static bool fix_block_note(lcl_fault *f, size_t start)
{
    const char *s = f->look->text + start, *close = strstr(s + 2, "*/");
    lcl_text out = {0};

    if (!close)
        return false;
    lcl_text_add(&out, "#");
    for (const char *c = s + 2; c < close; c++)
        lcl_text_printf(&out, *c == '\n' ? "%c#" : "%c", *c);
    size_t to = (size_t)(close + 2 - f->look->text);
    bool rest = lcl_look_past_blanks(f->look, to) < lcl_look_line_end(f->look, to);
    lcl_fix_replace(f, start, to, "%s%s", out.text, rest ? "\n" : "");
    free(out.text);
    return true;
}

/* A letter of a script that prototxts do not use: a note without a mark. */
static bool is_foreign(const lcl_look *l, size_t offset)
{
    uint32_t code;
    char full_width[2];
    size_t n = lcl_utf8_decode(l->text + offset, l->length - offset, &code);

    return n > 1 && !lcl_plain_form(code, full_width);
}

bool lcl_fix_note(lcl_fault *f)
{
    size_t start = f->p->t.token.offset;
    const char *s = f->look->text + start;

    if (strncmp(s, "/*", 2) == 0)
        return fix_block_note(f, start);
    bool mark = strncmp(s, "//", 2) == 0;
    if (!mark && !is_foreign(f->look, start))
        return false;
    size_t from = start + (mark ? 2 : 0);
    return split(f, f->look, start, from, end_of_note(f, f->look, from));
}

/* Follows the braces of the text, which are right up to where the reader stopped. */
static void follow(lcl_look *l, const lcl_tokenizer *t,
                   const ProtobufCFieldDescriptor **field)
{
    if (t->token.kind == LCL_TOKEN_IDENTIFIER && lcl_look_type(l))
        *field =
            lcl_field_find(lcl_look_type(l), t->text + t->token.offset, t->token.length);
    else if ((lcl_token_is(t, "{") || lcl_token_is(t, "<")) && l->depth < LCL_MAX_DEPTH)
        l->open[++l->depth] = *field && (*field)->type == PROTOBUF_C_TYPE_MESSAGE
                                  ? (*field)->descriptor
                                  : NULL;
    else if ((lcl_token_is(t, "}") || lcl_token_is(t, ">")) && l->depth > 0)
        l->depth--;
}

/* A missing brace may be part of a comment since a newline was lost. */
bool lcl_fix_swallowed(lcl_fault *f)
{
    const ProtobufCFieldDescriptor *field = NULL;
    lcl_tokenizer t = f->p->t;
    lcl_look l = *f->look;

    if (lcl_fault_missing_braces(f) == 0)
        return false;
    l.depth = 0;
    for (t.next = f->p->open[0].name; t.next < f->p->word.offset;
         follow(&l, &t, &field)) {
        size_t i = t.next;
        lcl_tokenizer_next(&t);
        for (; i < t.token.offset; i++) {
            if (t.text[i] != '#')
                continue;
            size_t end = end_of_note(f, &l, i + 1);
            if (end < lcl_look_line_end(&l, i))
                return split(f, &l, i, i + 1, end);
            i = end;
        }
    }
    return false;
}

/* Back to before the note whose end is at `place`, to end it later. */
static bool refuse(lcl_fault *f, size_t place)
{
    const lcl_repair *repair = lcl_repairs_at(f->repairs, place);

    if (!repair || repair->now[0] != '#')
        return false;
    f->refused = repair->offset + repair->length;
    lcl_repairs_undo(f->repairs, repair->offset);
    return true;
}

bool lcl_fix_given_twice(lcl_fault *f)
{
    return f->p->earlier != LCL_NO_PLACE &&
           (refuse(f, f->p->word.offset) || refuse(f, f->p->earlier));
}
