/* A net: layers wired by named blobs, ready to run on a device. */
#ifndef LCL_NET_H
#define LCL_NET_H

#include "lcl/layer.h"

typedef struct lcl_net lcl_net;

/* The shape of a top of an Input layer or of a layer that reads data from files. */
typedef struct {
    const char *top; /* NULL: the first top of the first such layer */
    int n_axes, shape[LCL_MAX_AXES];
} lcl_net_input;

/* {0} gives: phase TRAIN, level 0, no stages, gemm auto, seed 0, block chosen, data resident
 * where that is better. */
typedef struct {
    Caffe__Phase phase;
    /* Override the net's own state (level, stages) where set. */
    bool has_level;
    int level;
    const char *const *stages;
    size_t n_stages;
    lcl_gemm_backend gemm;
    int64_t seed; /* of fillers, dropout, crops: < 0 takes one from the system */
    /* B. 0: what LCL_BLOCK says, else 16 on a CPU, 32 elsewhere, 1 for batches of fewer than
     * 4 images. LCL_VECTOR limits V, which else is up to 16 on a CPU and 4 elsewhere. */
    int block;
    /* Layers that follow each other may be computed as one, where LCL_FUSE=0 is not set. The
     * blobs between them are then not computed, and lcl_net_blob does not find them. */
    bool fuse;
    lcl_residency residency;
    size_t turn, n_others; /* see lcl_layer_env */
    lcl_log *log;          /* may be NULL */
    lcl_net *share; /* take parameters (data) from this net by layer name; may be NULL */
    /* On a blank device (lcl_device_create_blank) only: shapes in place of those that the
     * prototxt or the data have. */
    const lcl_net_input *inputs;
    size_t n_inputs;
} lcl_net_options;

/* B and V of a net of such batches (0: they are not known) on the device, by `wanted` (0:
 * nothing) and the environment, as lcl_net_options says. */
lcl_status lcl_net_layout(const lcl_device *dev, size_t batch, int wanted, int *block,
                          int *vector, lcl_error *err);

/* Builds a net from a NetParameter document: upgrades it, filters layers by phase, level and
 * stage, inserts splits, creates and shapes every layer. `source` is copied. On a blank
 * device the net only has shapes: its data may be missing (see lcl_net_layer_stand_in), and
 * forward and backward do nothing. */
lcl_status lcl_net_create(lcl_net **out, lcl_device *dev, const lcl_proto *source,
                          const lcl_net_options *options, lcl_error *err);
/* The same from a prototxt's path. */
lcl_status lcl_net_read(lcl_net **out, lcl_device *dev, const char *path,
                        const lcl_net_options *options, lcl_error *err);
void lcl_net_destroy(lcl_net *net);

/* Enqueue all layers; return at once. */
lcl_status lcl_net_forward(lcl_net *net, lcl_error *err);
lcl_status lcl_net_backward(lcl_net *net, lcl_error *err);
/* One layer, for timing. Backward of a layer that needs none does nothing. */
lcl_status lcl_net_forward_layer(lcl_net *net, size_t layer, lcl_error *err);
lcl_status lcl_net_backward_layer(lcl_net *net, size_t layer, lcl_error *err);
/* Waits and sums loss_weight * top over all loss tops of the last forward. */
lcl_status lcl_net_loss(lcl_net *net, float *loss, lcl_error *err);
/* Gives MemoryData layer `name` n images, as many as some batches, and their labels, all
 * row-major. The next forwards go through them, over and over, from the caller's memory:
 * it must stay until others are given or the net is gone. */
lcl_status lcl_net_feed(lcl_net *net, const char *name, const float *images,
                        const float *labels, size_t n, lcl_error *err);
/* The next backward adds to the parameters' diffs (true) or sets them (false, the default). */
void lcl_net_accumulate(lcl_net *net, bool on);
/* After lcl_blob_reshape of an input blob: shapes the layers after it again. */
lcl_status lcl_net_reshape(lcl_net *net, lcl_error *err);

const char *lcl_net_name(const lcl_net *net);
lcl_device *lcl_net_device(const lcl_net *net);
size_t lcl_net_n_layers(const lcl_net *net);
const lcl_layer *lcl_net_layer(const lcl_net *net, size_t i);
/* What an Input layer stands in for, on a blank device. */
typedef struct {
    const Caffe__LayerParameter *layer; /* a data layer, as the prototxt has it */
    char *
        why; /* where its shape comes from, as its files are missing; NULL: from the options */
} lcl_net_stand_in;
/* Borrowed; NULL where layer i is what the prototxt says. */
const lcl_net_stand_in *lcl_net_layer_stand_in(const lcl_net *net, size_t i);
bool lcl_net_layer_needs_backward(const lcl_net *net, size_t i);
/* A layer before it computes it as well. */
bool lcl_net_layer_is_fused_away(const lcl_net *net, size_t i);
/* Borrowed; NULL where no blob has that name. */
lcl_blob *lcl_net_blob(const lcl_net *net, const char *name);
/* Blobs that no layer takes, in lexicographic order of their names as Caffe prints them;
 * loss_weight of output i is 0 where it is no loss. */
size_t lcl_net_n_outputs(const lcl_net *net);
lcl_blob *lcl_net_output(const lcl_net *net, size_t i);
float lcl_net_output_loss_weight(const lcl_net *net, size_t i);

/* ---- Parameters -------------------------------------------------------------------- */

/* A learnable parameter (each shared one once, at its owner), in Caffe's order. */
typedef struct {
    const char *layer; /* name of the owning layer */
    int index;         /* in the layer */
    lcl_blob *blob;    /* plain; its buffers are parts of the net's */
    size_t offset;     /* in floats, in the net's parameter buffers */
    float lr_mult, decay_mult;
    bool shared; /* its data belong to options.share */
} lcl_net_param;

size_t lcl_net_n_params(const lcl_net *net);
const lcl_net_param *lcl_net_param_at(const lcl_net *net, size_t i);
/* Which of them parameter `index` of a layer is. */
size_t lcl_net_find_param(const lcl_net *net, size_t layer, int index);
/* All parameters in one buffer each, `count` floats including the padding between them
 * (zeros). Data are NULL where all are shared, diffs before a TEST net's first backward. */
cl_mem lcl_net_param_data(const lcl_net *net);
cl_mem lcl_net_param_diff(const lcl_net *net);
size_t lcl_net_param_count(const lcl_net *net);

/* Copies parameters by layer name from a .caffemodel (upgraded first) or .caffemodel.h5; source
 * layers that the net has not are logged and ignored; a shape that differs is LCL_ESHAPE. */
lcl_status lcl_net_load(lcl_net *net, const char *path, lcl_error *err);
lcl_status lcl_net_load_proto(lcl_net *net, const lcl_proto *model, lcl_error *err);
/* The net with its parameters as a NetParameter to save (lcl_proto_free it). */
lcl_status lcl_net_to_proto(lcl_net *net, bool with_diff, Caffe__NetParameter **out,
                            lcl_error *err);
/* Writes a .caffemodel, or a .caffemodel.h5, whole or not at all; `with_diff`: with the
 * gradients. */
lcl_status lcl_net_save(lcl_net *net, bool with_diff, const char *path, lcl_error *err);
lcl_status lcl_net_save_hdf5(const lcl_net *net, bool with_diff, const char *path,
                             lcl_error *err);
/* NumPy's .npz, an array "<layer>/<index>" for each of lcl_net_param (one at least): writes
 * it, whole or not at all; loads one that has exactly the net's parameters in their shapes (else LCL_ESHAPE). */
lcl_status lcl_net_save_npz(const lcl_net *net, const char *path, lcl_error *err);
lcl_status lcl_net_load_npz(lcl_net *net, const char *path, lcl_error *err);

/* ---- What the prototxt said -------------------------------------------------------- */

/* The filtered net with splits inserted, as Caffe logs it. */
const Caffe__NetParameter *lcl_net_param_proto(const lcl_net *net);

#endif
