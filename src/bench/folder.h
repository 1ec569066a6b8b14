/* A folder for the files of a run, removed with all that is in it. */
#ifndef LCL_BENCH_FOLDER_H
#define LCL_BENCH_FOLDER_H

#include "lcl/error.h"

/* Makes one where *folder is NULL; free(*folder). */
lcl_status lcl_bench_folder(char **folder, lcl_error *err);
/* Removes a folder and everything in it, as far as that can be done. */
void lcl_bench_remove_folder(const char *folder);

#endif
