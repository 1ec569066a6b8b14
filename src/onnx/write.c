/* Translates a net layer by layer and writes the model. */
#include <stdlib.h>
#include <string.h>

#include "onnx/onnx.h"
#include "text.h"

enum { IR_VERSION = 7 }; /* the one that opset 13 came with */

static lcl_onnx_step *step_of(const lcl_onnx *x, const lcl_layer *l)
{
    return &x->steps[l->index];
}

static lcl_onnx_value *top_of(const lcl_onnx *x, int i)
{
    return &x->values[step_of(x, x->layer)->tops[i]];
}

/* ---- What translations ask for ----------------------------------------------------- */

const char *lcl_onnx_bottom(const lcl_onnx *x, int i)
{
    return x->values[step_of(x, x->layer)->bottoms[i]].tensor;
}

const char **lcl_onnx_bottoms(const lcl_onnx *x)
{
    const size_t n = (size_t)x->layer->n_bottoms;
    const char **tensors = lcl_alloc(n, sizeof *tensors);

    for (size_t i = 0; i < n; i++)
        tensors[i] = lcl_onnx_bottom(x, (int)i);
    return tensors;
}

static void replace(char **strings, size_t n, const char *old, const char *new)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(strings[i], old) == 0) {
            free(strings[i]);
            strings[i] = lcl_strdup(new);
        }
}

static bool layer_makes(const lcl_onnx *x, const char *tensor)
{
    for (size_t i = x->first_node; i < x->graph->n_node; i++)
        for (size_t k = 0; k < x->graph->node[i]->n_output; k++)
            if (strcmp(x->graph->node[i]->output[k], tensor) == 0)
                return true;
    return false;
}

static void rename_tensor(lcl_onnx *x, const char *old, const char *new)
{
    for (size_t i = x->first_node; i < x->graph->n_node; i++) {
        Onnx__NodeProto *node = x->graph->node[i];
        replace(node->input, node->n_input, old, new);
        replace(node->output, node->n_output, old, new);
    }
}

void lcl_onnx_set_top(lcl_onnx *x, int i, const char *tensor)
{
    lcl_onnx_value *v = top_of(x, i);
    bool made = layer_makes(x, tensor);

    if (!made && v->wanted) {
        tensor = LCL_ONNX_NODE(x, "Identity", tensor);
        made = true;
    }
    if (made && v->name) {
        rename_tensor(x, tensor, v->name);
        tensor = v->name;
    }
    v->tensor = tensor;
}

const lcl_layer *lcl_onnx_follower(const lcl_onnx *x, const char *type)
{
    const lcl_onnx_value *v = top_of(x, 0);
    const lcl_onnx_step *s = &x->steps[v->reader];

    return v->n_readers == 1 && strcmp(s->type->info.type, type) == 0 &&
                   &x->values[s->bottoms[0]] == v
               ? s->layer
               : NULL;
}

void lcl_onnx_absorb(lcl_onnx *x, const lcl_layer *follower)
{
    step_of(x, follower)->absorbed = true;
    x->layer = follower;
}

static bool is_batch(const char *images)
{
    return images && strcmp(images, "N") == 0;
}

lcl_status lcl_onnx_fix_batch(lcl_onnx *x, lcl_error *err)
{
    if (x->images && !is_batch(x->images))
        return lcl_onnx_refuse(x, x->layer->param, "bottom", err,
                               "it must know how many images there are, which a layer "
                               "before it decides on");
    x->fixed_batch |= x->images != NULL;
    x->images = NULL;
    return LCL_OK;
}

void lcl_onnx_choose_images(lcl_onnx *x)
{
    x->images = lcl_onnx_name(x, x->layer->param->name);
}

lcl_status lcl_onnx_refuse(const lcl_onnx *x, const void *message, const char *field,
                           lcl_error *err, const char *why)
{
    return lcl_layer_fail(x->layer, message, field, err, LCL_EPROTO,
                          "cannot be written as ONNX: %s", why);
}

/* ---- Layers ------------------------------------------------------------------------ */

/* Bottoms that are there; their images are those of the tops. */
static lcl_status take_bottoms(lcl_onnx *x, const lcl_onnx_step *s, lcl_error *err)
{
    x->images = NULL;
    for (int i = 0; i < lcl_onnx_n_taken(s); i++) {
        const lcl_onnx_value *v = &x->values[s->bottoms[i]];
        if (v->is_loss)
            return lcl_onnx_refuse(x, s->layer->param, "bottom", err,
                                   "a bottom is a loss, and losses are left out");
        if (v->images && (!x->images || is_batch(x->images)))
            x->images = v->images;
    }
    return LCL_OK;
}

static int n_images(const lcl_onnx *x, const lcl_onnx_step *s)
{
    for (int i = 0; i < lcl_onnx_n_taken(s); i++)
        if (x->values[s->bottoms[i]].images)
            return lcl_blob_dim(x->values[s->bottoms[i]].shape, 0);
    return 0;
}

static lcl_status give_tops(lcl_onnx *x, int images, lcl_error *err)
{
    for (int i = 0; i < x->layer->n_tops; i++) {
        const lcl_blob *shape = top_of(x, i)->shape;
        if (x->images && shape->n_axes > 0 && shape->shape[0] != images)
            LCL_TRY(lcl_onnx_fix_batch(x, err));
        top_of(x, i)->images = shape->n_axes > 0 ? x->images : NULL;
    }
    return LCL_OK;
}

static lcl_status translate(lcl_onnx *x, const lcl_onnx_step *s, lcl_error *err)
{
    x->layer = s->layer;
    x->first_node = x->graph->n_node;
    if (!s->type->translate)
        return lcl_onnx_refuse(x, NULL, NULL, err, s->type->info.note);
    LCL_TRY(take_bottoms(x, s, err));
    LCL_TRY(s->type->translate(x, err));
    LCL_TRY(give_tops(x, n_images(x, s), err));
    if (x->graph->n_node == x->first_node + 1 && s->layer->param->name) {
        Onnx__NodeProto *node = x->graph->node[x->first_node];
        free(node->name);
        node->name = lcl_strdup(s->layer->param->name);
    }
    return LCL_OK;
}

/* ---- Inputs and outputs ------------------------------------------------------------ */

/* All inputs have as many images, which then may be any number. */
static bool share_batch(const lcl_onnx *x)
{
    int n = -1;

    for (size_t i = 0; i < x->n_values; i++) {
        const lcl_onnx_value *v = &x->values[i];
        if (!v->needed || !lcl_onnx_is_input(x, v))
            continue;
        if (v->shape->n_axes == 0 || (n >= 0 && v->shape->shape[0] != n))
            return false;
        n = v->shape->shape[0];
    }
    return true;
}

static void make_inputs(lcl_onnx *x)
{
    const char *images = share_batch(x) ? "N" : NULL;

    for (size_t i = 0; i < x->n_values; i++) {
        lcl_onnx_value *v = &x->values[i];
        if (v->needed && lcl_onnx_is_input(x, v)) {
            v->tensor = v->name;
            v->images = images;
        }
    }
}

static Onnx__TypeProto *type_of(const lcl_onnx *x, const lcl_onnx_value *v)
{
    Onnx__TypeProto *type = lcl_proto_new(&onnx__type_proto__descriptor);
    Onnx__TypeProto__Tensor *tensor =
        lcl_proto_new(&onnx__type_proto__tensor__descriptor);
    Onnx__TensorShapeProto *shape = lcl_proto_new(&onnx__tensor_shape_proto__descriptor);

    type->tensor_type = tensor;
    tensor->has_elem_type = true;
    tensor->elem_type = LCL_ONNX_FLOAT;
    tensor->shape = shape;
    shape->n_dim = (size_t)v->shape->n_axes;
    shape->dim = lcl_alloc(shape->n_dim, sizeof *shape->dim);
    for (size_t i = 0; i < shape->n_dim; i++) {
        Onnx__TensorShapeProto__Dimension *d = shape->dim[i] =
            lcl_proto_new(&onnx__tensor_shape_proto__dimension__descriptor);
        d->has_dim_value = i > 0 || !v->images || (x->fixed_batch && is_batch(v->images));
        if (d->has_dim_value)
            d->dim_value = v->shape->shape[i];
        else
            d->dim_param = lcl_strdup(v->images);
    }
    return type;
}

/* What a data layer does to its records is done outside the model: says so. */
static char *describe_input(const lcl_onnx *x, const lcl_onnx_value *v)
{
    const lcl_net_stand_in *original = lcl_net_layer_stand_in(x->net, v->layer);
    const Caffe__LayerParameter *l =
        original ? original->layer : x->steps[v->layer].layer->param;

    if (!l->transform_param)
        return NULL;
    char *transform = lcl_proto_print(&l->transform_param->base);
    char *text =
        lcl_format("As transform_param of layer '%s' makes it: %s", l->name, transform);
    free(transform);
    return text;
}

/* "data (N, 1, 28, 28)" behind what is there. */
static void summarize(lcl_text *t, const Onnx__ValueInfoProto *info)
{
    const Onnx__TensorShapeProto *shape = info->type->tensor_type->shape;

    lcl_text_printf(t, "%s%s (", t->length ? ", " : "", info->name);
    for (size_t i = 0; i < shape->n_dim; i++) {
        const Onnx__TensorShapeProto__Dimension *d = shape->dim[i];
        lcl_text_add(t, i ? ", " : "");
        if (d->dim_param)
            lcl_text_add(t, d->dim_param);
        else
            lcl_text_printf(t, "%lld", (long long)d->dim_value);
    }
    lcl_text_add(t, ")");
}

static void list_ends(lcl_onnx *x, lcl_onnx_summary *summary)
{
    Onnx__GraphProto *g = x->graph;
    lcl_text inputs = {0}, outputs = {0};

    g->input = lcl_alloc(x->n_values, sizeof *g->input);
    g->output = lcl_alloc(x->n_values, sizeof *g->output);
    for (size_t i = 0; i < x->n_values; i++) {
        const lcl_onnx_value *v = &x->values[i];
        bool input = v->needed && lcl_onnx_is_input(x, v);
        if (!input && !v->wanted)
            continue;
        Onnx__ValueInfoProto *info = lcl_proto_new(&onnx__value_info_proto__descriptor);
        info->name = lcl_strdup(v->tensor);
        info->type = type_of(x, v);
        if (input) {
            info->doc_string = describe_input(x, v);
            g->input[g->n_input++] = info;
        } else {
            g->output[g->n_output++] = info;
        }
        summarize(input ? &inputs : &outputs, info);
    }
    *summary = (lcl_onnx_summary){g->n_node, inputs.text, outputs.text};
}

/* ---- The model --------------------------------------------------------------------- */

static lcl_status write_model(lcl_onnx *x, const char *path, lcl_error *err)
{
    Onnx__ModelProto *m = lcl_proto_new(&onnx__model_proto__descriptor);
    Onnx__OperatorSetIdProto *operators =
        lcl_proto_new(&onnx__operator_set_id_proto__descriptor);

    m->has_ir_version = true;
    m->ir_version = IR_VERSION;
    m->producer_name = lcl_strdup("lenet-cl");
    m->producer_version = lcl_strdup(LCL_VERSION);
    m->graph = x->graph;
    m->n_opset_import = 1;
    m->opset_import = lcl_alloc(1, sizeof *m->opset_import);
    m->opset_import[0] = operators;
    operators->domain = lcl_strdup("");
    operators->has_version = true;
    operators->version = LCL_ONNX_OPSET;
    lcl_status status = lcl_proto_write(&m->base, path, err);
    m->graph = NULL; /* it is x's */
    lcl_proto_free(&m->base);
    return status;
}

static lcl_status translate_all(lcl_onnx *x, lcl_error *err)
{
    make_inputs(x);
    for (size_t i = 0; i < lcl_net_n_layers(x->net); i++) {
        const lcl_onnx_step *s = &x->steps[i];
        if (s->needed && !s->absorbed && s->type->role == LCL_ONNX_NODES)
            LCL_TRY(translate(x, s, err));
    }
    return LCL_OK;
}

lcl_status lcl_onnx_write(const lcl_net *net, const char *path,
                          const lcl_onnx_options *options, lcl_onnx_summary *summary,
                          lcl_error *err)
{
    lcl_onnx_summary made = {0};
    lcl_onnx x;
    lcl_status status = lcl_onnx_plan(&x, net, err);

    x.fixed_batch = options->fixed_batch;
    if (status == LCL_OK)
        status = translate_all(&x, err);
    if (status == LCL_OK) {
        const char *name = lcl_net_name(net);
        x.graph->name = lcl_strdup(name && *name ? name : "net");
        list_ends(&x, &made);
        status = write_model(&x, path, err);
    }
    if (status == LCL_OK && summary) {
        *summary = made;
    } else {
        free(made.inputs);
        free(made.outputs);
    }
    lcl_onnx_release(&x);
    return status;
}
