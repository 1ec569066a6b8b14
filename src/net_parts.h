/* What a net is made of, for the files that build, run and rewrite it. */
#ifndef LCL_NET_PARTS_H
#define LCL_NET_PARTS_H

#include "lcl/net.h"
#include "rng.h"

/* A blob and what is known of its gradient. */
typedef struct {
    lcl_blob *blob; /* owned */
    bool available; /* no layer has taken it yet */
    bool automatic; /* made by the net: has no name to take it by */
    bool needs_gradient;
    bool under_loss;     /* a loss depends on it */
    bool skips_gradient; /* whoever takes it gives no gradient back */
    float loss_weight;
} net_blob;

typedef struct {
    lcl_layer *layer;       /* owned */
    size_t *bottoms, *tops; /* indices of blobs; owned */
    size_t n_bottoms, n_tops;
    bool *wants_gradient; /* of bottoms; owned */
    bool needs_backward;
    bool fuses;                         /* has taken over passes of the layers after it */
    bool forward_taken, backward_taken; /* over by a layer before it */
    size_t params[LCL_MAX_PARAMS];      /* index in net->params of each of the layer's */
} net_layer;

/* What the prototxt said of a parameter: its name (or NULL), and multipliers. */
typedef struct {
    const char *name;
    bool has_lr, has_decay;
} net_said;

/* Something to enqueue. Forward and backward walk a list of them. */
typedef struct {
    lcl_status (*run)(lcl_layer *layer, lcl_error *err);
    lcl_layer *layer;
} net_step;

struct lcl_net {
    lcl_proto *doc;                   /* owned */
    const Caffe__NetParameter *param; /* its root */
    lcl_device *dev;
    lcl_log *log;
    lcl_blas blas;
    lcl_rng rng;
    lcl_layer_env env;
    net_blob *blobs;
    size_t n_blobs;
    net_layer *layers;
    size_t n_layers;
    lcl_net_stand_in *stand_ins; /* of each of param->layer; owned */
    size_t *outputs;             /* indices of blobs */
    size_t n_outputs;
    net_step *forward, *backward; /* backward in the order it runs */
    size_t n_forward, n_backward;
    lcl_net_param *params;
    net_said *said;               /* of each of params */
    size_t n_params, param_count; /* floats in a parameter buffer */
    cl_mem param_data, param_diff;
    bool has_diffs; /* memory for gradients is there */
    bool fuse;      /* steps of several layers may be one */
};

/* ---- Net_inputs.c ------------------------------------------------------------------ */

/* Images a source layer makes at a time; 0 where its message does not say. */
size_t lcl_net_batch_of(const Caffe__LayerParameter *l);
/* On a blank device, before layers are made: gives Input layers the shapes of the options and
 * puts Input layers in the place of data layers whose files are missing. */
lcl_status lcl_net_shape_inputs(lcl_net *net, const lcl_net_options *options,
                                lcl_error *err);

/* ---- Net_param.c ------------------------------------------------------------------- */

/* Finds the owner of each parameter of a layer that was just set up. */
lcl_status lcl_net_own_params(lcl_net *net, size_t layer, lcl_error *err);
/* Moves parameters into one buffer, but those of `share` (may be NULL) to its memory. */
lcl_status lcl_net_place_params(lcl_net *net, const lcl_net *share, lcl_error *err);
lcl_status lcl_net_place_param_diffs(lcl_net *net, lcl_error *err);
void lcl_net_release_params(lcl_net *net);
/* The first layer of that name, or n_layers. */
size_t lcl_net_find_layer(const lcl_net *net, const char *name);
/* The error of parameter `index` of a model's layer, of `shape`, which `b` has not. */
lcl_status lcl_net_refuse_shape(const char *path, const char *layer, size_t index,
                                int n_axes, const int *shape, const lcl_blob *b,
                                lcl_error *err);

/* ---- Net_hdf5.c -------------------------------------------------------------------- */

lcl_status lcl_net_load_hdf5(lcl_net *net, const char *path, lcl_error *err);

#endif
