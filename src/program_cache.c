/* An entry is one file, named after a hash of its key, that holds the key, all that the binary
 * depends on: so a hash that two keys share costs a compilation, not a wrong program. Files
 * are written aside and renamed: several processes may share a folder. */
#include "program_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

#define CACHE_LIMIT ((off_t)256 << 20) /* bytes; the entries used longest ago go */
#define CACHE_SUFFIX ".clbin"

static const char cache_magic[8] = "LCLPROG1";

/* Before the key and the binary. The check is the hash of the sizes and both. */
typedef struct {
    char magic[sizeof cache_magic];
    uint64_t key_size, binary_size, check;
} cache_header;

/* ---- Where ------------------------------------------------------------------------- */

/* PoCL and NVIDIA's driver keep what they compile. */
static bool cache_is_on(const lcl_device *dev)
{
    const char *wanted = getenv("LCL_CACHE");

    if (wanted && *wanted)
        return strcmp(wanted, "0") != 0;
    return !strstr(dev->info.platform_name, "Portable Computing Language") &&
           !strstr(dev->info.platform_name, "NVIDIA");
}

char *lcl_cache_folder(void)
{
    const char *own = getenv("LCL_CACHE_DIR"), *base = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");

    if (own && *own)
        return lcl_strdup(own);
    if (base && *base)
        return lcl_format("%s/lenet-cl", base);
    return home && *home ? lcl_format("%s/.cache/lenet-cl", home) : NULL;
}

char *lcl_device_key(const lcl_device_info *i)
{
    return lcl_format("%s\n%s\n%s\n%s\n%s\n%s", i->platform_name, i->platform_version,
                      i->name, i->vendor, i->version, i->driver);
}

static char *cache_key(const lcl_device *dev, const char *source, const char *options)
{
    char *device = lcl_device_key(&dev->info);
    char *key = lcl_format("%s\n%s\n%s", device, options, source);

    free(device);
    return key;
}

/* The entry's path, or NULL where there is no cache; new string. */
static char *cache_path(const lcl_device *dev, const char *key)
{
    char *folder = cache_is_on(dev) ? lcl_cache_folder() : NULL, *path;

    if (!folder)
        return NULL;
    path = lcl_format("%s/%016llx" CACHE_SUFFIX, folder,
                      (unsigned long long)lcl_hash(0, key, strlen(key)));
    free(folder);
    return path;
}

/* ---- Reading ----------------------------------------------------------------------- */

static uint64_t cache_check(const cache_header *h, const char *key, const void *binary)
{
    uint64_t hash = lcl_hash(0, &h->key_size, sizeof h->key_size);

    hash = lcl_hash(hash, &h->binary_size, sizeof h->binary_size);
    hash = lcl_hash(hash, key, h->key_size);
    return lcl_hash(hash, binary, h->binary_size);
}

/* The binary in an entry of `size` bytes, or NULL where it is not the key's or damaged. */
static const unsigned char *cache_binary(const char *entry, size_t size, const char *key,
                                         size_t *binary_size)
{
    cache_header h;
    const char *binary;

    if (size < sizeof h)
        return NULL;
    memcpy(&h, entry, sizeof h);
    if (memcmp(h.magic, cache_magic, sizeof h.magic) != 0 || h.key_size != strlen(key) ||
        h.key_size > size - sizeof h || h.binary_size != size - sizeof h - h.key_size ||
        memcmp(entry + sizeof h, key, h.key_size) != 0)
        return NULL;
    binary = entry + sizeof h + h.key_size;
    if (h.check != cache_check(&h, key, binary))
        return NULL;
    *binary_size = h.binary_size;
    return (const unsigned char *)binary;
}

static cl_program cache_create(const lcl_device *dev, const unsigned char *binary,
                               size_t size, const char *options)
{
    cl_int state = CL_SUCCESS, rc = CL_SUCCESS;
    cl_program program = clCreateProgramWithBinary(dev->context, 1, &dev->info.id, &size,
                                                   &binary, &state, &rc);

    if (rc != CL_SUCCESS)
        return NULL;
    if (state == CL_SUCCESS &&
        clBuildProgram(program, 1, &dev->info.id, options, NULL, NULL) == CL_SUCCESS)
        return program;
    clReleaseProgram(program);
    return NULL;
}

cl_program lcl_cache_load(const lcl_device *dev, const char *source, const char *options)
{
    char *key = cache_key(dev, source, options), *path = cache_path(dev, key);
    char *entry = NULL;
    size_t size = 0, binary_size = 0;
    cl_program program = NULL;

    if (path && lcl_file_read(&entry, &size, path, 0, NULL) == LCL_OK) {
        const unsigned char *binary = cache_binary(entry, size, key, &binary_size);

        if (binary)
            program = cache_create(dev, binary, binary_size, options);
        if (program)
            utimensat(AT_FDCWD, path, NULL, 0); /* used now */
    }
    free(entry);
    free(path);
    free(key);
    return program;
}

/* ---- Writing ----------------------------------------------------------------------- */

bool lcl_cache_make_folders(const char *path)
{
    char *folder = lcl_dirname(path);
    bool made = mkdir(folder, 0700) == 0 || errno == EEXIST;

    if (!made && errno == ENOENT && strcmp(folder, path) != 0)
        made = lcl_cache_make_folders(folder) && mkdir(folder, 0700) == 0;
    free(folder);
    return made;
}

/* The program's binary for its one device; NULL where the driver gives none. */
static unsigned char *cache_get_binary(cl_program program, size_t *size)
{
    unsigned char *binary;

    *size = 0;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof *size, size, NULL) !=
            CL_SUCCESS ||
        *size == 0)
        return NULL;
    binary = lcl_alloc(*size, 1);
    if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL) ==
        CL_SUCCESS)
        return binary;
    free(binary);
    return NULL;
}

typedef struct {
    char *path; /* owned */
    off_t size;
    struct timespec used;
} cache_file;

static int cache_by_use(const void *a, const void *b)
{
    const struct timespec *x = &((const cache_file *)a)->used,
                          *y = &((const cache_file *)b)->used;

    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? -1 : 1;
    return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

static cache_file *cache_list(const char *folder, size_t *n)
{
    cache_file *list = NULL;
    DIR *dir = opendir(folder);
    struct dirent *e;
    struct stat st;

    *n = 0;
    while (dir && (e = readdir(dir)) != NULL) {
        if (!lcl_has_suffix(e->d_name, CACHE_SUFFIX))
            continue;
        char *path = lcl_format("%s/%s", folder, e->d_name);
        if (stat(path, &st) == 0) {
            list = lcl_resize(list, *n + 1, sizeof *list);
            list[(*n)++] = (cache_file){path, st.st_size, st.st_mtim};
        } else {
            free(path);
        }
    }
    if (dir)
        closedir(dir);
    return list;
}

/* Removes entries, those used longest ago first, until the rest keeps to the limit. */
static void cache_tidy(const char *path)
{
    char *folder = lcl_dirname(path);
    size_t n;
    cache_file *list = cache_list(folder, &n);
    off_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += list[i].size;
    if (sum > CACHE_LIMIT)
        qsort(list, n, sizeof *list, cache_by_use);
    for (size_t i = 0; i < n; i++) {
        if (sum > CACHE_LIMIT && unlink(list[i].path) == 0)
            sum -= list[i].size;
        free(list[i].path);
    }
    free(list);
    free(folder);
}

static void cache_write(const char *path, const char *key, const unsigned char *binary,
                        size_t binary_size)
{
    cache_header h = {.key_size = strlen(key), .binary_size = binary_size};
    lcl_text entry = {0};

    memcpy(h.magic, cache_magic, sizeof h.magic);
    h.check = cache_check(&h, key, binary);
    lcl_text_add_bytes(&entry, &h, sizeof h);
    lcl_text_add(&entry, key);
    lcl_text_add_bytes(&entry, binary, binary_size);
    if (lcl_cache_make_folders(path) &&
        lcl_file_write(path, entry.text, entry.length, NULL) == LCL_OK)
        cache_tidy(path);
    free(entry.text);
}

void lcl_cache_store(const lcl_device *dev, const char *source, const char *options,
                     cl_program program)
{
    char *key = cache_key(dev, source, options), *path = cache_path(dev, key);
    size_t size;
    unsigned char *binary = path ? cache_get_binary(program, &size) : NULL;

    if (binary)
        cache_write(path, key, binary, size);
    free(binary);
    free(path);
    free(key);
}
