/* Host memory, growing strings, paths, "did you mean", whole-file reads and writes, a clock. */
#ifndef LCL_TEXT_H
#define LCL_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lcl/error.h"

#define LCL_COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Zeroed memory for n elements; aborts where the host has none left or n * size overflows.
 * Free with free(). lcl_resize keeps what fits; new memory is not zeroed. */
void *lcl_alloc(size_t n, size_t size);
void *lcl_resize(void *old, size_t n, size_t size);
char *lcl_strdup(const char *s);
/* printf into a new string; free() it. */
char *lcl_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* FNV-1a of `size` bytes, going on from `hash` (0 at first). Not proof against intent. */
uint64_t lcl_hash(uint64_t hash, const void *bytes, size_t size);

/* False where the product does not fit size_t. */
bool lcl_multiply(size_t a, size_t b, size_t *product);

/* A string that grows; {0} is empty. text is NUL-terminated once anything was added. */
typedef struct {
    char *text; /* owned; free() it, or take it */
    size_t length, capacity;
} lcl_text;
void lcl_text_add(lcl_text *t, const char *s);
void lcl_text_add_bytes(lcl_text *t, const void *bytes, size_t n);
void lcl_text_printf(lcl_text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void lcl_text_vprintf(lcl_text *t, const char *format, va_list args);

/* The name nearest to `word` in edit distance (case does not count), or NULL where none is
 * near enough to be a misspelling of it. */
const char *lcl_nearest(const char *word, const char *const *names, size_t n_names);
/* The name that `word` can only be a misspelling of: at most two slips away (*slips: how
 * many), with the same digits, and no other name is as near. NULL where there is none. */
const char *lcl_misspelt(const char *word, const char *const *names, size_t n_names,
                         size_t *slips);

/* The trimmed pieces of a comma-separated list, without empty ones; NULL is an empty list.
 * Free both the strings and the array with lcl_list_free. */
char **lcl_list_split(const char *text, size_t *n);
void lcl_list_free(char **list, size_t n);
/* Adds `text`, which is the list's from now on. */
void lcl_list_add(char ***list, size_t *n, char *text);

/* The path's folder without the last '/' ("." where it has none), new string. */
char *lcl_dirname(const char *path);
/* `path` as it is where it is absolute or folder is "" or ".", else folder/path; new. */
char *lcl_path_join(const char *folder, const char *path);
/* True where `path` ends with `suffix`. */
bool lcl_has_suffix(const char *path, const char *suffix);
bool lcl_file_exists(const char *path);

/* The whole file, NUL-terminated; free(*out). At most `limit` bytes (0: no limit). */
lcl_status lcl_file_read(char **out, size_t *size, const char *path, size_t limit,
                         lcl_error *err);
/* Writes path.tmp-PID, syncs it and its folder, renames it: `path` is the old file or the
 * new one, never a part. Removes the temporary file on failure. */
lcl_status lcl_file_write(const char *path, const void *bytes, size_t size,
                          lcl_error *err);

/* Seconds since some point in time; never goes back. */
double lcl_now(void);

#endif
