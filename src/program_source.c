/* Reads kernel files: those of the folder LCL_CL_DIR, where set, come before those that this
 * build carries. */
#include "program_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.inc"

#define SOURCE_LIMIT ((size_t)1 << 24)
#define SOURCE_MAX_FILES 16 /* of one program */

/* cl/<file>.cl out of the folder LCL_CL_DIR; *out stays NULL where it has none. */
static lcl_status source_read_folder(char **out, const char *folder, const char *file,
                                     lcl_error *err)
{
    char *path = lcl_format("%s/%s.cl", folder, file);
    lcl_status status = LCL_OK;

    if (!lcl_file_exists(folder)) {
        status = lcl_fail(err, LCL_EIO, folder, "no folder of this name (LCL_CL_DIR)");
        lcl_hint(err, status, "unset LCL_CL_DIR to use the kernels of this build");
    } else if (lcl_file_exists(path)) {
        status = lcl_file_read(out, NULL, path, SOURCE_LIMIT, err);
    }
    free(path);
    return status;
}

lcl_status lcl_source_read(char **out, const char *file, const char *where,
                           lcl_error *err)
{
    const char *folder = getenv("LCL_CL_DIR");

    *out = NULL;
    if (folder && folder[0] != '\0')
        LCL_TRY(source_read_folder(out, folder, file, err));
    for (size_t i = 0; !*out && i < LCL_COUNT(embedded_kernels); i++)
        if (strcmp(embedded_kernels[i].name, file) == 0)
            *out = lcl_strdup((const char *)embedded_kernels[i].bytes);
    return *out ? LCL_OK
                : lcl_fail(err, LCL_EDEVICE, where,
                           "this build has no kernel file cl/%s.cl", file);
}

/* A program's text while it is put together. */
typedef struct {
    lcl_text text;
    char files[SOURCE_MAX_FILES][64];
    int n_files;
} source_text;

/* The name in a line `#include "name.cl"`; false where the line is another one. */
static bool source_include(const char *line, char name[64])
{
    return line[0] == '#' && sscanf(line, "# include \"%63[A-Za-z0-9_].cl\"", name) == 1;
}

/* Appends cl/<file>.cl and what it includes, each file once, with #line marks so that the
 * compiler names our files and lines. `where` asked for it. */
static lcl_status source_add_file(source_text *t, const char *file, const char *where,
                                  lcl_error *err)
{
    char *source = NULL, name[64], place[96];
    lcl_status status = LCL_OK;
    int number = 1;

    for (int i = 0; i < t->n_files; i++)
        if (strcmp(t->files[i], file) == 0)
            return LCL_OK;
    if (t->n_files == SOURCE_MAX_FILES)
        return lcl_fail(err, LCL_EDEVICE, where, "more than %d files in one program",
                        SOURCE_MAX_FILES);
    snprintf(t->files[t->n_files++], sizeof t->files[0], "%s", file);
    LCL_TRY(lcl_source_read(&source, file, where, err));

    lcl_text_printf(&t->text, "#line 1 \"cl/%s.cl\"\n", file);
    for (char *line = source, *end; *line && status == LCL_OK; line = end, number++) {
        end = line + strcspn(line, "\n");
        end += *end == '\n';
        if (source_include(line, name)) {
            snprintf(place, sizeof place, "cl/%.63s.cl:%d", file, number);
            status = source_add_file(t, name, place, err);
            lcl_text_printf(&t->text, "#line %d \"cl/%s.cl\"\n", number + 1, file);
        } else {
            lcl_text_add_bytes(&t->text, line, (size_t)(end - line));
        }
    }
    lcl_text_add(&t->text, "\n");
    free(source);
    return status;
}

lcl_status lcl_source_expand(char **out, const char *file, lcl_error *err)
{
    source_text t = {0};
    lcl_status status = source_add_file(&t, "lanes", NULL, err);

    if (status == LCL_OK)
        status = source_add_file(&t, file, NULL, err);
    if (status != LCL_OK) {
        free(t.text.text);
        return status;
    }
    *out = t.text.text;
    return LCL_OK;
}
