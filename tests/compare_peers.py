"""bench/compare_peers on images made up here: alone, beside a peer that computes something else,
and beside one that is not installed. Usage: compare_peers.py BUILD"""
import contextlib
import gzip
import importlib.machinery
import importlib.util
import io
import random
import struct
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUILD = Path(sys.argv.pop())
N_IMAGES = {"train": 512, "t10k": 1000}

LIAR = """
import array, sys
print("liar", flush=True)
for line in sys.stdin:
    kind, *operands = line.split()
    if kind == "answers":
        array.array("f", [0.1] * 10 * int(operands[0])).tofile(open(operands[1], "wb"))
    print("2.5", flush=True)
"""


def load_command():
    sys.path.insert(0, str(ROOT / "bench"))
    loader = importlib.machinery.SourceFileLoader("compare_peers",
                                                  str(ROOT / "bench" / "compare_peers"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def write_images(folder):
    numbers = random.Random(1)
    for name, n in N_IMAGES.items():
        with gzip.open(folder / (name + "-images-idx3-ubyte.gz"), "wb") as file:
            file.write(struct.pack(">IIII", 0x803, n, 28, 28) + numbers.randbytes(n * 784))
        with gzip.open(folder / (name + "-labels-idx1-ubyte.gz"), "wb") as file:
            file.write(struct.pack(">II", 0x801, n) + bytes(i % 10 for i in range(n)))


class ComparePeers(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        write_images(self.folder)
        self.command = load_command()

    def run_command(self, only, peers):
        self.command.PEERS = peers
        sys.argv = ["compare_peers", "--only", only, "--rounds", "1", "--repeats", "2",
                    "--seconds", "0.02", "--build", str(BUILD), "--data", str(self.folder)]
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.command.main()
        return out.getvalue()

    def test_alone(self):
        out = self.run_command("training/64,inference/16", [])
        for case in ("training, batch 64", "inference, batch 16"):
            self.assertRegex(out, case + r" .*\n  lenet-cl +\d+\.\d+ +\d+\.\d+\n")

    def test_wrong_peer(self):
        liar = self.folder / "liar.py"
        liar.write_text(LIAR)
        out = self.run_command("training/64,inference/1", [(str(liar), None, self.command.BOTH)])
        for case in ("training, batch 64", "inference, batch 1"):
            self.assertRegex(out, case + r" .*\n.*\n  liar +WRONG: differs from lenet-cl")

    def test_missing_peer(self):
        missing = self.folder / "missing.py"
        missing.write_text("import no_such_framework\n")
        out = self.run_command("inference/1", [(str(missing), "fast", self.command.INFERENCE)])
        self.assertIn("No module named 'no_such_framework'", out)

    def test_no_images(self):
        (self.folder / "t10k-labels-idx1-ubyte.gz").unlink()
        with self.assertRaisesRegex(SystemExit, "t10k-labels.*is missing"):
            self.run_command("inference/1", [])


if __name__ == "__main__":
    unittest.main()
