/* Solver states between their message and HDF5. */
#include "snapshot_hdf5.h"

#include <stdlib.h>

#include "hdf5_file.h"
#include "text.h"

/* ---- Reading ----------------------------------------------------------------------- */

/* Takes the array's values. */
static Caffe__BlobProto *blob_of(const lcl_hdf5_array *a)
{
    Caffe__BlobProto *blob = lcl_proto_new(&caffe__blob_proto__descriptor);

    blob->shape = lcl_proto_new(&caffe__blob_shape__descriptor);
    blob->shape->n_dim = (size_t)a->n_axes;
    blob->shape->dim = lcl_alloc(blob->shape->n_dim, sizeof *blob->shape->dim);
    for (int i = 0; i < a->n_axes; i++)
        blob->shape->dim[i] = a->shape[i];
    blob->n_data = a->count;
    blob->data = a->values;
    return blob;
}

static lcl_status read_history(const lcl_hdf5 *file, Caffe__SolverState *state,
                               lcl_error *err)
{
    char **names;
    size_t n;
    lcl_status status = LCL_OK;

    LCL_TRY(lcl_hdf5_list(file, "history", &names, &n, err));
    lcl_list_free(names, n);
    state->history = lcl_alloc(n, sizeof *state->history);
    while (state->n_history < n && status == LCL_OK) {
        char *name = lcl_format("history/%zu", state->n_history);
        lcl_hdf5_array a;
        status = lcl_hdf5_read(file, name, &a, err);
        if (status == LCL_OK)
            state->history[state->n_history++] = blob_of(&a);
        free(name);
    }
    return status;
}

static lcl_status read_state(const lcl_hdf5 *file, Caffe__SolverState *state,
                             lcl_error *err)
{
    int iteration = 0, step = 0;

    LCL_TRY(lcl_hdf5_read_int(file, "iter", &iteration, err));
    LCL_TRY(lcl_hdf5_read_int(file, "current_step", &step, err));
    state->has_iter = state->has_current_step = true;
    state->iter = iteration;
    state->current_step = step;
    if (lcl_hdf5_has(file, "learned_net"))
        LCL_TRY(lcl_hdf5_read_string(file, "learned_net", &state->learned_net, err));
    return read_history(file, state, err);
}

lcl_status lcl_state_read_hdf5(lcl_proto **out, const char *path, lcl_error *err)
{
    lcl_hdf5 *file;

    LCL_TRY(lcl_hdf5_open(&file, path, err));
    Caffe__SolverState *state = lcl_proto_new(&caffe__solver_state__descriptor);
    lcl_status status = read_state(file, state, err);
    lcl_hdf5_close(file);
    if (status == LCL_OK)
        *out = lcl_proto_adopt(&state->base, path);
    else
        lcl_proto_free(&state->base);
    return status;
}

/* ---- Writing ----------------------------------------------------------------------- */

static lcl_status add_history(lcl_hdf5 *file, const Caffe__BlobProto *blob, size_t i,
                              lcl_error *err)
{
    int n_axes, shape[LCL_HDF5_MAX_AXES];

    LCL_TRY(lcl_blob_proto_shape(blob, &n_axes, shape, err));
    char *name = lcl_format("history/%zu", i);
    lcl_status status = lcl_hdf5_add(file, name, n_axes, shape, blob->data, err);
    free(name);
    return status;
}

static lcl_status write_state(lcl_hdf5 *file, const Caffe__SolverState *state,
                              lcl_error *err)
{
    LCL_TRY(lcl_hdf5_add_int(file, "iter", state->iter, err));
    LCL_TRY(lcl_hdf5_add_string(file, "learned_net", state->learned_net, err));
    LCL_TRY(lcl_hdf5_add_int(file, "current_step", state->current_step, err));
    LCL_TRY(lcl_hdf5_add_group(file, "history", err));
    for (size_t i = 0; i < state->n_history; i++)
        LCL_TRY(add_history(file, state->history[i], i, err));
    return lcl_hdf5_save(file, err);
}

lcl_status lcl_state_write_hdf5(const Caffe__SolverState *state, const char *path,
                                lcl_error *err)
{
    lcl_hdf5 *file;

    LCL_TRY(lcl_hdf5_create(&file, path, err));
    lcl_status status = write_state(file, state, err);
    lcl_hdf5_close(file);
    return status;
}
