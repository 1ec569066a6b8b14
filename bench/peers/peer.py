"""What the peers share: the requests that bench/compare_peers sends them, LeNet's images and
weights.

A peer prints its name in the first line, then answers each line of its standard input with one
("failed: REASON" where it cannot do that):

    training BATCH N     milliseconds of an iteration, over N of them
    loss BATCH N         the loss of iteration N (from 0), starting with the weights given
    inference BATCH N    milliseconds of a batch from host memory to host memory, over N of them
    answers COUNT FILE   writes the probabilities of the first COUNT test images: float32
"""
import argparse
import gzip
import os
import sys
import time

import numpy as np

SHAPES = [(20, 1, 5, 5), (20,), (50, 20, 5, 5), (50,), (500, 800), (500,), (10, 500), (10,)]


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", required=True, help="bench/compare_peers' folder: the weights")
    parser.add_argument("--data", required=True, help="folder of MNIST's four .gz files")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--mode", default="")
    return parser.parse_args()


def read_weights(args):
    """Weights and biases of conv1, conv2, ip1, ip2, in this order and in Caffe's layout."""
    values = np.fromfile(os.path.join(args.work, "weights.f32"), np.float32)
    parts = np.split(values, np.cumsum([np.prod(shape) for shape in SHAPES])[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, SHAPES)]


def read_idx(path, head):
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=head)


def read_set(args, name):
    """Images as N x 1 x 28 x 28 values from 0 to 1, and labels; name is train or t10k."""
    images = read_idx(os.path.join(args.data, name + "-images-idx3-ubyte.gz"), 16)
    labels = read_idx(os.path.join(args.data, name + "-labels-idx1-ubyte.gz"), 8)
    return images.reshape(-1, 1, 28, 28).astype(np.float32) / 256, labels.astype(np.int64)


def milliseconds(run, n):
    start = time.perf_counter()
    for _ in range(n):
        run()
    return "%.6f" % ((time.perf_counter() - start) / n * 1e3)


def serve(name, make_inference=None, make_training=None):
    """Answers requests until the input ends.

    make_inference(images) returns a function that gives the images' probabilities each time it
    is called; make_training(batch) one that trains the next batch and returns its loss, from the
    weights given on.
    """
    args = parse_arguments()
    images = read_set(args, "t10k")[0]
    made = {}

    def get(kind, make, size):
        if (kind, size) not in made:
            made[kind, size] = make(size)
        return made[kind, size]

    def training(batch, n):
        return milliseconds(get("training", make_training, int(batch)), int(n))

    def loss(batch, n):
        step = make_training(int(batch))
        for _ in range(int(n) + 1):
            value = step()
        return "%.6f" % float(value)

    def infer(size):
        return make_inference(np.ascontiguousarray(images[:size]))

    def inference(batch, n):
        return milliseconds(get("inference", infer, int(batch)), int(n))

    def answers(count, path):
        np.asarray(infer(int(count))(), np.float32).tofile(path)
        return "written"

    requests = {f.__name__: f for f in (training, loss, inference, answers)}
    print(name, flush=True)
    for line in sys.stdin:
        kind, *operands = line.split()
        try:
            print(requests[kind](*operands), flush=True)
        except Exception as failure:
            print("failed: %s" % (" ".join(str(failure).split()) or type(failure).__name__),
                  flush=True)
