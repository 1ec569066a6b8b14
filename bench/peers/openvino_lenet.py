"""LeNet's inference in OpenVINO on the CPU. See peer.py."""
import peer
import openvino
from openvino import opset13 as op

args = peer.parse_arguments()


def make_model(batch):
    w = [op.constant(values) for values in peer.read_weights(args)]

    def convolution(x, weight, bias, channels):
        y = op.convolution(x, weight, [1, 1], [0, 0], [0, 0], [1, 1])
        y = op.add(y, op.reshape(bias, op.constant([1, channels, 1, 1]), False))
        return op.max_pool(y, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)

    def inner_product(x, weight, bias):
        return op.add(op.matmul(x, weight, False, True), bias)

    data = op.parameter([batch, 1, 28, 28])
    x = convolution(convolution(data, w[0], w[1], 20), w[2], w[3], 50)
    x = op.relu(inner_product(op.reshape(x, op.constant([batch, 800]), False), w[4], w[5]))
    return openvino.Model([op.softmax(inner_product(x, w[6], w[7]), 1)], [data])


def make_inference(images):
    options = {"INFERENCE_NUM_THREADS": args.threads, "PERFORMANCE_HINT": "LATENCY",
               "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(make_model(len(images)), "CPU", options)
    request = compiled.create_infer_request()
    return lambda: request.infer([images], share_inputs=True)[0]


peer.serve("OpenVINO " + openvino.__version__.split("-")[0], make_inference)
