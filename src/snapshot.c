/* Writes and reads Caffe's snapshot files. */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hdf5_file.h"
#include "snapshot_hdf5.h"
#include "text.h"

/* ---- Before training --------------------------------------------------------------- */

/* Makes and removes a file beside the snapshots to come. */
static lcl_status probe_prefix(const lcl_proto *source, lcl_error *err)
{
    const Caffe__SolverParameter *p = (const void *)lcl_proto_root(source);
    char *path = lcl_format("%s_iter_0.tempfile-%ld", p->snapshot_prefix, (long)getpid());
    char *folder = lcl_dirname(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    lcl_status status = LCL_OK;

    if (fd >= 0) {
        close(fd);
        unlink(path);
    } else {
        status = lcl_proto_fail(source, p, "snapshot_prefix", err, LCL_EIO,
                                "Cannot write to snapshot prefix '%s': %s",
                                p->snapshot_prefix, strerror(errno));
        lcl_hint(err, status,
                 "make sure that the directory exists and is writable: mkdir -p %s",
                 folder);
    }
    free(folder);
    free(path);
    return status;
}

lcl_status lcl_snapshot_check(const lcl_proto *source, lcl_error *err)
{
    const Caffe__SolverParameter *p = (const void *)lcl_proto_root(source);

    if (p->snapshot <= 0 && !p->snapshot_after_train)
        return LCL_OK;
    if (p->snapshot_prefix)
        return probe_prefix(source, err);
    if (p->snapshot <= 0)
        return LCL_OK;
    return lcl_proto_fail(
        source, p, "snapshot", err, LCL_EPROTO,
        "In solver params, snapshot is specified but snapshot_prefix is "
        "not");
}

/* ---- Writing ----------------------------------------------------------------------- */

/* A blob message of the parameter's shape with the values of `history`, the whole buffer.
 */
static Caffe__BlobProto *history_proto(const lcl_net_param *param, const float *history)
{
    Caffe__BlobProto *blob = lcl_proto_new(&caffe__blob_proto__descriptor);
    size_t count = lcl_blob_count(param->blob);
    size_t n_axes = (size_t)param->blob->n_axes;

    blob->shape = lcl_proto_new(&caffe__blob_shape__descriptor);
    blob->shape->n_dim = n_axes;
    blob->shape->dim = lcl_alloc(n_axes, sizeof *blob->shape->dim);
    for (size_t i = 0; i < n_axes; i++)
        blob->shape->dim[i] = param->blob->shape[i];
    blob->n_data = count;
    blob->data = lcl_alloc(count, sizeof *blob->data);
    memcpy(blob->data, history + param->offset, count * sizeof *blob->data);
    return blob;
}

/* Adds the u-th history of all parameters to the state. */
static lcl_status add_history(Caffe__SolverState *state, const lcl_net *net,
                              cl_mem buffer, lcl_error *err)
{
    size_t count = lcl_net_param_count(net), n = lcl_net_n_params(net);
    float *values = lcl_alloc(count, sizeof *values);
    lcl_status status = lcl_buffer_read(lcl_net_device(net), buffer, 0,
                                        count * sizeof *values, values, err);

    if (status == LCL_OK) {
        state->history =
            lcl_resize(state->history, state->n_history + n, sizeof *state->history);
        for (size_t i = 0; i < n; i++)
            state->history[state->n_history++] =
                history_proto(lcl_net_param_at(net, i), values);
    }
    free(values);
    return status;
}

static lcl_status write_state(const lcl_net *net, const lcl_update *u,
                              lcl_progress progress, const char *model_path, bool hdf5,
                              const char *path, lcl_error *err)
{
    Caffe__SolverState *state = lcl_proto_new(&caffe__solver_state__descriptor);
    lcl_status status = LCL_OK;

    state->has_iter = true;
    state->iter = progress.iteration;
    state->has_current_step = true;
    state->current_step = progress.current_step;
    state->learned_net = lcl_strdup(model_path);
    if (lcl_net_n_params(net) > 0)
        for (size_t i = 0; i < lcl_update_n_histories(u) && status == LCL_OK; i++)
            status = add_history(state, net, lcl_update_history(u, i), err);
    if (status == LCL_OK)
        status = hdf5 ? lcl_state_write_hdf5(state, path, err)
                      : lcl_proto_write(&state->base, path, err);
    lcl_proto_free(&state->base);
    return status;
}

lcl_status lcl_snapshot_write(lcl_net *net, const lcl_update *u, const lcl_proto *source,
                              lcl_progress progress, lcl_log *log, lcl_error *err)
{
    const Caffe__SolverParameter *p = (const void *)lcl_proto_root(source);

    bool hdf5 = p->snapshot_format == CAFFE__SOLVER_PARAMETER__SNAPSHOT_FORMAT__HDF5;
    const char *prefix = p->snapshot_prefix ? p->snapshot_prefix : "";
    const char *suffix = hdf5 ? ".h5" : "", *kind = hdf5 ? "HDF5" : "binary proto";
    char *model =
        lcl_format("%s_iter_%d.caffemodel%s", prefix, progress.iteration, suffix);
    char *state =
        lcl_format("%s_iter_%d.solverstate%s", prefix, progress.iteration, suffix);

    LCL_LOG(log, "Snapshotting to %s file %s", kind, model);
    lcl_status status = hdf5 ? lcl_net_save_hdf5(net, p->snapshot_diff, model, err)
                             : lcl_net_save(net, p->snapshot_diff, model, err);
    if (status == LCL_OK) {
        LCL_LOG(log, "Snapshotting solver state to %s file %s", kind, state);
        status = write_state(net, u, progress, model, hdf5, state, err);
    }
    free(model);
    free(state);
    return status;
}

/* ---- Reading ----------------------------------------------------------------------- */

static lcl_status refuse_name(const char *path, lcl_error *err)
{
    if (lcl_has_suffix(path, ".caffemodel") || lcl_has_suffix(path, ".caffemodel.h5")) {
        lcl_fail(err, LCL_EPROTO, path,
                 "a .caffemodel holds weights, not the state to resume from");
        return lcl_hint(
            err, LCL_EPROTO,
            "resume with --snapshot X.solverstate, or start from these weights "
            "with --weights");
    }
    return LCL_OK;
}

/* The model's path as written, below the state's folder, or beside the state; new string,
 * or NULL where there is no such file. */
static char *find_model(const char *state_path, const char *model)
{
    const char *slash = strrchr(model, '/');
    char *folder = lcl_dirname(state_path);
    char *tries[] = {lcl_strdup(model), lcl_path_join(folder, model),
                     lcl_path_join(folder, slash ? slash + 1 : model)};
    char *found = NULL;

    for (size_t i = 0; i < LCL_COUNT(tries); i++) {
        if (!found && lcl_file_exists(tries[i]))
            found = tries[i];
        else
            free(tries[i]);
    }
    free(folder);
    return found;
}

static lcl_status load_model(lcl_net *net, const char *path, const char *model,
                             lcl_error *err)
{
    char *found = find_model(path, model);

    if (!found) {
        lcl_fail(err, LCL_EIO, path,
                 "the model '%s' that this state belongs to is missing", model);
        return lcl_hint(err, LCL_EIO,
                        "looked in the working directory and in the state's folder");
    }
    lcl_status status = lcl_net_load(net, found, err);
    free(found);
    return status;
}

/* True where the shapes are equal but for leading ones, as old files have them. */
static bool same_shape(const lcl_blob *blob, const int *shape, int n_axes)
{
    int a = 0, b = 0;

    while (a < blob->n_axes && blob->shape[a] == 1)
        a++;
    while (b < n_axes && shape[b] == 1)
        b++;
    if (blob->n_axes - a != n_axes - b)
        return false;
    for (; a < blob->n_axes; a++, b++)
        if (blob->shape[a] != shape[b])
            return false;
    return true;
}

/* Copies one blob of the state to its parameter's place in `history`. */
static lcl_status copy_history(const Caffe__BlobProto *blob, const lcl_net_param *param,
                               const char *path, float *history, lcl_error *err)
{
    int n_axes, shape[LCL_MAX_AXES];
    const float *values;
    float *owned = NULL;
    size_t count;
    char wanted[256];

    LCL_TRY(lcl_blob_proto_shape(blob, &n_axes, shape, err));
    LCL_TRY(lcl_blob_proto_values(blob, false, &values, &count, &owned, err));
    lcl_blob_shape_text(param->blob, wanted, sizeof wanted);
    lcl_status status = LCL_OK;
    if (!same_shape(param->blob, shape, n_axes) || count != lcl_blob_count(param->blob))
        status = lcl_fail(err, LCL_ESHAPE, path,
                          "the history of parameter %d of layer '%s' has another shape "
                          "(%zu values) than the net's: %s",
                          param->index, param->layer, count, wanted);
    else
        memcpy(history + param->offset, values, count * sizeof *history);
    free(owned);
    return status;
}

/* Restores the i-th history of all parameters. */
static lcl_status read_history(const Caffe__SolverState *state, const lcl_net *net,
                               const lcl_update *u, size_t i, const char *path,
                               lcl_error *err)
{
    size_t count = lcl_net_param_count(net), n = lcl_net_n_params(net);
    float *history = lcl_alloc(count, sizeof *history);
    lcl_status status = LCL_OK;

    for (size_t k = 0; k < n && status == LCL_OK; k++)
        status = copy_history(state->history[i * n + k], lcl_net_param_at(net, k), path,
                              history, err);
    if (status == LCL_OK)
        status = lcl_buffer_write(lcl_net_device(net), lcl_update_history(u, i), 0,
                                  count * sizeof *history, history, err);
    free(history);
    return status;
}

static lcl_status check_state(const Caffe__SolverState *state, const lcl_net *net,
                              const lcl_update *u, const char *path, lcl_error *err)
{
    size_t wanted = lcl_net_n_params(net) * lcl_update_n_histories(u);

    if (!state->has_iter || state->iter < 0) {
        lcl_fail(err, LCL_EPROTO, path, "this is not a solver state");
        return lcl_hint(err, LCL_EPROTO,
                        "--snapshot wants a .solverstate; weights go to --weights");
    }
    if (state->n_history == wanted)
        return LCL_OK;
    lcl_fail(
        err, LCL_EPROTO, path,
        "Incorrect length of history blobs: the state has %zu, the net and solver type "
        "need %zu",
        state->n_history, wanted);
    return lcl_hint(err, LCL_EPROTO,
                    "it was written for another net or another solver type");
}

static lcl_status restore(const Caffe__SolverState *state, lcl_net *net, lcl_update *u,
                          const char *path, lcl_log *log, lcl_error *err)
{
    LCL_TRY(check_state(state, net, u, path, err));
    if (state->learned_net && state->learned_net[0])
        LCL_TRY(load_model(net, path, state->learned_net, err));
    LCL_LOG(log, "SGDSolver: restoring history");
    for (size_t i = 0; state->n_history > 0 && i < lcl_update_n_histories(u); i++)
        LCL_TRY(read_history(state, net, u, i, path, err));
    return LCL_OK;
}

lcl_status lcl_snapshot_read(lcl_net *net, lcl_update *u, const char *path,
                             lcl_progress *progress, lcl_log *log, lcl_error *err)
{
    lcl_proto *document;

    LCL_TRY(refuse_name(path, err));
    if (lcl_hdf5_is(path) || lcl_has_suffix(path, ".h5"))
        LCL_TRY(lcl_state_read_hdf5(&document, path, err));
    else
        LCL_TRY(lcl_proto_read_binary(&document, &caffe__solver_state__descriptor, path,
                                      err));
    const Caffe__SolverState *state = (const void *)lcl_proto_root(document);
    lcl_status status = restore(state, net, u, path, log, err);
    if (status == LCL_OK)
        *progress = (lcl_progress){state->iter, state->current_step};
    lcl_proto_destroy(document);
    return status;
}
