/* The oldest form of nets: `layers { layer { name, type: "conv", ... } bottom top }`. */
#include <stdlib.h>
#include <string.h>

#include "proto_upgrade.h"
#include "text.h"

#define V1(x) CAFFE__V1_LAYER_PARAMETER__LAYER_TYPE__##x

static const struct {
    const char *old;
    Caffe__V1LayerParameter__LayerType type;
    const char *param; /* where its options go, or NULL */
} v0_types[] = {
    {"accuracy", V1(ACCURACY), NULL},
    {"bnll", V1(BNLL), NULL},
    {"concat", V1(CONCAT), "concat_param"},
    {"conv", V1(CONVOLUTION), "convolution_param"},
    {"data", V1(DATA), "data_param"},
    {"dropout", V1(DROPOUT), "dropout_param"},
    {"euclidean_loss", V1(EUCLIDEAN_LOSS), NULL},
    {"flatten", V1(FLATTEN), NULL},
    {"hdf5_data", V1(HDF5_DATA), "hdf5_data_param"},
    {"hdf5_output", V1(HDF5_OUTPUT), NULL},
    {"im2col", V1(IM2COL), NULL},
    {"images", V1(IMAGE_DATA), "image_data_param"},
    {"infogain_loss", V1(INFOGAIN_LOSS), "infogain_loss_param"},
    {"innerproduct", V1(INNER_PRODUCT), "inner_product_param"},
    {"lrn", V1(LRN), "lrn_param"},
    {"multinomial_logistic_loss", V1(MULTINOMIAL_LOGISTIC_LOSS), NULL},
    {"pool", V1(POOLING), "pooling_param"},
    {"relu", V1(RELU), NULL},
    {"sigmoid", V1(SIGMOID), NULL},
    {"softmax", V1(SOFTMAX), NULL},
    {"softmax_loss", V1(SOFTMAX_LOSS), NULL},
    {"split", V1(SPLIT), NULL},
    {"tanh", V1(TANH), NULL},
    {"window_data", V1(WINDOW_DATA), "window_data_param"},
};

/* A field of the old layer, the parameter message it goes to (of the layer's type) and
 * its name there. */
static const struct {
    const char *old, *param, *field;
} v0_fields[] = {
    {"num_output", "convolution_param", "num_output"},
    {"num_output", "inner_product_param", "num_output"},
    {"biasterm", "convolution_param", "bias_term"},
    {"biasterm", "inner_product_param", "bias_term"},
    {"weight_filler", "convolution_param", "weight_filler"},
    {"weight_filler", "inner_product_param", "weight_filler"},
    {"bias_filler", "convolution_param", "bias_filler"},
    {"bias_filler", "inner_product_param", "bias_filler"},
    {"pad", "convolution_param", "pad"},
    {"pad", "pooling_param", "pad"},
    {"kernelsize", "convolution_param", "kernel_size"},
    {"kernelsize", "pooling_param", "kernel_size"},
    {"group", "convolution_param", "group"},
    {"stride", "convolution_param", "stride"},
    {"stride", "pooling_param", "stride"},
    {"pool", "pooling_param", "pool"},
    {"dropout_ratio", "dropout_param", "dropout_ratio"},
    {"local_size", "lrn_param", "local_size"},
    {"alpha", "lrn_param", "alpha"},
    {"beta", "lrn_param", "beta"},
    {"k", "lrn_param", "k"},
    {"source", "data_param", "source"},
    {"source", "hdf5_data_param", "source"},
    {"source", "image_data_param", "source"},
    {"source", "window_data_param", "source"},
    {"source", "infogain_loss_param", "source"},
    {"batchsize", "data_param", "batch_size"},
    {"batchsize", "hdf5_data_param", "batch_size"},
    {"batchsize", "image_data_param", "batch_size"},
    {"batchsize", "window_data_param", "batch_size"},
    {"rand_skip", "data_param", "rand_skip"},
    {"rand_skip", "image_data_param", "rand_skip"},
    {"shuffle_images", "image_data_param", "shuffle"},
    {"new_height", "image_data_param", "new_height"},
    {"new_width", "image_data_param", "new_width"},
    {"concat_dim", "concat_param", "concat_dim"},
    {"det_fg_threshold", "window_data_param", "fg_threshold"},
    {"det_bg_threshold", "window_data_param", "bg_threshold"},
    {"det_fg_fraction", "window_data_param", "fg_fraction"},
    {"det_context_pad", "window_data_param", "context_pad"},
    {"det_crop_mode", "window_data_param", "crop_mode"},
};

/* Fields that go to the layer's transform_param, whatever its type. */
static const struct {
    const char *old, *field;
} v0_transforms[] = {
    {"scale", "scale"},
    {"meanfile", "mean_file"},
    {"cropsize", "crop_size"},
    {"mirror", "mirror"},
};

static const char *type_of(const Caffe__V0LayerParameter *layer)
{
    return layer->type ? layer->type : "";
}

/* Moves the options to where the layer's type has them now. */
static void move_options(lcl_proto *p, Caffe__V1LayerParameter *to,
                         Caffe__V0LayerParameter *from, const char *param)
{
    const ProtobufCMessageDescriptor *type = from->base.descriptor;

    for (size_t i = 0; param && i < LCL_COUNT(v0_fields); i++) {
        const char *old = v0_fields[i].old;
        if (strcmp(v0_fields[i].param, param) == 0 &&
            lcl_field_count(&from->base, lcl_field_find(type, old, strlen(old))))
            lcl_upgrade_move(p, lcl_upgrade_part(p, to, param, from), v0_fields[i].field,
                             from, old);
    }
    for (size_t i = 0; i < LCL_COUNT(v0_transforms); i++) {
        const char *old = v0_transforms[i].old;
        if (lcl_field_count(&from->base, lcl_field_find(type, old, strlen(old))))
            lcl_upgrade_move(p, lcl_upgrade_part(p, to, "transform_param", from),
                             v0_transforms[i].field, from, old);
    }
    lcl_upgrade_move(p, to, "hdf5_output_param", from, "hdf5_output_param");
}

/* What is left in the old layer means nothing for its type. */
static void warn_of_rest(const lcl_proto *p, const Caffe__V0LayerParameter *layer,
                         const char *type, lcl_log *log)
{
    const ProtobufCMessageDescriptor *fields = layer->base.descriptor;
    char where[256];

    for (unsigned i = 0; i < fields->n_fields; i++) {
        const char *name = fields->fields[i].name;
        if (strcmp(name, "type") == 0 ||
            !lcl_field_count(&layer->base, &fields->fields[i]))
            continue;
        lcl_proto_where(p, layer, name, where, sizeof where);
        LCL_WARN(log, "%s: Unknown parameter %s for layer type %s", where, name, type);
    }
}

static lcl_status upgrade_layer(lcl_proto *p, Caffe__V1LayerParameter *layer,
                                lcl_log *log, lcl_error *err)
{
    Caffe__V0LayerParameter *old = layer->layer;
    size_t i = 0;

    if (!old)
        return LCL_OK;
    while (i < LCL_COUNT(v0_types) && strcmp(type_of(old), v0_types[i].old) != 0)
        i++;
    if (i == LCL_COUNT(v0_types)) {
        lcl_proto_fail(p, old, "type", err, LCL_EPROTO, "Unknown layer type \"%s\"",
                       type_of(old));
        return lcl_hint(
            err, LCL_EPROTO,
            "layers with a layer inside are Caffe's oldest form, with types such as "
            "\"conv\" and \"pool\"");
    }
    layer->has_type = 1;
    layer->type = v0_types[i].type;
    lcl_upgrade_move(p, layer, "name", old, "name");
    lcl_upgrade_move(p, layer, "blobs", old, "blobs");
    lcl_upgrade_move(p, layer, "blobs_lr", old, "blobs_lr");
    lcl_upgrade_move(p, layer, "weight_decay", old, "weight_decay");
    move_options(p, layer, old, v0_types[i].param);
    warn_of_rest(p, old, v0_types[i].old, log);
    layer->layer = NULL;
    lcl_proto_retire(p, &old->base);
    return LCL_OK;
}

/* ---- Padding layers ---------------------------------------------------------------- */

static bool is_padding(const Caffe__V1LayerParameter *layer)
{
    return layer->layer && strcmp(type_of(layer->layer), "padding") == 0;
}

/* The last of the first n layers with this top, or NULL. */
static Caffe__V1LayerParameter *producer(const Caffe__NetParameter *net, size_t n,
                                         const char *blob)
{
    while (n-- > 0)
        for (size_t i = 0; i < net->layers[n]->n_top; i++)
            if (strcmp(net->layers[n]->top[i], blob) == 0)
                return net->layers[n];
    return NULL;
}

/* Layer i reads what a padding layer made: it pads by itself and reads what that one
 * read. */
static lcl_status fold_padding(lcl_proto *p, Caffe__V1LayerParameter *layer,
                               const Caffe__V1LayerParameter *padding, lcl_error *err)
{
    const char *type = layer->layer ? type_of(layer->layer) : "";

    if ((strcmp(type, "conv") != 0 && strcmp(type, "pool") != 0) || layer->n_bottom != 1)
        return lcl_proto_fail(
            p, layer, NULL, err, LCL_EPROTO,
            "a padding layer must lead to a conv or pool layer with one "
            "bottom, not to \"%s\"",
            type);
    if (padding->n_bottom != 1 || padding->n_top != 1)
        return lcl_proto_fail(p, padding, NULL, err, LCL_EPROTO,
                              "a padding layer has one bottom and one top");
    layer->layer->has_pad = 1;
    layer->layer->pad = padding->layer->pad;
    free(layer->bottom[0]);
    layer->bottom[0] = lcl_strdup(padding->bottom[0]);
    return LCL_OK;
}

static lcl_status fold_paddings(lcl_proto *p, Caffe__NetParameter *net, lcl_error *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < net->n_layers; i++)
        for (size_t j = 0; j < net->layers[i]->n_bottom; j++) {
            Caffe__V1LayerParameter *source = producer(net, i, net->layers[i]->bottom[j]);
            if (source && is_padding(source))
                LCL_TRY(fold_padding(p, net->layers[i], source, err));
        }
    for (size_t i = 0; i < net->n_layers; i++) {
        if (is_padding(net->layers[i]))
            lcl_proto_retire(p, &net->layers[i]->base);
        else
            net->layers[kept++] = net->layers[i];
    }
    net->n_layers = kept;
    return LCL_OK;
}

lcl_status lcl_upgrade_v0_net(lcl_proto *p, Caffe__NetParameter *net, lcl_log *log,
                              lcl_error *err)
{
    size_t n = 0;

    for (size_t i = 0; i < net->n_layers; i++)
        n += net->layers[i]->layer != NULL;
    if (n == 0)
        return LCL_OK;
    LCL_TRY(fold_paddings(p, net, err));
    for (size_t i = 0; i < net->n_layers; i++)
        LCL_TRY(upgrade_layer(p, net->layers[i], log, err));
    LCL_LOG(log, "Upgraded %s: %zu V0 layers", p->name, n);
    return LCL_OK;
}
