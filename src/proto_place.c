/* Lines, columns and excerpts of a source text, for error messages. */
#include <stdio.h>
#include <string.h>

#include "proto.h"

#define EXCERPT_BEFORE 64 /* bytes of the line shown before the mark */
#define EXCERPT_AFTER 72  /* and after its start */
#define TAB_WIDTH 8

void lcl_text_position(const char *text, size_t offset, size_t *line, size_t *column)
{
    *line = 1;
    *column = 0;
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            ++*line;
            *column = 0;
        } else if (text[i] == '\t') {
            *column += TAB_WIDTH - *column % TAB_WIDTH;
        } else {
            ++*column;
        }
    }
    ++*column;
}

bool lcl_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_';
}

size_t lcl_utf8_decode(const char *text, size_t length, uint32_t *code)
{
    const unsigned char *s = (const unsigned char *)text;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80   ? 1
               : s[0] < 0xc0 ? 0
               : s[0] < 0xe0 ? 2
               : s[0] < 0xf0 ? 3
               : s[0] < 0xf8 ? 4
                             : 0;

    if (n == 0 || n > length)
        return 0;
    *code = n == 1 ? s[0] : s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (s[i] & 0x3f);
    }
    return *code < least[n] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000)
               ? 0
               : n;
}

/* Columns that a terminal gives a character. */
static int width_of(uint32_t code)
{
    if ((code >= 0x200b && code <= 0x200f) || code == 0xfeff)
        return 0;
    return (code >= 0x1100 && code < 0x1160) || (code >= 0x2e80 && code < 0xa4d0) ||
                   (code >= 0xac00 && code < 0xd7a4) ||
                   (code >= 0xf900 && code < 0xfb00) ||
                   (code >= 0xfe30 && code < 0xfe70) ||
                   (code >= 0xff00 && code < 0xff61) ||
                   (code >= 0xffe0 && code < 0xffe7) ||
                   (code >= 0x1f300 && code < 0x3fffe)
               ? 2
               : 1;
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Appends text[from, to) in printable form; returns how many columns it takes. */
static int show(char *out, size_t *used, const char *text, size_t from, size_t to)
{
    int columns = 0;

    while (from < to) {
        uint32_t code = 0;
        size_t n = lcl_utf8_decode(text + from, to - from, &code);
        if (n == 0 || code < ' ' || code == 0x7f) {
            out[(*used)++] = n == 1 && code == '\t' ? ' ' : '?';
            columns++;
            from++;
            continue;
        }
        memcpy(out + *used, text + from, n);
        *used += n;
        columns += width_of(code);
        from += n;
    }
    return columns;
}

static void repeat(char *out, size_t *used, char c, int n)
{
    for (int i = 0; i < n; i++)
        out[(*used)++] = c;
}

void lcl_text_excerpt(const char *text, size_t length, size_t offset, size_t width,
                      lcl_error *err)
{
    size_t start = offset, end = offset, line, column, used;
    char out[sizeof err->excerpt];

    if (!err)
        return;
    while (start > 0 && text[start - 1] != '\n' && offset - start < EXCERPT_BEFORE)
        start--;
    while (end < length && text[end] != '\n' && end - offset < EXCERPT_AFTER)
        end++;
    bool cut_before = start > 0 && text[start - 1] != '\n';
    bool cut_after = end < length && text[end] != '\n';
    while (cut_before && start < offset && continues(text[start]))
        start++;
    while (cut_after && end > offset && continues(text[end]))
        end--;
    if (end > offset && text[end - 1] == '\r')
        end--;
    if (start == end)
        return;
    if (width > end - offset)
        width = end - offset;
    while (offset + width < end && continues(text[offset + width]))
        width++;

    lcl_text_position(text, offset, &line, &column);
    int margin = snprintf(out, sizeof out, "%5zu | %s", line, cut_before ? "..." : "");
    used = (size_t)margin;
    int before = show(out, &used, text, start, offset);
    int marked = show(out, &used, text, offset, offset + width);
    show(out, &used, text, offset + width, end);
    if (cut_after)
        repeat(out, &used, '.', 3);
    out[used++] = '\n';
    repeat(out, &used, ' ', margin - 2 - (cut_before ? 3 : 0));
    repeat(out, &used, '|', 1);
    repeat(out, &used, ' ', before + 1 + (cut_before ? 3 : 0));
    repeat(out, &used, '^', 1);
    repeat(out, &used, '~', marked - 1);
    out[used] = '\0';
    memcpy(err->excerpt, out, used + 1);
}
