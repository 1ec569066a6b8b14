/* A folder for the files of a run, removed with all that is in it. */
#ifndef LCL_BENCH_FOLDER_H
#define LCL_BENCH_FOLDER_H

#include "bench/bench.h"

/* Makes b->folder on first use. */
lcl_status lcl_bench_folder(lcl_bench *b, lcl_error *err);
/* Removes a folder and everything in it, as far as that can be done. */
void lcl_bench_remove_folder(const char *folder);

#endif
