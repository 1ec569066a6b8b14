/* Nodes, constants and names of an ONNX graph in the making. */
#include <stdlib.h>
#include <string.h>

#include "onnx/onnx.h"
#include "text.h"

/* A message of `type` behind the others of a repeated field. */
static void *append(void *list, size_t *n, const ProtobufCMessageDescriptor *type)
{
    void ***items = list, *message = lcl_proto_new(type);

    *items = lcl_resize(*items, *n + 1, sizeof **items);
    (*items)[(*n)++] = message;
    return message;
}

/* ---- Names ------------------------------------------------------------------------- */

static bool is_taken(const lcl_onnx *x, const char *name)
{
    for (size_t i = 0; i < x->n_names; i++)
        if (strcmp(x->names[i], name) == 0)
            return true;
    return false;
}

const char *lcl_onnx_name(lcl_onnx *x, const char *wanted)
{
    char *name = lcl_strdup(wanted);

    for (int i = 1; is_taken(x, name); i++) {
        free(name);
        name = lcl_format("%s_%d", wanted, i);
    }
    lcl_list_add(&x->names, &x->n_names, name);
    return name;
}

/* "conv1/Conv": something of the layer. */
static const char *name_in_layer(lcl_onnx *x, const char *what)
{
    const char *layer = x->layer->param->name ? x->layer->param->name : "";
    char *wanted = lcl_format("%s/%s", layer, what);
    const char *name = lcl_onnx_name(x, wanted);

    free(wanted);
    return name;
}

/* ---- Nodes ------------------------------------------------------------------------- */

const char *lcl_onnx_node(lcl_onnx *x, const char *op, const char *const *inputs,
                          size_t n)
{
    Onnx__GraphProto *g = x->graph;
    Onnx__NodeProto *node = append(&g->node, &g->n_node, &onnx__node_proto__descriptor);
    const char *name = name_in_layer(x, op);

    node->name = lcl_strdup(name);
    node->op_type = lcl_strdup(op);
    for (size_t i = 0; i < n; i++)
        lcl_list_add(&node->input, &node->n_input, lcl_strdup(inputs[i]));
    lcl_list_add(&node->output, &node->n_output, lcl_strdup(name));
    return name;
}

static Onnx__NodeProto *last_node(const lcl_onnx *x)
{
    return x->graph->node[x->graph->n_node - 1];
}

const char *lcl_onnx_next_output(lcl_onnx *x)
{
    Onnx__NodeProto *node = last_node(x);
    const char *name = name_in_layer(x, node->op_type);

    lcl_list_add(&node->output, &node->n_output, lcl_strdup(name));
    return name;
}

const char *lcl_onnx_cast(lcl_onnx *x, const char *tensor, int type)
{
    const char *cast = LCL_ONNX_NODE(x, "Cast", tensor);

    lcl_onnx_int(x, "to", type);
    return cast;
}

static Onnx__AttributeProto *add_attribute(lcl_onnx *x, const char *name,
                                           Onnx__AttributeProto__AttributeType type)
{
    Onnx__NodeProto *node = last_node(x);
    Onnx__AttributeProto *a =
        append(&node->attribute, &node->n_attribute, &onnx__attribute_proto__descriptor);

    a->name = lcl_strdup(name);
    a->has_type = true;
    a->type = type;
    return a;
}

void lcl_onnx_int(lcl_onnx *x, const char *name, int64_t value)
{
    Onnx__AttributeProto *a =
        add_attribute(x, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);

    a->has_i = true;
    a->i = value;
}

void lcl_onnx_ints(lcl_onnx *x, const char *name, const int64_t *values, size_t n)
{
    Onnx__AttributeProto *a =
        add_attribute(x, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);

    a->n_ints = n;
    a->ints = lcl_alloc(n, sizeof *a->ints);
    memcpy(a->ints, values, n * sizeof *values);
}

void lcl_onnx_float(lcl_onnx *x, const char *name, float value)
{
    Onnx__AttributeProto *a =
        add_attribute(x, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);

    a->has_f = true;
    a->f = value;
}

/* ---- Constants --------------------------------------------------------------------- */

static Onnx__TensorProto *add_constant(lcl_onnx *x, const char *name, size_t n_axes,
                                       int type)
{
    Onnx__GraphProto *g = x->graph;
    Onnx__TensorProto *t =
        append(&g->initializer, &g->n_initializer, &onnx__tensor_proto__descriptor);

    t->name = lcl_strdup(name);
    t->has_data_type = true;
    t->data_type = type;
    t->n_dims = n_axes;
    t->dims = lcl_alloc(n_axes, sizeof *t->dims);
    return t;
}

static void add_floats(lcl_onnx *x, const char *name, int n_axes, const int *shape,
                       float *values)
{
    Onnx__TensorProto *t = add_constant(x, name, (size_t)n_axes, LCL_ONNX_FLOAT);

    t->n_float_data = 1;
    t->float_data = values;
    for (int i = 0; i < n_axes; i++) {
        t->dims[i] = shape[i];
        t->n_float_data *= (size_t)shape[i];
    }
}

const char *lcl_onnx_floats(lcl_onnx *x, const char *what, int n_axes, const int *shape,
                            float *values)
{
    const char *name = name_in_layer(x, what);

    add_floats(x, name, n_axes, shape, values);
    return name;
}

const char *lcl_onnx_scalar(lcl_onnx *x, const char *what, float value)
{
    float *values = lcl_alloc(1, sizeof *values);

    *values = value;
    return lcl_onnx_floats(x, what, 0, NULL, values);
}

const char *lcl_onnx_numbers(lcl_onnx *x, const char *what, const int64_t *values,
                             size_t n)
{
    const char *name = name_in_layer(x, what);
    Onnx__TensorProto *t = add_constant(x, name, 1, LCL_ONNX_INT64);

    t->dims[0] = (int64_t)n;
    t->n_int64_data = n;
    t->int64_data = lcl_alloc(n, sizeof *t->int64_data);
    memcpy(t->int64_data, values, n * sizeof *values);
    return name;
}

lcl_status lcl_onnx_param_values(const lcl_layer *l, int i, float **values,
                                 lcl_error *err)
{
    const lcl_blob *b = l->params[i];

    *values = lcl_alloc(lcl_blob_count(b), sizeof **values);
    lcl_status status = lcl_blob_read(b, LCL_DATA, *values, err);
    if (status != LCL_OK)
        free(*values);
    return status;
}

/* "conv1/0", by the layer that owns the parameter; new string. */
static char *param_name(const lcl_onnx *x, const lcl_layer *l, int i)
{
    const lcl_net_param *p =
        lcl_net_param_at(x->net, lcl_net_find_param(x->net, (size_t)l->index, i));

    return lcl_format("%s/%d", p->layer, p->index);
}

/* The name of a constant if there is one of that name and shape. */
static const char *find_constant(const lcl_onnx *x, const char *name, int n_axes,
                                 const int *shape)
{
    for (size_t k = 0; k < x->graph->n_initializer; k++) {
        const Onnx__TensorProto *t = x->graph->initializer[k];
        bool same = strcmp(t->name, name) == 0 && t->n_dims == (size_t)n_axes;
        for (int i = 0; i < n_axes && same; i++)
            same = t->dims[i] == shape[i];
        if (same)
            return t->name;
    }
    return NULL;
}

lcl_status lcl_onnx_param_as(lcl_onnx *x, const lcl_layer *l, int i, int n_axes,
                             const int *shape, const char **tensor, lcl_error *err)
{
    char *name = param_name(x, l, i);
    lcl_status status = LCL_OK;
    float *values;

    *tensor = find_constant(x, name, n_axes, shape);
    if (!*tensor)
        status = lcl_onnx_param_values(l, i, &values, err);
    if (!*tensor && status == LCL_OK) {
        *tensor = lcl_onnx_name(x, name);
        add_floats(x, *tensor, n_axes, shape, values);
    }
    free(name);
    return status;
}

lcl_status lcl_onnx_param(lcl_onnx *x, const lcl_layer *l, int i, const char **tensor,
                          lcl_error *err)
{
    const lcl_blob *b = l->params[i];

    return lcl_onnx_param_as(x, l, i, b->n_axes, b->shape, tensor, err);
}

/* ---- Axes and shapes --------------------------------------------------------------- */

int lcl_onnx_axis(const lcl_blob *b, int axis)
{
    return axis < 0 ? axis + b->n_axes : axis;
}

const char *lcl_onnx_reshape(lcl_onnx *x, const char *tensor, const int64_t *dims,
                             size_t n)
{
    const char *shape = lcl_onnx_numbers(x, "shape", dims, n);

    return LCL_ONNX_NODE(x, "Reshape", tensor, shape);
}

const char *lcl_onnx_view(lcl_onnx *x, const char *tensor, const lcl_blob *from,
                          const lcl_blob *to)
{
    int64_t dims[LCL_MAX_AXES];

    if (lcl_blob_same_shape(from, to))
        return tensor;
    for (int i = 0; i < to->n_axes; i++)
        dims[i] = to->shape[i];
    if (from->n_axes > 0 && to->n_axes > 0 && from->shape[0] == to->shape[0])
        dims[0] = 0;
    return lcl_onnx_reshape(x, tensor, dims, (size_t)to->n_axes);
}
