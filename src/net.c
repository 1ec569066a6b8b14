/* Builds a net from its message, as Caffe does and logs it, and runs it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net_graph.h"
#include "fuse.h"
#include "net_parts.h"
#include "text.h"

typedef Caffe__LayerParameter layer_message;

/* ---- Block and vector ------------------------------------------------------------- */

static size_t first_dim(const Caffe__BlobShape *shape)
{
    return shape->n_dim && shape->dim[0] > 0 ? (size_t)shape->dim[0] : 0;
}

static size_t max_of(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Images a source layer makes at a time; 0 where its message does not say. */
static size_t batch_of(const layer_message *l)
{
    size_t n = 0;

    if (l->data_param)
        n = max_of(n, l->data_param->batch_size);
    if (l->image_data_param)
        n = max_of(n, l->image_data_param->batch_size);
    if (l->memory_data_param)
        n = max_of(n, l->memory_data_param->batch_size);
    if (l->window_data_param)
        n = max_of(n, l->window_data_param->batch_size);
    if (l->hdf5_data_param)
        n = max_of(n, l->hdf5_data_param->batch_size);
    for (size_t i = 0; l->input_param && i < l->input_param->n_shape; i++)
        n = max_of(n, first_dim(l->input_param->shape[i]));
    for (size_t i = 0; l->dummy_data_param && i < l->dummy_data_param->n_shape; i++)
        n = max_of(n, first_dim(l->dummy_data_param->shape[i]));
    for (size_t i = 0; l->dummy_data_param && i < l->dummy_data_param->n_num; i++)
        n = max_of(n, l->dummy_data_param->num[i]);
    return n;
}

/* The number in environment variable `name`, 1..max; *out stays where it is not set. */
static lcl_status env_number(const char *name, int max, int *out, lcl_error *err)
{
    const char *text = getenv(name);
    char *end;
    long n;

    if (!text || !*text)
        return LCL_OK;
    n = strtol(text, &end, 10);
    if (*end || n < 1 || n > max || (n & (n - 1)))
        return lcl_fail(err, LCL_EUSAGE, name, "'%s' is not a power of two from 1 to %d",
                        text, max);
    *out = (int)n;
    return LCL_OK;
}

static lcl_status choose_block(lcl_net *net, int wanted, lcl_error *err)
{
    bool cpu = lcl_device_is_cpu(net->dev);
    int block = cpu ? 16 : 32, vector = cpu ? 16 : 4;
    size_t batch = 0;

    for (size_t i = 0; i < net->param->n_layer; i++)
        batch = max_of(batch, batch_of(net->param->layer[i]));
    if (batch > 0 && batch < 4)
        block = 1;
    LCL_TRY(env_number("LCL_BLOCK", 1024, &block, err));
    LCL_TRY(env_number("LCL_VECTOR", 16, &vector, err));
    if (wanted)
        block = wanted;
    while (block % vector)
        vector /= 2;
    net->env.block = block;
    net->env.vector = vector;
    return LCL_OK;
}

/* ---- Wiring ----------------------------------------------------------------------- */

static size_t add_blob(lcl_net *net, const char *name)
{
    net->blobs = lcl_resize(net->blobs, net->n_blobs + 1, sizeof *net->blobs);
    net->blobs[net->n_blobs] = (net_blob){.blob = lcl_blob_create(net->dev, name)};
    return net->n_blobs++;
}

/* n_blobs where there is none. */
static size_t find_blob(const lcl_net *net, const char *name)
{
    size_t i = 0;

    while (i < net->n_blobs &&
           (net->blobs[i].automatic || strcmp(net->blobs[i].blob->name, name) != 0))
        i++;
    return i;
}

/* Whether any bottom carries a gradient back. */
static bool take_bottoms(lcl_net *net, net_layer *l, const layer_message *m)
{
    bool any = false;

    l->n_bottoms = m->n_bottom;
    l->bottoms = lcl_alloc(m->n_bottom, sizeof *l->bottoms);
    l->wants_gradient = lcl_alloc(m->n_bottom, sizeof *l->wants_gradient);
    for (size_t i = 0; i < m->n_bottom; i++) {
        net_blob *b = &net->blobs[l->bottoms[i] = find_blob(net, m->bottom[i])];
        LCL_LOG(net->log, "%s <- %s", m->name, m->bottom[i]);
        b->available = false;
        any |= b->needs_gradient;
        l->wants_gradient[i] =
            m->n_propagate_down ? m->propagate_down[i] : b->needs_gradient;
    }
    return any;
}

static void make_tops(lcl_net *net, net_layer *l, const layer_message *m,
                      const lcl_layer_type *type)
{
    size_t n = m->n_top;

    if (type->auto_tops && n < type->min_tops)
        n = type->min_tops;
    l->n_tops = n;
    l->tops = lcl_alloc(n, sizeof *l->tops);
    for (size_t i = 0; i < n; i++) {
        const char *name = i < m->n_top ? m->top[i] : "(automatic)";
        if (i < m->n_top && i < m->n_bottom && strcmp(name, m->bottom[i]) == 0) {
            LCL_LOG(net->log, "%s -> %s (in-place)", m->name, name);
            l->tops[i] = l->bottoms[i];
        } else {
            LCL_LOG(net->log, "%s -> %s", m->name, name);
            l->tops[i] = add_blob(net, name);
        }
        net->blobs[l->tops[i]].automatic = i >= m->n_top;
        net->blobs[l->tops[i]].available = i < m->n_top;
    }
}

static lcl_blob **list_blobs(const lcl_net *net, const size_t *indices, size_t n)
{
    lcl_blob **list = lcl_alloc(n, sizeof *list);

    for (size_t i = 0; i < n; i++)
        list[i] = net->blobs[indices[i]].blob;
    return list;
}

/* What is wrong with a shape or message without saying where gets the layer's place. */
static lcl_status fail_layer(lcl_net *net, const layer_message *m, const lcl_error *inner,
                             lcl_error *err)
{
    const char *name = lcl_proto_name(net->doc);
    bool placed = strncmp(inner->where, name, strlen(name)) == 0;

    if (!placed && (inner->status == LCL_ESHAPE || inner->status == LCL_EPROTO)) {
        lcl_proto_fail(net->doc, m, NULL, err, inner->status, "layer '%s': %s", m->name,
                       inner->message);
        return *inner->hint ? lcl_hint(err, inner->status, "%s", inner->hint)
                            : inner->status;
    }
    if (err)
        *err = *inner;
    return inner->status;
}

static lcl_status create_layer(lcl_net *net, net_layer *l, size_t index, lcl_error *err)
{
    const layer_message *m = net->param->layer[index];
    lcl_blob **bottoms = list_blobs(net, l->bottoms, l->n_bottoms);
    lcl_blob **tops = list_blobs(net, l->tops, l->n_tops);
    lcl_error inner = {0};
    lcl_status status;

    status = lcl_layer_create(&l->layer, m, &net->env, (int)index, bottoms,
                              (int)l->n_bottoms, tops, (int)l->n_tops, &inner);
    free(bottoms);
    free(tops);
    if (status != LCL_OK)
        return fail_layer(net, m, &inner, err);
    if (m->n_param > (size_t)l->layer->n_params)
        return lcl_proto_fail(
            net->doc, m, "param", err, LCL_EPROTO,
            "Too many params specified for layer %s: %zu, but it has %d", m->name,
            m->n_param, l->layer->n_params);
    return LCL_OK;
}

static void log_tops(lcl_net *net, const net_layer *l, size_t *memory)
{
    char shape[160];

    LCL_LOG(net->log, "Setting up %s", l->layer->param->name);
    for (size_t i = 0; i < l->n_tops; i++) {
        net_blob *b = &net->blobs[l->tops[i]];
        b->loss_weight = l->layer->loss_weights[i];
        lcl_blob_shape_text(b->blob, shape, sizeof shape);
        LCL_LOG(net->log, "Top shape: %s", shape);
        if (b->loss_weight != 0)
            LCL_LOG(net->log, "    with loss weight %g", b->loss_weight);
        *memory += lcl_blob_count(b->blob) * sizeof(float);
    }
    LCL_LOG(net->log, "Memory required for data: %zu", *memory);
}

/* Notes which parameters learn; whether any does. */
static bool set_param_propagate(lcl_layer *l)
{
    bool any = false;

    for (size_t i = 0; i < (size_t)l->n_params; i++) {
        l->param_propagate[i] =
            i >= l->param->n_param || l->param->param[i]->lr_mult != 0;
        any |= l->param_propagate[i];
    }
    return any;
}

static lcl_status add_layer(lcl_net *net, size_t index, size_t *memory, lcl_error *err)
{
    const layer_message *m = net->param->layer[index];
    net_layer *l = &net->layers[index];
    const lcl_layer_type *type;

    LCL_LOG(net->log, "Creating layer %s", m->name);
    LCL_TRY(lcl_layer_find_type(&type, m, &net->env, err));
    LCL_LOG(net->log, "Creating Layer %s", m->name);
    net->n_layers = index + 1;
    l->needs_backward = take_bottoms(net, l, m);
    make_tops(net, l, m, type);
    LCL_TRY(create_layer(net, l, index, err));
    log_tops(net, l, memory);
    LCL_TRY(lcl_net_own_params(net, index, err));
    l->needs_backward |= set_param_propagate(l->layer);
    for (size_t i = 0; l->needs_backward && i < l->n_tops; i++)
        net->blobs[l->tops[i]].needs_gradient = true;
    return LCL_OK;
}

/* ---- Who needs a gradient --------------------------------------------------------- */

/* Layers that no loss depends on, and layers all of whose tops get no gradient, need no
 * backward; nor do their bottoms get one. From the last layer up. */
static void cut_backward(lcl_net *net, net_layer *l)
{
    bool for_loss = false, skips = true;

    for (size_t i = 0; i < l->n_tops; i++) {
        const net_blob *b = &net->blobs[l->tops[i]];
        for_loss |= l->layer->loss_weights[i] != 0 || b->under_loss;
        skips &= b->skips_gradient;
    }
    if (!for_loss || (l->needs_backward && skips)) {
        l->needs_backward = false;
        for (size_t i = 0; i < l->n_bottoms; i++)
            l->wants_gradient[i] = false;
    }
    LCL_LOG(net->log,
            l->needs_backward ? "%s needs backward computation."
                              : "%s does not need backward computation.",
            l->layer->param->name);
    for (size_t i = 0; i < l->n_bottoms; i++) {
        net_blob *b = &net->blobs[l->bottoms[i]];
        b->under_loss |= for_loss;
        b->skips_gradient |= !l->wants_gradient[i];
    }
}

static bool allows_gradient(const lcl_layer *l, size_t bottom)
{
    return bottom >= 32 || !(l->type->no_backward >> bottom & 1);
}

static void force_backward(net_layer *l)
{
    l->needs_backward = true;
    for (size_t i = 0; i < l->n_bottoms; i++)
        l->wants_gradient[i] |= allows_gradient(l->layer, i);
    for (int i = 0; i < l->layer->n_params; i++)
        l->layer->param_propagate[i] = true;
}

/* Tells the layer. A bottom that cannot get one (labels) must not want one. */
static lcl_status set_propagate(lcl_net *net, net_layer *l, lcl_error *err)
{
    for (size_t i = 0; i < l->n_bottoms; i++) {
        bool wants = l->needs_backward && l->wants_gradient[i];
        l->layer->propagate[i] = wants && allows_gradient(l->layer, i);
        if (wants && !allows_gradient(l->layer, i) &&
            net->env.phase == CAFFE__PHASE__TRAIN)
            return lcl_layer_fail(l->layer, l->layer->param, "bottom", err, LCL_EPROTO,
                                  "cannot backpropagate to bottom %zu, '%s' (labels)", i,
                                  net->blobs[l->bottoms[i]].blob->name);
    }
    return LCL_OK;
}

static lcl_status find_gradients(lcl_net *net, lcl_error *err)
{
    for (size_t i = net->n_layers; i-- > 0;)
        cut_backward(net, &net->layers[i]);
    for (size_t i = 0; net->param->force_backward && i < net->n_layers; i++)
        force_backward(&net->layers[i]);
    for (size_t i = 0; i < net->n_layers; i++)
        LCL_TRY(set_propagate(net, &net->layers[i], err));
    return LCL_OK;
}

/* ---- Memory for gradients --------------------------------------------------------- */

/* A layer's backward reads the diffs of its tops and writes those of its bottoms. */
static lcl_status give_diffs(lcl_net *net, const net_layer *l, lcl_error *err)
{
    const lcl_layer_type *type = l->layer->type;

    for (size_t i = 0; i < l->n_bottoms; i++)
        if (l->layer->propagate[i])
            LCL_TRY(lcl_blob_need_diff(net->blobs[l->bottoms[i]].blob, err));
    if (type->is_view && l->layer->propagate[0] && !l->layer->plain &&
        l->layer->loss_weights[0] == 0)
        lcl_blob_share_diff(l->layer->tops[0], l->layer->bottoms[0]);
    if (!l->needs_backward || !type->backward || type->is_loss || type->partial_diffs)
        return LCL_OK;
    for (size_t i = 0; i < l->n_tops; i++)
        LCL_TRY(lcl_blob_need_diff(net->blobs[l->tops[i]].blob, err));
    return LCL_OK;
}

/* The gradient of a loss top is its weight. */
static lcl_status fill_loss_diff(lcl_blob *b, float weight, lcl_error *err)
{
    size_t n = lcl_blob_count(b);
    float *values;
    lcl_status status;

    LCL_TRY(lcl_blob_need_diff(b, err));
    values = lcl_alloc(n, sizeof *values);
    for (size_t i = 0; i < n; i++)
        values[i] = weight;
    status = lcl_blob_write(b, LCL_DIFF, values, err);
    free(values);
    return status;
}

/* Again after a reshape. */
static lcl_status place_diffs(lcl_net *net, lcl_error *err)
{
    if (!net->has_diffs)
        LCL_TRY(lcl_net_place_param_diffs(net, err));
    net->has_diffs = true;
    for (size_t i = 0; i < net->n_layers; i++)
        LCL_TRY(give_diffs(net, &net->layers[i], err));
    for (size_t i = 0; i < net->n_blobs; i++)
        if (net->blobs[i].loss_weight != 0)
            LCL_TRY(fill_loss_diff(net->blobs[i].blob, net->blobs[i].loss_weight, err));
    return LCL_OK;
}

/* ---- Creation --------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const net_blob *const *)a)->blob->name,
                  (*(const net_blob *const *)b)->blob->name);
}

static void find_outputs(lcl_net *net)
{
    const net_blob **list = lcl_alloc(net->n_blobs, sizeof *list);
    size_t n = 0;

    for (size_t i = 0; i < net->n_blobs; i++)
        if (net->blobs[i].available)
            list[n++] = &net->blobs[i];
    qsort(list, n, sizeof *list, by_name);
    net->outputs = lcl_alloc(n, sizeof *net->outputs);
    for (size_t i = 0; i < n; i++) {
        LCL_LOG(net->log, "This network produces output %s", list[i]->blob->name);
        net->outputs[net->n_outputs++] = (size_t)(list[i] - net->blobs);
    }
    free(list);
}

static void list_steps(lcl_net *net)
{
    net->n_forward = net->n_backward = 0;
    for (size_t i = 0; i < net->n_layers; i++)
        if (!net->layers[i].forward_taken)
            net->forward[net->n_forward++] =
                (net_step){lcl_layer_forward, net->layers[i].layer};
    for (size_t i = net->n_layers; i-- > 0;)
        if (net->layers[i].needs_backward && !net->layers[i].backward_taken)
            net->backward[net->n_backward++] =
                (net_step){lcl_layer_backward, net->layers[i].layer};
}

static bool may_fuse(const lcl_net_options *o)
{
    const char *wanted = getenv("LCL_FUSE");

    return o->fuse && !(wanted && strcmp(wanted, "0") == 0);
}

static lcl_status build(lcl_net *net, const lcl_net_options *o, lcl_error *err)
{
    size_t memory = 0;

    LCL_TRY(lcl_proto_upgrade_net(net->doc, net->log, err));
    LCL_TRY(lcl_net_graph_build(net->doc, o, err));
    LCL_TRY(choose_block(net, o->block, err));
    net->layers = lcl_alloc(net->param->n_layer, sizeof *net->layers);
    for (size_t i = 0; i < net->param->n_layer; i++)
        LCL_TRY(add_layer(net, i, &memory, err));
    LCL_TRY(find_gradients(net, err));
    find_outputs(net);
    LCL_TRY(lcl_net_place_params(net, o->share, err));
    if (o->phase == CAFFE__PHASE__TRAIN)
        LCL_TRY(place_diffs(net, err));
    net->fuse = may_fuse(o);
    if (net->fuse)
        LCL_TRY(lcl_fuse(net, err));
    net->forward = lcl_alloc(net->n_layers, sizeof *net->forward);
    net->backward = lcl_alloc(net->n_layers, sizeof *net->backward);
    list_steps(net);
    lcl_net_accumulate(net, false);
    LCL_LOG(net->log, "Network initialization done.");
    return LCL_OK;
}

lcl_status lcl_net_create(lcl_net **out, lcl_device *dev, const lcl_proto *source,
                          const lcl_net_options *options, lcl_error *err)
{
    lcl_net *net = lcl_alloc(1, sizeof *net);
    lcl_status status;

    net->dev = dev;
    net->log = options->log;
    net->doc = lcl_proto_copy(source, lcl_proto_root(source));
    net->param = (const Caffe__NetParameter *)lcl_proto_root(net->doc);
    net->blas = (lcl_blas){dev, options->gemm};
    lcl_rng_init(&net->rng, options->seed);
    net->env = (lcl_layer_env){.dev = dev,
                               .blas = &net->blas,
                               .source = net->doc,
                               .log = net->log,
                               .rng = &net->rng,
                               .phase = options->phase};
    status = build(net, options, err);
    if (status != LCL_OK) {
        lcl_net_destroy(net);
        return status;
    }
    *out = net;
    return LCL_OK;
}

lcl_status lcl_net_read(lcl_net **out, lcl_device *dev, const char *path,
                        const lcl_net_options *options, lcl_error *err)
{
    lcl_proto *source;
    lcl_status status;

    LCL_TRY(lcl_proto_read_text(&source, &caffe__net_parameter__descriptor, path,
                                LCL_UNKNOWN_IS_ERROR, options->log, err));
    status = lcl_net_create(out, dev, source, options, err);
    lcl_proto_destroy(source);
    return status;
}

void lcl_net_destroy(lcl_net *net)
{
    if (!net)
        return;
    for (size_t i = 0; i < net->n_layers; i++) {
        lcl_layer_destroy(net->layers[i].layer);
        free(net->layers[i].bottoms);
        free(net->layers[i].tops);
        free(net->layers[i].wants_gradient);
    }
    lcl_net_release_params(net);
    for (size_t i = 0; i < net->n_blobs; i++)
        lcl_blob_destroy(net->blobs[i].blob);
    free(net->blobs);
    free(net->layers);
    free(net->outputs);
    free(net->forward);
    free(net->backward);
    lcl_proto_destroy(net->doc);
    free(net);
}

/* ---- Running it ------------------------------------------------------------------- */

lcl_status lcl_net_forward(lcl_net *net, lcl_error *err)
{
    for (size_t i = 0; i < net->n_forward; i++)
        LCL_TRY(net->forward[i].run(net->forward[i].layer, err));
    return LCL_OK;
}

lcl_status lcl_net_backward(lcl_net *net, lcl_error *err)
{
    if (!net->has_diffs)
        LCL_TRY(place_diffs(net, err));
    for (size_t i = 0; i < net->n_backward; i++)
        LCL_TRY(net->backward[i].run(net->backward[i].layer, err));
    return LCL_OK;
}

/* The steps of one layer. */
static lcl_status run_layer(const net_step *steps, size_t n, size_t layer, lcl_error *err)
{
    for (size_t i = 0; i < n; i++)
        if ((size_t)steps[i].layer->index == layer)
            LCL_TRY(steps[i].run(steps[i].layer, err));
    return LCL_OK;
}

lcl_status lcl_net_forward_layer(lcl_net *net, size_t layer, lcl_error *err)
{
    return run_layer(net->forward, net->n_forward, layer, err);
}

lcl_status lcl_net_backward_layer(lcl_net *net, size_t layer, lcl_error *err)
{
    if (!net->has_diffs)
        LCL_TRY(place_diffs(net, err));
    return run_layer(net->backward, net->n_backward, layer, err);
}

static lcl_status add_loss(const lcl_blob *b, float weight, float *loss, lcl_error *err)
{
    size_t n = lcl_blob_count(b);
    float *values = lcl_alloc(n, sizeof *values), sum = 0;
    lcl_status status = lcl_blob_read(b, LCL_DATA, values, err);

    for (size_t i = 0; i < n; i++)
        sum += values[i];
    *loss += weight * sum;
    free(values);
    return status;
}

lcl_status lcl_net_loss(lcl_net *net, float *loss, lcl_error *err)
{
    *loss = 0;
    for (size_t i = 0; i < net->n_layers; i++) {
        const net_layer *l = &net->layers[i];
        for (size_t j = 0; j < l->n_tops; j++)
            if (l->layer->loss_weights[j] != 0)
                LCL_TRY(add_loss(net->blobs[l->tops[j]].blob, l->layer->loss_weights[j],
                                 loss, err));
    }
    return LCL_OK;
}

/* The first layer of a backward that gives a parameter its gradient sets it; those that
 * share it add to it. */
void lcl_net_accumulate(lcl_net *net, bool on)
{
    bool *given = lcl_alloc(net->n_params, sizeof *given);

    for (size_t i = net->n_layers; i-- > 0;) {
        const net_layer *l = &net->layers[i];
        for (int j = 0; l->needs_backward && j < l->layer->n_params; j++) {
            if (!l->layer->param_propagate[j])
                continue;
            l->layer->accumulate[j] = on || given[l->params[j]];
            given[l->params[j]] = true;
        }
    }
    free(given);
}

lcl_status lcl_net_reshape(lcl_net *net, lcl_error *err)
{
    if (net->fuse)
        LCL_TRY(lcl_unfuse(net, err));
    for (size_t i = 0; i < net->n_layers; i++)
        LCL_TRY(lcl_layer_reshape(net->layers[i].layer, err));
    if (net->has_diffs)
        LCL_TRY(place_diffs(net, err));
    if (net->fuse)
        LCL_TRY(lcl_fuse(net, err));
    list_steps(net);
    return LCL_OK;
}

/* ---- Looking at it ---------------------------------------------------------------- */

const char *lcl_net_name(const lcl_net *net)
{
    return net->param->name ? net->param->name : "";
}

lcl_device *lcl_net_device(const lcl_net *net)
{
    return net->dev;
}

size_t lcl_net_n_layers(const lcl_net *net)
{
    return net->n_layers;
}

const lcl_layer *lcl_net_layer(const lcl_net *net, size_t i)
{
    return net->layers[i].layer;
}

bool lcl_net_layer_needs_backward(const lcl_net *net, size_t i)
{
    return net->layers[i].needs_backward;
}

bool lcl_net_layer_is_fused_away(const lcl_net *net, size_t i)
{
    return net->layers[i].forward_taken;
}

lcl_blob *lcl_net_blob(const lcl_net *net, const char *name)
{
    size_t i = find_blob(net, name);

    return i < net->n_blobs && !lcl_is_fused_away(net, i) ? net->blobs[i].blob : NULL;
}

size_t lcl_net_n_outputs(const lcl_net *net)
{
    return net->n_outputs;
}

lcl_blob *lcl_net_output(const lcl_net *net, size_t i)
{
    return net->blobs[net->outputs[i]].blob;
}

float lcl_net_output_loss_weight(const lcl_net *net, size_t i)
{
    return net->blobs[net->outputs[i]].loss_weight;
}

const Caffe__NetParameter *lcl_net_param_proto(const lcl_net *net)
{
    return net->param;
}
