/* The life of a layer: made, shaped, run, destroyed; and what every layer type needs. */
#include "lcl/layer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filler.h"
#include "lcl/profile.h"
#include "text.h"

#define LAYER(x) extern const lcl_layer_type lcl_layer_##x;
#include "layers/list.h"
#undef LAYER

#define LAYER(x) &lcl_layer_##x,
const lcl_layer_type *const lcl_layer_types[] = {
#include "layers/list.h"
    NULL,
};
#undef LAYER

/* ---- Types ------------------------------------------------------------------------- */

const lcl_layer_type *lcl_layer_find(const char *type)
{
    for (const lcl_layer_type *const *t = lcl_layer_types; *t; t++)
        if (strcmp((*t)->name, type) == 0)
            return *t;
    return NULL;
}

/* An error at param's field, or naming the layer only where there is no document. */
static lcl_status fail_at(const lcl_layer_env *env, const Caffe__LayerParameter *param,
                          const void *message, const char *field, lcl_error *err,
                          lcl_status status, const char *text)
{
    if (!env->source)
        return lcl_fail(err, status, param->name, "%s", text);
    return lcl_proto_fail(env->source, message, field, err, status, "%s", text);
}

static lcl_status hint_types(const char *type, lcl_error *err)
{
    const char *names[LCL_COUNT(lcl_layer_types)], *near;
    size_t n = 0;
    lcl_text list = {0};

    for (const lcl_layer_type *const *t = lcl_layer_types; *t; t++) {
        lcl_text_printf(&list, "%s%s", n ? ", " : "", (*t)->name);
        names[n++] = (*t)->name;
    }
    near = lcl_nearest(type, names, n);
    if (near)
        lcl_hint(err, LCL_EPROTO, "did you mean '%s'? There are: %s", near, list.text);
    else
        lcl_hint(err, LCL_EPROTO, "there are: %s", list.text ? list.text : "none");
    free(list.text);
    return LCL_EPROTO;
}

lcl_status lcl_layer_find_type(const lcl_layer_type **out,
                               const Caffe__LayerParameter *param,
                               const lcl_layer_env *env, lcl_error *err)
{
    const char *type = param->type ? param->type : "";
    char text[256];

    *out = lcl_layer_find(type);
    if (*out)
        return LCL_OK;
    if (strcmp(type, "Python") == 0) {
        fail_at(env, param, param, "type", err, LCL_EPROTO,
                "Python layers cannot run here");
        return lcl_hint(err, LCL_EPROTO,
                        "this program has no Python in it; use a built-in layer type");
    }
    snprintf(text, sizeof text, "unknown layer type '%s'", type);
    fail_at(env, param, param, param->type ? "type" : NULL, err, LCL_EPROTO, text);
    return hint_types(type, err);
}

/* ---- Making a layer ---------------------------------------------------------------- */

/* Caffe's limits, put in words: "2", "1 to 3", "at least 1". */
static lcl_status check_count(const lcl_layer *l, const char *field, int n, int min,
                              int max, lcl_error *err)
{
    char wanted[48];

    if (n >= min && n <= max)
        return LCL_OK;
    if (min == max)
        snprintf(wanted, sizeof wanted, "%d", min);
    else if (max == LCL_MANY)
        snprintf(wanted, sizeof wanted, "at least %d", min);
    else
        snprintf(wanted, sizeof wanted, "%d to %d", min, max);
    return lcl_layer_fail(l, l->param, n ? field : NULL, err, LCL_EPROTO,
                          "takes %s %s%s, but has %d", wanted, field,
                          min == 1 && (max == 1 || max == LCL_MANY) ? "" : "s", n);
}

static lcl_status check_ends(const lcl_layer *l, lcl_error *err)
{
    const lcl_layer_type *t = l->type;

    LCL_TRY(check_count(l, "bottom", l->n_bottoms, t->min_bottoms, t->max_bottoms, err));
    LCL_TRY(check_count(l, "top", l->n_tops, t->min_tops, t->max_tops, err));
    if (t->equal_ends && l->n_bottoms != l->n_tops)
        return lcl_layer_fail(l, l->param, "top", err, LCL_EPROTO,
                              "takes as many tops as bottoms, but has %d and %d",
                              l->n_tops, l->n_bottoms);
    for (int i = 0; i < l->n_tops; i++)
        for (int j = 0; j < l->n_bottoms; j++)
            if (l->tops[i] == l->bottoms[j] && !(t->in_place && i == 0 && j == 0))
                return lcl_layer_fail(l, l->param, "top", err, LCL_EPROTO,
                                      "cannot work in place (top '%s' is a bottom)",
                                      l->tops[i]->name);
    return LCL_OK;
}

static lcl_status set_loss_weights(lcl_layer *l, lcl_error *err)
{
    const Caffe__LayerParameter *p = l->param;

    if (p->n_loss_weight == 0) {
        if (l->type->is_loss && l->n_tops > 0)
            l->loss_weights[0] = 1;
        return LCL_OK;
    }
    if (p->n_loss_weight != (size_t)l->n_tops)
        return lcl_layer_fail(
            l, p, "loss_weight", err, LCL_EPROTO,
            "loss_weight must be given once per top (%d) or not at all, but is given %zu "
            "times",
            l->n_tops, p->n_loss_weight);
    memcpy(l->loss_weights, p->loss_weight, p->n_loss_weight * sizeof *p->loss_weight);
    return LCL_OK;
}

static lcl_layer *new_layer(const lcl_layer_type *type,
                            const Caffe__LayerParameter *param, const lcl_layer_env *env,
                            int index, int n_bottoms, int n_tops)
{
    lcl_layer *l = lcl_alloc(1, sizeof *l);
    size_t nb = (size_t)n_bottoms, nt = (size_t)n_tops;

    *l = (lcl_layer){.type = type,
                     .param = param,
                     .env = env,
                     .dev = env->dev,
                     .index = index,
                     .phase = param->has_phase ? param->phase : env->phase,
                     .n_bottoms = n_bottoms,
                     .n_tops = n_tops};
    l->bottoms = lcl_alloc(nb + 1, sizeof *l->bottoms);
    l->tops = lcl_alloc(nt + 1, sizeof *l->tops);
    l->net_bottoms = lcl_alloc(nb + 1, sizeof *l->net_bottoms);
    l->net_tops = lcl_alloc(nt + 1, sizeof *l->net_tops);
    l->propagate = lcl_alloc(nb + 1, sizeof *l->propagate);
    l->loss_weights = lcl_alloc(nt + 1, sizeof *l->loss_weights);
    l->state = lcl_alloc(1, type->state_size + 1);
    for (int i = 0; i < LCL_MAX_PARAMS; i++)
        l->param_propagate[i] = true;
    return l;
}

/* The block that all bottoms get: their own where they agree. One value has none. */
static int wanted_block(const lcl_layer *l)
{
    int block = 0;

    if (l->plain)
        return 1;
    for (int i = 0; i < l->n_bottoms; i++) {
        if (l->bottoms[i]->n_axes == 0)
            continue;
        if (block && l->bottoms[i]->block != block)
            return l->env->block;
        block = l->bottoms[i]->block;
    }
    return block ? block : l->env->block;
}

/* Puts blobs of its own in place of those whose layout the layer cannot take. */
static lcl_status stand_in(lcl_layer *l, lcl_error *err)
{
    int block = wanted_block(l);

    for (int i = 0; i < l->n_bottoms; i++) {
        lcl_blob *b = l->net_bottoms[i];
        if (b->block == block || b->n_axes == 0)
            continue;
        l->bottoms[i] = lcl_blob_create(l->dev, b->name);
        LCL_TRY(lcl_blob_reshape(l->bottoms[i], b->n_axes, b->shape, block, err));
    }
    for (int i = 0; i < l->n_tops; i++)
        if (l->n_bottoms && l->net_tops[i] == l->net_bottoms[0])
            l->tops[i] = l->bottoms[0];
        else if (l->plain && l->env->block != 1)
            l->tops[i] = lcl_blob_create(l->dev, l->net_tops[i]->name);
    return LCL_OK;
}

lcl_status lcl_layer_create(lcl_layer **out, const Caffe__LayerParameter *param,
                            const lcl_layer_env *env, int index, lcl_blob **bottoms,
                            int n_bottoms, lcl_blob **tops, int n_tops, lcl_error *err)
{
    const lcl_layer_type *type;
    lcl_status status;
    lcl_layer *l;

    LCL_TRY(lcl_layer_find_type(&type, param, env, err));
    l = new_layer(type, param, env, index, n_bottoms, n_tops);
    for (int i = 0; i < n_bottoms; i++) {
        l->bottoms[i] = l->net_bottoms[i] = bottoms[i];
        l->propagate[i] = i >= 32 || !(type->no_backward >> i & 1);
    }
    for (int i = 0; i < n_tops; i++)
        l->tops[i] = l->net_tops[i] = tops[i];
    status = check_ends(l, err);
    if (status == LCL_OK)
        status = set_loss_weights(l, err);
    if (status == LCL_OK && type->setup)
        status = type->setup(l, err);
    if (status == LCL_OK)
        status = stand_in(l, err);
    if (status == LCL_OK)
        status = lcl_layer_reshape(l, err);
    if (status != LCL_OK) {
        lcl_layer_destroy(l);
        return status;
    }
    *out = l;
    return LCL_OK;
}

void lcl_layer_destroy(lcl_layer *l)
{
    if (!l)
        return;
    if (l->type->destroy)
        l->type->destroy(l);
    for (int i = 0; i < l->n_params; i++)
        lcl_blob_destroy(l->params[i]);
    for (int i = 0; i < l->n_tops; i++)
        if (l->tops[i] != l->net_tops[i] &&
            !(l->n_bottoms && l->tops[i] == l->bottoms[0]))
            lcl_blob_destroy(l->tops[i]);
    for (int i = 0; i < l->n_bottoms; i++)
        if (l->bottoms[i] != l->net_bottoms[i])
            lcl_blob_destroy(l->bottoms[i]);
    free(l->bottoms);
    free(l->tops);
    free(l->net_bottoms);
    free(l->net_tops);
    free(l->propagate);
    free(l->loss_weights);
    free(l->state);
    free(l);
}

/* ---- Running it -------------------------------------------------------------------- */

/* Gives the net's tops the shapes of those that stand in for them. */
static lcl_status shape_net_tops(lcl_layer *l, lcl_error *err)
{
    for (int i = 0; i < l->n_tops; i++) {
        lcl_blob *from = l->tops[i], *to = l->net_tops[i];
        if (to != from)
            LCL_TRY(lcl_blob_reshape(to, from->n_axes, from->shape,
                                     from->n_axes ? l->env->block : 1, err));
    }
    return LCL_OK;
}

lcl_status lcl_layer_reshape(lcl_layer *l, lcl_error *err)
{
    for (int i = 0; i < l->n_bottoms; i++) {
        lcl_blob *from = l->net_bottoms[i], *to = l->bottoms[i];
        if (to != from)
            LCL_TRY(lcl_blob_reshape(to, from->n_axes, from->shape, to->block, err));
    }
    LCL_TRY(l->type->reshape(l, err));
    return shape_net_tops(l, err);
}

lcl_status lcl_layer_forward(lcl_layer *l, lcl_error *err)
{
    lcl_profile_label(l->dev, l->param->name,
                      l->phase == CAFFE__PHASE__TEST ? "test" : "forward");
    for (int i = 0; i < l->n_bottoms; i++)
        if (l->bottoms[i] != l->net_bottoms[i])
            LCL_TRY(lcl_blob_convert(l->bottoms[i], l->net_bottoms[i], LCL_DATA, err));
    LCL_TRY(l->type->forward(l, err));
    if (l->type->reshapes)
        LCL_TRY(shape_net_tops(l, err));
    for (int i = 0; i < l->n_tops; i++)
        if (l->tops[i] != l->net_tops[i])
            LCL_TRY(lcl_blob_convert(l->net_tops[i], l->tops[i], LCL_DATA, err));
    return LCL_OK;
}

lcl_status lcl_layer_backward(lcl_layer *l, lcl_error *err)
{
    if (!l->type->backward)
        return LCL_OK;
    lcl_profile_label(l->dev, l->param->name, "backward");
    for (int i = 0; i < l->n_tops; i++) {
        lcl_blob *from = l->net_tops[i], *to = l->tops[i];
        if (to == from || !from->diff)
            continue;
        LCL_TRY(lcl_blob_need_diff(to, err));
        LCL_TRY(lcl_blob_convert(to, from, LCL_DIFF, err));
    }
    for (int i = 0; i < l->n_bottoms; i++)
        if (l->bottoms[i] != l->net_bottoms[i] && l->propagate[i])
            LCL_TRY(lcl_blob_need_diff(l->bottoms[i], err));
    LCL_TRY(l->type->backward(l, err));
    for (int i = 0; i < l->n_bottoms; i++)
        if (l->bottoms[i] != l->net_bottoms[i] && l->propagate[i])
            LCL_TRY(lcl_blob_convert(l->net_bottoms[i], l->bottoms[i], LCL_DIFF, err));
    return LCL_OK;
}

/* ---- What layers call -------------------------------------------------------------- */

/* Values that the prototxt or model itself carries for parameter `index`. */
static lcl_status stored_values(lcl_layer *l, size_t index, float *values, size_t count,
                                lcl_error *err)
{
    const float *stored;
    float *owned;
    size_t n;

    LCL_TRY(
        lcl_blob_proto_values(l->param->blobs[index], false, &stored, &n, &owned, err));
    if (n == count)
        memcpy(values, stored, count * sizeof *values);
    free(owned);
    if (n != count)
        return lcl_layer_fail(l, l->param, "blobs", err, LCL_ESHAPE,
                              "parameter %zu has %zu values, but its blob has %zu", index,
                              count, n);
    return LCL_OK;
}

lcl_status lcl_layer_fill(const lcl_layer *l, float *values, int n_axes, const int *shape,
                          const Caffe__FillerParameter *filler, lcl_error *err)
{
    const char *field = NULL;
    lcl_error inner = {0};

    if (lcl_device_is_blank(l->dev))
        values = NULL; /* nobody will see them */
    lcl_status status =
        lcl_filler_fill(values, n_axes, shape, filler, l->env->rng, &field, &inner);

    if (status == LCL_OK)
        return LCL_OK;
    lcl_layer_fail(l, filler, field, err, status, "%s", inner.message);
    return *inner.hint ? lcl_hint(err, status, "%s", inner.hint) : status;
}

lcl_status lcl_layer_add_param(lcl_layer *l, int n_axes, const int *shape,
                               const Caffe__FillerParameter *filler, lcl_error *err)
{
    int index = l->n_params;
    lcl_blob *b;
    lcl_status status;
    float *values;

    if (index == LCL_MAX_PARAMS)
        return lcl_layer_fail(l, NULL, NULL, err, LCL_EPROTO,
                              "a layer can have no more than %d parameters",
                              LCL_MAX_PARAMS);
    b = l->params[l->n_params++] = lcl_blob_create(l->dev, l->param->name);
    LCL_TRY(lcl_blob_reshape(b, n_axes, shape, 1, err));
    values = lcl_alloc(lcl_blob_count(b) + 1, sizeof *values);
    bool stored = (size_t)index < l->param->n_blobs;
    if (stored)
        status = stored_values(l, (size_t)index, values, lcl_blob_count(b), err);
    else
        status = lcl_layer_fill(l, values, n_axes, shape, filler, err);
    if (status == LCL_OK && (stored || !lcl_device_is_blank(l->dev)))
        status = lcl_blob_write(b, LCL_DATA, values, err);
    free(values);
    return status;
}

int lcl_layer_vector(const lcl_layer *l, int block)
{
    int v = l->env->vector;

    while (v > 1 && block % v)
        v /= 2;
    return v > 0 ? v : 1;
}

lcl_status lcl_layer_kernel(const lcl_layer *l, lcl_kernel **out, const char *file,
                            const char *kernel, int block, const lcl_define *defines,
                            size_t n_defines, lcl_error *err)
{
    lcl_define *all = lcl_alloc(n_defines + 2, sizeof *all);
    lcl_status status;

    if (n_defines)
        memcpy(all, defines, n_defines * sizeof *all);
    all[n_defines] = (lcl_define){"B", block};
    all[n_defines + 1] = (lcl_define){"V", lcl_layer_vector(l, block)};
    status = lcl_kernel_get(out, l->dev, file, kernel, all, n_defines + 2, err);
    free(all);
    return status;
}

lcl_status lcl_layer_fail(const lcl_layer *l, const void *message, const char *field,
                          lcl_error *err, lcl_status status, const char *format, ...)
{
    lcl_error text; /* the message's size is the limit */
    const char *name = l->param->name ? l->param->name : "";
    size_t used;
    va_list args;

    snprintf(text.message, sizeof text.message, "layer '%.200s' (%s): ", name,
             l->type->name);
    used = strlen(text.message);
    va_start(args, format);
    vsnprintf(text.message + used, sizeof text.message - used, format, args);
    va_end(args);
    if (!message) {
        message = l->param;
        field = NULL;
    }
    return fail_at(l->env, l->param, message, field, err, status, text.message);
}

lcl_status lcl_layer_axis(const lcl_layer *l, const lcl_blob *b, int axis,
                          const void *message, const char *field, int *out,
                          lcl_error *err)
{
    if (axis < -b->n_axes || axis >= b->n_axes)
        return lcl_layer_fail(l, message, field, err, LCL_ESHAPE,
                              "axis %d does not exist in blob '%s', which has %d %s",
                              axis, b->name, b->n_axes, b->n_axes == 1 ? "axis" : "axes");
    *out = axis < 0 ? axis + b->n_axes : axis;
    return LCL_OK;
}
