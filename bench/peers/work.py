"""The folder that bench/compare_peers works in: database, nets, solvers, weights and images.
Standard library only."""
import array
import gzip
import re
import subprocess
from pathlib import Path

from .process import Failed

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "mnist"
N_IMAGES = 1000  # of the test set, for inference
N_WEIGHTS = 431080
TRAINED = 200  # iterations behind the weights that all start from


class Work:
    def __init__(self, folder, build, data, threads):
        self.folder, self.build, self.data, self.threads = folder, build, data, threads
        self.weights = folder / "weights.caffemodel"

    def lenet_cl(self, *arguments, **options):
        """Standard output of the program."""
        command = [str(part) for part in (self.build / "lenet-cl", *arguments)]
        result = subprocess.run(command, capture_output=True, text=True, **options)
        if result.returncode != 0:
            raise Failed(result.stderr.strip().splitlines()[-1])
        return result.stdout

    def prepare(self, batches):
        """Databases of both sets, a trained net, and the test images; batches: of inference."""
        for name, database in (("train", "train_lmdb"), ("t10k", "test_lmdb")):
            files = [self.data / ("%s-%s.gz" % (name, kind))
                     for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")]
            for file in files:
                if not file.exists():
                    raise Failed("%s is missing: install Debian's dataset-fashion-mnist, or give "
                                 "--data FOLDER" % file)
            self.lenet_cl("convert", "mnist", *files, self.folder / database)
        for batch in batches:
            text = (EXAMPLE / "lenet.prototxt").read_text()
            text = text.replace("dim: 1\n", "dim: %d\n" % batch, 1)
            (self.folder / ("deploy_%d.prototxt" % batch)).write_text(text)
        self.train_weights()
        with gzip.open(self.data / "t10k-images-idx3-ubyte.gz") as file:
            pixels = file.read(16 + N_IMAGES * 28 * 28)[16:]
        self.write_floats("images.f32", (pixel / 256 for pixel in pixels))

    def train_weights(self):
        solver = self.write_solver(64, TRAINED, TRAINED, snapshot=True)
        self.lenet_cl("train", solver)
        (self.folder / ("lenet_iter_%d.caffemodel" % TRAINED)).rename(self.weights)
        text = self.lenet_cl("proto", "decode", self.weights)
        values = [float(value) for value in re.findall(r"^ *data: (\S+)$", text, re.M)]
        if len(values) != N_WEIGHTS:
            raise Failed("%s has %d weights, not LeNet's %d" % (self.weights, len(values),
                                                               N_WEIGHTS))
        self.write_floats("weights.f32", values)

    def write_floats(self, name, values):
        with open(self.folder / name, "wb") as file:
            array.array("f", values).tofile(file)

    def write_net(self, batch):
        path = self.folder / ("train_test_%d.prototxt" % batch)
        text = (EXAMPLE / "lenet_train_test.prototxt").read_text()
        text = text.replace("examples/mnist/mnist_", str(self.folder) + "/")
        path.write_text(text.replace("batch_size: 64", "batch_size: %d" % batch))
        return path

    def write_solver(self, batch, n_iterations, display, snapshot=False, tests=False):
        """The path of examples/mnist's solver with these changes."""
        path = self.folder / "solver.prototxt"
        changes = {"net": '"%s"' % self.write_net(batch), "max_iter": n_iterations,
                   "display": display, "snapshot_prefix": '"%s/lenet"' % self.folder}
        text = (EXAMPLE / "lenet_solver.prototxt").read_text()
        for field, value in changes.items():
            text = re.sub(r"^%s:.*" % field, "%s: %s" % (field, value), text, flags=re.M)
        if not tests:
            text = re.sub(r"^test_.*\n", "", text, flags=re.M)
        if not snapshot:
            text = re.sub(r"^snapshot:.*", "snapshot_after_train: false", text, flags=re.M)
        path.write_text(text)
        return path
