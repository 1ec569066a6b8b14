#!/usr/bin/env python3
"""Convolutions of known nets, lenet-cl and PyTorch's oneDNN in turn, shape by shape: forward,
gradient of the input (dgrad), gradient of the weights (wgrad). Prints the least milliseconds of
both and how many times as fast lenet-cl is, with the geometric mean of each pass and of all.

PyTorch runs without autograd around it, in the better of NCHW and channels_last for each pass;
lenet-cl is timed by `lenet-cl bench`, which checks the numbers first. Both get the same rounds."""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time

import torch
import torch.nn.functional as F

# Batch, channels, height, width; kernels, their size; stride, padding, groups: the rows of
# src/bench/convolution.c.
SHAPES = {
    "lenet_conv1": (64, 1, 28, 28, 20, 5, 1, 0, 1),
    "lenet_conv2": (64, 20, 12, 12, 50, 5, 1, 0, 1),
    "lenet_conv2_b256": (256, 20, 12, 12, 50, 5, 1, 0, 1),
    "cifar_quick_conv1": (100, 3, 32, 32, 32, 5, 1, 2, 1),
    "cifar_quick_conv2": (100, 32, 16, 16, 32, 5, 1, 2, 1),
    "cifar_quick_conv3": (100, 32, 8, 8, 64, 5, 1, 2, 1),
    "alexnet_conv1": (16, 3, 227, 227, 96, 11, 4, 0, 1),
    "alexnet_conv2": (16, 96, 27, 27, 256, 5, 1, 2, 2),
    "alexnet_conv3": (16, 256, 13, 13, 384, 3, 1, 1, 1),
    "alexnet_conv4": (16, 384, 13, 13, 384, 3, 1, 1, 2),
    "vgg_conv1_2": (4, 64, 224, 224, 64, 3, 1, 1, 1),
    "vgg_conv3_2": (4, 256, 56, 56, 256, 3, 1, 1, 1),
    "vgg_conv5_1": (16, 512, 14, 14, 512, 3, 1, 1, 1),
    "resnet_conv1": (16, 3, 224, 224, 64, 7, 2, 3, 1),
    "resnet_2_3x3": (16, 64, 56, 56, 64, 3, 1, 1, 1),
    "resnet_3_3x3": (16, 128, 28, 28, 128, 3, 1, 1, 1),
    "resnet_4_3x3": (16, 256, 14, 14, 256, 3, 1, 1, 1),
    "resnet_5_3x3": (16, 512, 7, 7, 512, 3, 1, 1, 1),
    "resnet_3_down": (16, 64, 56, 56, 128, 3, 2, 1, 1),
    "resnet_3_1x1s2": (16, 64, 56, 56, 128, 1, 2, 0, 1),
    "resnet50_1x1_256_64": (16, 256, 56, 56, 64, 1, 1, 0, 1),
    "resnet50_1x1_512_2048": (16, 512, 7, 7, 2048, 1, 1, 0, 1),
    "googlenet_3a_1x1": (16, 192, 28, 28, 64, 1, 1, 0, 1),
    "googlenet_3a_5x5": (16, 16, 28, 28, 32, 5, 1, 2, 1),
    "mobilenet_dw_112": (16, 32, 112, 112, 32, 3, 1, 1, 32),
    "mobilenet_dw_14": (16, 512, 14, 14, 512, 3, 1, 1, 512),
    "odd_3x3": (7, 17, 19, 23, 29, 3, 2, 1, 1),
    "single_conv2": (1, 20, 12, 12, 50, 5, 1, 0, 1),
    "single_3x3": (1, 128, 28, 28, 128, 3, 1, 1, 1),
}
PASSES = ("forward", "dgrad", "wgrad")
VARIANTS = {"forward": "forward", "input gradient": "dgrad", "weight gradient": "wgrad"}


def least_seconds(run, budget):
    """Of one run, over repeats of at least a millisecond that take `budget` seconds in all."""
    run()
    start = time.perf_counter()
    run()
    n = max(1, math.ceil(1e-3 / max(time.perf_counter() - start, 1e-7)))
    least, end = math.inf, time.perf_counter() + budget
    while time.perf_counter() < end or least == math.inf:
        start = time.perf_counter()
        for _ in range(n):
            run()
        least = min(least, (time.perf_counter() - start) / n)
    return least


def time_torch(shape, budget):
    n, c, h, w, k, r, stride, pad, groups = shape
    seconds = dict.fromkeys(PASSES, math.inf)
    for layout in (torch.contiguous_format, torch.channels_last):
        x = torch.randn(n, c, h, w).contiguous(memory_format=layout)
        weight = torch.randn(k, c // groups, r, r).contiguous(memory_format=layout)
        with torch.inference_mode():
            dy = torch.randn_like(F.conv2d(x, weight, None, stride, pad, 1, groups))

            def backward(which):
                return torch.ops.aten.convolution_backward(
                    dy, x, weight, None, [stride] * 2, [pad] * 2, [1, 1], False, [0, 0],
                    groups, [which == "dgrad", which == "wgrad", False])

            runs = (lambda: F.conv2d(x, weight, None, stride, pad, 1, groups),
                    lambda: backward("dgrad"), lambda: backward("wgrad"))
            for name, run in zip(PASSES, runs):
                seconds[name] = min(seconds[name], least_seconds(run, budget))
    return seconds


def time_lenet_cl(program, name, quick):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "report.json")
        command = [program, "bench", "--only", "convolution/" + name, "--json", path]
        done = subprocess.run(command + ["--quick"] * quick, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit("%s\n%s%s" % (" ".join(command), done.stdout, done.stderr))
        with open(path) as file:
            device = json.load(file)["devices"][0]
    rows = {VARIANTS[row["variant"]]: row for row in device["rows"]
            if row["group"] == "convolution" and row["name"] == name}
    seconds = {p: rows[p]["seconds"]["min"] for p in PASSES}
    return seconds, rows["forward"]["flop"], device["peak"]


def flop(shape):
    n, c, h, w, k, r, stride, pad, groups = shape
    out_h, out_w = ((size + 2 * pad - r) // stride + 1 for size in (h, w))
    return 2 * n * k * out_h * out_w * (c // groups) * r * r


def measure(name, args):
    shape = SHAPES[name]
    result = {"name": name, "flop": flop(shape), "lenet_cl": dict.fromkeys(PASSES, math.inf),
              "torch": dict.fromkeys(PASSES, math.inf)}
    for _ in range(args.rounds):
        ours, our_flop, result["peak"] = time_lenet_cl(args.lenet_cl, name, args.quick)
        if abs(our_flop / result["flop"] - 1) > 1e-4:
            sys.exit("%s: lenet-cl bench has another shape of this name" % name)
        for key, found in (("lenet_cl", ours), ("torch", time_torch(shape, args.seconds))):
            for p in PASSES:
                result[key][p] = min(result[key][p], found[p])
    result["ratio"] = {p: result["torch"][p] / result["lenet_cl"][p] for p in PASSES}
    return result


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def print_row(row):
    print("%-22s" % row["name"] + "".join(
        "  %8.3f %8.3f %5.2f" % (1e3 * row["lenet_cl"][p], 1e3 * row["torch"][p], row["ratio"][p])
        for p in PASSES), flush=True)


def print_head():
    print("%-22s" % "milliseconds" + "".join("  %23s" % p for p in PASSES))
    print("%-22s" % "" + "  %8s %8s %5s" % ("lenet-cl", "torch", "ratio") * 3)


def summary(rows):
    means = {p: geometric_mean([row["ratio"][p] for row in rows]) for p in PASSES}
    means["all"] = geometric_mean(list(means.values()))
    worst = min((row["ratio"][p], row["name"], p) for row in rows for p in PASSES)
    return {"geometric_mean": means,
            "worst": {"ratio": worst[0], "name": worst[1], "pass": worst[2]}}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", nargs="*", help="rows to measure, by part of their names")
    parser.add_argument("--lenet-cl", default="build/lenet-cl", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=2, help="of both, in turn; default 2")
    parser.add_argument("--seconds", type=float, default=0.25,
                        help="for each pass, layout and round of PyTorch; default %(default)s")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of PyTorch")
    parser.add_argument("--quick", action="store_true", help="lenet-cl bench --quick")
    parser.add_argument("--json", help="file for the results, in seconds")
    args = parser.parse_args()

    names = [name for name in SHAPES
             if not args.shape or any(part in name for part in args.shape)]
    if not names:
        parser.error("no shape has such a name; there are " + ", ".join(SHAPES))
    torch.set_num_threads(args.threads)
    torch.manual_seed(1701)
    print_head()
    rows = []
    for name in names:
        rows.append(measure(name, args))
        print_row(rows[-1])
    found = summary(rows)
    means, worst = found["geometric_mean"], found["worst"]
    print("%-22s" % "geometric mean" + "".join("  %23.2f" % means[p] for p in PASSES))
    print("of all %.2f, worst %.2f (%s %s)" % (
        means["all"], worst["ratio"], worst["name"], worst["pass"]))
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"torch": torch.__version__, "threads": args.threads, "rows": rows,
                       **found}, file, indent=1)


if __name__ == "__main__":
    main()
