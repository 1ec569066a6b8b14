"""Whole processes, for bench/compare_peers: from nothing to the first iteration, and the full
recipe; seconds and peak memory. Standard library only."""
import os
import re
import statistics
import sys

from .process import HERE, Failed, run_timed

WARM_RUNS = 7


def show(name, seconds, memory, note=""):
    print("  %-32s%9.3f s least %9.3f s median %7.0f MB  %s"
          % (name, min(seconds), statistics.median(seconds), max(memory), note))


def measure_start(work):
    """One iteration of LeNet, batch 64, in a process of its own: kernel caches empty, then
    warm; PyTorch's for comparison, where it can be had."""
    solver = work.write_solver(64, 1, 1)
    caches = {name: str(work.folder / "cache")
              for name in ("POCL_CACHE_DIR", "XDG_CACHE_HOME", "LCL_CACHE_DIR")}
    os.mkdir(caches["POCL_CACHE_DIR"])
    ours = [work.build / "lenet-cl", "train", solver]
    torch = [sys.executable, HERE / "torch_lenet.py", "--work", work.folder, "--data", work.data,
             "--mode", "eager"]

    def run(command, **options):
        seconds, memory, _ = run_timed(command, **options)
        return seconds, memory

    environment = {**os.environ, **caches}
    print("\nStart to the end of the first iteration")
    show("lenet-cl, cold", *zip(run(ours, env=environment)))
    request = work.folder / "request"
    request.write_text("training 64 1\n")
    results = {"lenet-cl, warm": [], "PyTorch, eager": []}
    try:
        for _ in range(WARM_RUNS):
            results["lenet-cl, warm"].append(run(ours, env=environment))
            if "PyTorch, eager" in results:
                try:
                    with open(request) as stdin:
                        results["PyTorch, eager"].append(run(torch, stdin=stdin))
                except Failed:
                    del results["PyTorch, eager"]
    finally:
        for name, runs in results.items():
            if runs:
                show(name, *zip(*runs))


def measure_recipe(work):
    """examples/mnist as it is: 10,000 iterations with 21 tests, snapshots, from an LMDB."""
    solver = work.write_solver(64, 10000, 100, snapshot=True, tests=True)
    seconds, memory, log = run_timed([work.build / "lenet-cl", "train", solver])
    accuracies = re.findall(r"accuracy = (\S+)", log)
    print("\nThe full recipe: 10,000 iterations with %d tests" % len(accuracies))
    show("lenet-cl", [seconds], [memory], "accuracy %s" % accuracies[-1])
