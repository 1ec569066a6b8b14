"""LeNet in tinygrad on OpenCL, or on the device that DEV names: the same net, recipe, data and
batches as examples/mnist. See peer.py."""
import os

import peer

os.environ.setdefault("DEV", "CL")

import tinygrad
from tinygrad import Context, Device, Tensor, TinyJit
from tinygrad.nn.optim import SGD, OptimizerGroup

args = peer.parse_arguments()


def make_weights():
    return [Tensor(values).realize() for values in peer.read_weights(args)]


def forward(w, x):
    x = x.conv2d(w[0], w[1]).max_pool2d(2)
    x = x.conv2d(w[2], w[3]).max_pool2d(2)
    return x.flatten(1).linear(w[4].T, w[5]).relu().linear(w[6].T, w[7])


def make_training(batch):
    w = make_weights()
    images, labels = (Tensor(array).realize() for array in peer.read_set(args, "train"))
    optimizer = OptimizerGroup(*(SGD(w[first::2], lr=0.0, momentum=0.9, weight_decay=5e-4)
                                 for first in (0, 1)))
    rates = [optimizer.optimizers[i].lr for i in (0, 1)]
    n_batches = len(images) // batch
    iteration = 0

    @TinyJit
    def train(x, y):
        optimizer.zero_grad()
        loss = forward(w, x).sparse_categorical_crossentropy(y).backward()
        return loss.realize(*optimizer.schedule_step())

    def step():
        nonlocal iteration
        for rate, lr_mult in zip(rates, (1, 2)):
            rate.assign(Tensor([0.01 * lr_mult * (1 + 1e-4 * iteration) ** -0.75])).realize()
        first = iteration % n_batches * batch
        with Context(TRAINING=1):
            loss = train(images[first : first + batch].contiguous().realize(),
                         labels[first : first + batch].contiguous().realize())
        Device[Device.DEFAULT].synchronize()
        iteration += 1
        return loss.item()

    return step


def make_inference(images):
    w = make_weights()

    @TinyJit
    def infer(x):
        return forward(w, x).softmax(1).realize()

    return lambda: infer(Tensor(images).realize()).numpy()


peer.serve("tinygrad on " + Device.DEFAULT, make_inference, make_training)
