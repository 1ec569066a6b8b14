/* Host memory, growing strings, paths, "did you mean" and whole files; see text.h. */
#include "text.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Memory ------------------------------------------------------------------------ */

static void *text_or_abort(void *memory, size_t n, size_t size)
{
    if (!memory) {
        fprintf(stderr, "out of host memory: %zu x %zu bytes\n", n, size);
        abort();
    }
    return memory;
}

uint64_t lcl_hash(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;

    hash ^= 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * 0x100000001b3u;
    return hash;
}

bool lcl_multiply(size_t a, size_t b, size_t *product)
{
    if (a != 0 && b > SIZE_MAX / a)
        return false;
    *product = a * b;
    return true;
}

void *lcl_alloc(size_t n, size_t size)
{
    return text_or_abort(calloc(n ? n : 1, size ? size : 1), n, size);
}

void *lcl_resize(void *old, size_t n, size_t size)
{
    size_t bytes;
    void *memory = lcl_multiply(n, size, &bytes) ? realloc(old, bytes ? bytes : 1) : NULL;

    return text_or_abort(memory, n, size);
}

char *lcl_strdup(const char *s)
{
    size_t size = strlen(s) + 1;

    return memcpy(lcl_alloc(size, 1), s, size);
}

/* ---- Strings ----------------------------------------------------------------------- */

/* Room for n more bytes and the NUL. */
static void text_reserve(lcl_text *t, size_t n)
{
    size_t need = t->length + n + 1;

    if (need < n)
        text_or_abort(NULL, n, 1);
    if (need > t->capacity) {
        size_t doubled = t->capacity > SIZE_MAX / 2 ? SIZE_MAX : 2 * t->capacity;

        t->capacity = need > doubled ? need : doubled;
        if (t->capacity < 32)
            t->capacity = 32;
        t->text = lcl_resize(t->text, t->capacity, 1);
    }
}

void lcl_text_add_bytes(lcl_text *t, const void *bytes, size_t n)
{
    text_reserve(t, n);
    if (n)
        memcpy(t->text + t->length, bytes, n);
    t->length += n;
    t->text[t->length] = '\0';
}

void lcl_text_add(lcl_text *t, const char *s)
{
    lcl_text_add_bytes(t, s, strlen(s));
}

void lcl_text_vprintf(lcl_text *t, const char *format, va_list args)
{
    va_list again;
    int n;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    assert(n >= 0);
    text_reserve(t, (size_t)n);
    vsnprintf(t->text + t->length, (size_t)n + 1, format, args);
    t->length += (size_t)n;
}

void lcl_text_printf(lcl_text *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    lcl_text_vprintf(t, format, args);
    va_end(args);
}

char *lcl_format(const char *format, ...)
{
    lcl_text t = {0};
    va_list args;

    va_start(args, format);
    lcl_text_vprintf(&t, format, args);
    va_end(args);
    return t.text;
}

/* ---- Lists ------------------------------------------------------------------------- */

void lcl_list_add(char ***list, size_t *n, char *text)
{
    *list = lcl_resize(*list, *n + 1, sizeof **list);
    (*list)[(*n)++] = text;
}

char **lcl_list_split(const char *text, size_t *n)
{
    char **list = NULL;
    size_t count = 0;

    while (text && *text) {
        size_t length = strcspn(text, ",");
        const char *next = text[length] ? text + length + 1 : text + length;
        while (length > 0 && isspace((unsigned char)*text)) {
            text++;
            length--;
        }
        while (length > 0 && isspace((unsigned char)text[length - 1]))
            length--;
        if (length > 0)
            lcl_list_add(&list, &count, lcl_format("%.*s", (int)length, text));
        text = next;
    }
    *n = count;
    return list;
}

void lcl_list_free(char **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(list[i]);
    free(list);
}

/* ---- Paths ------------------------------------------------------------------------- */

char *lcl_dirname(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return lcl_strdup(".");
    if (slash == path)
        return lcl_strdup("/");
    return lcl_format("%.*s", (int)(slash - path), path);
}

char *lcl_path_join(const char *folder, const char *path)
{
    if (path[0] == '/' || folder[0] == '\0' || strcmp(folder, ".") == 0)
        return lcl_strdup(path);
    const char *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";
    return lcl_format("%s%s%s", folder, slash, path);
}

bool lcl_has_suffix(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);

    return n >= m && strcmp(path + n - m, suffix) == 0;
}

bool lcl_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* ---- Whole files ------------------------------------------------------------------- */

static lcl_status text_io_fail(lcl_error *err, const char *path, const char *what,
                               int code)
{
    lcl_status status =
        lcl_fail(err, LCL_EIO, path, "cannot %s: %s", what, strerror(code));

    if (code == ENOSPC || code == EDQUOT)
        return lcl_hint(err, status, "free some space there, or write somewhere else");
    return status;
}

/* Appends what `fd` still has to *t; returns errno, or EFBIG where that is over `limit`.
 */
static int text_read_all(lcl_text *t, int fd, size_t limit)
{
    for (;;) {
        text_reserve(t, 1 << 16);
        ssize_t n = read(fd, t->text + t->length, t->capacity - t->length - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        t->length += (size_t)n;
        t->text[t->length] = '\0';
        if (limit && t->length > limit)
            return EFBIG;
        if (n == 0)
            return 0;
    }
}

lcl_status lcl_file_read(char **out, size_t *size, const char *path, size_t limit,
                         lcl_error *err)
{
    lcl_text t = {0};
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC), code;

    if (fd < 0)
        return text_io_fail(err, path, "open", errno);
    /* One allocation for a plain file; its size is only a first guess. */
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
        (!limit || (uintmax_t)st.st_size <= limit))
        text_reserve(&t, (size_t)st.st_size + (1 << 16));
    code = text_read_all(&t, fd, limit);
    close(fd);
    if (code != 0) {
        free(t.text);
        if (code == EFBIG)
            return lcl_fail(err, LCL_EIO, path, "the file is larger than %zu bytes",
                            limit);
        return text_io_fail(err, path, "read", code);
    }
    *out = t.text;
    if (size)
        *size = t.length;
    return LCL_OK;
}

/* Makes a rename in `folder` last through a power cut. Some file systems cannot; that is
 * no reason to fail. */
static void text_sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

/* Writes all bytes and syncs them; returns 0 or errno. */
static int text_write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        bytes += n;
        size -= (size_t)n;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

lcl_status lcl_file_write(const char *path, const void *bytes, size_t size,
                          lcl_error *err)
{
    char *temporary = lcl_format("%s.tmp-%ld", path, (long)getpid());
    char *folder = lcl_dirname(path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int code = fd < 0 ? errno : text_write_all(fd, bytes, size);
    lcl_status status = LCL_OK;

    if (fd >= 0 && close(fd) != 0 && code == 0)
        code = errno;
    if (code == 0 && rename(temporary, path) != 0)
        code = errno;
    if (code == 0)
        text_sync_folder(folder);
    else
        status = text_io_fail(err, path, "write", code);
    if (code != 0 && fd >= 0)
        unlink(temporary);
    free(folder);
    free(temporary);
    return status;
}

double lcl_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
