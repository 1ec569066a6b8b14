/* Reads lists of windows, word by word. */
#include "window_list.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* Where reading is. */
typedef struct {
    const char *path;
    char *at;
    size_t line;     /* of the last word */
    bool ended_line; /* that word */
} reader;

static lcl_status fail_here(const reader *r, const char *wanted, const char *found,
                            lcl_error *err)
{
    lcl_status status =
        *found ? lcl_fail(err, LCL_EDATA, r->path, "line %zu: expected %s, found '%s'",
                          r->line, wanted, found)
               : lcl_fail(err, LCL_EDATA, r->path, "line %zu: expected %s, but it ends",
                          r->line, wanted);

    return lcl_hint(err, status,
                    "an image is '# NUMBER', its path, channels, height, width and the "
                    "number of its windows; a window CLASS OVERLAP X1 Y1 X2 Y2");
}

/* The next word, cut out of the text; "" at its end. */
static char *next_word(reader *r)
{
    char *at = r->at;

    r->line += r->ended_line;
    for (; isspace((unsigned char)*at); at++)
        r->line += *at == '\n';
    char *word = at;
    while (*at && !isspace((unsigned char)*at))
        at++;
    r->at = at;
    r->ended_line = *at == '\n';
    if (*at) {
        *at = '\0';
        r->at = at + 1;
    }
    return word;
}

static lcl_status next_int(reader *r, const char *wanted, int *out, lcl_error *err)
{
    const char *word = next_word(r);
    char *end;

    errno = 0;
    long value = strtol(word, &end, 10);
    if (end == word || *end || errno || value < INT_MIN / 4 || value > INT_MAX / 4)
        return fail_here(r, wanted, word, err);
    *out = (int)value;
    return LCL_OK;
}

static lcl_status read_window(reader *r, lcl_window *w, lcl_error *err)
{
    char *end;

    LCL_TRY(next_int(r, "a window's class", &w->label, err));
    const char *word = next_word(r);
    w->overlap = strtof(word, &end);
    if (end == word || *end)
        return fail_here(r, "a window's overlap", word, err);
    LCL_TRY(next_int(r, "a window's x1", &w->x1, err));
    LCL_TRY(next_int(r, "a window's y1", &w->y1, err));
    LCL_TRY(next_int(r, "a window's x2", &w->x2, err));
    return next_int(r, "a window's y2", &w->y2, err);
}

/* What follows the '#' of an image. */
static lcl_status read_image(reader *r, lcl_window_list *list, lcl_error *err)
{
    int number, channels, height, width, n;

    LCL_TRY(next_int(r, "an image's number", &number, err));
    const char *path = next_word(r);
    if (!*path)
        return fail_here(r, "an image's path", path, err);
    list->images = lcl_resize(list->images, list->n_images + 1, sizeof *list->images);
    list->images[list->n_images] = lcl_strdup(path);
    size_t image = list->n_images++;
    LCL_TRY(next_int(r, "an image's channels", &channels, err));
    LCL_TRY(next_int(r, "an image's height", &height, err));
    LCL_TRY(next_int(r, "an image's width", &width, err));
    LCL_TRY(next_int(r, "a number of windows", &n, err));
    if (image == 0)
        list->channels = channels;
    for (int i = 0; i < n; i++) {
        lcl_window w = {.image = image};
        LCL_TRY(read_window(r, &w, err));
        list->windows =
            lcl_resize(list->windows, list->n_windows + 1, sizeof *list->windows);
        list->windows[list->n_windows++] = w;
    }
    return LCL_OK;
}

static lcl_status read_images(reader *r, lcl_window_list *list, lcl_error *err)
{
    for (const char *word = next_word(r); *word; word = next_word(r)) {
        if (strcmp(word, "#") != 0)
            return fail_here(r, "'#'", word, err);
        LCL_TRY(read_image(r, list, err));
    }
    return list->n_images ? LCL_OK
                          : lcl_fail(err, LCL_EDATA, r->path, "the list names no image");
}

lcl_status lcl_window_list_read(lcl_window_list *out, const char *path, lcl_error *err)
{
    char *text;
    size_t size;

    *out = (lcl_window_list){0};
    LCL_TRY(lcl_file_read(&text, &size, path, 0, err));
    reader r = {.path = path, .at = text, .line = 1};
    lcl_status status = read_images(&r, out, err);
    free(text);
    if (status != LCL_OK)
        lcl_window_list_free(out);
    return status;
}

void lcl_window_list_free(lcl_window_list *list)
{
    lcl_list_free(list->images, list->n_images);
    free(list->windows);
    *list = (lcl_window_list){0};
}
