/* What each type of layer becomes. README.md shows the table; a test compares them. */
#include <string.h>

#include "onnx/onnx.h"
#include "text.h"

#define ANY 255

/* In the order of the names. */
static const lcl_onnx_layer_type types[] = {
    {{"AbsVal", "Abs", ""}, .translate = lcl_onnx_absval},
    {{"Accuracy", "", "left out; its first bottom is an output if nothing else takes it"},
     .role = LCL_ONNX_NOTHING,
     .n_predictions = 1},
    {{"ArgMax", "TopK", "with axis: 0 the batch is fixed"}, .translate = lcl_onnx_argmax},
    {{"BNLL", "Softplus", ""}, .translate = lcl_onnx_bnll},
    {{"BatchNorm", "BatchNormalization",
      "a Scale layer behind it, with a weight a channel, becomes part of it; by "
      "ReduceMean and arithmetic with use_global_stats: false"},
     .translate = lcl_onnx_batch_norm},
    {{"BatchReindex", "Gather",
      "the batch is fixed; numbers that the bottom has not make no NANs: they are an "
      "error, or "
      "count from the end where negative"},
     .translate = lcl_onnx_batch_reindex},
    {{"Bias", "Add", "with axis: 0 and a parameter the batch is fixed"},
     .translate = lcl_onnx_bias},
    {{"Clip", "Clip", ""}, .translate = lcl_onnx_clip},
    {{"Concat", "Concat", "along axis 0 the batch is fixed"},
     .translate = lcl_onnx_concat},
    {{"ContrastiveLoss", "", "left out; its first two bottoms are outputs"},
     .role = LCL_ONNX_NOTHING,
     .n_predictions = 2},
    {{"Convolution", "Conv", "with axis: 0 the batch is fixed"},
     .translate = lcl_onnx_convolution},
    {{"Crop", "Slice", "to the shape that the second bottom has in the prototxt"},
     .translate = lcl_onnx_crop,
     .n_bottoms = 1},
    {{"Data", "", "an input; transform_param is not part of the model"},
     .role = LCL_ONNX_INPUT},
    {{"Deconvolution", "ConvTranspose", "with axis: 0 the batch is fixed"},
     .translate = lcl_onnx_deconvolution},
    {{"Dropout", "", "does nothing in tests"}, .translate = lcl_onnx_dropout},
    {{"DummyData", "", "an input, whatever its fillers are"}, .role = LCL_ONNX_INPUT},
    {{"ELU", "Elu", ""}, .translate = lcl_onnx_elu},
    {{"Eltwise", "Add, Sum, Mul, Max", ""}, .translate = lcl_onnx_eltwise},
    {{"Embed", "Gather, Add",
      "numbers that the table has not make no NANs: they are an error, or count from the "
      "end "
      "where negative"},
     .translate = lcl_onnx_embed},
    {{"EuclideanLoss", "", "left out; a bottom that nothing else takes is an output"},
     .role = LCL_ONNX_NOTHING,
     .n_predictions = 2},
    {{"Exp", "Exp", ""}, .translate = lcl_onnx_exp},
    {{"Filter", "Compress", "none selected makes empty outputs, not an error"},
     .translate = lcl_onnx_filter},
    {{"Flatten", "Reshape", ""}, .translate = lcl_onnx_view_layer},
    {{"HDF5Data", "", "an input"}, .role = LCL_ONNX_INPUT},
    {{"HDF5Output", "", "left out; its bottoms are outputs, but for labels"},
     .role = LCL_ONNX_NOTHING,
     .n_predictions = ANY},
    {{"HingeLoss", "", "left out; its first bottom is an output"},
     .role = LCL_ONNX_NOTHING,
     .n_predictions = 1},
    {{"Im2col", "Conv", "with filters that pick one pixel each"},
     .translate = lcl_onnx_im2col},
    {{"ImageData", "", "an input; transform_param is not part of the model"},
     .role = LCL_ONNX_INPUT},
    {{"InfogainLoss", "Softmax", "the probabilities are an output, not the loss"},
     .translate = lcl_onnx_infogain_loss,
     .n_bottoms = 1,
     .is_loss = true},
    {{"InnerProduct", "Flatten, Gemm", "with axis: 0 the batch is fixed"},
     .translate = lcl_onnx_inner_product},
    {{"Input", "", "an input"}, .role = LCL_ONNX_INPUT},
    {{"LRN", "LRN", "WITHIN_CHANNEL by AveragePool and arithmetic"},
     .translate = lcl_onnx_lrn},
    {{"LSTM", "Gemm, MatMul, arithmetic",
      "step by step, as ONNX's LSTM has no cont: as many steps and streams as in the "
      "prototxt"},
     .translate = lcl_onnx_lstm},
    {{"LSTMUnit", "arithmetic", "as many streams as in the prototxt"},
     .translate = lcl_onnx_lstm_unit},
    {{"Log", "Log", ""}, .translate = lcl_onnx_log},
    {{"MVN", "ReduceMean, arithmetic", ""}, .translate = lcl_onnx_mvn},
    {{"MemoryData", "", "an input; transform_param is not part of the model"},
     .role = LCL_ONNX_INPUT},
    {{"MultinomialLogisticLoss", "", "left out; its first bottom is an output"},
     .role = LCL_ONNX_NOTHING,
     .n_predictions = 1},
    {{"PReLU", "PRelu", ""}, .translate = lcl_onnx_prelu},
    {{"Parameter", "", "a constant"}, .translate = lcl_onnx_parameter},
    {{"Pooling", "MaxPool, AveragePool",
      "refused where the last window has no pixel (a stride larger than the kernel)"},
     .translate = lcl_onnx_pooling},
    {{"Power", "Mul, Add, Pow", ""}, .translate = lcl_onnx_power},
    {{"RNN", "Gemm, MatMul, arithmetic",
      "step by step: as many steps and streams as in the prototxt"},
     .translate = lcl_onnx_rnn},
    {{"ReLU", "Relu, LeakyRelu", ""}, .translate = lcl_onnx_relu},
    {{"Reduction", "ReduceSum, ReduceL1, ReduceSumSquare, ReduceMean", ""},
     .translate = lcl_onnx_reduction},
    {{"Reshape", "Reshape", "a first dimension other than the bottom's fixes the batch"},
     .translate = lcl_onnx_view_layer},
    {{"SPP", "MaxPool, AveragePool, Concat", "for images of the prototxt's size"},
     .translate = lcl_onnx_spp},
    {{"Scale", "Mul, Add", "with axis: 0 and a parameter the batch is fixed"},
     .translate = lcl_onnx_scale},
    {{"Sigmoid", "Sigmoid", ""}, .translate = lcl_onnx_sigmoid},
    {{"SigmoidCrossEntropyLoss", "Sigmoid",
      "the probabilities are an output, not the loss"},
     .translate = lcl_onnx_sigmoid,
     .n_bottoms = 1,
     .is_loss = true},
    {{"Silence", "", "left out, with what only it takes"}, .role = LCL_ONNX_NOTHING},
    {{"Slice", "Split", "along axis 0 the batch is fixed"}, .translate = lcl_onnx_slice},
    {{"Softmax", "Softmax", ""}, .translate = lcl_onnx_softmax},
    {{"SoftmaxWithLoss", "Softmax", "the probabilities are an output, not the loss"},
     .translate = lcl_onnx_softmax,
     .n_bottoms = 1,
     .is_loss = true},
    {{"Split", "", "a tensor can be taken many times"}, .translate = lcl_onnx_dropout},
    {{"Swish", "Sigmoid, Mul", ""}, .translate = lcl_onnx_swish},
    {{"TanH", "Tanh", ""}, .translate = lcl_onnx_tanh},
    {{"Threshold", "Greater", ""}, .translate = lcl_onnx_threshold},
    {{"Tile", "Tile", "along axis 0 the batch is fixed"}, .translate = lcl_onnx_tile},
    {{"WindowData", "", "an input; transform_param is not part of the model"},
     .role = LCL_ONNX_INPUT},
};

const lcl_onnx_layer_type *lcl_onnx_find(const char *type)
{
    for (size_t i = 0; i < LCL_COUNT(types); i++)
        if (strcmp(types[i].info.type, type) == 0)
            return &types[i];
    return NULL;
}

size_t lcl_onnx_n_layers(void)
{
    return LCL_COUNT(types);
}

lcl_onnx_layer_info lcl_onnx_layer(size_t i)
{
    return types[i].info;
}
