/* A text with its repairs: what was changed, where in the text as it was, and how it reads
 * now. */
#ifndef LCL_PROTO_REPAIRS_H
#define LCL_PROTO_REPAIRS_H

#include <stdbool.h>

#include "text.h"

/* text[offset, offset + length) of the text as it was is `now`. */
typedef struct {
    size_t offset, length;
    char *now;
} lcl_repair;

typedef struct {
    const char *was; /* borrowed; has a NUL after its end */
    size_t was_length;
    lcl_text text;    /* as it reads now */
    lcl_repair *list; /* in the order of the text; they do not overlap */
    size_t n, capacity;
} lcl_repairs;

void lcl_repairs_start(lcl_repairs *r, const char *text, size_t length);
void lcl_repairs_free(lcl_repairs *r);

/* text[from, to), as it reads now, becomes `now` (`length` bytes). Repairs that it touches
 * become one with it; one that leaves the text as it was is none. */
void lcl_repairs_replace(lcl_repairs *r, size_t from, size_t to, const char *now,
                         size_t length);
/* The byte of the text as it was that stands at `offset` now; inside a repair, where that
 * begins. */
size_t lcl_repairs_origin(const lcl_repairs *r, size_t offset);
/* The repair that holds the byte at `offset` of the text as it reads now, or NULL. */
const lcl_repair *lcl_repairs_at(const lcl_repairs *r, size_t offset);
/* Takes back every repair from `origin`, a byte of the text as it was, on. */
void lcl_repairs_undo(lcl_repairs *r, size_t origin);

/* Adds a line for each, "name:line:column: what was there -> what it is now". */
void lcl_repairs_report(const lcl_repairs *r, const char *name, lcl_text *lines);

#endif
