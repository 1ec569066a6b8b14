/* LMDB's file: two meta pages, of which the newer counts, then the pages of B+ trees. */
#include "lmdb_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

#define MAGIC 0xBEEFC0DEu
#define META_SIZE 152
#define PAGE_HEADER 16
#define NODE_HEADER 8
#define MAX_DEPTH 32
#define NO_PAGE UINT64_MAX

enum { BRANCH = 1, LEAF = 2, OVERFLOW_PAGES = 4, PAGE_KINDS = 0x2f };
enum { VALUE_ELSEWHERE = 1, NODE_FLAGS = 7 };

typedef struct {
    uint32_t magic, version, page_size;
    uint64_t entries, root, last_page, transaction;
} meta;

/* A page on the way from the root to the current leaf. */
typedef struct {
    uint8_t *bytes; /* owned; page_size */
    size_t n_nodes, next;
} level;

struct lcl_lmdb_reader {
    char *path;
    int file;
    meta meta;
    size_t page_size;
    level levels[MAX_DEPTH];
    int depth;         /* levels in use; 0: before the first record */
    uint8_t *overflow; /* the last value that has pages of its own */
    size_t overflow_size;
};

static uint16_t le16(const uint8_t *b)
{
    return (uint16_t)(b[0] | b[1] << 8);
}
static uint32_t le32(const uint8_t *b)
{
    return le16(b) | (uint32_t)le16(b + 2) << 16;
}
static uint64_t le64(const uint8_t *b)
{
    return le32(b) | (uint64_t)le32(b + 4) << 32;
}

/* ---- Errors ------------------------------------------------------------------------ */

static lcl_status fail_page(const lcl_lmdb_reader *r, uint64_t page, lcl_error *err)
{
    return lcl_hint(err,
                    lcl_fail(err, LCL_EDATA, r->path,
                             "the LMDB database is damaged at page %llu of %llu",
                             (unsigned long long)page,
                             (unsigned long long)r->meta.last_page + 1),
                    "copy or convert it again");
}

static lcl_status fail_errno(const lcl_lmdb_reader *r, lcl_error *err)
{
    return lcl_fail(err, LCL_EIO, r->path, "cannot read the LMDB database: %s",
                    strerror(errno));
}

/* Reads `size` bytes; *whole is false where the file ends before. */
static lcl_status read_at(const lcl_lmdb_reader *r, uint64_t offset, void *out,
                          size_t size, bool *whole, lcl_error *err)
{
    uint8_t *to = out;

    while (size) {
        ssize_t n = pread(r->file, to, size, (off_t)offset);
        if (n < 0 && errno != EINTR)
            return fail_errno(r, err);
        if (n == 0)
            break;
        if (n > 0) {
            to += n;
            offset += (uint64_t)n;
            size -= (size_t)n;
        }
    }
    *whole = size == 0;
    return LCL_OK;
}

/* ---- Meta pages -------------------------------------------------------------------- */

/* All zeros where the file is too short. */
static lcl_status read_meta(const lcl_lmdb_reader *r, uint64_t offset, meta *m,
                            lcl_error *err)
{
    uint8_t b[META_SIZE];
    bool whole;

    LCL_TRY(read_at(r, offset, b, sizeof b, &whole, err));
    *m = (meta){0};
    if (whole)
        *m = (meta){.magic = le32(b + 16),
                    .version = le32(b + 20),
                    .page_size = le32(b + 40),
                    .entries = le64(b + 120),
                    .root = le64(b + 128),
                    .last_page = le64(b + 136),
                    .transaction = le64(b + 144)};
    return LCL_OK;
}

static lcl_status newer_meta(const lcl_lmdb_reader *r, meta *newer, lcl_error *err)
{
    meta other;

    LCL_TRY(read_meta(r, 0, newer, err));
    if (newer->magic != MAGIC)
        return lcl_fail(err, LCL_EDATA, r->path, "is not an LMDB database");
    if (newer->version != 1)
        return lcl_fail(err, LCL_EDATA, r->path,
                        "the LMDB database has format version %u, not 1",
                        (unsigned)newer->version);
    size_t size = newer->page_size;
    if (size < 256 || size > 65536 || (size & (size - 1)))
        return fail_page(r, 0, err);
    LCL_TRY(read_meta(r, size, &other, err));
    if (other.magic != MAGIC || other.page_size != size)
        return fail_page(r, 1, err);
    if (other.transaction > newer->transaction)
        *newer = other;
    return LCL_OK;
}

static lcl_status check_size(const lcl_lmdb_reader *r, lcl_error *err)
{
    struct stat st;

    if (fstat(r->file, &st) != 0)
        return fail_errno(r, err);
    uint64_t have = (uint64_t)st.st_size / r->page_size;
    if (r->meta.last_page >= have)
        return lcl_hint(
            err,
            lcl_fail(err, LCL_EDATA, r->path,
                     "the LMDB database is truncated: the file has %llu pages "
                     "of %zu bytes and should have %llu",
                     (unsigned long long)have, r->page_size,
                     (unsigned long long)r->meta.last_page + 1),
            "copy or convert it again");
    return LCL_OK;
}

/* Transaction n writes meta page n & 1, so the next one writes the other page than ours.
 */
static lcl_status check_unchanged(const lcl_lmdb_reader *r, lcl_error *err)
{
    meta next;

    LCL_TRY(read_meta(r, ((r->meta.transaction + 1) & 1) * r->page_size, &next, err));
    if (next.transaction <= r->meta.transaction)
        return LCL_OK;
    return lcl_hint(err,
                    lcl_fail(err, LCL_EDATA, r->path,
                             "another program changed the database while it was read"),
                    "write databases under another name and rename them when complete");
}

/* ---- Opening ----------------------------------------------------------------------- */

static lcl_status open_file(lcl_lmdb_reader *r, lcl_error *err)
{
    r->file = open(r->path, O_RDONLY);
    if (r->file < 0)
        return fail_errno(r, err);
    LCL_TRY(newer_meta(r, &r->meta, err));
    r->page_size = r->meta.page_size;
    LCL_TRY(check_size(r, err));
    if (!r->meta.entries || r->meta.root == NO_PAGE)
        return lcl_fail(err, LCL_EDATA, r->path, "the LMDB database has no records");
    return LCL_OK;
}

lcl_status lcl_lmdb_open(lcl_lmdb_reader **out, const char *folder, lcl_error *err)
{
    lcl_lmdb_reader *r = lcl_alloc(1, sizeof *r);

    r->path = lcl_path_join(folder, "data.mdb");
    lcl_status status = open_file(r, err);
    if (status != LCL_OK) {
        lcl_lmdb_close(r);
        return status;
    }
    *out = r;
    return LCL_OK;
}

void lcl_lmdb_close(lcl_lmdb_reader *r)
{
    if (!r)
        return;
    if (r->file >= 0)
        close(r->file);
    for (int i = 0; i < MAX_DEPTH; i++)
        free(r->levels[i].bytes);
    free(r->overflow);
    free(r->path);
    free(r);
}

size_t lcl_lmdb_count(const lcl_lmdb_reader *r)
{
    return (size_t)r->meta.entries;
}
void lcl_lmdb_rewind(lcl_lmdb_reader *r)
{
    r->depth = 0;
}

/* ---- Walking ----------------------------------------------------------------------- */

/* Reads a branch or leaf page into the next level; *kind is which. */
static lcl_status push_page(lcl_lmdb_reader *r, uint64_t page, int *kind, lcl_error *err)
{
    bool whole;

    if (page < 2 || page > r->meta.last_page || r->depth == MAX_DEPTH)
        return fail_page(r, page, err);
    level *l = &r->levels[r->depth++];
    if (!l->bytes)
        l->bytes = lcl_alloc(r->page_size, 1);
    LCL_TRY(read_at(r, page * r->page_size, l->bytes, r->page_size, &whole, err));
    size_t lower = le16(l->bytes + 12);
    *kind = le16(l->bytes + 10) & PAGE_KINDS;
    if (!whole || le64(l->bytes) != page || (*kind != BRANCH && *kind != LEAF) ||
        lower < PAGE_HEADER + 2 || lower > r->page_size)
        return fail_page(r, page, err);
    l->n_nodes = (lower - PAGE_HEADER) / 2;
    l->next = 0;
    return LCL_OK;
}

/* Node l->next, whose header and key lie within the page; NULL where they do not. */
static const uint8_t *next_node(const lcl_lmdb_reader *r, level *l)
{
    size_t offset = le16(l->bytes + PAGE_HEADER + 2 * l->next++);

    if (offset < PAGE_HEADER || offset + NODE_HEADER > r->page_size ||
        offset + NODE_HEADER + le16(l->bytes + offset + 6) > r->page_size)
        return NULL;
    return l->bytes + offset;
}

/* Goes down the leftmost way from `page` to a leaf. */
static lcl_status descend(lcl_lmdb_reader *r, uint64_t page, lcl_error *err)
{
    int kind;

    for (;;) {
        LCL_TRY(push_page(r, page, &kind, err));
        if (kind == LEAF)
            return check_unchanged(r, err);
        const uint8_t *node = next_node(r, &r->levels[r->depth - 1]);
        if (!node)
            return fail_page(r, page, err);
        page = le32(node) | (uint64_t)le16(node + 4) << 32;
    }
}

/* Makes the deepest level a leaf with a node to come. */
static lcl_status find_leaf(lcl_lmdb_reader *r, lcl_error *err)
{
    if (!r->depth)
        return descend(r, r->meta.root, err);
    level *l = &r->levels[r->depth - 1];
    if (l->next < l->n_nodes)
        return LCL_OK;
    while (l->next == l->n_nodes) {
        if (--r->depth == 0)
            return fail_page(r, r->meta.root, err);
        l = &r->levels[r->depth - 1];
    }
    const uint8_t *node = next_node(r, l);
    if (!node)
        return fail_page(r, le64(l->bytes), err);
    return descend(r, le32(node) | (uint64_t)le16(node + 4) << 32, err);
}

/* A value of `size` bytes on pages of its own, from `page`. */
static lcl_status read_overflow(lcl_lmdb_reader *r, uint64_t page, size_t size,
                                lcl_span *value, lcl_error *err)
{
    size_t length = PAGE_HEADER + size;
    bool whole;

    if (page < 2 || page > r->meta.last_page ||
        (length - 1) / r->page_size > r->meta.last_page - page)
        return fail_page(r, page, err);
    if (length > r->overflow_size) {
        r->overflow = lcl_resize(r->overflow, length, 1);
        r->overflow_size = length;
    }
    LCL_TRY(read_at(r, page * r->page_size, r->overflow, length, &whole, err));
    if (!whole || le64(r->overflow) != page ||
        (le16(r->overflow + 10) & PAGE_KINDS) != OVERFLOW_PAGES)
        return fail_page(r, page, err);
    *value = (lcl_span){r->overflow + PAGE_HEADER, size};
    return LCL_OK;
}

lcl_status lcl_lmdb_next(lcl_lmdb_reader *r, lcl_span *key, lcl_span *value,
                         lcl_error *err)
{
    LCL_TRY(find_leaf(r, err));
    level *leaf = &r->levels[r->depth - 1];
    uint64_t page = le64(leaf->bytes);
    const uint8_t *node = next_node(r, leaf);
    if (!node)
        return fail_page(r, page, err);
    size_t size = le32(node);
    int flags = le16(node + 4) & NODE_FLAGS;
    *key = (lcl_span){node + NODE_HEADER, le16(node + 6)};
    const uint8_t *data = key->bytes + key->size;
    size_t room = r->page_size - (size_t)(data - leaf->bytes);
    if (flags == 0 && size <= room) {
        *value = (lcl_span){data, size};
        return LCL_OK;
    }
    if (flags == VALUE_ELSEWHERE && room >= 8)
        return read_overflow(r, le64(data), size, value, err);
    if (flags == 0 || flags == VALUE_ELSEWHERE)
        return fail_page(r, page, err);
    return lcl_fail(
        err, LCL_EDATA, r->path,
        "the LMDB database has named databases or several values a key, which "
        "Caffe's have not");
}
