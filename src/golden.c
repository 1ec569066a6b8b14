/* Runs a layer on stored inputs and compares what it gives with stored outputs. */
#include "golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lcl/layer.h"
#include "npy.h"
#include "rng.h"
#include "text.h"

static const double TOLERANCE = 1e-4;
/* Layers that copy or count: nothing is rounded but the last bits of a scale. */
static const char *const exact_types[] = {"ReLU",  "Accuracy", "Dropout",
                                          "Split", "Data",     "HDF5Data"};
static const double EXACT_TOLERANCE = 1e-6;

/* A case while it is run. */
typedef struct {
    const char *folder;
    const lcl_golden_options *options;
    lcl_golden_result *result;
    char *text; /* of layer.prototxt */
    lcl_proto *proto;
    Caffe__LayerParameter *param;
    lcl_blas blas;
    lcl_rng rng;
    lcl_layer_env env;
    lcl_layer *layer;
    lcl_blob **bottoms, **tops;
    int n_bottoms, n_tops;
    bool in_place;
} golden;

/* ---- The layer's text -------------------------------------------------------------- */

/* What follows "#! key " in the text, or NULL. */
static const char *directive(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *at = text; (at = strstr(at, "#! ")); at += 3)
        if (strncmp(at + 3, key, length) == 0 && at[3 + length] == ' ')
            return at + 3 + length + 1;
    return NULL;
}

static bool directive_is(const char *text, const char *key, const char *value)
{
    const char *found = directive(text, key);

    return found && strncmp(found, value, strlen(value)) == 0;
}

static char *case_path(const char *folder, const char *name)
{
    return lcl_format("%s/%s", folder, name);
}

static lcl_status read_layer(golden *g, lcl_error *err)
{
    char *path = case_path(g->folder, LCL_GOLDEN_LAYER);
    size_t size;
    lcl_status status = lcl_golden_read(g->options->files, &g->text, &size, path, err);

    if (status == LCL_OK)
        status =
            lcl_proto_parse_text(&g->proto, &caffe__layer_parameter__descriptor, path,
                                 g->text, size, LCL_UNKNOWN_IS_ERROR, NULL, err);
    free(path);
    LCL_TRY(status);
    g->param = (Caffe__LayerParameter *)lcl_proto_root(g->proto);
    return g->param->type ? LCL_OK
                          : lcl_proto_fail(g->proto, g->param, NULL, err, LCL_EPROTO,
                                           "the layer has no type");
}

/* A path in the prototxt to one from the folder above the case. */
static void rebase_path(const golden *g, char **path)
{
    if (!*path || !**path)
        return;
    char *above = lcl_dirname(g->folder), *joined = lcl_path_join(above, *path);
    free(above);
    free(*path);
    *path = joined;
}

static void rebase_paths(golden *g)
{
    if (g->param->data_param)
        rebase_path(g, &g->param->data_param->source);
    if (g->param->hdf5_data_param)
        rebase_path(g, &g->param->hdf5_data_param->source);
    if (g->param->transform_param)
        rebase_path(g, &g->param->transform_param->mean_file);
}

/* ---- Arrays ------------------------------------------------------------------------ */

/* <folder>/<kind>_<i>.npy; *found is false where there is none. */
static lcl_status read_array(const golden *g, const char *kind, int i, lcl_npy *out,
                             bool *found, lcl_error *err)
{
    char *path = lcl_format("%s/%s_%d.npy", g->folder, kind, i);
    lcl_status status = LCL_OK;
    char *file = NULL;
    size_t size;

    *out = (lcl_npy){0};
    *found = lcl_golden_has(g->options->files, path);
    if (*found)
        status = lcl_golden_read(g->options->files, &file, &size, path, err);
    if (*found && status == LCL_OK)
        status = lcl_npy_parse(out, path, file, size, err);
    free(file);
    free(path);
    return status;
}

static lcl_status check_shape(const golden *g, const char *kind, int i, const lcl_npy *a,
                              const lcl_blob *b, lcl_error *err)
{
    char shape[128];
    lcl_text wanted = {0};

    if (a->n_axes == b->n_axes &&
        memcmp(a->shape, b->shape, (size_t)a->n_axes * sizeof(int)) == 0)
        return LCL_OK;
    lcl_blob_shape_text(b, shape, sizeof shape);
    lcl_text_add(&wanted, "");
    for (int k = 0; k < a->n_axes; k++)
        lcl_text_printf(&wanted, "%d ", a->shape[k]);
    lcl_status status = lcl_fail(err, LCL_ESHAPE, g->folder,
                                 "%s_%d.npy has shape %sbut the layer's is %s", kind, i,
                                 wanted.text, shape);
    free(wanted.text);
    return status;
}

/* Gives the array to the blob where there is one. */
static lcl_status load(const golden *g, const char *kind, int i, lcl_blob *b,
                       lcl_which which, lcl_error *err)
{
    lcl_npy a;
    bool found;
    lcl_status status = read_array(g, kind, i, &a, &found, err);

    if (status == LCL_OK && found)
        status = check_shape(g, kind, i, &a, b, err);
    if (status == LCL_OK && found)
        status = lcl_blob_write(b, which, a.values, err);
    free(a.values);
    return status;
}

/* The largest difference, relative to the largest magnitude wanted. */
static double worst_error(const float *have, const float *want, size_t n)
{
    double largest = 0, worst = 0;

    for (size_t i = 0; i < n; i++) {
        double difference =
            have[i] == want[i] ? 0 : fabs((double)have[i] - (double)want[i]);
        largest = fmax(largest, fabs((double)want[i]));
        worst = isnan(difference) ? INFINITY : fmax(worst, difference);
    }
    return largest > 0 ? worst / largest : worst;
}

static void note_error(golden *g, const char *kind, int i, double error)
{
    if (error < g->result->error || (error == g->result->error && *g->result->array))
        return;
    g->result->error = error;
    snprintf(g->result->array, sizeof g->result->array, "%s_%d", kind, i);
}

/* `values` were found, with that error. */
static void note_values(golden *g, const char *kind, int i, const float *values, size_t n,
                        double error)
{
    g->result->bits = lcl_hash(g->result->bits, values, n * sizeof *values);
    note_error(g, kind, i, error);
}

static lcl_status compare(golden *g, const char *kind, int i, const lcl_blob *b,
                          lcl_which which, lcl_error *err)
{
    lcl_npy a;
    bool found;

    LCL_TRY(read_array(g, kind, i, &a, &found, err));
    if (!found)
        return LCL_OK;
    float *values = lcl_alloc(a.count + 1, sizeof(float));
    lcl_status status = check_shape(g, kind, i, &a, b, err);
    if (status == LCL_OK)
        status = lcl_blob_read(b, which, values, err);
    if (status == LCL_OK)
        note_values(g, kind, i, values, a.count, worst_error(values, a.values, a.count));
    free(values);
    free(a.values);
    return status;
}

/* ---- Making the layer -------------------------------------------------------------- */

static lcl_status make_bottom(golden *g, int i, lcl_error *err)
{
    lcl_npy a;
    bool found;
    lcl_status status = LCL_OK;
    lcl_blob *b = lcl_blob_create(g->options->dev, g->param->bottom[i]);

    g->bottoms[i] = b;
    LCL_TRY(read_array(g, "bottom", i, &a, &found, err));
    if (!found)
        status = lcl_fail(err, LCL_EIO, g->folder, "there is no bottom_%d.npy", i);
    if (status == LCL_OK)
        status = lcl_blob_reshape(b, a.n_axes, a.shape, a.n_axes ? g->env.block : 1, err);
    if (status == LCL_OK)
        status = lcl_blob_need_diff(b, err);
    free(a.values);
    return status;
}

static void take_propagate(golden *g)
{
    const char *flags = directive(g->text, "propagate");

    for (int i = 0; flags && i < g->n_bottoms; i++) {
        flags += strspn(flags, " ");
        if (*flags != '0' && *flags != '1')
            return;
        g->layer->propagate[i] = *flags++ == '1' && g->layer->propagate[i];
    }
}

static lcl_status need_diffs(golden *g, lcl_error *err)
{
    for (int t = 0; t < g->n_tops; t++)
        LCL_TRY(lcl_blob_need_diff(g->tops[t], err));
    for (int p = 0; p < g->layer->n_params; p++) {
        LCL_TRY(lcl_blob_need_diff(g->layer->params[p], err));
        LCL_TRY(load(g, "param", p, g->layer->params[p], LCL_DATA, err));
    }
    return LCL_OK;
}

static lcl_status make_layer(golden *g, lcl_error *err)
{
    const lcl_golden_options *o = g->options;

    g->blas = (lcl_blas){o->dev, o->gemm};
    lcl_rng_init(&g->rng, 1);
    g->env = (lcl_layer_env){.dev = o->dev,
                             .blas = &g->blas,
                             .source = g->proto,
                             .rng = &g->rng,
                             .block = o->block,
                             .vector = o->vector,
                             .direct = o->direct,
                             .phase = directive_is(g->text, "phase", "TEST")
                                          ? CAFFE__PHASE__TEST
                                          : CAFFE__PHASE__TRAIN};
    g->bottoms = lcl_alloc(g->param->n_bottom + 1, sizeof *g->bottoms);
    g->tops = lcl_alloc(g->param->n_top + 1, sizeof *g->tops);
    for (; g->n_bottoms < (int)g->param->n_bottom; g->n_bottoms++)
        LCL_TRY(make_bottom(g, g->n_bottoms, err));
    g->in_place = g->n_bottoms && g->param->n_top &&
                  strcmp(g->param->bottom[0], g->param->top[0]) == 0;
    for (; g->n_tops < (int)g->param->n_top; g->n_tops++)
        g->tops[g->n_tops] = g->in_place && g->n_tops == 0
                                 ? g->bottoms[0]
                                 : lcl_blob_create(o->dev, g->param->top[g->n_tops]);
    LCL_TRY(lcl_layer_create(&g->layer, g->param, &g->env, 0, g->bottoms, g->n_bottoms,
                             g->tops, g->n_tops, err));
    take_propagate(g);
    return need_diffs(g, err);
}

static void release(golden *g)
{
    lcl_layer_destroy(g->layer);
    for (int t = g->in_place; t < g->n_tops; t++)
        lcl_blob_destroy(g->tops[t]);
    for (int i = 0; g->bottoms && i < (int)g->param->n_bottom; i++)
        lcl_blob_destroy(g->bottoms[i]);
    free(g->bottoms);
    free(g->tops);
    lcl_proto_destroy(g->proto);
    free(g->text);
}

/* ---- Running it -------------------------------------------------------------------- */

static lcl_status forward(golden *g, lcl_error *err)
{
    const char *times = directive(g->text, "forwards");

    for (long n = times ? strtol(times, NULL, 10) : 1; n > 0; n--) {
        for (int i = 0; i < g->n_bottoms; i++)
            LCL_TRY(load(g, "bottom", i, g->bottoms[i], LCL_DATA, err));
        LCL_TRY(lcl_layer_forward(g->layer, err));
    }
    return LCL_OK;
}

static lcl_status backward(golden *g, lcl_error *err)
{
    if (directive_is(g->text, "backward", "no"))
        return LCL_OK;
    for (int t = 0; t < g->n_tops; t++)
        LCL_TRY(load(g, "top_diff", t, g->tops[t], LCL_DIFF, err));
    return lcl_layer_backward(g->layer, err);
}

static lcl_status compare_forward(golden *g, lcl_error *err)
{
    for (int t = 0; t < g->n_tops; t++)
        LCL_TRY(compare(g, "top", t, g->tops[t], LCL_DATA, err));
    for (int p = 0; p < g->layer->n_params; p++)
        LCL_TRY(compare(g, "param_after", p, g->layer->params[p], LCL_DATA, err));
    return LCL_OK;
}

static lcl_status compare_backward(golden *g, lcl_error *err)
{
    if (directive_is(g->text, "backward", "no"))
        return LCL_OK;
    for (int i = 0; i < g->n_bottoms; i++)
        LCL_TRY(compare(g, "bottom_diff", i, g->bottoms[i], LCL_DIFF, err));
    for (int p = 0; p < g->layer->n_params; p++)
        LCL_TRY(compare(g, "param_diff", p, g->layer->params[p], LCL_DIFF, err));
    return LCL_OK;
}

/* Whether `have` is `from` with some values dropped and the others scaled, and which. */
static double masked_error(const float *have, const float *from, size_t n, float scale,
                           bool *kept, size_t *n_kept)
{
    double largest = 0, worst = 0;

    *n_kept = 0;
    for (size_t i = 0; i < n; i++) {
        double want = kept[i] ? (double)from[i] * (double)scale : 0;
        largest = fmax(largest, fabs(want));
        worst = fmax(worst, fabs((double)have[i] - want));
        *n_kept += kept[i];
    }
    return largest > 0 ? worst / largest : worst;
}

/* Caffe's mask is another one than ours: what must hold is that each value and its
 * gradient are either dropped or scaled, and that both happen. */
static lcl_status compare_dropout(golden *g, lcl_error *err)
{
    const Caffe__DropoutParameter *p = g->param->dropout_param;
    float scale = 1 / (1 - (p ? p->dropout_ratio : 0.5f));
    size_t n = lcl_blob_count(g->tops[0]), n_kept = 0;
    float *x = lcl_alloc(4 * n + 1, sizeof *x), *y = x + n, *dx = y + n, *dy = dx + n;
    bool *kept = lcl_alloc(n + 1, sizeof *kept);
    lcl_status status = lcl_blob_read(g->bottoms[0], LCL_DATA, x, err);

    if (status == LCL_OK)
        status = lcl_blob_read(g->tops[0], LCL_DATA, y, err);
    if (status == LCL_OK)
        status = lcl_blob_read(g->bottoms[0], LCL_DIFF, dx, err);
    if (status == LCL_OK)
        status = lcl_blob_read(g->tops[0], LCL_DIFF, dy, err);
    for (size_t i = 0; status == LCL_OK && i < n; i++)
        kept[i] = y[i] != 0;
    note_values(g, "top", 0, y, n, masked_error(y, x, n, scale, kept, &n_kept));
    note_values(g, "bottom_diff", 0, dx, n,
                masked_error(dx, dy, n, scale, kept, &n_kept));
    if (n_kept == 0 || n_kept == n)
        note_error(g, "top", 0, INFINITY);
    free(x);
    free(kept);
    return status;
}

static lcl_status run(golden *g, lcl_error *err)
{
    LCL_TRY(read_layer(g, err));
    rebase_paths(g);
    snprintf(g->result->type, sizeof g->result->type, "%s", g->param->type);
    LCL_TRY(make_layer(g, err));
    LCL_TRY(forward(g, err));
    bool dropout = strcmp(g->param->type, "Dropout") == 0;
    if (dropout && g->layer->phase == CAFFE__PHASE__TRAIN) {
        LCL_TRY(backward(g, err));
        return compare_dropout(g, err);
    }
    LCL_TRY(compare_forward(g, err));
    LCL_TRY(backward(g, err));
    return compare_backward(g, err);
}

static double tolerance_of(const char *type)
{
    for (size_t i = 0; i < LCL_COUNT(exact_types); i++)
        if (strcmp(type, exact_types[i]) == 0)
            return EXACT_TOLERANCE;
    return TOLERANCE;
}

lcl_status lcl_golden_run(lcl_golden_result *out, const char *folder,
                          const lcl_golden_options *options, lcl_error *err)
{
    golden g = {.folder = folder, .options = options, .result = out};

    *out = (lcl_golden_result){0};
    lcl_status status = run(&g, err);
    release(&g);
    LCL_TRY(status);
    out->tolerance = tolerance_of(out->type);
    if (!*out->array)
        return lcl_fail(err, LCL_EIO, folder, "there is no array to compare with");
    out->passed = out->error <= out->tolerance;
    return LCL_OK;
}

bool lcl_golden_knows(const char *folder, const lcl_golden_files *files, char *type,
                      size_t size)
{
    const lcl_golden_options options = {.files = files};
    golden g = {.folder = folder, .options = &options};
    bool known = true;

    snprintf(type, size, "?");
    if (read_layer(&g, NULL) == LCL_OK) {
        snprintf(type, size, "%s", g.param->type);
        known = lcl_layer_find(g.param->type) != NULL;
    }
    lcl_proto_destroy(g.proto);
    free(g.text);
    return known;
}
