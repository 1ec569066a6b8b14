"""LeNet's inference in onnxruntime on the CPU. See peer.py."""
import peer
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

args = peer.parse_arguments()


def make_model():
    weights = [numpy_helper.from_array(values, "w%d" % i)
               for i, values in enumerate(peer.read_weights(args))]
    pool = dict(kernel_shape=[2, 2], strides=[2, 2])
    nodes = [
        helper.make_node("Conv", ["data", "w0", "w1"], ["conv1"]),
        helper.make_node("MaxPool", ["conv1"], ["pool1"], **pool),
        helper.make_node("Conv", ["pool1", "w2", "w3"], ["conv2"]),
        helper.make_node("MaxPool", ["conv2"], ["pool2"], **pool),
        helper.make_node("Flatten", ["pool2"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w4", "w5"], ["ip1"], transB=1),
        helper.make_node("Relu", ["ip1"], ["relu1"]),
        helper.make_node("Gemm", ["relu1", "w6", "w7"], ["ip2"], transB=1),
        helper.make_node("Softmax", ["ip2"], ["prob"], axis=1),
    ]
    data = helper.make_tensor_value_info("data", TensorProto.FLOAT, ["n", 1, 28, 28])
    prob = helper.make_tensor_value_info("prob", TensorProto.FLOAT, ["n", 10])
    graph = helper.make_graph(nodes, "lenet", [data], [prob], weights)
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


def make_inference(images):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(make_model(), options,
                                           providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"data": images})[0]


peer.serve("onnxruntime " + onnxruntime.__version__, make_inference)
