/* A net's parameters: who owns them, where they lie, loading and saving them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hdf5_file.h"
#include "net_parts.h"
#include "text.h"

typedef Caffe__LayerParameter layer_message;

enum { shape_size = 160 };

static const layer_message *message_of(const lcl_net *net, size_t layer)
{
    return net->param->layer[layer];
}

/* ---- Ownership --------------------------------------------------------------------- */

/* param { } number `index` of the layer, or NULL. */
static const Caffe__ParamSpec *spec_of(const layer_message *l, size_t index)
{
    return index < l->n_param ? l->param[index] : NULL;
}

static lcl_status check_shapes(lcl_net *net, size_t layer, size_t index,
                               const lcl_net_param *owner, const Caffe__ParamSpec *spec,
                               lcl_error *err)
{
    const layer_message *m = message_of(net, layer);
    const lcl_blob *b = net->layers[layer].layer->params[index];
    bool permissive = spec->has_share_mode &&
                      spec->share_mode == CAFFE__PARAM_SPEC__DIM_CHECK_MODE__PERMISSIVE;
    char theirs[shape_size], ours[shape_size];

    if (permissive ? lcl_blob_count(b) == lcl_blob_count(owner->blob)
                   : lcl_blob_same_shape(b, owner->blob))
        return LCL_OK;
    lcl_blob_shape_text(owner->blob, theirs, sizeof theirs);
    lcl_blob_shape_text(b, ours, sizeof ours);
    return lcl_proto_fail(net->doc, spec, "name", err, LCL_ESHAPE,
                          "Cannot share param '%s' owned by layer '%s' with layer '%s'; "
                          "%s mismatch.  Owner layer param shape is %s; sharing layer %s "
                          "%s",
                          spec->name, owner->layer, m->name,
                          permissive ? "count" : "shape", theirs,
                          permissive ? "shape is" : "expects shape", ours);
}

/* A multiplier given twice must be the same. */
static lcl_status merge_mult(lcl_net *net, const Caffe__ParamSpec *spec,
                             const char *field, bool given, float value, bool *has,
                             float *mult, lcl_error *err)
{
    if (!given)
        return LCL_OK;
    if (*has && *mult != value)
        return lcl_proto_fail(net->doc, spec, field, err, LCL_EPROTO,
                              "Shared param '%s' has mismatched %s (%g, but %g above)",
                              spec->name, field, value, *mult);
    *has = true;
    *mult = value;
    return LCL_OK;
}

static lcl_status share_param(lcl_net *net, size_t layer, size_t index, size_t owner,
                              lcl_error *err)
{
    const Caffe__ParamSpec *spec = spec_of(message_of(net, layer), index);
    lcl_net_param *p = &net->params[owner];
    net_said *s = &net->said[owner];

    LCL_LOG(net->log, "Sharing parameters '%s' owned by layer '%s', param index %d",
            spec->name, p->layer, p->index);
    LCL_TRY(check_shapes(net, layer, index, p, spec, err));
    LCL_TRY(merge_mult(net, spec, "lr_mult", spec->has_lr_mult, spec->lr_mult, &s->has_lr,
                       &p->lr_mult, err));
    return merge_mult(net, spec, "decay_mult", spec->has_decay_mult, spec->decay_mult,
                      &s->has_decay, &p->decay_mult, err);
}

/* Parameter `index` of `layer` is a new one, or one that a layer above has by that name.
 */
static lcl_status own_param(lcl_net *net, size_t layer, size_t index, lcl_error *err)
{
    const Caffe__ParamSpec *spec = spec_of(message_of(net, layer), index);
    const char *name = spec && spec->name && *spec->name ? spec->name : NULL;
    net_layer *l = &net->layers[layer];
    size_t i = net->n_params;

    for (size_t k = 0; name && k < net->n_params; k++)
        if (net->said[k].name && strcmp(net->said[k].name, name) == 0)
            i = k;
    l->params[index] = i;
    if (i < net->n_params)
        return share_param(net, layer, index, i, err);
    net->n_params++;
    net->said[i] =
        (net_said){name, spec && spec->has_lr_mult, spec && spec->has_decay_mult};
    net->params[i] = (lcl_net_param){.layer = message_of(net, layer)->name,
                                     .index = (int)index,
                                     .blob = l->layer->params[index],
                                     .lr_mult = spec ? spec->lr_mult
                                                     : l->layer->param_propagate[index],
                                     .decay_mult = spec ? spec->decay_mult : 1};
    return LCL_OK;
}

lcl_status lcl_net_own_params(lcl_net *net, size_t layer, lcl_error *err)
{
    size_t n = (size_t)net->layers[layer].layer->n_params;

    net->params = lcl_resize(net->params, net->n_params + n, sizeof *net->params);
    net->said = lcl_resize(net->said, net->n_params + n, sizeof *net->said);
    for (size_t i = 0; i < n; i++)
        LCL_TRY(own_param(net, layer, i, err));
    return LCL_OK;
}

/* ---- Memory ------------------------------------------------------------------------ */

/* Gives every parameter its offset: each starts where a sub-buffer may. */
static lcl_status lay_out(lcl_net *net, lcl_error *err)
{
    size_t step = lcl_device_get_info(net->dev)->alignment / sizeof(float), end = 0;

    if (step == 0)
        step = 1;
    for (size_t i = 0; i < net->n_params; i++) {
        lcl_net_param *p = &net->params[i];
        size_t count = lcl_blob_count(p->blob);
        p->offset = end;
        if (count > SIZE_MAX / sizeof(float) - end - step)
            return lcl_fail(err, LCL_ESHAPE, p->layer, "the parameters are too large");
        end = (end + count + step - 1) / step * step;
    }
    net->param_count = end;
    return LCL_OK;
}

static lcl_status part_of(cl_mem *out, cl_mem buffer, const lcl_net_param *p,
                          lcl_error *err)
{
    cl_buffer_region region = {p->offset * sizeof(float),
                               lcl_blob_count(p->blob) * sizeof(float)};
    cl_int rc;

    *out = NULL;
    if (!buffer) /* of a blank device */
        return LCL_OK;
    *out = clCreateSubBuffer(buffer, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION,
                             &region, &rc);
    if (rc == CL_SUCCESS)
        return LCL_OK;
    return lcl_fail(err, LCL_EDEVICE, p->layer,
                    "clCreateSubBuffer of %zu bytes at %zu: %s", region.size,
                    region.origin, lcl_cl_name(rc));
}

/* p->blob's values move into its part of param_data. */
static lcl_status move_param(lcl_net *net, const lcl_net_param *p, lcl_error *err)
{
    size_t size = lcl_blob_count(p->blob) * sizeof(float);
    cl_mem part;
    lcl_status status;

    LCL_TRY(part_of(&part, net->param_data, p, err));
    status = lcl_buffer_copy(net->dev, p->blob->data, 0, part, 0, size, err);
    if (status != LCL_OK) {
        lcl_buffer_release(&part);
        return status;
    }
    lcl_buffer_release(&p->blob->data);
    p->blob->data = part;
    return LCL_OK;
}

/* A layer that takes the parameters of one in another net must have the same ones. */
static lcl_status match_layers(const lcl_net *net, const lcl_layer *to,
                               const lcl_layer *from, lcl_error *err)
{
    char theirs[shape_size], ours[shape_size];

    if (to->n_params != from->n_params)
        return lcl_proto_fail(net->doc, to->param, NULL, err, LCL_ESHAPE,
                              "Incompatible number of blobs for layer %s: %d, but %d in "
                              "the net it shares them with",
                              to->param->name, to->n_params, from->n_params);
    for (int i = 0; i < to->n_params; i++) {
        if (lcl_blob_same_shape(to->params[i], from->params[i]))
            continue;
        lcl_blob_shape_text(from->params[i], theirs, sizeof theirs);
        lcl_blob_shape_text(to->params[i], ours, sizeof ours);
        return lcl_proto_fail(
            net->doc, to->param, NULL, err, LCL_ESHAPE,
            "Cannot share param %d weights from layer '%s'; shape "
            "mismatch.  Source param shape is %s; target param shape is "
            "%s",
            i, to->param->name, theirs, ours);
    }
    return LCL_OK;
}

size_t lcl_net_find_layer(const lcl_net *net, const char *name)
{
    size_t i = 0;

    while (i < net->n_layers && strcmp(message_of(net, i)->name, name) != 0)
        i++;
    return i;
}

/* Parameters of layers that `from` has too use its memory. */
static lcl_status share_with(lcl_net *net, const lcl_net *from, lcl_error *err)
{
    for (size_t i = 0; i < from->n_layers; i++) {
        const lcl_layer *source = from->layers[i].layer;
        size_t target = lcl_net_find_layer(net, source->param->name);
        if (target == net->n_layers) {
            LCL_LOG(net->log, "Ignoring source layer %s", source->param->name);
            continue;
        }
        LCL_TRY(match_layers(net, net->layers[target].layer, source, err));
        for (int j = 0; j < source->n_params; j++) {
            lcl_net_param *p = &net->params[net->layers[target].params[j]];
            lcl_blob_share_data(p->blob, source->params[j]);
            p->shared = true;
        }
    }
    return LCL_OK;
}

/* Every layer's own blob of a parameter uses the memory of the owner's. */
static void join_sharers(lcl_net *net, lcl_which which)
{
    for (size_t i = 0; i < net->n_layers; i++) {
        net_layer *l = &net->layers[i];
        for (int j = 0; j < l->layer->n_params; j++) {
            lcl_blob *b = l->layer->params[j], *owner = net->params[l->params[j]].blob;
            if (b == owner)
                continue;
            if (which == LCL_DATA)
                lcl_blob_share_data(b, owner);
            else
                lcl_blob_share_diff(b, owner);
        }
    }
}

lcl_status lcl_net_place_params(lcl_net *net, const lcl_net *share, lcl_error *err)
{
    bool any = false;

    LCL_TRY(lay_out(net, err));
    if (share)
        LCL_TRY(share_with(net, share, err));
    for (size_t i = 0; i < net->n_params; i++)
        any |= !net->params[i].shared;
    if (any)
        LCL_TRY(lcl_buffer_create(&net->param_data, net->dev,
                                  net->param_count * sizeof(float), "parameters", err));
    for (size_t i = 0; i < net->n_params; i++)
        if (!net->params[i].shared)
            LCL_TRY(move_param(net, &net->params[i], err));
    join_sharers(net, LCL_DATA);
    return LCL_OK;
}

lcl_status lcl_net_place_param_diffs(lcl_net *net, lcl_error *err)
{
    if (net->n_params == 0)
        return LCL_OK;
    LCL_TRY(lcl_buffer_create(&net->param_diff, net->dev,
                              net->param_count * sizeof(float),
                              "the parameters' gradients", err));
    for (size_t i = 0; i < net->n_params; i++)
        LCL_TRY(
            part_of(&net->params[i].blob->diff, net->param_diff, &net->params[i], err));
    join_sharers(net, LCL_DIFF);
    return LCL_OK;
}

void lcl_net_release_params(lcl_net *net)
{
    lcl_buffer_release(&net->param_data);
    lcl_buffer_release(&net->param_diff);
    free(net->params);
    free(net->said);
}

size_t lcl_net_n_params(const lcl_net *net)
{
    return net->n_params;
}

const lcl_net_param *lcl_net_param_at(const lcl_net *net, size_t i)
{
    return &net->params[i];
}

size_t lcl_net_find_param(const lcl_net *net, size_t layer, int index)
{
    return net->layers[layer].params[index];
}

cl_mem lcl_net_param_data(const lcl_net *net)
{
    return net->param_data;
}

cl_mem lcl_net_param_diff(const lcl_net *net)
{
    return net->param_diff;
}

size_t lcl_net_param_count(const lcl_net *net)
{
    return net->param_count;
}

/* ---- Loading ----------------------------------------------------------------------- */

static bool is_legacy(const Caffe__BlobProto *b)
{
    return !b->shape && (b->has_num || b->has_channels || b->has_height || b->has_width);
}

/* Caffe's rule: old shapes have four axes, and stand for the last ones of the blob's. */
static bool shape_equals(const lcl_blob *b, const Caffe__BlobProto *source, int n_axes,
                         const int *shape)
{
    int extra = is_legacy(source) ? n_axes - b->n_axes : 0;

    if (extra < 0 || n_axes - extra != b->n_axes)
        return false;
    for (int i = 0; i < extra; i++)
        if (shape[i] != 1)
            return false;
    return memcmp(shape + extra, b->shape, (size_t)b->n_axes * sizeof *shape) == 0;
}

/* Writes the source's values, which are as many as b has, to b. */
static lcl_status copy_values(lcl_blob *b, const Caffe__BlobProto *from, lcl_error *err)
{
    const float *values;
    float *owned;
    size_t count;
    lcl_status status;

    LCL_TRY(lcl_blob_proto_values(from, false, &values, &count, &owned, err));
    status = lcl_blob_write(b, LCL_DATA, values, err);
    free(owned);
    return status;
}

lcl_status lcl_net_refuse_shape(const char *path, const char *layer, size_t index,
                                int n_axes, const int *shape, const lcl_blob *b,
                                lcl_error *err)
{
    lcl_blob theirs = {.n_axes = n_axes}; /* only its shape */
    char theirs_text[shape_size], ours_text[shape_size];

    memcpy(theirs.shape, shape, (size_t)n_axes * sizeof *shape);
    lcl_blob_shape_text(&theirs, theirs_text, sizeof theirs_text);
    lcl_blob_shape_text(b, ours_text, sizeof ours_text);
    return lcl_fail(err, LCL_ESHAPE, path,
                    "Cannot copy param %zu weights from layer '%s'; shape mismatch.  "
                    "Source param shape is %s; target param shape is %s. To learn "
                    "this layer's parameters from scratch rather than copying from a "
                    "saved net, rename the layer.",
                    index, layer, theirs_text, ours_text);
}

static lcl_status load_param(lcl_blob *b, const lcl_proto *model,
                             const layer_message *source, size_t index, lcl_error *err)
{
    const Caffe__BlobProto *from = source->blobs[index];
    int n_axes, shape[LCL_MAX_AXES];
    lcl_error inner = {0};
    lcl_status status = lcl_blob_proto_shape(from, &n_axes, shape, &inner);

    if (status == LCL_OK && !shape_equals(b, from, n_axes, shape))
        return lcl_net_refuse_shape(lcl_proto_name(model), source->name, index, n_axes,
                                    shape, b, err);
    if (status == LCL_OK)
        status = copy_values(b, from, &inner);
    if (status != LCL_OK)
        lcl_fail(err, status, lcl_proto_name(model), "param %zu of layer '%s': %s", index,
                 source->name, inner.message);
    return status;
}

static lcl_status load_layer(lcl_net *net, const lcl_proto *model,
                             const layer_message *source, lcl_error *err)
{
    const char *name = source->name ? source->name : "";
    size_t target = lcl_net_find_layer(net, name);
    lcl_layer *l;

    if (target == net->n_layers) {
        LCL_LOG(net->log, "Ignoring source layer %s", name);
        return LCL_OK;
    }
    l = net->layers[target].layer;
    if ((size_t)l->n_params != source->n_blobs)
        return lcl_fail(err, LCL_ESHAPE, lcl_proto_name(model),
                        "Incompatible number of blobs for layer %s: the model has %zu, "
                        "the net %d",
                        name, source->n_blobs, l->n_params);
    for (size_t i = 0; i < source->n_blobs; i++)
        LCL_TRY(load_param(l->params[i], model, source, i, err));
    return LCL_OK;
}

lcl_status lcl_net_load_proto(lcl_net *net, const lcl_proto *model, lcl_error *err)
{
    const Caffe__NetParameter *m = (const Caffe__NetParameter *)lcl_proto_root(model);

    for (size_t i = 0; i < m->n_layer; i++)
        LCL_TRY(load_layer(net, model, m->layer[i], err));
    return LCL_OK;
}

lcl_status lcl_net_load(lcl_net *net, const char *path, lcl_error *err)
{
    lcl_proto *model;
    lcl_status status;

    if (lcl_has_suffix(path, ".solverstate") || lcl_has_suffix(path, ".solverstate.h5")) {
        lcl_fail(err, LCL_EUSAGE, path, "this is a solver's state, not a model");
        return lcl_hint(err, LCL_EUSAGE,
                        "resume from it with --snapshot, or give the .caffemodel beside "
                        "it");
    }
    if (lcl_hdf5_is(path) || lcl_has_suffix(path, ".h5"))
        return lcl_net_load_hdf5(net, path, err);
    LCL_TRY(lcl_proto_read_binary(&model, &caffe__net_parameter__descriptor, path, err));
    status = lcl_proto_upgrade_net(model, net->log, err);
    if (status == LCL_OK)
        status = lcl_net_load_proto(net, model, err);
    lcl_proto_destroy(model);
    return status;
}

/* ---- Saving ------------------------------------------------------------------------ */

/* Values of b's data or diff (zeros where there is none), packed; free them. */
static lcl_status read_values(const lcl_blob *b, lcl_which which, float **values,
                              size_t *n, lcl_error *err)
{
    *n = lcl_blob_count(b);
    *values = lcl_alloc(*n, sizeof **values);
    return which == LCL_DATA || b->diff ? lcl_blob_read(b, which, *values, err) : LCL_OK;
}

static lcl_status save_blob(const lcl_blob *b, bool with_diff, Caffe__BlobProto *out,
                            lcl_error *err)
{
    Caffe__BlobShape *shape = lcl_proto_new(&caffe__blob_shape__descriptor);

    out->shape = shape;
    shape->n_dim = (size_t)b->n_axes;
    shape->dim = lcl_alloc(shape->n_dim, sizeof *shape->dim);
    for (int i = 0; i < b->n_axes; i++)
        shape->dim[i] = b->shape[i];
    LCL_TRY(read_values(b, LCL_DATA, &out->data, &out->n_data, err));
    return with_diff ? read_values(b, LCL_DIFF, &out->diff, &out->n_diff, err) : LCL_OK;
}

/* Deep copy of a message through its binary form. */
static lcl_status copy_layer(const layer_message *from, layer_message **out,
                             lcl_error *err)
{
    uint8_t *bytes;
    size_t size;

    LCL_TRY(lcl_proto_encode(&bytes, &size, &from->base, err));
    *out = (layer_message *)protobuf_c_message_unpack(from->base.descriptor, NULL, size,
                                                      bytes);
    free(bytes);
    return *out
               ? LCL_OK
               : lcl_fail(err, LCL_EPROTO, from->name, "cannot copy the layer's message");
}

static void clear_blobs(layer_message *m)
{
    for (size_t i = 0; i < m->n_blobs; i++)
        lcl_proto_free(&m->blobs[i]->base);
    free(m->blobs);
    m->blobs = NULL;
    m->n_blobs = 0;
}

/* The layer's message with the loss weight it got by default, and its parameters. */
static lcl_status save_layer(const lcl_layer *l, bool with_diff, layer_message **out,
                             lcl_error *err)
{
    size_t n = (size_t)l->n_params;
    layer_message *m;

    LCL_TRY(copy_layer(l->param, out, err));
    m = *out;
    if (l->type->is_loss && m->n_loss_weight == 0) {
        m->loss_weight = lcl_alloc(1, sizeof *m->loss_weight);
        m->loss_weight[0] = 1;
        m->n_loss_weight = 1;
    }
    clear_blobs(m);
    if (n == 0)
        return LCL_OK;
    m->blobs = lcl_alloc(n, sizeof(Caffe__BlobProto *));
    while (m->n_blobs < n) {
        size_t i = m->n_blobs++;
        m->blobs[i] = lcl_proto_new(&caffe__blob_proto__descriptor);
        LCL_TRY(save_blob(l->params[i], with_diff, m->blobs[i], err));
    }
    return LCL_OK;
}

lcl_status lcl_net_to_proto(lcl_net *net, bool with_diff, Caffe__NetParameter **out,
                            lcl_error *err)
{
    Caffe__NetParameter *m = lcl_proto_new(&caffe__net_parameter__descriptor);
    lcl_status status = LCL_OK;

    m->name = lcl_strdup(lcl_net_name(net));
    m->layer = lcl_alloc(net->n_layers, sizeof(layer_message *));
    for (size_t i = 0; status == LCL_OK && i < net->n_layers; i++) {
        layer_message *layer = NULL;
        status = save_layer(net->layers[i].layer, with_diff, &layer, err);
        if (layer)
            m->layer[m->n_layer++] = layer;
    }
    if (status != LCL_OK) {
        lcl_proto_free(&m->base);
        return status;
    }
    *out = m;
    return LCL_OK;
}

lcl_status lcl_net_save(lcl_net *net, bool with_diff, const char *path, lcl_error *err)
{
    Caffe__NetParameter *model;

    LCL_TRY(lcl_net_to_proto(net, with_diff, &model, err));
    lcl_status status = lcl_proto_write(&model->base, path, err);
    lcl_proto_free(&model->base);
    return status;
}
