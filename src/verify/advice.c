/* What to do about checks that failed. */
#include "verify/advice.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

/* Checks of a device that are one row of the report. */
typedef struct {
    const lcl_verify_device *device;
    const lcl_verify_check *checks;
    size_t n;
} row;

static row row_at(const lcl_verify_device *device, size_t first)
{
    return (row){device, &device->checks[first], lcl_verify_row_length(device, first)};
}

static bool in_group(const row *r, const char *group)
{
    return strcmp(r->checks->group, group) == 0;
}

static bool row_failed(const row *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (lcl_verify_failed(&r->checks[i]))
            return true;
    return false;
}

/* ---- Ways round -------------------------------------------------------------------- */

/* Some checks of the row, that `is` tells, failed, and all others, of which there are some,
 * passed. */
static bool only_these_failed(const row *r, bool (*is)(const lcl_verify_check *check))
{
    size_t n_others = 0;

    for (size_t i = 0; i < r->n; i++) {
        if (is(&r->checks[i]))
            continue;
        if (!lcl_verify_passed(&r->checks[i]))
            return false;
        n_others++;
    }
    return n_others > 0;
}

static bool is_transformed(const lcl_verify_check *check)
{
    return !check->mode.direct;
}
static bool without_winograd(const row *r)
{
    return only_these_failed(r, is_transformed);
}

static bool is_fused(const lcl_verify_check *check)
{
    return check->mode.fused;
}
/* A row of nothing but fused layers compares them with the same by themselves. */
static bool without_fusion(const row *r)
{
    bool all = in_group(r, "nets");

    for (size_t i = 0; i < r->n; i++)
        all = all && is_fused(&r->checks[i]);
    return all || only_these_failed(r, is_fused);
}

static bool is_blocked(const lcl_verify_check *check)
{
    return check->mode.block > 1;
}
static bool without_blocks(const row *r)
{
    return only_these_failed(r, is_blocked);
}

/* The row is of one backend, and all rows of the other one passed. */
static bool with_other_gemm(const row *r, const char *wrong, const char *right)
{
    size_t n_right = 0;

    if (!in_group(r, "gemm") || strncmp(r->checks->row, wrong, strlen(wrong)) != 0)
        return false;
    for (size_t i = 0; i < r->device->n_checks; i++) {
        const lcl_verify_check *c = &r->device->checks[i];
        if (strcmp(c->group, "gemm") != 0 || strncmp(c->row, right, strlen(right)) != 0)
            continue;
        if (!lcl_verify_passed(c))
            return false;
        n_right++;
    }
    return n_right > 0;
}

static bool with_own_gemm(const row *r)
{
    return with_other_gemm(r, "clblast", "own");
}
static bool with_clblast(const row *r)
{
    return with_other_gemm(r, "own", "clblast");
}

static bool without_records(const row *r)
{
    return in_group(r, "data");
}

/* In the order of preference; a failed row is put down to the first that avoids it. */
static const struct {
    bool (*avoids)(const row *r);
    const char *setting, *why;
} remedies[] = {
    {with_own_gemm, "--gemm own", "our own matrix products are right, CLBlast's are not"},
    {with_clblast, "--gemm clblast",
     "CLBlast's matrix products are right, our own are not"},
    {without_winograd, "LCL_WINOGRAD=0",
     "convolutions are right without Winograd's transforms, only slower"},
    {without_fusion, "LCL_FUSE=0",
     "layers are right one by one, only slower, but not fused"},
    {without_records, "--resident off", "batches are right that the host makes"},
    {without_blocks, "LCL_BLOCK=1",
     "results are right image by image, only slower, but not in blocks of images"},
};

/* ---- Advice ------------------------------------------------------------------------ */

/* Sentences while they are put together. */
typedef struct {
    char **list;
    size_t n;
} advice;

static void add(advice *a, char *text)
{
    lcl_list_add(&a->list, &a->n, text);
}

static void add_name(lcl_text *names, const row *r)
{
    lcl_text_printf(names, "%s%s", names->length ? ", " : "", r->checks->row);
}

static void advise_setting(advice *a, size_t i, const char *names)
{
    add(a, lcl_format("%s: %s (%s). Run verify again with it: what still fails is "
                      "something else",
                      remedies[i].setting, remedies[i].why, names));
}

static void advise_update(advice *a, const lcl_verify_device *d, const char *names)
{
    char *update =
        lcl_format("pdate the driver, which is %s %s, or choose another device "
                   "(lenet-cl devices)",
                   d->info.platform_name, d->info.driver);

    add(a, a->n ? lcl_format("What then still fails of %s: u%s", names, update)
                : lcl_format("No setting avoids the failures of %s. U%s", names, update));
    free(update);
}

static void advise_environment(advice *a)
{
    const char *folder = getenv("LCL_CL_DIR"), *cache = getenv("LCL_CACHE");

    if (folder && *folder)
        add(a, lcl_format("LCL_CL_DIR is set: the kernels of %s were verified, not those "
                          "of this build. Unset it",
                          folder));
    if (!cache || strcmp(cache, "0") != 0)
        add(a,
            lcl_strdup("LCL_CACHE=0 rules out that compiled kernels, kept from earlier "
                       "runs, are to blame"));
}

/* Puts every failed row down to a remedy, to none, or to what gives other bits each time. */
char **lcl_verify_advice(const lcl_verify_device *d, size_t *n)
{
    lcl_text avoided[LCL_COUNT(remedies)] = {0}, rest = {0};
    bool differs = false;
    advice a = {0};

    for (size_t i = 0; i < d->n_checks; i += lcl_verify_row_length(d, i)) {
        const row r = row_at(d, i);
        size_t k = 0;
        if (!row_failed(&r))
            continue;
        if (in_group(&r, "repeats")) {
            differs = true;
            continue;
        }
        while (k < LCL_COUNT(remedies) && !remedies[k].avoids(&r))
            k++;
        add_name(k < LCL_COUNT(remedies) ? &avoided[k] : &rest, &r);
    }
    for (size_t k = 0; k < LCL_COUNT(remedies); k++)
        if (avoided[k].length)
            advise_setting(&a, k, avoided[k].text);
    if (rest.length)
        advise_update(&a, d, rest.text);
    if (differs)
        add(&a, lcl_strdup("The same work gave other bits the second time: a race in the "
                           "driver, or faulty hardware. Update the driver; test the "
                           "memory"));
    if (a.n)
        advise_environment(&a);
    for (size_t k = 0; k < LCL_COUNT(remedies); k++)
        free(avoided[k].text);
    free(rest.text);
    *n = a.n;
    return a.list;
}
