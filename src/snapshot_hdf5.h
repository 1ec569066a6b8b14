/* A solver's state in Caffe's HDF5 form: iter, learned_net, current_step, /history/<i>. */
#ifndef LCL_SNAPSHOT_HDF5_H
#define LCL_SNAPSHOT_HDF5_H

#include "lcl/proto.h"

/* As the document that a binary state is. */
lcl_status lcl_state_read_hdf5(lcl_proto **out, const char *path, lcl_error *err);
lcl_status lcl_state_write_hdf5(const Caffe__SolverState *state, const char *path,
                                lcl_error *err);

#endif
