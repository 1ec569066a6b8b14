"""LeNet's training in PyTorch on the CPU: the same net, recipe, data and batches as
examples/mnist, written to be fast. Prints milliseconds an iteration, one line a repeat."""
import argparse
import gzip
import os
import time
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

BATCH = 64


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.ip1 = nn.Linear(800, 500)
        self.ip2 = nn.Linear(500, 10)
        for layer in (self.conv1, self.conv2, self.ip1, self.ip2):
            limit = (3 / layer.weight[0].numel()) ** 0.5  # Caffe's xavier
            nn.init.uniform_(layer.weight, -limit, limit)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 2)
        x = F.max_pool2d(self.conv2(x), 2)
        return self.ip2(F.relu(self.ip1(x.flatten(1))))


def read_idx(path, head):
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=head)


def read_set(folder, name):
    images = read_idx(os.path.join(folder, name + "-images-idx3-ubyte.gz"), 16)
    labels = read_idx(os.path.join(folder, name + "-labels-idx1-ubyte.gz"), 8)
    images = images.reshape(-1, 1, 28, 28).astype(np.float32) / 256
    return torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64))


def make_step(net, images, labels, mode):
    """A function that trains one batch and returns its loss."""
    weights = [p for n, p in net.named_parameters() if n.endswith("weight")]
    biases = [p for n, p in net.named_parameters() if n.endswith("bias")]
    groups = [dict(params=weights, lr_mult=1), dict(params=biases, lr_mult=2)]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9, weight_decay=5e-4, fused=True)

    def loss_of(x, y):
        return F.cross_entropy(net(x), y)

    if "compile" in mode:
        loss_of = torch.compile(loss_of)
    channels_last = "channels_last" in mode
    n_batches = len(images) // BATCH
    iteration = 0

    def step():
        nonlocal iteration
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * group["lr_mult"] * (1 + 1e-4 * iteration) ** -0.75
        first = iteration % n_batches * BATCH
        x, y = images[first : first + BATCH], labels[first : first + BATCH]
        if channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(x, y)
        loss.backward()
        optimizer.step()
        iteration += 1
        return loss

    return step


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mode", default="eager",
                        help="eager, channels_last, compile or compile_channels_last")
    parser.add_argument("--iterations", type=int, default=300, help="in a repeat")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--warmup", type=int, default=30, help="iterations before the first repeat")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--test", action="store_true", help="print the accuracy at the end")
    args = parser.parse_args()

    warnings.filterwarnings("ignore")
    torch.set_num_threads(args.threads)
    torch.manual_seed(1701)
    net = LeNet()
    if "channels_last" in args.mode:
        net = net.to(memory_format=torch.channels_last)
    step = make_step(net, *read_set(args.data, "train"), args.mode)
    for _ in range(args.warmup):
        step()
    for _ in range(args.repeats):
        start = time.perf_counter()
        for _ in range(args.iterations):
            loss = step()
        print("%.3f" % ((time.perf_counter() - start) / args.iterations * 1e3), flush=True)
    if not torch.isfinite(loss):
        raise SystemExit("the loss is %s" % loss.item())
    if args.test:
        images, labels = read_set(args.data, "t10k")
        with torch.inference_mode():
            accuracy = (net(images).argmax(1) == labels).float().mean().item()
        print("accuracy %.4f" % accuracy)


if __name__ == "__main__":
    main()
