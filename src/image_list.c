/* Reads lists of images. */
#include "image_list.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* Ends `line` before the blanks at its end. */
static void trim_end(char *line)
{
    size_t n = strlen(line);

    while (n && isspace((unsigned char)line[n - 1]))
        line[--n] = '\0';
}

static lcl_status read_entry(lcl_image_entry *entry, char *line, size_t number,
                             const char *path, lcl_error *err)
{
    char *space = strrchr(line, ' '), *tab = strrchr(line, '\t'), *end = NULL;
    long label = 0;

    if (tab && (!space || tab > space))
        space = tab;
    errno = 0;
    if (space)
        label = strtol(space + 1, &end, 10);
    if (!space || *end || errno || label < INT_MIN || label > INT_MAX)
        return lcl_hint(
            err,
            lcl_fail(err, LCL_EDATA, path, "line %zu has no label: '%s'", number, line),
            "each line is the path of an image, a space and a whole number");
    *space = '\0';
    trim_end(line);
    *entry = (lcl_image_entry){lcl_strdup(line), (int)label};
    return LCL_OK;
}

static lcl_status read_entries(lcl_image_entry **out, size_t *n, char *text,
                               const char *path, lcl_error *err)
{
    size_t number = 0;

    for (char *line = text, *next; line; line = next) {
        number++;
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        trim_end(line);
        if (!*line)
            continue;
        *out = lcl_resize(*out, *n + 1, sizeof **out);
        LCL_TRY(read_entry(&(*out)[*n], line, number, path, err));
        ++*n;
    }
    return *n ? LCL_OK : lcl_fail(err, LCL_EDATA, path, "the list names no image");
}

lcl_status lcl_image_list_read(lcl_image_entry **out, size_t *n, const char *path,
                               lcl_error *err)
{
    char *text;
    size_t size;

    *out = NULL;
    *n = 0;
    LCL_TRY(lcl_file_read(&text, &size, path, 0, err));
    lcl_status status = read_entries(out, n, text, path, err);
    free(text);
    if (status != LCL_OK) {
        lcl_image_list_free(*out, *n);
        *out = NULL;
        *n = 0;
    }
    return status;
}

void lcl_image_list_free(lcl_image_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(entries[i].path);
    free(entries);
}
