"""LeNet in PyTorch on the CPU, written to be fast: the same net, recipe, data and batches as
examples/mnist. Modes: eager, channels_last, compile, compile_channels_last (see peer.py)."""
import warnings

import peer
import torch
import torch.nn.functional as F
from torch import nn

args = peer.parse_arguments()
channels_last = "channels_last" in args.mode
compiled = "compile" in args.mode


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.ip1 = nn.Linear(800, 500)
        self.ip2 = nn.Linear(500, 10)
        with torch.no_grad():
            for parameter, values in zip(self.parameters(), peer.read_weights(args)):
                parameter.copy_(torch.from_numpy(values))

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 2)
        x = F.max_pool2d(self.conv2(x), 2)
        return self.ip2(F.relu(self.ip1(x.flatten(1))))


def make_net():
    net = LeNet()
    return net.to(memory_format=torch.channels_last) if channels_last else net


def in_format(x):
    return x.contiguous(memory_format=torch.channels_last) if channels_last else x


def make_training(batch):
    net = make_net()
    images, labels = map(torch.from_numpy, peer.read_set(args, "train"))
    weights = [p for n, p in net.named_parameters() if n.endswith("weight")]
    biases = [p for n, p in net.named_parameters() if n.endswith("bias")]
    groups = [dict(params=weights, lr_mult=1), dict(params=biases, lr_mult=2)]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9, weight_decay=5e-4, fused=True)

    def loss_of(x, y):
        return F.cross_entropy(net(x), y)

    if compiled:
        loss_of = torch.compile(loss_of, dynamic=False)
    n_batches = len(images) // batch
    iteration = 0

    def step():
        nonlocal iteration
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * group["lr_mult"] * (1 + 1e-4 * iteration) ** -0.75
        first = iteration % n_batches * batch
        x, y = in_format(images[first : first + batch]), labels[first : first + batch]
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(x, y)
        loss.backward()
        optimizer.step()
        iteration += 1
        return loss

    return step


def make_inference(images):
    net = make_net().eval()
    images = torch.from_numpy(images)

    def forward(x):
        return torch.softmax(net(x), 1)

    if compiled:
        torch._inductor.config.freezing = True  # weights are constants, packed once
        forward = torch.compile(forward, dynamic=False)

    @torch.inference_mode()
    def run():
        return forward(in_format(images)).numpy()

    return run


warnings.filterwarnings("ignore")
torch.set_num_threads(args.threads)
peer.serve("PyTorch %s %s" % (torch.__version__.split("+")[0], args.mode),
           make_inference, make_training)
