/* Finds the stored cases in a folder, on disk or in memory. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "text.h"

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Cases while they are found. */
typedef struct {
    char **list;
    size_t n;
} found_cases;

static bool is_case(const char *folder)
{
    char *path = lcl_format("%s/%s", folder, LCL_GOLDEN_LAYER);
    bool is = lcl_file_exists(path);

    free(path);
    return is;
}

static lcl_status find_on_disk(found_cases *found, const char *folder, lcl_error *err)
{
    DIR *dir = opendir(folder);

    if (!dir)
        return lcl_fail(err, LCL_EIO, folder, "cannot read the folder: %s",
                        strerror(errno));
    if (is_case(folder))
        lcl_list_add(&found->list, &found->n, lcl_strdup(folder));
    for (struct dirent *entry; (entry = readdir(dir));) {
        char *path = lcl_format("%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.' && is_case(path))
            lcl_list_add(&found->list, &found->n, path);
        else
            free(path);
    }
    closedir(dir);
    return LCL_OK;
}

/* <folder>/layer.prototxt and <folder>/<case>/layer.prototxt. */
static void find_in_memory(found_cases *found, const char *folder,
                           const lcl_golden_files *files)
{
    const size_t length = strlen(folder);

    for (size_t i = 0; i < files->n; i++) {
        const char *path = files->list[i].path;
        if (strncmp(path, folder, length) != 0 || path[length] != '/')
            continue;
        char *parent = lcl_dirname(path);
        const char *in = parent + length;
        if (strcmp(path + strlen(parent) + 1, LCL_GOLDEN_LAYER) == 0 &&
            (*in == '\0' || !strchr(in + 1, '/')))
            lcl_list_add(&found->list, &found->n, parent);
        else
            free(parent);
    }
}

lcl_status lcl_golden_list(char ***out, size_t *n_out, const char *folder,
                           const lcl_golden_files *files, lcl_error *err)
{
    found_cases found = {0};

    if (files)
        find_in_memory(&found, folder, files);
    else
        LCL_TRY(find_on_disk(&found, folder, err));
    if (found.n == 0)
        return lcl_fail(err, LCL_EIO, folder,
                        "no cases here: none of its folders has a " LCL_GOLDEN_LAYER);
    qsort(found.list, found.n, sizeof *found.list, by_name);
    *out = found.list;
    *n_out = found.n;
    return LCL_OK;
}
