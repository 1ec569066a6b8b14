/* Lists such as --only takes: "GROUP" or "GROUP/PART-OF-A-NAME" of what there is. */
#ifndef LCL_ONLY_H
#define LCL_ONLY_H

#include <stdbool.h>
#include <stddef.h>

#include "lcl/error.h"

typedef struct {
    char **list; /* see lcl_list_split; none: all */
    size_t n;
} lcl_only;

/* LCL_EUSAGE, with what was probably meant, where the list has a group that is not one of
 * the n names. */
lcl_status lcl_only_check(const lcl_only *only, const char *const *groups, size_t n,
                          lcl_error *err);
/* The list is empty or has something of the group. */
bool lcl_only_wants_group(const lcl_only *only, const char *group);
/* The same of `name` of the group, but true where the list has nothing of the group. */
bool lcl_only_wants(const lcl_only *only, const char *group, const char *name);
/* The list has `name` of the group by (part of) its name. */
bool lcl_only_names(const lcl_only *only, const char *group, const char *name);

#endif
