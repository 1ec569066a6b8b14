/* Finds the OpenCL devices of this machine and chooses one; see include/lcl/device.h. */
#include "device_list.h"

#include <ctype.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "text.h"

#define DEVICE_UUID 0x106A /* CL_DEVICE_UUID_KHR, which older headers lack */
#define UUID_BYTES 16
#define LIST_DRIVERS                                                                     \
    "apt-get install pocl-opencl-icd for a CPU, its maker's for a GPU "                  \
    "(nvidia-opencl-icd, intel-opencl-icd, mesa-opencl-icd)"

/* ---- Reading one device ------------------------------------------------------------ */

static void list_trim(char *s)
{
    size_t start = strspn(s, " \t\r\n"), end = strlen(s);

    while (end > start && isspace((unsigned char)s[end - 1]))
        end--;
    memmove(s, s + start, end - start);
    s[end - start] = '\0';
}

/* A string property of a device (platform where id is NULL), cut to `size`; new, "" where
 * there is none. */
static char *list_text(cl_platform_id platform, cl_device_id id, cl_uint property)
{
    size_t length = 0;
    cl_int rc = id ? clGetDeviceInfo(id, property, 0, NULL, &length)
                   : clGetPlatformInfo(platform, property, 0, NULL, &length);
    char *text = lcl_alloc(length + 1, 1);

    if (rc == CL_SUCCESS)
        rc = id ? clGetDeviceInfo(id, property, length, text, NULL)
                : clGetPlatformInfo(platform, property, length, text, NULL);
    if (rc != CL_SUCCESS)
        text[0] = '\0';
    list_trim(text);
    return text;
}

static void list_copy_text(char *out, size_t size, cl_platform_id platform,
                           cl_device_id id, cl_uint property)
{
    char *text = list_text(platform, id, property);

    snprintf(out, size, "%s", text);
    free(text);
}

/* A property of fixed size; stays 0 where the driver has none. */
#define NUMBER(id, property, out) clGetDeviceInfo(id, property, sizeof *(out), out, NULL)

static void list_read_uuid(lcl_device_info *d)
{
    char *extensions = list_text(NULL, d->id, CL_DEVICE_EXTENSIONS);
    cl_uchar uuid[UUID_BYTES];

    if (strstr(extensions, "cl_khr_device_uuid") &&
        clGetDeviceInfo(d->id, DEVICE_UUID, sizeof uuid, uuid, NULL) == CL_SUCCESS)
        for (int i = 0; i < UUID_BYTES; i++)
            snprintf(d->uuid + 2 * i, 3, "%02x", uuid[i]);
    free(extensions);
}

static void list_check_usable(lcl_device_info *d)
{
    cl_bool available = CL_FALSE, compiler = CL_FALSE;
    int major = 0, minor = 0;

    NUMBER(d->id, CL_DEVICE_AVAILABLE, &available);
    NUMBER(d->id, CL_DEVICE_COMPILER_AVAILABLE, &compiler);
    if (!available)
        snprintf(d->why_not, sizeof d->why_not, "the driver says it is not available");
    else if (!compiler)
        snprintf(d->why_not, sizeof d->why_not, "its driver has no compiler");
    else if (sscanf(d->version, "OpenCL %d.%d", &major, &minor) != 2 ||
             major * 10 + minor < 12)
        snprintf(d->why_not, sizeof d->why_not, "OpenCL 1.2 is needed, it has '%.64s'",
                 d->version);
    d->usable = d->why_not[0] == '\0';
}

static void list_read_device(lcl_device_info *d)
{
    cl_bool unified = CL_FALSE;
    cl_uint alignment_bits = 0;

    list_copy_text(d->platform_name, sizeof d->platform_name, d->platform_id, NULL,
                   CL_PLATFORM_NAME);
    list_copy_text(d->platform_version, sizeof d->platform_version, d->platform_id, NULL,
                   CL_PLATFORM_VERSION);
    list_copy_text(d->name, sizeof d->name, NULL, d->id, CL_DEVICE_NAME);
    list_copy_text(d->vendor, sizeof d->vendor, NULL, d->id, CL_DEVICE_VENDOR);
    list_copy_text(d->version, sizeof d->version, NULL, d->id, CL_DEVICE_VERSION);
    list_copy_text(d->driver, sizeof d->driver, NULL, d->id, CL_DRIVER_VERSION);
    NUMBER(d->id, CL_DEVICE_TYPE, &d->type);
    d->type &= CL_DEVICE_TYPE_CPU | CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_ACCELERATOR;
    NUMBER(d->id, CL_DEVICE_MAX_COMPUTE_UNITS, &d->compute_units);
    NUMBER(d->id, CL_DEVICE_MAX_CLOCK_FREQUENCY, &d->clock_mhz);
    NUMBER(d->id, CL_DEVICE_GLOBAL_MEM_SIZE, &d->global_memory);
    NUMBER(d->id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, &d->largest_allocation);
    NUMBER(d->id, CL_DEVICE_LOCAL_MEM_SIZE, &d->local_memory);
    NUMBER(d->id, CL_DEVICE_MAX_WORK_GROUP_SIZE, &d->largest_work_group);
    NUMBER(d->id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, &alignment_bits);
    NUMBER(d->id, CL_DEVICE_HOST_UNIFIED_MEMORY, &unified);
    d->alignment = alignment_bits >= 8 ? alignment_bits / 8 : 1;
    d->unified_memory = unified == CL_TRUE;
    list_read_uuid(d);
    list_check_usable(d);
}

/* ---- All devices ------------------------------------------------------------------- */

/* True where the machine has a GPU device file that this user may not use; its path. */
static bool list_forbidden_gpu(char *path, size_t size)
{
    glob_t files;
    bool found = false;

    if (glob("/dev/dri/renderD*", 0, NULL, &files) != 0)
        return false;
    for (size_t i = 0; i < files.gl_pathc && !found; i++) {
        found = access(files.gl_pathv[i], R_OK | W_OK) != 0;
        if (found)
            snprintf(path, size, "%s", files.gl_pathv[i]);
    }
    globfree(&files);
    return found;
}

static lcl_status list_nothing(lcl_error *err, const char *what)
{
    lcl_status status = lcl_fail(err, LCL_ENODEVICE, NULL, "%s", what);
    char path[64];

    if (list_forbidden_gpu(path, sizeof path))
        return lcl_hint(err, status,
                        "%s may not be used by this user: add it to the file's group "
                        "(usermod -aG render USER) and log in again, or use the CPU: "
                        "apt-get install pocl-opencl-icd",
                        path);
    return lcl_hint(err, status, "install an OpenCL driver: " LIST_DRIVERS);
}

/* Appends the devices of one platform. */
static void list_add_platform(lcl_device_info **list, size_t *n, cl_platform_id platform,
                              int number)
{
    cl_uint n_ids = 0;

    if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &n_ids) != CL_SUCCESS ||
        n_ids == 0)
        return;
    cl_device_id *ids = lcl_alloc(n_ids, sizeof(cl_device_id));
    if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, n_ids, ids, NULL) == CL_SUCCESS) {
        *list = lcl_resize(*list, *n + n_ids, sizeof **list);
        for (cl_uint i = 0; i < n_ids; i++) {
            lcl_device_info *d = &(*list)[*n];

            *d = (lcl_device_info){.platform = number,
                                   .device = (int)i,
                                   .index = (int)*n,
                                   .platform_id = platform,
                                   .id = ids[i]};
            list_read_device(d);
            ++*n;
        }
    }
    free(ids);
}

lcl_status lcl_device_list(lcl_device_info **out, size_t *n_out, lcl_error *err)
{
    cl_uint n_platforms = 0;
    cl_platform_id *platforms;
    lcl_device_info *list = NULL;
    size_t n = 0;

    if (clGetPlatformIDs(0, NULL, &n_platforms) != CL_SUCCESS || n_platforms == 0)
        return list_nothing(err, "no OpenCL driver (platform) is installed");
    platforms = lcl_alloc(n_platforms, sizeof(cl_platform_id));
    if (clGetPlatformIDs(n_platforms, platforms, NULL) == CL_SUCCESS)
        for (cl_uint i = 0; i < n_platforms; i++)
            list_add_platform(&list, &n, platforms[i], (int)i);
    free(platforms);
    if (n == 0)
        return list_nothing(err, "the installed OpenCL drivers offer no device");
    *out = list;
    *n_out = n;
    return LCL_OK;
}

/* ---- Choosing ---------------------------------------------------------------------- */

const char *lcl_device_kind(const lcl_device_info *info)
{
    if (info->type & CL_DEVICE_TYPE_GPU)
        return "GPU";
    if (info->type & CL_DEVICE_TYPE_ACCELERATOR)
        return "accelerator";
    return info->type & CL_DEVICE_TYPE_CPU ? "CPU" : "other";
}

static bool list_asked(const char *word)
{
    return word && word[0] != '\0';
}

/* "0", "12"; more than seven digits are the start of a uuid. */
static bool list_is_number(const char *word)
{
    size_t length = strlen(word);

    return length > 0 && length < 8 && strspn(word, "0123456789") == length;
}

static bool list_contains(const char *text, const char *part)
{
    size_t length = strlen(part);

    for (; *text; text++)
        if (strncasecmp(text, part, length) == 0)
            return true;
    return length == 0;
}

/* At least 8 digits that start `uuid`; dashes and case do not count. */
static bool list_starts_uuid(const char *uuid, const char *word)
{
    int n = 0;

    for (; *word; word++) {
        if (*word == '-')
            continue;
        if (tolower((unsigned char)*word) != *uuid++)
            return false;
        n++;
    }
    return n >= 8;
}

static bool list_platform_matches(const lcl_device_info *d, const char *word)
{
    if (!list_asked(word))
        return true;
    return list_is_number(word) ? d->platform == atoi(word)
                                : list_contains(d->platform_name, word);
}

static bool list_device_matches(const lcl_device_info *d, const lcl_device_choice *choice)
{
    const char *word = choice->device;

    if (!list_asked(word))
        return true;
    if (list_is_number(word))
        return atoi(word) == (list_asked(choice->platform) ? d->device : d->index);
    if (strcasecmp(word, "cpu") == 0 || strcasecmp(word, "gpu") == 0 ||
        strcasecmp(word, "accelerator") == 0)
        return strcasecmp(word, lcl_device_kind(d)) == 0;
    return list_starts_uuid(d->uuid, word) || list_contains(d->name, word);
}

/* Smaller is better: kind first, then a card of its own before a part of the CPU. */
static int list_rank(const lcl_device_info *d, lcl_preference prefer)
{
    int kind = 3;

    if (d->type & CL_DEVICE_TYPE_CPU)
        kind = prefer == LCL_PREFER_CPU ? 0 : 2;
    if (d->type & CL_DEVICE_TYPE_ACCELERATOR)
        kind = prefer == LCL_PREFER_CPU ? 2 : 1;
    if (d->type & CL_DEVICE_TYPE_GPU)
        kind = prefer == LCL_PREFER_CPU ? 1 : 0;
    return 2 * kind + d->unified_memory;
}

/* "platform 'pocl', device 'cpu'". */
static void list_wish(const lcl_device_choice *choice, char *out, size_t size)
{
    bool platform = list_asked(choice->platform), device = list_asked(choice->device);

    snprintf(out, size, "%s%.64s%s%s%.64s%s", platform ? "platform '" : "",
             platform ? choice->platform : "", platform ? "'" : "",
             device ? (platform ? ", device '" : "device '") : "",
             device ? choice->device : "", device ? "'" : "");
}

static lcl_status list_no_match(const lcl_device_info *list, size_t n, const char *wish,
                                const lcl_device_info *unusable, lcl_error *err)
{
    lcl_text there = {0};
    lcl_status status;

    for (size_t i = 0; i < n; i++)
        lcl_text_printf(&there, "%s%d:%d %s (%s%s%s)", i ? "; " : "", list[i].platform,
                        list[i].device, list[i].name, lcl_device_kind(&list[i]),
                        list[i].usable ? "" : ", not usable: ", list[i].why_not);
    if (unusable)
        status = lcl_fail(err, LCL_ENODEVICE, NULL, "device %d:%d %s cannot be used: %s",
                          unusable->platform, unusable->device, unusable->name,
                          unusable->why_not);
    else if (wish[0])
        status =
            lcl_fail(err, LCL_ENODEVICE, NULL, "no OpenCL device matches %s; there %s %s",
                     wish, n == 1 ? "is" : "are", there.text);
    else
        status = lcl_fail(err, LCL_ENODEVICE, NULL, "no OpenCL device can be used: %s",
                          there.text);
    free(there.text);
    return lcl_hint(err, status,
                    "'lenet-cl devices' lists them all; one that is missing there needs "
                    "an OpenCL driver: " LIST_DRIVERS);
}

/* Why list[best] was taken out of n_matches usable ones. */
static void list_reason(const lcl_device_info *list, size_t n, size_t best,
                        const lcl_device_choice *choice, size_t n_matches,
                        size_t n_equals, const char *wish, char *reason, size_t size)
{
    const lcl_device_info *d = &list[best];
    bool preferred_missing =
        (choice->prefer == LCL_PREFER_CPU && !(d->type & CL_DEVICE_TYPE_CPU)) ||
        (choice->prefer == LCL_PREFER_GPU && !(d->type & CL_DEVICE_TYPE_GPU));
    const char *missing = choice->prefer == LCL_PREFER_CPU ? "CPU" : "GPU";
    char equals[48] = "";

    if (n_equals > 1)
        snprintf(equals, sizeof equals, ", the first of %zu", n_equals);
    if (wish[0])
        snprintf(reason, size, "asked for: %.90s%s", wish, equals);
    else if (n == 1)
        snprintf(reason, size, "the only device%s%s", preferred_missing ? "; no " : "",
                 preferred_missing ? missing : "");
    else if (preferred_missing)
        snprintf(reason, size, "no usable %s%s", missing, equals);
    else if (n_matches == 1)
        snprintf(reason, size, "the only usable device");
    else if (n_equals == n_matches)
        snprintf(reason, size, "the first of %zu alike", n_equals);
    else
        snprintf(reason, size, "%s preferred%s", lcl_device_kind(d), equals);
}

lcl_status lcl_device_choose(const lcl_device_info *list, size_t n,
                             const lcl_device_choice *choice, size_t *chosen,
                             char *reason, size_t reason_size, lcl_error *err)
{
    static const lcl_device_choice any = {0};
    const lcl_device_info *unusable = NULL;
    size_t best = SIZE_MAX, n_matches = 0, n_equals = 0;
    char wish[160];

    if (!choice)
        choice = &any;
    list_wish(choice, wish, sizeof wish);
    for (size_t i = 0; i < n; i++) {
        if (!list_platform_matches(&list[i], choice->platform) ||
            !list_device_matches(&list[i], choice))
            continue;
        if (!list[i].usable) {
            unusable = &list[i];
            continue;
        }
        int rank = list_rank(&list[i], choice->prefer);
        int best_rank =
            best == SIZE_MAX ? INT_MAX : list_rank(&list[best], choice->prefer);
        n_matches++;
        if (rank < best_rank)
            best = i, n_equals = 0;
        n_equals += rank <= best_rank;
    }
    if (best == SIZE_MAX)
        return list_no_match(list, n, wish, wish[0] ? unusable : NULL, err);
    *chosen = best;
    list_reason(list, n, best, choice, n_matches, n_equals, wish, reason, reason_size);
    return LCL_OK;
}
