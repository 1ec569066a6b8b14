/* A net's parameters in Caffe's HDF5 form: /data/<layer>/<i>, and gradients in /diff. */
#include <stdlib.h>
#include <string.h>

#include "hdf5_file.h"
#include "net_parts.h"
#include "text.h"

/* ---- Loading ----------------------------------------------------------------------- */

/* One walk through a file. */
typedef struct {
    lcl_net *net;
    const lcl_hdf5 *file;
    const char *path;
} source;

static lcl_status copy_param(const source *s, const char *layer, int index, lcl_blob *to,
                             const char *name, lcl_error *err)
{
    lcl_hdf5_array from;
    lcl_status status;

    LCL_TRY(lcl_hdf5_read(s->file, name, &from, err));
    if (from.n_axes == to->n_axes &&
        memcmp(from.shape, to->shape, (size_t)to->n_axes * sizeof *to->shape) == 0)
        status = lcl_blob_write(to, LCL_DATA, from.values, err);
    else
        status = lcl_net_refuse_shape(s->path, layer, (size_t)index, from.n_axes,
                                      from.shape, to, err);
    free(from.values);
    return status;
}

/* A parameter that another layer owns is saved there, once. */
static bool is_owner(const lcl_net *net, const net_layer *l, int index)
{
    return net->params[l->params[index]].blob == l->layer->params[index];
}

static lcl_status load_layer(const source *s, const char *layer, size_t n_there,
                             lcl_error *err)
{
    size_t target = lcl_net_find_layer(s->net, layer);

    if (target == s->net->n_layers) {
        LCL_LOG(s->net->log, "Ignoring source layer %s", layer);
        return LCL_OK;
    }
    net_layer *l = &s->net->layers[target];
    int n = l->layer->n_params;
    lcl_status status = LCL_OK;
    if (n_there > (size_t)n)
        return lcl_fail(err, LCL_ESHAPE, s->path,
                        "Incompatible number of blobs for layer %s: the model has %zu, "
                        "the net %d",
                        layer, n_there, n);
    for (int i = 0; i < n && status == LCL_OK; i++) {
        char *name = lcl_format("data/%s/%d", layer, i);
        if (lcl_hdf5_has(s->file, name))
            status = copy_param(s, layer, i, l->layer->params[i], name, err);
        else if (is_owner(s->net, l, i))
            status = lcl_fail(err, LCL_ESHAPE, s->path,
                              "Incompatible number of blobs for layer %s: the model has "
                              "no '%s'",
                              layer, name);
        free(name);
    }
    return status;
}

static lcl_status load_group(const source *s, const char *layer, lcl_error *err);

/* Loads the groups in a group; *n_sets is the number of other things in it. */
static lcl_status load_groups(const source *s, const char *folder, const char *layer,
                              size_t *n_sets, lcl_error *err)
{
    char **names;
    size_t n;

    LCL_TRY(lcl_hdf5_list(s->file, folder, &names, &n, err));
    lcl_status status = LCL_OK;
    *n_sets = 0;
    for (size_t i = 0; i < n && status == LCL_OK; i++) {
        char *path = lcl_format("%s/%s", folder, names[i]);
        char *inner =
            *layer ? lcl_format("%s/%s", layer, names[i]) : lcl_strdup(names[i]);
        if (lcl_hdf5_is_group(s->file, path))
            status = load_group(s, inner, err);
        else
            ++*n_sets;
        free(inner);
        free(path);
    }
    lcl_list_free(names, n);
    return status;
}

/* A layer's group; the layer "a/b" is group b in group a. */
static lcl_status load_group(const source *s, const char *layer, lcl_error *err)
{
    char *folder = lcl_format("data/%s", layer);
    size_t n_sets = 0;
    lcl_status status = strlen(layer) > 1000
                            ? lcl_fail(err, LCL_EDATA, s->path, "groups without end")
                            : load_groups(s, folder, layer, &n_sets, err);

    free(folder);
    LCL_TRY(status);
    return load_layer(s, layer, n_sets, err);
}

lcl_status lcl_net_load_hdf5(lcl_net *net, const char *path, lcl_error *err)
{
    lcl_hdf5 *file;
    size_t n_sets;

    LCL_TRY(lcl_hdf5_open(&file, path, err));
    const source s = {net, file, path};
    lcl_status status = load_groups(&s, "data", "", &n_sets, err);
    lcl_hdf5_close(file);
    return status;
}

/* ---- Saving ------------------------------------------------------------------------ */

static lcl_status save_blob(lcl_hdf5 *file, const char *folder, const char *layer,
                            int index, const lcl_blob *b, lcl_which which, lcl_error *err)
{
    size_t count = lcl_blob_count(b);
    float *values = lcl_alloc(count, sizeof *values);
    char *name = lcl_format("%s/%s/%d", folder, layer, index);
    lcl_status status = LCL_OK;

    if (which == LCL_DATA || b->diff)
        status = lcl_blob_read(b, which, values, err);
    if (status == LCL_OK)
        status = lcl_hdf5_add(file, name, b->n_axes, b->shape, values, err);
    free(name);
    free(values);
    return status;
}

static lcl_status save_layer(const lcl_net *net, const net_layer *l, lcl_hdf5 *file,
                             const char *folder, lcl_which which, lcl_error *err)
{
    const char *layer = l->layer->param->name;
    char *group = lcl_format("%s/%s", folder, layer);
    lcl_status status = lcl_hdf5_add_group(file, group, err);

    for (int i = 0; i < l->layer->n_params && status == LCL_OK; i++)
        if (is_owner(net, l, i))
            status = save_blob(file, folder, layer, i, l->layer->params[i], which, err);
    free(group);
    return status;
}

static lcl_status save_layers(const lcl_net *net, lcl_hdf5 *file, bool with_diff,
                              lcl_error *err)
{
    for (size_t i = 0; i < net->n_layers; i++) {
        const net_layer *l = &net->layers[i];
        LCL_TRY(save_layer(net, l, file, "data", LCL_DATA, err));
        if (with_diff)
            LCL_TRY(save_layer(net, l, file, "diff", LCL_DIFF, err));
    }
    return LCL_OK;
}

lcl_status lcl_net_save_hdf5(const lcl_net *net, bool with_diff, const char *path,
                             lcl_error *err)
{
    lcl_hdf5 *file;

    LCL_TRY(lcl_hdf5_create(&file, path, err));
    lcl_status status = save_layers(net, file, with_diff, err);
    if (status == LCL_OK)
        status = lcl_hdf5_save(file, err);
    lcl_hdf5_close(file);
    return status;
}
