/* A folder for the files of a run, removed with all that is in it. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "bench/folder.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

lcl_status lcl_bench_folder(char **folder, lcl_error *err)
{
    const char *parent = getenv("TMPDIR");

    if (*folder)
        return LCL_OK;
    char *made = lcl_format("%s/lenet-cl-XXXXXX", parent && *parent ? parent : "/tmp");
    if (!mkdtemp(made)) {
        lcl_status status =
            lcl_fail(err, LCL_EIO, made, "cannot make a folder: %s", strerror(errno));
        free(made);
        return status;
    }
    *folder = made;
    return LCL_OK;
}

static int remove_one(const char *path, const struct stat *info, int kind,
                      struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    remove(path);
    return 0;
}

void lcl_bench_remove_folder(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
