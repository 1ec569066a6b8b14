/* The text of programs: cl/<file>.cl with what it includes, alone or several in one. */
#ifndef LCL_PROGRAM_SOURCE_H
#define LCL_PROGRAM_SOURCE_H

#include "text.h"

/* cl/<file>.cl as it is, from the folder LCL_CL_DIR where that has it, else from this build;
 * free(*out). `where` asked for it. */
lcl_status lcl_source_read(char **out, const char *file, const char *where,
                           lcl_error *err);

/* cl/lanes.cl, cl/<file>.cl and what they include, each file once, with #line marks so that
 * the compiler names our files and lines; free(*out). */
lcl_status lcl_source_expand(char **out, const char *file, lcl_error *err);

/* One program of a bundle. */
typedef struct {
    const char *text;     /* of lcl_source_expand, after its own #define lines */
    const char **kernels; /* those that are wanted */
    size_t n_kernels;
} lcl_bundled;

/* The name of kernel `name` of program `index` of a bundle; new string. */
char *lcl_bundle_name(const char *name, size_t index);

/* Several programs as one source: what program i declares at file scope gets a name of its
 * own, its macros end with it, and kernels that nobody wants are left out. New string. */
char *lcl_bundle_text(const lcl_bundled *programs, size_t n);

#endif
