/* Lists such as --only takes: "GROUP" or "GROUP/PART-OF-A-NAME" of what there is. */
#include "only.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

/* True where `item` is "GROUP" or "GROUP/..." of this group. */
static bool names_group(const char *item, const char *group)
{
    size_t length = strlen(group);

    return strncmp(item, group, length) == 0 &&
           (item[length] == '\0' || item[length] == '/');
}

static lcl_status unknown_group(const char *item, const char *const *groups, size_t n,
                                lcl_error *err)
{
    lcl_text list = {0};

    for (size_t i = 0; i < n; i++)
        lcl_text_printf(&list, "%s%s", i ? ", " : "", groups[i]);
    char *group = lcl_format("%.*s", (int)strcspn(item, "/"), item);
    const char *near = lcl_nearest(group, groups, n);
    lcl_status status =
        lcl_fail(err, LCL_EUSAGE, "--only", "there is no group '%s'", group);
    status = near ? lcl_hint(err, status, "did you mean '%s'?", near)
                  : lcl_hint(err, status, "the groups are %s", list.text);
    free(group);
    free(list.text);
    return status;
}

lcl_status lcl_only_check(const lcl_only *only, const char *const *groups, size_t n,
                          lcl_error *err)
{
    for (size_t i = 0; i < only->n; i++) {
        bool found = false;
        for (size_t g = 0; g < n && !found; g++)
            found = names_group(only->list[i], groups[g]);
        if (!found)
            return unknown_group(only->list[i], groups, n, err);
    }
    return LCL_OK;
}

bool lcl_only_wants_group(const lcl_only *only, const char *group)
{
    for (size_t i = 0; i < only->n; i++)
        if (names_group(only->list[i], group))
            return true;
    return only->n == 0;
}

bool lcl_only_names(const lcl_only *only, const char *group, const char *name)
{
    for (size_t i = 0; i < only->n; i++) {
        const char *slash = strchr(only->list[i], '/');
        if (slash && names_group(only->list[i], group) && strstr(name, slash + 1))
            return true;
    }
    return false;
}

bool lcl_only_wants(const lcl_only *only, const char *group, const char *name)
{
    bool all = true;

    for (size_t i = 0; i < only->n; i++) {
        if (!names_group(only->list[i], group))
            continue;
        if (!strchr(only->list[i], '/'))
            return true;
        all = false;
    }
    return all || lcl_only_names(only, group, name);
}
