/* Keeps the repairs of a text; see proto_repairs.h. */
#include "proto_repairs.h"

#include <stdlib.h>
#include <string.h>

#include "proto.h"

#define SHOWN_START 72 /* of a long piece of text, these bytes are shown */
#define SHOWN_END 40

void lcl_repairs_start(lcl_repairs *r, const char *text, size_t length)
{
    *r = (lcl_repairs){.was = text, .was_length = length};
    lcl_text_add(&r->text, "");
    lcl_text_add_bytes(&r->text, text, length);
}

void lcl_repairs_free(lcl_repairs *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->list[i].now);
    free(r->list);
    free(r->text.text);
    *r = (lcl_repairs){0};
}

/* ---- Changes ----------------------------------------------------------------------- */

/* Makes the text anew from the repairs. */
static void apply(lcl_repairs *r)
{
    size_t done = 0;

    r->text.length = 0;
    for (size_t i = 0; i < r->n; i++) {
        lcl_text_add_bytes(&r->text, r->was + done, r->list[i].offset - done);
        lcl_text_add(&r->text, r->list[i].now);
        done = r->list[i].offset + r->list[i].length;
    }
    lcl_text_add_bytes(&r->text, r->was + done, r->was_length - done);
}

/* Puts `repair` in the place of list[first, last). */
static void put(lcl_repairs *r, size_t first, size_t last, lcl_repair repair)
{
    for (size_t i = first; i < last; i++)
        free(r->list[i].now);
    if (r->n == r->capacity) {
        r->capacity = r->capacity ? 2 * r->capacity : 16;
        r->list = lcl_resize(r->list, r->capacity, sizeof *r->list);
    }
    memmove(r->list + first + 1, r->list + last, (r->n - last) * sizeof *r->list);
    r->list[first] = repair;
    r->n += 1 + first - last;
}

static void take_out(lcl_repairs *r, size_t i)
{
    free(r->list[i].now);
    memmove(r->list + i, r->list + i + 1, (--r->n - i) * sizeof *r->list);
}

/* Where list[i] begins in the text as it reads now. `shift` is what the repairs before it
 * add to the text. */
static size_t start_of(const lcl_repairs *r, size_t i, size_t shift)
{
    return r->list[i].offset + shift;
}

/* Differences of lengths, which may be negative, are kept modulo SIZE_MAX + 1. */
static size_t growth(const lcl_repair *repair)
{
    return strlen(repair->now) - repair->length;
}

void lcl_repairs_replace(lcl_repairs *r, size_t from, size_t to, const char *now,
                         size_t length)
{
    size_t first = 0, last, shift = 0;
    lcl_text all = {0};

    while (first < r->n && start_of(r, first, shift) + strlen(r->list[first].now) <= from)
        shift += growth(&r->list[first++]);
    size_t begin = from - shift;
    lcl_text_add(&all, "");
    if (first < r->n && start_of(r, first, shift) < from) {
        begin = r->list[first].offset;
        lcl_text_add_bytes(&all, r->list[first].now, from - start_of(r, first, shift));
    }
    lcl_text_add_bytes(&all, now, length);

    const char *rest = "";
    for (last = first; last < r->n && start_of(r, last, shift) < to; last++) {
        size_t end = start_of(r, last, shift) + strlen(r->list[last].now);
        if (end > to)
            rest = r->list[last].now + strlen(r->list[last].now) - (end - to);
        shift += growth(&r->list[last]);
        if (end > to)
            to = end;
    }
    lcl_text_add(&all, rest);
    lcl_repair repair = {begin, to - shift - begin, all.text};
    put(r, first, last, repair);
    if (all.length == repair.length && memcmp(all.text, r->was + begin, all.length) == 0)
        take_out(r, first);
    apply(r);
}

size_t lcl_repairs_origin(const lcl_repairs *r, size_t offset)
{
    size_t shift = 0;

    for (size_t i = 0; i < r->n && start_of(r, i, shift) <= offset; i++) {
        if (offset < start_of(r, i, shift) + strlen(r->list[i].now))
            return r->list[i].offset;
        shift += growth(&r->list[i]);
    }
    return offset - shift;
}

const lcl_repair *lcl_repairs_at(const lcl_repairs *r, size_t offset)
{
    size_t shift = 0;

    for (size_t i = 0; i < r->n && start_of(r, i, shift) <= offset; i++) {
        if (offset < start_of(r, i, shift) + strlen(r->list[i].now))
            return &r->list[i];
        shift += growth(&r->list[i]);
    }
    return NULL;
}

void lcl_repairs_undo(lcl_repairs *r, size_t origin)
{
    while (r->n > 0 && r->list[r->n - 1].offset >= origin)
        free(r->list[--r->n].now);
    apply(r);
}

/* ---- The report -------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Visible text as it is, what one does not see by its number. */
static void show_character(lcl_text *out, const char *s, size_t n, uint32_t code)
{
    if (n == 0)
        lcl_text_printf(out, "<%02X>", (unsigned)(unsigned char)*s);
    else if (code == '\n')
        lcl_text_add(out, "\\n");
    else if (code < ' ' || code == 0x7f || code == 0xa0 || code == 0xfeff ||
             (code >= 0x2000 && code <= 0x200f) || code == 0x3000)
        lcl_text_printf(out, "<U+%04X>", (unsigned)code);
    else
        lcl_text_add_bytes(out, s, n);
}

/* One line, without the blanks around it and after line ends; long text without its middle. */
static void show(lcl_text *out, const char *s, size_t length)
{
    bool indent = false;
    size_t n;

    if (length == 0) {
        lcl_text_add(out, "nothing");
        return;
    }
    while (length > 0 && is_blank(s[length - 1]))
        length--;
    for (; length > 0 && is_blank(*s); s++)
        length--;
    if (length == 0)
        lcl_text_add(out, "a space");
    for (size_t i = 0; i < length; i += n ? n : 1) {
        uint32_t code = 0;
        if (i >= SHOWN_START && length - i > SHOWN_END) {
            lcl_text_add(out, " ... ");
            for (i = length - SHOWN_END; i < length - 1 && (s[i] & 0xc0) == 0x80; i++)
                ;
        }
        n = lcl_utf8_decode(s + i, length - i, &code);
        indent = indent && is_blank(s[i]);
        if (!indent)
            show_character(out, s + i, n, code);
        indent = indent || code == '\n';
    }
}

void lcl_repairs_report(const lcl_repairs *r, const char *name, lcl_text *lines)
{
    size_t line, column;

    for (size_t i = 0; i < r->n; i++) {
        const lcl_repair *repair = &r->list[i];
        lcl_text_position(r->was, repair->offset, &line, &column);
        lcl_text_printf(lines, "%s:%zu:%zu: ", name, line, column);
        show(lines, r->was + repair->offset, repair->length);
        lcl_text_add(lines, " -> ");
        show(lines, repair->now, strlen(repair->now));
        lcl_text_add(lines, "\n");
    }
}
