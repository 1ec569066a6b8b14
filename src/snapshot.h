/* Snapshots: a net's parameters (.caffemodel) and a solver's history (.solverstate). */
#ifndef LCL_SNAPSHOT_H
#define LCL_SNAPSHOT_H

#include "lcl/net.h"
#include "update.h"

/* Where training is, beside the parameters and the history. */
typedef struct {
    int iteration, current_step;
} lcl_progress;

/* Fails where the solver of `source` asks for snapshots that cannot be written: no
 * prefix, a folder that is missing or not writable. */
lcl_status lcl_snapshot_check(const lcl_proto *source, lcl_error *err);

/* Writes <snapshot_prefix>_iter_N.caffemodel, then .solverstate, which names it; in HDF5
 * both end in .h5. Each file is the old one or the new one, never a part. */
lcl_status lcl_snapshot_write(lcl_net *net, const lcl_update *u, const lcl_proto *source,
                              lcl_progress progress, lcl_log *log, lcl_error *err);

/* Restores parameters and history. The model that the state names is looked for at its
 * path as it is written, then below the state's own folder. */
lcl_status lcl_snapshot_read(lcl_net *net, lcl_update *u, const char *path,
                             lcl_progress *progress, lcl_log *log, lcl_error *err);

#endif
