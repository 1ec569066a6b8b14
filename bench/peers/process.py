"""What bench/compare_peers compares: peers as processes that answer requests (see peer.py), and
lenet-cl behind the same requests. Standard library only."""
import os
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent


class Failed(Exception):
    """A peer that cannot be had, or went wrong; the message is one line."""


class Peer:
    """A script of this folder, started in a mode of its own."""

    def __init__(self, script, mode=None):
        self.script, self.mode = script, mode
        self.name = script.split("_")[0] + (" " + mode if mode else "")
        self.process = None

    def command(self, work):
        mode = ["--mode", self.mode] if self.mode else []
        return [sys.executable, str(HERE / self.script), "--work", str(work.folder),
                "--data", str(work.data), "--threads", str(work.threads), *mode]

    def start(self, work):
        self.log = work.folder / (self.name.replace(" ", "_") + ".log")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(self.command(work), stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=log, text=True)

    def read_name(self):
        """Waits until it has started: its name, with its version."""
        self.name = self.read_line()

    def read_line(self):
        line = self.process.stdout.readline()
        if line.startswith("failed: "):
            raise Failed(line.strip()[len("failed: "):])
        if line:
            return line.strip()
        self.process.wait()
        lines = self.log.read_text().strip().splitlines()
        raise Failed(lines[-1] if lines else "ended with code %d" % self.process.returncode)

    def ask(self, *request):
        try:
            print(*request, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass  # read_line says why
        return self.read_line()

    def time(self, kind, batch, n):
        """Milliseconds of one of n iterations or batches."""
        return float(self.ask(kind, batch, n))

    def stop(self):
        if self.process:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass  # it has ended already
            self.process.stdout.close()
            self.process.wait()
            self.process = None


class LenetCl(Peer):
    """lenet-cl: `lenet-cl train` as a whole process each time, with its own log's times, and a
    process with the library for inference."""

    def __init__(self, build):
        super().__init__("lenet_inference")
        self.build = build

    def command(self, work):
        self.work = work
        return [str(self.build / "lenet_inference"), str(work.folder)]

    def train(self, batch, n_iterations, display, *flags):
        """The lines of its log."""
        solver = self.work.write_solver(batch, n_iterations, display)
        command = [str(self.build / "lenet-cl"), "train", str(solver), *flags]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            raise Failed(result.stderr.strip().splitlines()[-1])
        return result.stderr.splitlines()

    def ask(self, kind, *operands):
        if kind == "loss":
            return self.loss(*operands)
        return super().ask(kind, *operands)

    def time(self, kind, batch, n):
        if kind != "training":
            return super().time(kind, batch, n)
        # As many iterations to warm up as are then timed.
        pattern = re.compile(r"Iteration %d \(.*, (.*)s/%d iters\), loss" % (2 * n, n))
        for line in self.train(batch, 2 * n + 1, n):
            if match := pattern.search(line):
                return float(match[1]) / n * 1e3
        raise Failed("'lenet-cl train' prints no times")

    def loss(self, batch, n):
        lines = self.train(batch, n + 1, n, "--weights", str(self.work.weights))
        for line in lines:
            if match := re.search(r"Iteration %d .*loss = (.*)" % n, line):
                return match[1]
        raise Failed("'lenet-cl train' prints no loss")


def run_timed(command, **options):
    """Runs a command: its seconds, peak memory in MB, and what it said on standard error."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, **options)
    log = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode != 0:
        raise Failed(log.strip().splitlines()[-1] if log.strip() else "failed")
    return seconds, usage.ru_maxrss / 1024, log
