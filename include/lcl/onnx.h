/* A net as an ONNX model, for programs that know nothing of Caffe. */
#ifndef LCL_ONNX_H
#define LCL_ONNX_H

#include "lcl/net.h"

/* The version of ONNX's operators that models are made of. */
#define LCL_ONNX_OPSET 13

typedef struct {
    /* Inputs have the prototxt's batch size, even where the net would take any. */
    bool fixed_batch;
} lcl_onnx_options;

/* What was written. Lists of tensors read "data (N, 1, 28, 28), ..."; free both. */
typedef struct {
    size_t n_nodes;
    char *inputs, *outputs;
} lcl_onnx_summary;

/* Writes a TEST net, which may be on a blank device, with its parameters, whole or not at all.
 * Tensors have the names of the
 * net's blobs. Tops of data layers that are needed are the inputs; outputs are the blobs that
 * no layer takes, and what goes into losses and Accuracy, which are left out:
 * SoftmaxWithLoss becomes Softmax (output "prob"), SigmoidCrossEntropyLoss Sigmoid.
 * A layer that ONNX has no operators for is LCL_EPROTO at its place in the prototxt. *summary
 * may be NULL. */
lcl_status lcl_onnx_write(const lcl_net *net, const char *path,
                          const lcl_onnx_options *options, lcl_onnx_summary *summary,
                          lcl_error *err);

/* What a type of layer becomes. */
typedef struct {
    const char *type;      /* LayerParameter.type */
    const char *operators; /* ONNX's, e.g. "Flatten, Gemm"; "" where there are none */
    const char *note;      /* what is not as in Caffe, or cannot be written; or "" */
} lcl_onnx_layer_info;

/* Every type of layer, in the order of their names; borrowed. */
size_t lcl_onnx_n_layers(void);
lcl_onnx_layer_info lcl_onnx_layer(size_t i);

#endif
