/* HDF5Data: top i is the data set of its name, batch after batch, in the HDF5 files that a
 * list names, round and round. Rows are those of axis 0. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "feed.h"
#include "hdf5_file.h"
#include "rng.h"
#include "text.h"

typedef struct {
    char **paths; /* of the files; owned, as all below */
    size_t n_paths, path;
    lcl_hdf5_array *sets; /* of the current file, one a top */
    size_t n_rows, row;
    size_t *files, *rows; /* the order in which they are taken */
    lcl_rng rng;
    bool shuffle;
    lcl_feed *feed;
} state;

/* ---- Files ------------------------------------------------------------------------- */

/* As written, or, where there is no such file, beside the list. */
static char *find_file(const char *list, const char *name)
{
    char *folder = lcl_dirname(list), *beside = lcl_path_join(folder, name);
    bool here = lcl_file_exists(name) || !lcl_file_exists(beside);

    free(folder);
    if (here) {
        free(beside);
        beside = lcl_strdup(name);
    }
    return beside;
}

static lcl_status read_list(state *st, const char *list, lcl_error *err)
{
    char *text, *end;
    size_t size;

    LCL_TRY(lcl_file_read(&text, &size, list, 1 << 26, err));
    for (char *at = text; *at; at = end) {
        while (isspace((unsigned char)*at))
            at++;
        for (end = at; *end && !isspace((unsigned char)*end);)
            end++;
        if (end == at)
            break;
        char *name = lcl_format("%.*s", (int)(end - at), at);
        lcl_list_add(&st->paths, &st->n_paths, find_file(list, name));
        free(name);
    }
    free(text);
    return LCL_OK;
}

static void free_sets(const lcl_layer *l)
{
    state *st = l->state;

    for (int i = 0; i < l->n_tops && st->sets; i++) {
        free(st->sets[i].values);
        st->sets[i].values = NULL;
    }
}

/* Reads the data set of each top. */
static lcl_status read_sets(const lcl_layer *l, const char *path, lcl_error *err)
{
    state *st = l->state;
    lcl_hdf5 *file;

    LCL_TRY(lcl_hdf5_open(&file, path, err));
    lcl_status status = LCL_OK;
    for (int i = 0; i < l->n_tops && status == LCL_OK; i++)
        status = lcl_hdf5_read(file, l->param->top[i], &st->sets[i], err);
    lcl_hdf5_close(file);
    return status;
}

static lcl_status check_sets(const lcl_layer *l, const char *path, lcl_error *err)
{
    state *st = l->state;

    for (int i = 0; i < l->n_tops; i++) {
        const lcl_hdf5_array *set = &st->sets[i];
        if (set->n_axes == 0 || set->count == 0)
            return lcl_fail(err, LCL_EDATA, path, "data set '%s' has no rows",
                            l->param->top[i]);
        if (set->shape[0] != st->sets[0].shape[0])
            return lcl_fail(
                err, LCL_EDATA, path, "data set '%s' has %d rows, but '%s' has %d",
                l->param->top[i], set->shape[0], l->param->top[0], st->sets[0].shape[0]);
    }
    return LCL_OK;
}

static size_t *in_order(size_t *numbers, size_t n)
{
    numbers = lcl_resize(numbers, n, sizeof *numbers);
    for (size_t i = 0; i < n; i++)
        numbers[i] = i;
    return numbers;
}

/* Goes to the first row of file number st->path. */
static lcl_status load_file(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    const char *path = st->paths[st->files[st->path]];

    free_sets(l);
    LCL_TRY(read_sets(l, path, err));
    LCL_TRY(check_sets(l, path, err));
    st->n_rows = (size_t)st->sets[0].shape[0];
    st->row = 0;
    st->rows = in_order(st->rows, st->n_rows);
    if (st->shuffle)
        lcl_rng_shuffle(&st->rng, st->rows, st->n_rows);
    return LCL_OK;
}

/* ---- On the feed's thread ---------------------------------------------------------- */

/* Files after the first must have rows of the tops' shapes. */
static lcl_status check_rows(const lcl_layer *l, lcl_error *err)
{
    const state *st = l->state;

    for (int i = 0; i < l->n_tops; i++) {
        const lcl_hdf5_array *set = &st->sets[i];
        const lcl_blob *top = l->tops[i];
        if (set->n_axes != top->n_axes ||
            memcmp(set->shape + 1, top->shape + 1,
                   (size_t)(set->n_axes - 1) * sizeof *set->shape) != 0)
            return lcl_fail(err, LCL_EDATA, st->paths[st->files[st->path]],
                            "rows of data set '%s' have another shape than in %s",
                            l->param->top[i], st->paths[st->files[0]]);
    }
    return LCL_OK;
}

static lcl_status go_to_next_row(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;

    if (++st->row < st->n_rows)
        return LCL_OK;
    if (st->n_paths > 1) {
        if (++st->path == st->n_paths) {
            st->path = 0;
            if (st->shuffle)
                lcl_rng_shuffle(&st->rng, st->files, st->n_paths);
        }
        LCL_TRY(load_file(l, err));
        return check_rows(l, err);
    }
    st->row = 0;
    if (st->shuffle)
        lcl_rng_shuffle(&st->rng, st->rows, st->n_rows);
    return LCL_OK;
}

static lcl_status pass_rows(lcl_layer *l, size_t n, lcl_error *err)
{
    for (; n > 0; n--)
        LCL_TRY(go_to_next_row(l, err));
    return LCL_OK;
}

static lcl_status fill(lcl_layer *l, float *const *values, lcl_error *err)
{
    state *st = l->state;
    size_t n = l->param->hdf5_data_param->batch_size;

    for (size_t k = 0; k < n; k++) {
        for (int i = 0; i < l->n_tops; i++) {
            size_t count = lcl_blob_image_count(l->tops[i]);
            memcpy(values[i] + k * count, st->sets[i].values + st->rows[st->row] * count,
                   count * sizeof(float));
        }
        LCL_TRY(pass_rows(l, 1 + l->env->n_others, err));
    }
    return LCL_OK;
}

/* ---- The layer --------------------------------------------------------------------- */

static lcl_status setup(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    const Caffe__HDF5DataParameter *p = l->param->hdf5_data_param;

    if (!p || !p->source || !*p->source)
        return lcl_layer_fail(l, p, NULL, err, LCL_EPROTO,
                              "hdf5_data_param has no source");
    if (!p->batch_size || p->batch_size > INT32_MAX)
        return lcl_layer_fail(l, p, "batch_size", err, LCL_EPROTO,
                              "batch_size must be a number from 1");
    if (l->param->transform_param)
        return lcl_layer_fail(l, l->param, "transform_param", err, LCL_EPROTO,
                              "does not transform data");
    LCL_LOG(l->env->log, "Loading list of HDF5 filenames from: %s", p->source);
    LCL_TRY(read_list(st, p->source, err));
    LCL_LOG(l->env->log, "Number of HDF5 files: %zu", st->n_paths);
    if (!st->n_paths)
        return lcl_fail(err, LCL_EDATA, p->source, "the list names no HDF5 file");
    st->shuffle = p->shuffle;
    if (st->shuffle)
        lcl_rng_init(&st->rng, lcl_rng_next(l->env->rng));
    st->files = in_order(NULL, st->n_paths);
    if (st->shuffle)
        lcl_rng_shuffle(&st->rng, st->files, st->n_paths);
    st->sets = lcl_alloc((size_t)l->n_tops, sizeof *st->sets);
    return load_file(l, err);
}

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;

    if (st->feed)
        return LCL_OK;
    for (int i = 0; i < l->n_tops; i++) {
        lcl_hdf5_array *set = &st->sets[i];
        int shape[LCL_HDF5_MAX_AXES];
        memcpy(shape, set->shape, sizeof shape);
        shape[0] = (int)l->param->hdf5_data_param->batch_size;
        LCL_TRY(lcl_blob_reshape(l->tops[i], set->n_axes, shape, l->env->block, err));
    }
    LCL_TRY(pass_rows(l, l->env->turn, err));
    return lcl_feed_start(&st->feed, l, LCL_FEED_AHEAD, fill, err);
}

static lcl_status forward(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;

    return lcl_feed_forward(st->feed, err);
}

static void destroy(lcl_layer *l)
{
    state *st = l->state;

    lcl_feed_stop(st->feed);
    free_sets(l);
    free(st->sets);
    free(st->files);
    free(st->rows);
    lcl_list_free(st->paths, st->n_paths);
}

const lcl_layer_type lcl_layer_hdf5_data = {
    .name = "HDF5Data",
    .min_tops = 1,
    .max_tops = LCL_MANY,
    .is_source = true,
    .state_size = sizeof(state),
    .setup = setup,
    .reshape = reshape,
    .forward = forward,
    .destroy = destroy,
};
