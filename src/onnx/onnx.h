/* What the translations of layers share: the graph that they add to, and the tensors in it. */
#ifndef LCL_ONNX_ONNX_H
#define LCL_ONNX_ONNX_H

#include <stdint.h>

#include "lcl/onnx.h"
#include "onnx.pb-c.h"

/* What a layer becomes: nodes, an input of the graph, or nothing (its bottoms end there). */
typedef enum { LCL_ONNX_NODES, LCL_ONNX_INPUT, LCL_ONNX_NOTHING } lcl_onnx_role;

typedef struct lcl_onnx lcl_onnx;

typedef struct {
    lcl_onnx_layer_info info;
    lcl_onnx_role role;
    /* Adds the layer's nodes and sets its tops. NULL: there are no such operators. */
    lcl_status (*translate)(lcl_onnx *x, lcl_error *err);
    int n_bottoms; /* of NODES: the nodes take only these first ones; 0: all */
    bool is_loss;  /* of NODES: top 0 is a loss; they make the last top, predictions */
    int n_predictions; /* of NOTHING: these first bottoms become outputs */
} lcl_onnx_layer_type;

/* Every type has its entry. */
const lcl_onnx_layer_type *lcl_onnx_find(const char *type);

/* A blob's content between one layer that writes it and the next: a layer in place makes a new
 * value of the same blob. */
typedef struct {
    const lcl_blob *blob;
    const lcl_blob *shape; /* has the tensor's: a loss's predictions have its bottom's */
    size_t same;           /* the value it is another name of (Split), or itself */
    size_t layer;          /* that makes it */
    bool is_loss;          /* the loss of a layer that is_loss */
    bool learned;          /* parameters had a part in it */
    size_t n_readers;      /* layers with nodes that take it */
    size_t reader;         /* one of them */
    bool wanted;           /* as an output of the graph */
    bool needed;           /* for an output */
    const char *name;      /* what its tensor is to be called; NULL: anything */
    const char *tensor;    /* NULL before it is made */
    const char *images;    /* axis 0: "N" (the batch), a layer that chose, or NULL */
} lcl_onnx_value;

/* What becomes of a layer of the net. */
typedef struct {
    const lcl_layer *layer;
    const lcl_onnx_layer_type *type;
    size_t *bottoms, *tops; /* values; owned */
    bool needed;            /* for an output */
    bool absorbed;          /* its nodes are another layer's */
} lcl_onnx_step;

/* A graph in the making. `layer` is the one whose nodes are being added. */
struct lcl_onnx {
    const lcl_net *net;
    const lcl_layer *layer;
    lcl_onnx_step *steps; /* a layer each; owned */
    lcl_onnx_value *values;
    size_t n_values;
    Onnx__GraphProto *graph; /* owned */
    char **names;            /* that are taken, and strings that values have; owned */
    size_t n_names;
    size_t first_node;  /* of the layer */
    const char *images; /* what axis 0 of the layer's tops is; see lcl_onnx_value */
    bool fixed_batch;
};

/* ---- What there is to write (plan.c) ----------------------------------------------- */

/* Finds the values, the outputs and which layers these need. Release it in any case. */
lcl_status lcl_onnx_plan(lcl_onnx *x, const lcl_net *net, lcl_error *err);
void lcl_onnx_release(lcl_onnx *x);
bool lcl_onnx_is_input(const lcl_onnx *x, const lcl_onnx_value *v);
/* Of the layer's bottoms, those that its nodes take: the first ones. */
int lcl_onnx_n_taken(const lcl_onnx_step *s);

/* ---- Tensors of the layer's ends (write.c) ----------------------------------------- */

const char *lcl_onnx_bottom(const lcl_onnx *x, int i);
/* All of them; free() the list. */
const char **lcl_onnx_bottoms(const lcl_onnx *x);
/* Top i is `tensor`, which may be a bottom's. It may get another name: use it no more. */
void lcl_onnx_set_top(lcl_onnx *x, int i, const char *tensor);

/* The layer that alone takes top 0, if it is of that type; else NULL. */
const lcl_layer *lcl_onnx_follower(const lcl_onnx *x, const char *type);
/* The nodes do what the follower does too: from now on the tops to set are its tops. */
void lcl_onnx_absorb(lcl_onnx *x, const lcl_layer *follower);

/* The nodes are right for the prototxt's number of images only, or axis 0 is none of images. */
lcl_status lcl_onnx_fix_batch(lcl_onnx *x, lcl_error *err);
/* How many images the tops have is known in a run only. */
void lcl_onnx_choose_images(lcl_onnx *x);

/* lcl_layer_fail with the words that all of these errors share: "cannot be written as ONNX". */
lcl_status lcl_onnx_refuse(const lcl_onnx *x, const void *message, const char *field,
                           lcl_error *err, const char *why);

/* ---- Nodes (graph.c) --------------------------------------------------------------- */

/* Adds a node; its output. Names of tensors live as long as the graph. */
const char *lcl_onnx_node(lcl_onnx *x, const char *op, const char *const *inputs,
                          size_t n);
#define LCL_ONNX_NODE(x, op, ...)                                                        \
    lcl_onnx_node(x, op, (const char *const[]){__VA_ARGS__},                             \
                  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))
/* A conversion: Caffe's tensors are all of floats. */
enum {
    LCL_ONNX_FLOAT = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
    LCL_ONNX_INT64 = ONNX__TENSOR_PROTO__DATA_TYPE__INT64,
    LCL_ONNX_BOOL = ONNX__TENSOR_PROTO__DATA_TYPE__BOOL
};
const char *lcl_onnx_cast(lcl_onnx *x, const char *tensor, int type);
/* Of the node added last: one output more, and attributes. */
const char *lcl_onnx_next_output(lcl_onnx *x);
void lcl_onnx_int(lcl_onnx *x, const char *name, int64_t value);
void lcl_onnx_ints(lcl_onnx *x, const char *name, const int64_t *values, size_t n);
void lcl_onnx_float(lcl_onnx *x, const char *name, float value);

/* A name like `wanted` that no tensor has. */
const char *lcl_onnx_name(lcl_onnx *x, const char *wanted);

/* ---- Constants --------------------------------------------------------------------- */

/* Named after the layer and `what`. Row-major `values` are the graph's from now on. */
const char *lcl_onnx_floats(lcl_onnx *x, const char *what, int n_axes, const int *shape,
                            float *values);
const char *lcl_onnx_scalar(lcl_onnx *x, const char *what, float value);
const char *lcl_onnx_numbers(lcl_onnx *x, const char *what, const int64_t *values,
                             size_t n);
/* Parameter i of layer l as a constant of `shape`, or of its own shape. Shared parameters are
 * there once. */
lcl_status lcl_onnx_param(lcl_onnx *x, const lcl_layer *l, int i, const char **tensor,
                          lcl_error *err);
lcl_status lcl_onnx_param_as(lcl_onnx *x, const lcl_layer *l, int i, int n_axes,
                             const int *shape, const char **tensor, lcl_error *err);
/* Its values, row-major; free() them. */
lcl_status lcl_onnx_param_values(const lcl_layer *l, int i, float **values,
                                 lcl_error *err);

/* ---- Axes and shapes --------------------------------------------------------------- */

/* An axis that the layer has checked, from 0 on. */
int lcl_onnx_axis(const lcl_blob *b, int axis);
/* `dims` as of ONNX's Reshape: 0 is the dimension that is there, -1 what is left. */
const char *lcl_onnx_reshape(lcl_onnx *x, const char *tensor, const int64_t *dims,
                             size_t n);
/* From a blob's shape to another's: the tensor itself where they are the same. */
const char *lcl_onnx_view(lcl_onnx *x, const char *tensor, const lcl_blob *from,
                          const lcl_blob *to);

/* ---- Translations ------------------------------------------------------------------ */

typedef lcl_status lcl_onnx_translation(lcl_onnx *x, lcl_error *err);

lcl_onnx_translation lcl_onnx_convolution, lcl_onnx_deconvolution, lcl_onnx_im2col,
    lcl_onnx_inner_product, lcl_onnx_embed;
lcl_onnx_translation lcl_onnx_pooling, lcl_onnx_spp;
lcl_onnx_translation lcl_onnx_relu, lcl_onnx_prelu, lcl_onnx_elu, lcl_onnx_sigmoid,
    lcl_onnx_tanh, lcl_onnx_absval, lcl_onnx_bnll, lcl_onnx_clip, lcl_onnx_exp,
    lcl_onnx_log, lcl_onnx_power, lcl_onnx_swish, lcl_onnx_threshold, lcl_onnx_dropout;
lcl_onnx_translation lcl_onnx_lrn, lcl_onnx_batch_norm, lcl_onnx_mvn, lcl_onnx_scale,
    lcl_onnx_bias;
lcl_onnx_translation lcl_onnx_eltwise, lcl_onnx_concat, lcl_onnx_slice, lcl_onnx_crop,
    lcl_onnx_tile, lcl_onnx_view_layer, lcl_onnx_batch_reindex, lcl_onnx_filter,
    lcl_onnx_parameter;
lcl_onnx_translation lcl_onnx_softmax, lcl_onnx_infogain_loss, lcl_onnx_reduction,
    lcl_onnx_argmax;
lcl_onnx_translation lcl_onnx_lstm, lcl_onnx_rnn, lcl_onnx_lstm_unit;

#endif
