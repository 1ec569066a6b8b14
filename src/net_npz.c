/* A net's parameters in NumPy's .npz form: an array "<layer>/<i>" each. */
#include <stdlib.h>
#include <string.h>

#include "net_parts.h"
#include "npz.h"
#include "text.h"

/* New string. */
static char *name_of(const lcl_net_param *p)
{
    return lcl_format("%s/%d", p->layer, p->index);
}

/* ---- Loading ----------------------------------------------------------------------- */

/* The names of the net's parameters and where in the archive they are. */
typedef struct {
    const lcl_net *net;
    lcl_npz *npz;
    const char *path;
    char **names;  /* owned, as the strings */
    size_t *found; /* owned; index in npz, or lcl_npz_n(npz): not there */
} source;

static void release(source *s)
{
    lcl_list_free(s->names, s->net->n_params);
    free(s->found);
}

static void list_params(source *s)
{
    size_t n = s->net->n_params;

    s->names = lcl_alloc(n, sizeof *s->names);
    s->found = lcl_alloc(n, sizeof *s->found);
    for (size_t k = 0; k < n; k++) {
        s->names[k] = name_of(&s->net->params[k]);
        s->found[k] = lcl_npz_n(s->npz);
    }
}

static lcl_status refuse_surplus(const source *s, const char *name, lcl_error *err)
{
    const char *near = lcl_nearest(name, (const char *const *)s->names, s->net->n_params);

    lcl_fail(err, LCL_ESHAPE, s->path, "the net has no parameter '%s'", name);
    return near ? lcl_hint(err, LCL_ESHAPE, "did you mean '%s'?", near)
                : lcl_hint(err, LCL_ESHAPE,
                           "arrays are named as their layers, with /0, /1, ... behind");
}

/* Finds the parameter of each array. */
static lcl_status match_names(source *s, lcl_error *err)
{
    for (size_t i = 0; i < lcl_npz_n(s->npz); i++) {
        const char *name = lcl_npz_name(s->npz, i);
        size_t k = 0;
        while (k < s->net->n_params && strcmp(s->names[k], name) != 0)
            k++;
        if (k == s->net->n_params)
            return refuse_surplus(s, name, err);
        if (s->found[k] != lcl_npz_n(s->npz))
            return lcl_fail(err, LCL_EDATA, s->path, "'%s' is there twice", name);
        s->found[k] = i;
    }
    return LCL_OK;
}

static lcl_status check_missing(const source *s, lcl_error *err)
{
    size_t n = 0, first = 0;
    char shape[160];

    for (size_t k = s->net->n_params; k-- > 0;)
        if (s->found[k] == lcl_npz_n(s->npz)) {
            first = k;
            n++;
        }
    if (n == 0)
        return LCL_OK;
    lcl_blob_shape_text(s->net->params[first].blob, shape, sizeof shape);
    return lcl_fail(
        err, LCL_ESHAPE, s->path,
        "%zu of the net's %zu parameters %s missing, the first of them '%s' of "
        "shape %s",
        n, s->net->n_params, n == 1 ? "is" : "are", s->names[first], shape);
}

static lcl_status check_shape(const source *s, size_t k, lcl_error *err)
{
    const lcl_blob *b = s->net->params[k].blob;
    char theirs[160], ours[160];
    lcl_npy a;

    LCL_TRY(lcl_npz_read_shape(s->npz, s->found[k], &a, err));
    if (a.n_axes == b->n_axes &&
        memcmp(a.shape, b->shape, (size_t)a.n_axes * sizeof *a.shape) == 0)
        return LCL_OK;
    lcl_blob there = {.n_axes = a.n_axes}; /* only its shape */
    memcpy(there.shape, a.shape, (size_t)a.n_axes * sizeof *a.shape);
    lcl_blob_shape_text(&there, theirs, sizeof theirs);
    lcl_blob_shape_text(b, ours, sizeof ours);
    return lcl_fail(err, LCL_ESHAPE, s->path, "'%s' has shape %s; the net's has %s",
                    s->names[k], theirs, ours);
}

static lcl_status load(source *s, lcl_error *err)
{
    lcl_npy a;

    LCL_TRY(match_names(s, err));
    LCL_TRY(check_missing(s, err));
    for (size_t k = 0; k < s->net->n_params; k++)
        LCL_TRY(check_shape(s, k, err));
    for (size_t k = 0; k < s->net->n_params; k++) {
        LCL_TRY(lcl_npz_read(s->npz, s->found[k], &a, err));
        lcl_status status =
            lcl_blob_write(s->net->params[k].blob, LCL_DATA, a.values, err);
        free(a.values);
        LCL_TRY(status);
    }
    return LCL_OK;
}

lcl_status lcl_net_load_npz(lcl_net *net, const char *path, lcl_error *err)
{
    source s = {.net = net, .path = path};

    LCL_TRY(lcl_npz_open(&s.npz, path, err));
    list_params(&s);
    lcl_status status = load(&s, err);
    release(&s);
    lcl_npz_close(s.npz);
    return status;
}

/* ---- Saving ------------------------------------------------------------------------ */

static lcl_status save_param(lcl_npz *z, const lcl_net_param *p, lcl_error *err)
{
    const lcl_blob *b = p->blob;
    float *values = lcl_alloc(lcl_blob_count(b), sizeof *values);
    char *name = name_of(p);
    lcl_status status = lcl_blob_read(b, LCL_DATA, values, err);

    if (status == LCL_OK)
        status = lcl_npz_add(z, name, values, b->n_axes, b->shape, err);
    free(name);
    free(values);
    return status;
}

lcl_status lcl_net_save_npz(const lcl_net *net, const char *path, lcl_error *err)
{
    lcl_npz *z;
    lcl_status status = LCL_OK;

    if (net->n_params == 0)
        return lcl_fail(err, LCL_ESHAPE, lcl_proto_name(net->doc),
                        "the net has no parameters");
    LCL_TRY(lcl_npz_create(&z, path, err));
    for (size_t k = 0; k < net->n_params && status == LCL_OK; k++)
        status = save_param(z, &net->params[k], err);
    if (status == LCL_OK)
        status = lcl_npz_save(z, err);
    lcl_npz_close(z);
    return status;
}
