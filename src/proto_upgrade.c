/* Caffe's upgrades of old nets and solvers. */
#include "proto_upgrade.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "text.h"

static const struct {
    const char *old, *type;
} v1_types[] = {
    {"ABSVAL", "AbsVal"},
    {"ACCURACY", "Accuracy"},
    {"ARGMAX", "ArgMax"},
    {"BNLL", "BNLL"},
    {"CONCAT", "Concat"},
    {"CONTRASTIVE_LOSS", "ContrastiveLoss"},
    {"CONVOLUTION", "Convolution"},
    {"DATA", "Data"},
    {"DECONVOLUTION", "Deconvolution"},
    {"DROPOUT", "Dropout"},
    {"DUMMY_DATA", "DummyData"},
    {"ELTWISE", "Eltwise"},
    {"EUCLIDEAN_LOSS", "EuclideanLoss"},
    {"EXP", "Exp"},
    {"FLATTEN", "Flatten"},
    {"HDF5_DATA", "HDF5Data"},
    {"HDF5_OUTPUT", "HDF5Output"},
    {"HINGE_LOSS", "HingeLoss"},
    {"IM2COL", "Im2col"},
    {"IMAGE_DATA", "ImageData"},
    {"INFOGAIN_LOSS", "InfogainLoss"},
    {"INNER_PRODUCT", "InnerProduct"},
    {"LRN", "LRN"},
    {"MEMORY_DATA", "MemoryData"},
    {"MULTINOMIAL_LOGISTIC_LOSS", "MultinomialLogisticLoss"},
    {"MVN", "MVN"},
    {"POOLING", "Pooling"},
    {"POWER", "Power"},
    {"RELU", "ReLU"},
    {"SIGMOID", "Sigmoid"},
    {"SIGMOID_CROSS_ENTROPY_LOSS", "SigmoidCrossEntropyLoss"},
    {"SILENCE", "Silence"},
    {"SLICE", "Slice"},
    {"SOFTMAX", "Softmax"},
    {"SOFTMAX_LOSS", "SoftmaxWithLoss"},
    {"SPLIT", "Split"},
    {"TANH", "TanH"},
    {"THRESHOLD", "Threshold"},
    {"WINDOW_DATA", "WindowData"},
};

const char *lcl_v1_type_name(const char *old)
{
    for (size_t i = 0; i < LCL_COUNT(v1_types); i++)
        if (strcmp(old, v1_types[i].old) == 0)
            return v1_types[i].type;
    return NULL;
}

/* ---- Moving fields ----------------------------------------------------------------- */

static const ProtobufCFieldDescriptor *field_of(const void *message, const char *name)
{
    return lcl_field_find(((const ProtobufCMessage *)message)->descriptor, name,
                          strlen(name));
}

static void clear_field(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    ProtobufCMessage *blank = lcl_proto_new(message->descriptor);
    size_t size = field->label == PROTOBUF_C_LABEL_REPEATED ? sizeof(void *)
                                                            : lcl_field_size(field);

    memcpy(lcl_field_at(message, field), lcl_field_at(blank, field), size);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        memset((char *)message + field->quantifier_offset, 0, sizeof(size_t));
    else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset)
        memset((char *)message + field->quantifier_offset, 0, sizeof(protobuf_c_boolean));
    lcl_proto_free(blank);
}

/* Makes room for a new value of a field that holds one already. */
static void drop_value(lcl_proto *p, ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED || !lcl_field_count(message, field))
        return;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        free(*(char **)lcl_field_at(message, field));
    else if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        lcl_proto_retire(p, *(ProtobufCMessage **)lcl_field_at(message, field));
}

void lcl_upgrade_move(lcl_proto *p, void *to, const char *to_name, void *from,
                      const char *name)
{
    const ProtobufCFieldDescriptor *source = field_of(from, name);
    const ProtobufCFieldDescriptor *target = field_of(to, to_name);
    size_t n = lcl_field_count(from, source);
    size_t offset = lcl_proto_place(p, from, source->id);

    if (n > 0)
        drop_value(p, to, target);
    for (size_t i = 0; i < n; i++)
        memcpy(lcl_field_add(to, target), lcl_field_value(from, source, i),
               lcl_field_size(source));
    if (offset != LCL_NO_PLACE)
        lcl_proto_set_place(p, to, target->id, offset);
    if (source->label == PROTOBUF_C_LABEL_REPEATED)
        free(*(void **)lcl_field_at(from, source));
    clear_field(from, source);
}

void *lcl_upgrade_part(lcl_proto *p, void *message, const char *name, const void *origin)
{
    const ProtobufCFieldDescriptor *field = field_of(message, name);
    ProtobufCMessage *part;

    if (lcl_field_count(message, field) == 0) {
        part = lcl_proto_new(field->descriptor);
        lcl_proto_derive(p, part, origin);
        memcpy(lcl_field_add(message, field), &part, sizeof part);
    }
    memcpy(&part, lcl_field_at(message, field), sizeof part);
    return part;
}

/* ---- Transformation fields inside data parameters ---------------------------------- */

/* The old fields of one layer's data parameter to its transform_param. */
static bool move_transform(lcl_proto *p, Caffe__V1LayerParameter *layer, void *data_param)
{
    static const char *const names[] = {"scale", "mean_file", "crop_size", "mirror"};
    bool moved = false;

    for (size_t i = 0; data_param && i < LCL_COUNT(names); i++) {
        if (lcl_field_count(data_param, field_of(data_param, names[i])) == 0)
            continue;
        void *transform = lcl_upgrade_part(p, layer, "transform_param", data_param);
        lcl_upgrade_move(p, transform, names[i], data_param, names[i]);
        moved = true;
    }
    return moved;
}

static void *data_param_of(const Caffe__V1LayerParameter *layer)
{
    switch (layer->type) {
    case CAFFE__V1_LAYER_PARAMETER__LAYER_TYPE__DATA: return layer->data_param;
    case CAFFE__V1_LAYER_PARAMETER__LAYER_TYPE__IMAGE_DATA:
        return layer->image_data_param;
    case CAFFE__V1_LAYER_PARAMETER__LAYER_TYPE__WINDOW_DATA:
        return layer->window_data_param;
    default: return NULL;
    }
}

static void upgrade_transforms(lcl_proto *p, Caffe__NetParameter *net, lcl_log *log)
{
    bool moved = false;

    for (size_t i = 0; i < net->n_layers; i++)
        moved |= move_transform(p, net->layers[i], data_param_of(net->layers[i]));
    if (moved)
        LCL_LOG(log,
                "Upgraded %s: transformation fields of data parameters moved to "
                "transform_param",
                p->name);
}

/* ---- Layers to layer --------------------------------------------------------------- */

static Caffe__ParamSpec *param_spec(lcl_proto *p, Caffe__LayerParameter *layer, size_t i)
{
    while (layer->n_param <= i) {
        Caffe__ParamSpec *spec = lcl_proto_new(&caffe__param_spec__descriptor);
        lcl_proto_derive(p, spec, layer);
        memcpy(lcl_field_add(&layer->base, field_of(layer, "param")), &spec, sizeof spec);
    }
    return layer->param[i];
}

static void upgrade_param_specs(lcl_proto *p, Caffe__LayerParameter *to,
                                Caffe__V1LayerParameter *from)
{
    for (size_t i = 0; i < from->n_param; i++) {
        param_spec(p, to, i)->name = from->param[i];
        from->param[i] = NULL;
    }
    from->n_param = 0;
    for (size_t i = 0; i < from->n_blob_share_mode; i++) {
        Caffe__ParamSpec *spec = param_spec(p, to, i);
        spec->has_share_mode = 1;
        spec->share_mode = from->blob_share_mode[i] ==
                                   CAFFE__V1_LAYER_PARAMETER__DIM_CHECK_MODE__PERMISSIVE
                               ? CAFFE__PARAM_SPEC__DIM_CHECK_MODE__PERMISSIVE
                               : CAFFE__PARAM_SPEC__DIM_CHECK_MODE__STRICT;
    }
    for (size_t i = 0; i < from->n_blobs_lr; i++) {
        param_spec(p, to, i)->has_lr_mult = 1;
        to->param[i]->lr_mult = from->blobs_lr[i];
    }
    for (size_t i = 0; i < from->n_weight_decay; i++) {
        param_spec(p, to, i)->has_decay_mult = 1;
        to->param[i]->decay_mult = from->weight_decay[i];
    }
}

static const char *type_of(const Caffe__V1LayerParameter *layer)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &caffe__v1_layer_parameter__layer_type__descriptor, (int)layer->type);

    return value ? lcl_v1_type_name(value->name) : NULL;
}

static Caffe__LayerParameter *upgrade_v1_layer(lcl_proto *p,
                                               Caffe__V1LayerParameter *from)
{
    const ProtobufCMessageDescriptor *type = from->base.descriptor;
    Caffe__LayerParameter *to = lcl_proto_new(&caffe__layer_parameter__descriptor);

    lcl_proto_derive(p, to, from);
    upgrade_param_specs(p, to, from);
    if (from->has_type)
        to->type = lcl_strdup(type_of(from) ? type_of(from) : "");
    for (unsigned i = 0; i < type->n_fields; i++) {
        const char *name = type->fields[i].name;
        const ProtobufCFieldDescriptor *target = field_of(to, name);
        if (target && target->type == type->fields[i].type && strcmp(name, "param") != 0)
            lcl_upgrade_move(p, to, name, from, name);
    }
    return to;
}

static lcl_status upgrade_layers(lcl_proto *p, Caffe__NetParameter *net, lcl_log *log,
                                 lcl_error *err)
{
    if (net->n_layers == 0)
        return LCL_OK;
    if (net->n_layer > 0) {
        size_t layer = lcl_proto_place(p, net->layer[0], 0);
        size_t layers = lcl_proto_place(p, net->layers[0], 0);
        bool layer_is_second = layers != LCL_NO_PLACE && layer > layers;
        lcl_proto_fail(p, layer_is_second ? (void *)net->layer[0] : net->layers[0], NULL,
                       err, LCL_EPROTO,
                       "the net has both `layer` and `layers`; it cannot be upgraded");
        return lcl_hint(err, LCL_EPROTO,
                        "`layers { type: DATA }` is the old form: write all as "
                        "`layer { type: \"Data\" }`");
    }
    net->layer = lcl_alloc(net->n_layers, sizeof *net->layer);
    for (; net->n_layer < net->n_layers; net->n_layer++) {
        Caffe__V1LayerParameter *from = net->layers[net->n_layer];
        net->layer[net->n_layer] = upgrade_v1_layer(p, from);
        lcl_proto_retire(p, &from->base);
    }
    free(net->layers);
    net->layers = NULL;
    net->n_layers = 0;
    LCL_LOG(log, "Upgraded %s: %zu V1 `layers` to `layer`", p->name, net->n_layer);
    return LCL_OK;
}

/* ---- Input fields ------------------------------------------------------------------ */

static lcl_status check_inputs(const lcl_proto *p, const Caffe__NetParameter *net,
                               lcl_error *err)
{
    if (net->n_input_shape > 0 && net->n_input_shape != net->n_input) {
        lcl_proto_fail(p, net, "input_shape", err, LCL_EPROTO,
                       "%zu input_shape for %zu input", net->n_input_shape, net->n_input);
        return lcl_hint(err, LCL_EPROTO, "give one input_shape for each input");
    }
    if (net->n_input_shape == 0 && net->n_input_dim > 0 &&
        net->n_input_dim != 4 * net->n_input) {
        lcl_proto_fail(p, net, "input_dim", err, LCL_EPROTO,
                       "%zu input_dim for %zu input", net->n_input_dim, net->n_input);
        return lcl_hint(
            err, LCL_EPROTO,
            "give four input_dim for each input: number, channels, height, width");
    }
    return LCL_OK;
}

/* An Input layer with the net's inputs as its tops. */
static Caffe__LayerParameter *input_layer(lcl_proto *p, Caffe__NetParameter *net)
{
    Caffe__LayerParameter *layer = lcl_proto_new(&caffe__layer_parameter__descriptor);
    size_t n_shapes = net->n_input_shape;

    if (lcl_proto_place(p, net, field_of(net, "input")->id) != LCL_NO_PLACE)
        lcl_proto_set_place(p, layer, 0,
                            lcl_proto_place(p, net, field_of(net, "input")->id));
    layer->name = lcl_strdup("input");
    layer->type = lcl_strdup("Input");
    lcl_upgrade_move(p, layer, "top", net, "input");
    Caffe__InputParameter *param = lcl_upgrade_part(p, layer, "input_param", layer);
    lcl_upgrade_move(p, param, "shape", net, "input_shape");
    for (size_t i = 0; n_shapes == 0 && i < layer->n_top; i++) {
        Caffe__BlobShape *shape = lcl_proto_new(&caffe__blob_shape__descriptor);
        lcl_proto_derive(p, shape, layer);
        shape->n_dim = 4;
        shape->dim = lcl_alloc(4, sizeof *shape->dim);
        for (size_t j = 0; j < 4; j++)
            shape->dim[j] = net->input_dim[4 * i + j];
        memcpy(lcl_field_add(&param->base, field_of(param, "shape")), &shape,
               sizeof shape);
    }
    return layer;
}

static lcl_status upgrade_inputs(lcl_proto *p, Caffe__NetParameter *net, lcl_log *log,
                                 lcl_error *err)
{
    if (net->n_input == 0)
        return LCL_OK;
    LCL_TRY(check_inputs(p, net, err));
    if (net->n_input_shape > 0 || net->n_input_dim > 0) {
        Caffe__LayerParameter *layer = input_layer(p, net);
        lcl_field_add(&net->base, field_of(net, "layer"));
        memmove(net->layer + 1, net->layer, (net->n_layer - 1) * sizeof *net->layer);
        net->layer[0] = layer;
    }
    for (size_t i = 0; i < net->n_input; i++)
        free(net->input[i]);
    free(net->input);
    clear_field(&net->base, field_of(net, "input"));
    free(net->input_dim);
    clear_field(&net->base, field_of(net, "input_dim"));
    LCL_LOG(log, "Upgraded %s: `input` fields to an Input layer", p->name);
    return LCL_OK;
}

/* ---- Batch norm -------------------------------------------------------------------- */

static bool is_old_batch_norm(const Caffe__LayerParameter *layer)
{
    if (!layer->type || strcmp(layer->type, "BatchNorm") != 0 || layer->n_param != 3)
        return false;
    for (size_t i = 0; i < layer->n_param; i++)
        if (layer->param[i]->lr_mult != 0 || layer->param[i]->decay_mult != 0)
            return true;
    return false;
}

/* The statistics of BatchNorm are not learned. */
static void upgrade_batch_norm(lcl_proto *p, Caffe__NetParameter *net, lcl_log *log)
{
    bool upgraded = false;

    for (size_t i = 0; i < net->n_layer; i++) {
        if (!is_old_batch_norm(net->layer[i]))
            continue;
        for (size_t j = 0; j < net->layer[i]->n_param; j++) {
            Caffe__ParamSpec *spec = net->layer[i]->param[j];
            spec->has_lr_mult = spec->has_decay_mult = 1;
            spec->lr_mult = spec->decay_mult = 0;
        }
        upgraded = true;
    }
    if (upgraded)
        LCL_LOG(log, "Upgraded %s: lr_mult and decay_mult of BatchNorm's statistics to 0",
                p->name);
}

/* ---- Nets -------------------------------------------------------------------------- */

bool lcl_proto_net_needs_upgrade(const lcl_proto *p)
{
    const Caffe__NetParameter *net = (const Caffe__NetParameter *)p->root;

    for (size_t i = 0; i < net->n_layer; i++)
        if (is_old_batch_norm(net->layer[i]))
            return true;
    return net->n_layers > 0 || net->n_input > 0;
}

lcl_status lcl_proto_upgrade_net(lcl_proto *p, lcl_log *log, lcl_error *err)
{
    Caffe__NetParameter *net = (Caffe__NetParameter *)p->root;

    LCL_TRY(lcl_upgrade_v0_net(p, net, log, err));
    upgrade_transforms(p, net, log);
    LCL_TRY(upgrade_layers(p, net, log, err));
    LCL_TRY(upgrade_inputs(p, net, log, err));
    upgrade_batch_norm(p, net, log);
    return LCL_OK;
}

/* --- solvers
 * ---------------------------------------------------------------------------- */

lcl_status lcl_proto_upgrade_solver_type(lcl_proto *p, lcl_log *log, lcl_error *err)
{
    Caffe__SolverParameter *solver = (Caffe__SolverParameter *)p->root;
    static const char *const types[] = {"SGD",     "Nesterov", "AdaGrad",
                                        "RMSProp", "AdaDelta", "Adam"};

    if (!solver->has_solver_type)
        return LCL_OK;
    const char *type = types[solver->solver_type];
    if (lcl_field_count(&solver->base, field_of(solver, "type"))) {
        lcl_proto_fail(p, solver, "solver_type", err, LCL_EPROTO,
                       "both solver_type and type are given");
        return lcl_hint(err, LCL_EPROTO,
                        "solver_type is the old form of type: \"%s\"; keep one", type);
    }
    lcl_proto_set_place(p, solver, field_of(solver, "type")->id,
                        lcl_proto_place(p, solver, field_of(solver, "solver_type")->id));
    solver->type = lcl_strdup(type);
    clear_field(&solver->base, field_of(solver, "solver_type"));
    LCL_LOG(log, "Upgraded %s: solver_type to type: \"%s\"", p->name, type);
    return LCL_OK;
}

/* "path/solver" of "path/solver.prototxt"; with `stem_only`, "solver". New string. */
static char *without_extension(const char *path, bool stem_only)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    const char *start = stem_only ? base : path;

    if (!dot || dot == base)
        return lcl_strdup(start);
    return lcl_format("%.*s", (int)(dot - start), start);
}

static bool is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static void set_snapshot_prefix(lcl_proto *p, Caffe__SolverParameter *solver,
                                lcl_log *log)
{
    char *prefix;

    if (!lcl_field_count(&solver->base, field_of(solver, "snapshot_prefix"))) {
        prefix = without_extension(p->name, false);
        LCL_LOG(log, "snapshot_prefix was not specified and is set to %s", prefix);
    } else if (is_folder(solver->snapshot_prefix)) {
        char *stem = without_extension(p->name, true);
        size_t n = strlen(solver->snapshot_prefix);
        while (n > 1 && solver->snapshot_prefix[n - 1] == '/')
            n--;
        prefix = lcl_format("%.*s/%s", (int)n, solver->snapshot_prefix, stem);
        free(stem);
        free(solver->snapshot_prefix);
        LCL_LOG(log, "snapshot_prefix was a directory and is replaced to %s", prefix);
    } else {
        return;
    }
    solver->snapshot_prefix = prefix;
}

lcl_status lcl_proto_upgrade_solver(lcl_proto *p, lcl_log *log, lcl_error *err)
{
    LCL_TRY(lcl_proto_upgrade_solver_type(p, log, err));
    set_snapshot_prefix(p, (Caffe__SolverParameter *)p->root, log);
    return LCL_OK;
}
