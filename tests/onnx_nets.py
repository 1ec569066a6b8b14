"""Small nets for onnx_models.py: every layer that can be exported, at odd shapes, where the
stored cases of tests/golden/layers do not have it. Each is a name, its inputs' shapes and its
layers; bottoms are "x", "y" and "z", tops the layers' names unless they say otherwise."""
import itertools
import random


def inputs(shapes):
    """Input layers x, y, z of these shapes."""
    return "".join(f'layer {{ name: "{top}" type: "Input" top: "{top}" input_param {{ shape {{ '
                   + " ".join(f"dim: {n}" for n in shape) + " } } }\n"
                   for top, shape in zip("xyz", shapes))


def layer(kind, name, options="", bottoms="x", tops=None):
    """A layer in prototxt; bottoms and tops are words."""
    ends = [f'bottom: "{b}"' for b in bottoms.split()]
    ends += [f'top: "{t}"' for t in (name if tops is None else tops).split()]
    return f'layer {{ name: "{name}" type: "{kind}" {" ".join(ends)} {options} }}\n'


def pooling(name, pool, h, w, rounding="CEIL"):
    """h and w are kernel, stride and padding."""
    return layer("Pooling", name, f"""pooling_param {{ pool: {pool} round_mode: {rounding}
        kernel_h: {h[0]} stride_h: {h[1]} pad_h: {h[2]}
        kernel_w: {w[0]} stride_w: {w[1]} pad_w: {w[2]} }}""")


def has_empty_window(size, kernel, stride, pad):
    """Only without padding, and not where the output is rounded down."""
    n = -(-(size + 2 * pad - kernel) // stride) + 1
    return pad == 0 and (n - 1) * stride >= size


def poolings(height, width):
    """Kernels, strides and paddings of all sorts, in two directions, for one image size."""
    numbers = random.Random(height * width)
    sizes = [(k, s, p) for k, s, p in itertools.product((1, 2, 3, 5), (1, 2, 3), (0, 1, 2)) if p < k]
    text = ""
    for i, pool in itertools.product(range(24), ("MAX", "AVE", "STOCHASTIC")):
        h, w = numbers.choice(sizes), numbers.choice(sizes)
        if pool == "STOCHASTIC":
            h, w = (*h[:2], 0), (*w[:2], 0)
        rounding = "FLOOR" if i % 4 == 3 or has_empty_window(height, *h) or \
            has_empty_window(width, *w) else "CEIL"
        text += pooling(f"{pool}{i}", pool, h, w, rounding)
    return text


FILLER = 'weight_filler { type: "gaussian" std: 0.3 } bias_filler { type: "uniform" min: -1 }'


def convolution(name, options, bottom="x", kind="Convolution"):
    return layer(kind, name, f"convolution_param {{ num_output: 6 {options} {FILLER} }}", bottom)


def deconvolution(name, options, bottom="x"):
    return convolution(name, options, bottom, "Deconvolution")


def product(name, options, bottom="x"):
    return layer("InnerProduct", name, f"inner_product_param {{ num_output: 4 {options} {FILLER} }}",
                 bottom)


NETS = [
    ("value by value", [(3, 2, 5, 7)],
     "".join(layer(kind, kind) for kind in ("ReLU", "Sigmoid", "TanH", "AbsVal", "BNLL", "ELU", "Swish",
                                            "Exp", "Power", "Threshold", "Dropout"))
     + layer("Swish", "swish2", "swish_param { beta: -1.5 }")
     + layer("Threshold", "threshold2", "threshold_param { threshold: 0.3 }")
     + layer("Clip", "clip", "clip_param { min: -0.5 max: 0.25 }")
     + layer("Exp", "exp2", "exp_param { base: 3 scale: -0.5 shift: 1.25 }")
     + layer("Log", "log2", "log_param { base: 10 scale: 2 shift: 5 }", "BNLL")
     + "".join(layer("Power", f"power{i}", "power_param { %s }" % options, "BNLL")
               for i, options in enumerate(("power: -1 shift: 0.5", "power: 1.7 scale: 3 shift: 1",
                                            "power: 0", "scale: 0 shift: 3 power: 2", "power: -3 shift: 1")))
     + layer("PReLU", "prelu", 'prelu_param { filler { type: "uniform" min: -1 max: 1 } }')
     + layer("PReLU", "prelu1", "prelu_param { channel_shared: true }")
     + layer("Eltwise", "sum", "eltwise_param { coeff: 0.5 coeff: -2 coeff: 1 }", "x TanH ELU")
     + layer("Eltwise", "prod", "eltwise_param { operation: PROD }", "x TanH ELU")
     + layer("Eltwise", "max", "eltwise_param { operation: MAX }", "x TanH ELU")),

    ("in place", [(3, 4)],
     layer("ReLU", "relu", "relu_param { negative_slope: 0.2 }", tops="x")
     + product("ip", "") + layer("TanH", "tanh", "", "ip", "ip") + layer("Dropout", "drop", "", "ip", "ip")
     + layer("Power", "power", "power_param { scale: 3 }", "ip", "ip")),

    ("several readers and heads", [(2, 3, 6, 6)],
     convolution("conv", "kernel_size: 3") + layer("ReLU", "relu", "", "conv", "conv")
     + product("a", "", "conv") + product("b", "", "conv") + layer("Silence", "quiet", "", "a", "")
     + layer("Softmax", "soft", "", "b") + layer("Softmax", "soft2", "softmax_param { axis: -2 }", "conv")),

    ("poolings 7x9", [(2, 3, 7, 9)], poolings(7, 9)),
    ("poolings 8x5", [(2, 3, 8, 5)], poolings(8, 5)),
    ("poolings", [(2, 3, 6, 5)],
     layer("Pooling", "mask", "pooling_param { kernel_size: 3 stride: 2 pad: 1 }", tops="mask place")
     + "".join(layer("Pooling", pool, f"pooling_param {{ global_pooling: true pool: {pool} }}")
               for pool in ("MAX", "AVE", "STOCHASTIC"))
     + layer("Pooling", "corner", "pooling_param { global_pooling: true }", tops="corner corner_place")
     + "".join(layer("SPP", f"spp{height}{pool}", f"spp_param {{ pyramid_height: {height} pool: {pool} }}")
               for height in (1, 2) for pool in ("MAX", "AVE"))),

    ("convolutions", [(2, 4, 7, 9), (2, 3, 11), (1, 2, 5, 4, 6)],
     convolution("plain", "kernel_size: 3") + convolution("bare", "kernel_size: 2 bias_term: false")
     + convolution("group", "kernel_size: 3 group: 2 pad: 2 stride: 2")
     + convolution("dilated", "kernel_size: 3 dilation: 2 pad_h: 2 pad_w: 1 stride_h: 1 stride_w: 3")
     + convolution("one", "kernel_h: 1 kernel_w: 4 pad_h: 0 pad_w: 3")
     + convolution("line", "kernel_size: 3 stride: 2 pad: 1", "y")
     + convolution("space", "kernel_size: 2 stride: 2 pad: 1", "z")
     + convolution("inner", "axis: 2 kernel_size: 3 pad: 1", "z")
     + deconvolution("up", "kernel_size: 3 stride: 2") + deconvolution("up2", "kernel_size: 4 stride: 2 pad: 1")
     + deconvolution("upgroup", "kernel_size: 3 group: 2 dilation: 2 bias_term: false")
     + deconvolution("upline", "kernel_size: 3 stride: 3 pad: 1", "y")
     + layer("Im2col", "columns", "convolution_param { kernel_size: 3 stride: 2 pad: 1 dilation: 1 }")),

    ("convolution of everything", [(3, 6, 5)], convolution("all", "axis: 0 kernel_size: 3")),

    ("products", [(3, 2, 5, 4), (3, 6)],
     product("default", "") + product("second", "axis: 2") + product("last", "axis: -1 bias_term: false")
     + product("transposed", "transpose: true") + product("flat", "", "y")
     + product("flat2", "axis: 1 transpose: true bias_term: false", "y")),

    ("a product of everything", [(3, 2, 5)], product("all", "axis: 0")),

    ("shared parameters", [(3, 4)],
     layer("InnerProduct", "a", f'param {{ name: "w" }} param {{ name: "b" }} inner_product_param {{ '
           f"num_output: 4 {FILLER} }}")
     + layer("InnerProduct", "b", 'param { name: "w" } param { name: "b" } inner_product_param { num_output: 4 }',
             "a")),

    ("normalizations", [(4, 3, 5, 6), (4, 6)],
     layer("LRN", "across", "lrn_param { local_size: 3 alpha: 0.7 beta: 0.6 k: 2 }")
     + layer("LRN", "within", "lrn_param { norm_region: WITHIN_CHANNEL local_size: 3 alpha: 0.5 }")
     + layer("BatchNorm", "bn") + layer("BatchNorm", "bn2", "batch_norm_param { eps: 0.01 }", "y")
     + layer("BatchNorm", "folded") + layer("Scale", "scaled", 'scale_param { bias_term: true filler { value: 2 } '
                                            'bias_filler { value: 0.3 } }', "folded", "folded")
     + layer("BatchNorm", "folded2", "", "y") + layer("Scale", "scaled2", "scale_param { axis: -1 }", "folded2")
     + layer("BatchNorm", "open") + layer("Scale", "single", "scale_param { num_axes: 0 }", "open")
     + layer("BatchNorm", "batch", "batch_norm_param { use_global_stats: false }")
     + layer("MVN", "mvn") + layer("MVN", "mvn2", "mvn_param { across_channels: true eps: 0.1 }")
     + layer("MVN", "mvn3", "mvn_param { normalize_variance: false across_channels: true }", "y")
     + layer("Bias", "bias", 'bias_param { filler { type: "gaussian" } }')
     + layer("Bias", "bias2", 'bias_param { axis: 2 num_axes: -1 filler { type: "gaussian" } }')),

    ("scales by bottoms", [(4, 3, 5, 6), (4, 3), (4,)],
     layer("Scale", "s", "scale_param { axis: 0 }", "x y") + layer("Bias", "b", "bias_param { axis: 0 }", "x z")),

    ("scales of the batch", [(4, 3, 2), (4, 3)],
     layer("Scale", "s", "scale_param { axis: 0 bias_term: true }", "x y")
     + layer("Bias", "b", "bias_param { axis: 0 num_axes: 2 }")),

    ("shapes", [(3, 4, 5, 6), (3, 2, 3, 2)],
     layer("Concat", "concat", "concat_param { axis: 2 }", "x x")
     + layer("Slice", "slice", "slice_param { axis: 1 slice_point: 1 slice_point: 3 }", tops="s1 s2 s3")
     + layer("Slice", "alone", "slice_param { axis: 3 }", tops="alone") + layer("ReLU", "after", "", "s2")
     + layer("Crop", "crop", "crop_param { axis: 1 offset: 1 offset: 2 offset: 3 }", "x y")
     + layer("Tile", "tile", "tile_param { axis: 3 tiles: 3 }")
     + layer("Flatten", "flatten") + layer("Flatten", "flatten2", "flatten_param { axis: 2 end_axis: -1 }")
     + layer("Reshape", "reshape", "reshape_param { shape { dim: 0 dim: -1 dim: 6 dim: 2 dim: 5 } }")
     + layer("Reshape", "reshape2", "reshape_param { axis: 2 num_axes: 1 shape { dim: 5 dim: 1 } }")
     + layer("Parameter", "parameter", "parameter_param { shape { dim: 1 dim: 4 dim: 5 dim: 6 } }", "")),

    ("shapes of the batch", [(4, 3, 2), (4, 3, 2)],
     layer("Concat", "concat", "concat_param { axis: 0 }", "x y")
     + layer("Slice", "slice", "slice_param { axis: 0 slice_point: 1 }", tops="s1 s2")
     + layer("Tile", "tile", "tile_param { axis: 0 tiles: 2 }")
     + layer("Flatten", "flatten", "flatten_param { axis: 0 }")
     + layer("Reshape", "reshape", "reshape_param { shape { dim: 2 dim: -1 } }")
     + layer("ArgMax", "argmax", "argmax_param { axis: 0 top_k: 2 }")),

    ("reductions", [(3, 4, 5)],
     "".join(layer("Reduction", f"{op}{axis}", f"reduction_param {{ operation: {op} axis: {axis} coeff: 0.5 }}")
             for op in ("SUM", "ASUM", "SUMSQ", "MEAN") for axis in (0, 1, 2))
     + layer("ArgMax", "argmax", "argmax_param { top_k: 3 out_max_val: true }")
     + layer("ArgMax", "argmax2", "argmax_param { top_k: 2 axis: 1 }")
     + layer("ArgMax", "argmax3", "argmax_param { top_k: 2 axis: 2 out_max_val: true }")),

    ("recurrent", [(4, 3, 5), (4, 3), (3, 2)],
     layer("Threshold", "cont", "threshold_param { threshold: -0.5 }", "y")
     + "".join(layer(kind, kind + ends[-1], f"recurrent_param {{ num_output: 6 {FILLER} }}", ends)
               for kind in ("LSTM", "RNN") for ends in ("x cont", "x cont z"))),

    ("hidden states", [(4, 3, 5), (4, 3), (1, 3, 6)],
     layer("Sigmoid", "cont", "", "y") + layer("AbsVal", "c", "", "z")
     + layer("LSTM", "lstm", f"recurrent_param {{ num_output: 6 expose_hidden: true {FILLER} }}",
             "x cont z c", "lstm h_last c_last")
     + layer("RNN", "rnn", f"recurrent_param {{ num_output: 6 expose_hidden: true {FILLER} }}",
             "x cont z", "rnn rnn_last")),

    ("an LSTM's step", [(1, 3, 2), (1, 3, 8), (1, 3)],
     layer("LSTMUnit", "unit", "", "x y z", "c h")),

    ("images by number", [(4, 2, 3), (4,)],
     layer("Power", "far", "power_param { scale: 3 shift: 1 }", "y") + layer("Threshold", "number", "", "far")
     + layer("BatchReindex", "reindex", "", "x number")
     + layer("Embed", "embed", f"embed_param {{ num_output: 3 input_dim: 2 {FILLER} }}", "number")),

    ("images by choice", [(5, 2, 3), (5,)],
     layer("Threshold", "chosen", "threshold_param { threshold: -1 }", "y") + layer("Filter", "filter", "", "x chosen", "some")
     + product("ip", "", "some") + layer("Softmax", "soft", "", "ip")),
]

# Nets whose layers mix images, or whose inputs have not as many images as each other.
FIXED_BATCH = {"convolutions", "convolution of everything", "a product of everything", "scales of the batch",
               "shapes of the batch", "recurrent", "hidden states", "an LSTM's step", "images by number"}
