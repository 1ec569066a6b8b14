/* Shapes of a net's inputs on a blank device: those that the options give, and Input layers in
 * the place of data layers whose files are missing. */
#include <stdlib.h>
#include <string.h>

#include "net_parts.h"
#include "proto.h"
#include "text.h"

typedef Caffe__LayerParameter layer_message;

enum { N_IMAGE_AXES = 4, COLOR_CHANNELS = 3 };

/* ---- Batches ----------------------------------------------------------------------- */

static size_t first_dim(const Caffe__BlobShape *shape)
{
    return shape->n_dim && shape->dim[0] > 0 ? (size_t)shape->dim[0] : 0;
}

static size_t max_of(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t lcl_net_batch_of(const layer_message *l)
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

/* ---- What the options give --------------------------------------------------------- */

/* Goes through the layers of a net from the first to the last. */
typedef struct {
    lcl_net *net;
    const lcl_net_input *given; /* options->inputs */
    size_t n_given;
    bool passed; /* the first layer that makes inputs, which nameless shapes are for */
} input_walk;

/* The shape given to top `i` of the layer, or NULL. */
static const lcl_net_input *given_shape(const input_walk *w, const layer_message *l,
                                        size_t i)
{
    const lcl_net_input *found = NULL;

    for (size_t k = 0; k < w->n_given; k++) {
        const lcl_net_input *in = &w->given[k];
        if (in->top ? strcmp(in->top, l->top[i]) != 0 : i > 0 || w->passed)
            continue;
        if (!found || in->top)
            found = in;
    }
    return found;
}

static bool any_given(const input_walk *w, const layer_message *l)
{
    bool any = false;

    for (size_t i = 0; i < l->n_top; i++)
        any |= given_shape(w, l, i) != NULL;
    return any;
}

/* ---- What data layers say of themselves -------------------------------------------- */

static bool has_type(const layer_message *l, const char *type)
{
    return l->type && strcmp(l->type, type) == 0;
}

/* The file or folder a layer reads; NULL where it reads none or does not say which. */
static const char *source_of(const layer_message *l)
{
    const char *source = NULL;

    if (has_type(l, "Data") && l->data_param)
        source = l->data_param->source;
    else if (has_type(l, "ImageData") && l->image_data_param)
        source = l->image_data_param->source;
    else if (has_type(l, "WindowData") && l->window_data_param)
        source = l->window_data_param->source;
    else if (has_type(l, "HDF5Data") && l->hdf5_data_param)
        source = l->hdf5_data_param->source;
    return source && *source ? source : NULL;
}

/* Whether a shape may be given to the layer. */
static bool makes_input(const layer_message *l)
{
    return has_type(l, "Input") || source_of(l);
}

/* Channels of the layer's images; false where they are only likely. */
static bool image_channels(const layer_message *l, int *out)
{
    const Caffe__TransformationParameter *t = l->transform_param;

    *out = COLOR_CHANNELS;
    if (has_type(l, "ImageData")) {
        *out = l->image_data_param->is_color ? COLOR_CHANNELS : 1;
        return true;
    }
    if (t && t->n_mean_value > 1) {
        *out = (int)t->n_mean_value;
        return true;
    }
    if (t && t->force_gray)
        *out = 1;
    return t && (t->force_gray || t->force_color);
}

/* The shape of a batch as far as the layer's message says it: else height and width are 0. *why
 * (free() it) tells what it follows from. */
static void image_shape(const layer_message *l, lcl_net_input *out, char **why)
{
    const Caffe__TransformationParameter *t = l->transform_param;
    const bool resized = has_type(l, "ImageData") && !(t && t->crop_size);
    int channels;
    const bool sure = image_channels(l, &channels);

    out->n_axes = N_IMAGE_AXES;
    out->shape[0] = (int)lcl_net_batch_of(l);
    out->shape[1] = channels;
    out->shape[2] = (int)(resized ? l->image_data_param->new_height
                          : t     ? t->crop_size
                                  : 0);
    out->shape[3] = (int)(resized ? l->image_data_param->new_width
                          : t     ? t->crop_size
                                  : 0);
    *why = lcl_format("'%s' is missing; %s say%s the size%s", source_of(l),
                      resized ? "new_height and new_width" : "crop_size",
                      resized ? "" : "s", sure ? "" : ", and 3 channels are assumed");
}

static lcl_status fail_unknown(const input_walk *w, const layer_message *l, size_t i,
                               lcl_error *err)
{
    const size_t batch = lcl_net_batch_of(l);

    lcl_proto_fail(w->net->doc, l, NULL, err, LCL_EDATA,
                   "layer '%s' (%s): '%s' is missing, and nothing else says the shape of "
                   "its top '%s'",
                   l->name, l->type, source_of(l), l->top[i]);
    return lcl_hint(err, LCL_EDATA,
                    "give it: --input-shape %s=%zu,... (batch, channels, height, width)",
                    l->top[i], batch ? batch : 1);
}

/* ---- Stand-ins --------------------------------------------------------------------- */

static lcl_status data_shapes(const input_walk *w, const layer_message *l,
                              lcl_net_input *shapes, char **why, lcl_error *err)
{
    const bool images = !has_type(l, "HDF5Data");

    for (size_t i = 0; i < l->n_top; i++) {
        const lcl_net_input *given = given_shape(w, l, i);
        if (given) {
            shapes[i] = *given;
        } else if (images && i == 0) {
            image_shape(l, &shapes[0], why);
            if (shapes[0].shape[2] < 1 || shapes[0].shape[3] < 1)
                return fail_unknown(w, l, i, err);
        } else if (images && i == 1) { /* labels */
            shapes[1] = (lcl_net_input){.n_axes = 1, .shape = {shapes[0].shape[0]}};
        } else {
            return fail_unknown(w, l, i, err);
        }
    }
    return LCL_OK;
}

static void set_shape(Caffe__BlobShape *to, const lcl_net_input *from)
{
    to->n_dim = (size_t)from->n_axes;
    to->dim = lcl_resize(to->dim, to->n_dim, sizeof *to->dim);
    for (size_t i = 0; i < to->n_dim; i++)
        to->dim[i] = from->shape[i];
}

/* An Input layer of the data layer's name and tops. */
static layer_message *make_input(lcl_proto *doc, const layer_message *l,
                                 const lcl_net_input *shapes)
{
    layer_message *m = lcl_proto_new(&caffe__layer_parameter__descriptor);
    Caffe__InputParameter *p = lcl_proto_new(&caffe__input_parameter__descriptor);

    m->name = lcl_strdup(l->name);
    m->type = lcl_strdup("Input");
    m->n_top = p->n_shape = l->n_top;
    m->top = lcl_alloc(m->n_top, sizeof *m->top);
    p->shape = lcl_alloc(m->n_top, sizeof *p->shape);
    for (size_t i = 0; i < m->n_top; i++) {
        m->top[i] = lcl_strdup(l->top[i]);
        p->shape[i] = lcl_proto_new(&caffe__blob_shape__descriptor);
        set_shape(p->shape[i], &shapes[i]);
        lcl_proto_derive(doc, p->shape[i], l);
    }
    m->input_param = p;
    lcl_proto_derive(doc, m, l);
    return m;
}

static lcl_status stand_in(input_walk *w, layer_message **layer, lcl_net_stand_in *out,
                           lcl_error *err)
{
    layer_message *l = *layer;
    lcl_net_input *shapes = lcl_alloc(l->n_top, sizeof *shapes);
    char *why = NULL;
    lcl_status status = data_shapes(w, l, shapes, &why, err);

    if (status == LCL_OK) {
        *layer = make_input(w->net->doc, l, shapes);
        lcl_proto_retire(w->net->doc, &l->base);
        *out = (lcl_net_stand_in){l, why};
    } else {
        free(why);
    }
    free(shapes);
    return status;
}

static Caffe__BlobShape *copy_shape(const Caffe__BlobShape *from)
{
    Caffe__BlobShape *to = lcl_proto_new(&caffe__blob_shape__descriptor);

    to->n_dim = from->n_dim;
    to->dim = lcl_alloc(to->n_dim, sizeof *to->dim);
    memcpy(to->dim, from->dim, to->n_dim * sizeof *to->dim);
    return to;
}

/* Gives an Input layer its shapes; what is wrong with its own ones, it will say itself. */
static void reshape_input(input_walk *w, layer_message *l)
{
    Caffe__InputParameter *p = l->input_param;

    if (!p || (p->n_shape != 1 && p->n_shape != l->n_top) || !any_given(w, l))
        return;
    p->shape = lcl_resize(p->shape, l->n_top, sizeof *p->shape);
    for (; p->n_shape < l->n_top; p->n_shape++)
        p->shape[p->n_shape] = copy_shape(p->shape[0]);
    for (size_t i = 0; i < l->n_top; i++) {
        const lcl_net_input *given = given_shape(w, l, i);
        if (given)
            set_shape(p->shape[i], given);
    }
}

static lcl_status walk_layer(input_walk *w, size_t index, lcl_error *err)
{
    Caffe__NetParameter *root = (Caffe__NetParameter *)lcl_proto_root(w->net->doc);
    layer_message *l = root->layer[index];
    const char *source = source_of(l);

    if (has_type(l, "Input"))
        reshape_input(w, l);
    else if (source && (any_given(w, l) || !lcl_file_exists(source)))
        LCL_TRY(stand_in(w, &root->layer[index], &w->net->stand_ins[index], err));
    w->passed |= makes_input(root->layer[index]);
    return LCL_OK;
}

static bool has_input(const lcl_net *net, const char *top)
{
    for (size_t i = 0; i < net->param->n_layer; i++) {
        const layer_message *l = net->param->layer[i];
        for (size_t k = 0; makes_input(l) && k < l->n_top; k++)
            if (!top || strcmp(l->top[k], top) == 0)
                return true;
    }
    return false;
}

static lcl_status check_given(const input_walk *w, lcl_error *err)
{
    for (size_t k = 0; k < w->n_given; k++)
        if (!has_input(w->net, w->given[k].top))
            return lcl_fail(err, LCL_EUSAGE, NULL,
                            "a shape is given for '%s', but no Input layer and no layer "
                            "that reads data has a top of that name",
                            w->given[k].top ? w->given[k].top : "the input");
    return LCL_OK;
}

lcl_status lcl_net_shape_inputs(lcl_net *net, const lcl_net_options *options,
                                lcl_error *err)
{
    input_walk w = {.net = net, .given = options->inputs, .n_given = options->n_inputs};

    LCL_TRY(check_given(&w, err));
    for (size_t i = 0; i < net->param->n_layer; i++)
        LCL_TRY(walk_layer(&w, i, err));
    return LCL_OK;
}
