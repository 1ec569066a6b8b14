/* What a layer is: one const lcl_layer_type per file of src/layers, listed in list.h. */
#ifndef LCL_LAYER_H
#define LCL_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lcl/blas.h"
#include "lcl/blob.h"
#include "lcl/log.h"
#include "lcl/proto.h"

#define LCL_MANY 255 /* no upper limit on bottoms or tops */
#define LCL_MAX_PARAMS 16

typedef struct lcl_layer lcl_layer;
struct lcl_rng;

/* Whether Data layers keep their records in the device's memory. AUTO: where they take no more
 * than an eighth of it and the kind of device gains by it. ON: it is an error if they cannot. */
typedef enum { LCL_RESIDENT_AUTO, LCL_RESIDENT_ON, LCL_RESIDENT_OFF } lcl_residency;

/* What all layers of a net share. */
typedef struct {
    lcl_device *dev;
    const lcl_blas *blas;
    const lcl_proto *source; /* the net's document, for places in messages */
    lcl_log *log;            /* may be NULL */
    struct lcl_rng *rng;     /* of fillers and of layers' own seeds (src/rng.h) */
    int block;               /* B of the net's blobs */
    int vector;              /* V, the most floats a work-item handles; divides block */
    bool direct;             /* convolutions do without Winograd's transforms */
    Caffe__Phase phase;
    lcl_residency residency;
    /* Data, HDF5Data and ImageData layers share their records with those of other nets: of
     * each 1 + n_others records in order, number `turn` is this net's. */
    size_t turn, n_others;
} lcl_layer_env;

/* What a layer took over of the layers after it. */
typedef enum { LCL_FUSED_NOTHING, LCL_FUSED_FORWARD, LCL_FUSED_BOTH } lcl_fused;

/* Called through the lcl_layer_* functions below: setup once, reshape whenever a bottom
 * changes shape (at least once, after setup), then forward and backward, and destroy at the
 * end. Every function but reshape and forward may be NULL. forward and backward only
 * enqueue: no wait, no read-back. */
typedef struct {
    const char *name; /* LayerParameter.type, e.g. "Convolution" */
    unsigned char min_bottoms, max_bottoms;
    unsigned char min_tops, max_tops;
    bool is_loss;       /* top[0] has loss_weight 1 unless the prototxt says otherwise */
    bool in_place;      /* top[0] may be the same blob as bottom[0] */
    bool is_source;     /* has no bottoms; makes the batches */
    bool equal_ends;    /* as many bottoms as tops */
    bool auto_tops;     /* the net makes missing tops (losses) */
    bool partial_diffs; /* backward copes with tops that have no diff (Split) */
    bool is_view;       /* top[0] is bottom[0] in another shape: may share its diff */
    bool reshapes;      /* forward may change its tops' shapes (Filter) */
    unsigned no_backward; /* bit i: gradient never goes to bottom i (labels) */
    size_t state_size;    /* bytes at l->state, zeroed before setup */

    /* Checks l->param and makes l->params with lcl_layer_add_param. Bottoms have shapes. */
    lcl_status (*setup)(lcl_layer *l, lcl_error *err);
    /* Shapes l->tops and workspace from l->bottoms; gets kernels. */
    lcl_status (*reshape)(lcl_layer *l, lcl_error *err);
    /* Enqueues tops.data = f(bottoms.data, params.data). */
    lcl_status (*forward)(lcl_layer *l, lcl_error *err);
    /* Enqueues bottoms.diff = ... where l->propagate[i], params.diff = ... (or += where
     * l->accumulate[i]) where l->param_propagate[i]. Top diffs of lanes without an image are
     * zero and bottom diffs must be. */
    lcl_status (*backward)(lcl_layer *l, lcl_error *err);
    /* Takes over the forward pass of the next n layers, or it and the backward pass, if it
     * can: it then writes their last top, and its own top no more. Each of them is the only
     * reader of the one before. n = 0: gives back what it had taken. */
    lcl_status (*fuse)(lcl_layer *l, lcl_layer *const *next, size_t n, lcl_fused *taken,
                       lcl_error *err);
    /* Takes n images and labels that the next forwards go through, from the caller's memory,
     * which must stay (MemoryData). */
    lcl_status (*feed)(lcl_layer *l, const float *images, const float *labels, size_t n,
                       lcl_error *err);
    /* Floating-point operations of a forward pass; the gradient of the bottoms and that of the
     * parameters take as many each. NULL: not worth counting. */
    double (*flops)(const lcl_layer *l);
    /* Releases what the layer put in l->state. */
    void (*destroy)(lcl_layer *l);
} lcl_layer_type;

struct lcl_layer {
    const lcl_layer_type *type;
    const Caffe__LayerParameter *param; /* borrowed from the net's document */
    const lcl_layer_env *env;           /* borrowed */
    lcl_device *dev;                    /* env->dev */
    int index;                          /* in the net */
    Caffe__Phase phase;                 /* param's own, else env->phase */
    int n_bottoms, n_tops, n_params;
    /* Arrays owned, blobs borrowed from the net; but where the layer needs another layout
     * (see plain below), a blob of its own stands in for the net's. */
    lcl_blob **bottoms, **tops;
    lcl_blob **net_bottoms, **net_tops; /* always the net's blobs; arrays owned */
    bool *propagate;                    /* n_bottoms; owned: gradient wanted */
    float *loss_weights;                /* n_tops; owned: 0 for tops that are no loss */
    lcl_blob *params[LCL_MAX_PARAMS]; /* owned; their memory may be the net's or shared */
    /* Gradient wanted (lr_mult != 0). Setup says false for what is never learned. */
    bool param_propagate[LCL_MAX_PARAMS];
    bool accumulate[LCL_MAX_PARAMS]; /* add to params.diff instead of setting it */
    /* Set by setup where the layer mixes images (softmax over axis 0, ...): it then sees
     * plain (B = 1) bottoms and tops, converted from and to the net's around it. */
    bool plain;
    void *state; /* owned; type->state_size bytes */
};

/* NULL-terminated, in the order of layers/list.h. */
extern const lcl_layer_type *const lcl_layer_types[];
/* NULL where there is none of that name (case counts). */
const lcl_layer_type *lcl_layer_find(const char *type);
/* The type that param asks for; unknown ones are LCL_EPROTO with what there is instead. */
lcl_status lcl_layer_find_type(const lcl_layer_type **out,
                               const Caffe__LayerParameter *param,
                               const lcl_layer_env *env, lcl_error *err);

/* Makes a layer over borrowed blobs and runs setup and reshape. propagate is true for every
 * bottom that type->no_backward allows. loss weights come from param and type. */
lcl_status lcl_layer_create(lcl_layer **out, const Caffe__LayerParameter *param,
                            const lcl_layer_env *env, int index, lcl_blob **bottoms,
                            int n_bottoms, lcl_blob **tops, int n_tops, lcl_error *err);
void lcl_layer_destroy(lcl_layer *l);
/* After a bottom changed shape. */
lcl_status lcl_layer_reshape(lcl_layer *l, lcl_error *err);
/* Enqueue the layer, and what converts its bottoms and tops where the layouts differ.
 * Backward of a layer that has none does nothing. */
lcl_status lcl_layer_forward(lcl_layer *l, lcl_error *err);
lcl_status lcl_layer_backward(lcl_layer *l, lcl_error *err);

/* Adds the layer's next parameter, plain, with data filled by `filler` (NULL: zeros; but by
 * param->blobs where it has them) and no diff yet. Call in setup only. */
lcl_status lcl_layer_add_param(lcl_layer *l, int n_axes, const int *shape,
                               const Caffe__FillerParameter *filler, lcl_error *err);

/* Fills row-major `values` of that shape (NULL: with zeros). */
lcl_status lcl_layer_fill(const lcl_layer *l, float *values, int n_axes, const int *shape,
                          const Caffe__FillerParameter *filler, lcl_error *err);

/* Kernel `kernel` of cl/<file>.cl for blobs of block `block`, built with `defines` and with
 * B = block and V = lcl_layer_vector(l, block). Its work-items along x: block / V. */
lcl_status lcl_layer_kernel(const lcl_layer *l, lcl_kernel **out, const char *file,
                            const char *kernel, int block, const lcl_define *defines,
                            size_t n_defines, lcl_error *err);
/* Floats (images of a block) a work-item handles: env->vector, or 1 for plain blobs. */
int lcl_layer_vector(const lcl_layer *l, int block);

/* An error at the place of `field` of `message` (both may be NULL: the layer itself), with
 * "layer 'conv1' (Convolution): " before the text. */
lcl_status lcl_layer_fail(const lcl_layer *l, const void *message, const char *field,
                          lcl_error *err, lcl_status status, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* Axis -n..n-1 of a blob to 0..n-1; otherwise an LCL_ESHAPE error at message/field. */
lcl_status lcl_layer_axis(const lcl_layer *l, const lcl_blob *b, int axis,
                          const void *message, const char *field, int *out,
                          lcl_error *err);

#endif
