"""Exported nets, checked by onnx and run by onnxruntime, compute what lenet-cl computes; and NumPy's
arrays go out and come back. Usage: onnx_models.py BUILD [unittest's arguments]

The first run installs tests/requirements.txt in BUILD/python. Exits with 77, which ctest shows
as skipped, where PyPI is out of reach."""
import gzip
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(sys.argv.pop(1)).resolve()
REQUIREMENTS = ROOT / "tests" / "requirements.txt"
SKIPPED = 77
UNREACHABLE = re.compile("from versions: none|onnection|timed out|resolve", re.IGNORECASE)


def enter_environment():
    """Goes on in BUILD/python, with the packages."""
    folder = (BUILD / "python").resolve()
    stamp, wanted = folder / "requirements.txt", REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        steps = ([sys.executable, "-m", "venv", "--clear", folder],
                 [folder / "bin" / "pip", "install", "--quiet", "--retries", "2", "-r", REQUIREMENTS])
        for step in steps:
            done = subprocess.run(step, capture_output=True, text=True)
            if done.returncode:
                output = done.stdout + done.stderr
                print(output)
                if UNREACHABLE.search(output):
                    print("Skipped: PyPI, for tests/requirements.txt, is out of reach.")
                sys.exit(SKIPPED if UNREACHABLE.search(output) else 1)
        stamp.write_text(wanted)
    if Path(sys.prefix).resolve() != folder:
        python = folder / "bin" / "python"
        os.execv(python, [python, __file__, BUILD, *sys.argv[1:]])


enter_environment()

import numpy as np  # noqa: E402: installed by now
import onnx  # noqa: E402
import onnxruntime  # noqa: E402
from onnx_nets import FIXED_BATCH, NETS, inputs, layer  # noqa: E402

TOLERANCE = 1e-4  # of the largest magnitude
FASHION = Path("/usr/share/datasets/fashion-mnist")
onnxruntime.set_default_logger_severity(3)


def lenet_cl(*words, code=0, other=None):
    """Runs it; what it printed. `code` or `other` is the exit code that it should have."""
    done = subprocess.run([BUILD / "lenet-cl", *words], capture_output=True, text=True)
    assert done.returncode in (code, other), f"lenet-cl {' '.join(map(str, words))}: {done.stderr}"
    return done.stdout + done.stderr


def run_net(net, *words):
    done = subprocess.run([BUILD / "run_net", net, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def session_of(model):
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


def random_weights(folder, net):
    """A model of the net: its fillers' values, and at random what these leave at zero."""
    run_net(net, "fill", folder / "filled.caffemodel")
    done = lenet_cl("export", "--npz", folder / "filled.npz", "--model", net,
                    "--weights", folder / "filled.caffemodel", other=3)
    if "the net has no parameters" in done:
        return folder / "filled.caffemodel"
    numbers = np.random.default_rng(1)
    arrays = dict(np.load(folder / "filled.npz"))
    for name, array in arrays.items():
        prefix, index = name.rsplit("/", 1)
        statistics = arrays.get(prefix + "/2")
        if statistics is not None and statistics.shape == (1,):  # BatchNorm's sums and their weight
            arrays[name] = {"0": numbers.normal(0, 0.2, array.shape), "1": numbers.uniform(1, 3, array.shape),
                            "2": np.array([2.0])}[index]
        elif not array.any():
            fan_in = array[0].size if array.ndim > 1 else 50
            arrays[name] = numbers.normal(0, (2 / fan_in) ** 0.5, array.shape)
    np.savez(folder / "random.npz", **arrays)
    lenet_cl("import", "--npz", folder / "random.npz", "--model", net, "--out", folder / "random.caffemodel")
    return folder / "random.caffemodel"


def with_all_outputs(path):
    """The model with all tensors that its nodes make as outputs."""
    model = onnx.load(path)
    there = {o.name for o in model.graph.output}
    for name in (o for node in model.graph.node for o in node.output if o not in there):
        model.graph.output.append(onnx.ValueInfoProto(name=name))
    return model.SerializeToString()


class TestCase(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def export(self, net, weights, *options):
        path = self.folder / "model.onnx"
        path.unlink(missing_ok=True)
        lenet_cl("export", "--onnx", path, "--model", net, "--weights", weights, *options)
        onnx.checker.check_model(str(path), full_check=True)
        return path

    def assert_equal(self, got, wanted, what, tolerance=TOLERANCE):
        """Returns the error."""
        self.assertEqual(got.shape, wanted.shape, what)
        error = np.abs(got - wanted).max(initial=0) / max(np.abs(wanted).max(initial=0), 1e-30)
        self.assertLessEqual(error, tolerance, what)
        return error


class GoldenLayers(TestCase):
    """What Caffe made of each stored layer, in tests/golden/layers."""

    LEFT_OUT = {"Accuracy", "ContrastiveLoss", "EuclideanLoss", "HingeLoss", "MultinomialLogisticLoss"}

    def test_all(self):
        cases = sorted((ROOT / "tests" / "golden" / "layers").iterdir())
        self.assertGreater(len(cases), 200)
        for case in cases:
            with self.subTest(case.name):
                self.check(case)

    def check(self, case):
        text = (case / "layer.prototxt").read_text()
        field = lambda name: re.findall(rf'^{name}: "(.*)"', text, re.MULTILINE)  # noqa: E731
        (kind,), (name,), bottoms, tops = map(field, ("type", "name", "bottom", "top"))
        if "#! phase TEST" not in text:
            if kind == "Dropout":
                return
            if kind == "BatchNorm" and "use_global_stats" not in text:
                options = "batch_norm_param { use_global_stats: false "
                text = text.replace("batch_norm_param {", options) if "batch_norm_param" in text \
                    else text + options + "}\n"
        arrays = {b: np.load(case / f"bottom_{i}.npy") for i, b in enumerate(bottoms)}
        net = self.write("net.prototxt", "".join(
            layer("Input", f"in_{top}", "input_param { shape { %s } }" % " ".join(
                f"dim: {n}" for n in array.shape), "", top) for top, array in arrays.items())
            + "layer {\n" + text + "}\n")
        weights = self.weights_of(case, name, net)
        if kind in self.LEFT_OUT:
            message = lenet_cl("export", "--onnx", self.folder / "none.onnx", "--model", net,
                               "--weights", weights, code=3)
            self.assertIn("has no outputs", message)
            return
        session = session_of(self.export(net, weights))
        outputs = session.run(None, {i.name: arrays[i.name] for i in session.get_inputs()})
        self.assertEqual(len(outputs), len(tops))
        for i, output in enumerate(outputs):
            self.assert_equal(output, self.wanted(kind, text, case, i, arrays), f"top {i}", 1e-5)

    def weights_of(self, case, name, net):
        path = self.folder / "layer.caffemodel"
        params = {f"{name}/{i}": np.load(path) for i, path in enumerate(sorted(case.glob("param_?.npy")))}
        np.savez(self.folder / "layer.npz", **params)
        lenet_cl("import", "--npz", self.folder / "layer.npz", "--model", net, "--out", path)
        return path

    def wanted(self, kind, text, case, i, arrays):
        if kind == "SigmoidCrossEntropyLoss":
            return 1 / (1 + np.exp(-arrays["b0"]))
        if kind in ("SoftmaxWithLoss", "InfogainLoss"):
            axis = int((re.findall(r"axis: (-?\d+)", text) or [1])[0])
            e = np.exp(arrays["b0"] - arrays["b0"].max(axis, keepdims=True))
            return e / e.sum(axis, keepdims=True)
        return np.load(case / f"top_{i}.npy")


class Nets(TestCase):
    """Whole nets: every tensor, and with other batch sizes than the prototxt's."""

    def check_net(self, net):
        """With random weights and inputs. Whether the batch is free; the worst error."""
        weights = random_weights(self.folder, net)
        fixed = self.input_shapes(self.export(net, weights, "--fixed-batch"))
        path = self.export(net, weights)
        free = {shape[0] for shape in self.input_shapes(path).values()} == {"N"}
        feeds = [fixed]
        if free:
            batches = {1, 5} - {shape[0] for shape in fixed.values()}
            feeds += [{name: [n] + shape[1:] for name, shape in fixed.items()} for n in batches]
        return free, max(self.check_run(net, weights, path, feed) for feed in feeds)

    def input_shapes(self, path):
        return {i.name: i.shape for i in session_of(path).get_inputs()}

    def check_run(self, net, weights, path, shapes):
        numbers = np.random.default_rng(1)
        feed = {name: numbers.normal(0, 1, shape).astype(np.float32) for name, shape in shapes.items()}
        np.savez(self.folder / "in.npz", **feed)
        run_net(net, "run", weights, self.folder / "in.npz", self.folder / "out.npz")
        wanted = np.load(self.folder / "out.npz")
        errors = []
        for model in (path, with_all_outputs(path)):
            session = session_of(model)
            for output, value in zip(session.get_outputs(), session.run(None, feed)):
                if output.name in wanted:
                    errors.append(self.assert_equal(value, wanted[output.name], f"{output.name} of {shapes}"))
            self.assertTrue(errors)
        return max(errors)

    def test_small(self):
        for name, shapes, text in NETS:
            with self.subTest(name):
                free, _ = self.check_net(self.write("net.prototxt", inputs(shapes) + text))
                self.assertEqual(free, name not in FIXED_BATCH)

    def test_examples(self):
        """What people would export: every tensor of the nets that most others are made of."""
        for name in ("mnist/lenet", "cifar10/cifar10_full", "resnet18/deploy", "googlenet/deploy",
                     "mobilenet/deploy"):
            with self.subTest(name):
                free, error = self.check_net(ROOT / "examples" / f"{name}.prototxt")
                self.assertTrue(free)
                print(f"{name}: worst error {error:.1e} of the largest magnitude")


class TrainedNet(TestCase):
    """LeNet, trained for a while on Fashion-MNIST, as a user would do it."""

    ITERATIONS = 300

    def test_accuracy(self):
        if not FASHION.exists():
            self.skipTest(f"no {FASHION}")
        net, weights = self.train()
        log = lenet_cl("test", "--model", net, "--weights", weights, "--iterations", "100")
        accuracy = float(re.findall(r"accuracy = ([\d.]+)\n", log)[-1])
        self.assertGreater(accuracy, 0.7)
        images = np.frombuffer(gzip.open(FASHION / "t10k-images-idx3-ubyte.gz").read(), np.uint8, offset=16)
        labels = np.frombuffer(gzip.open(FASHION / "t10k-labels-idx1-ubyte.gz").read(), np.uint8, offset=8)
        images = images.reshape(-1, 1, 28, 28).astype(np.float32) / 256
        answers = []
        for model in (net, ROOT / "examples" / "mnist" / "lenet.prototxt"):
            session = session_of(self.export(model, weights))
            self.assertEqual([i.name for i in session.get_inputs()], ["data"])
            self.assertEqual([o.name for o in session.get_outputs()], ["prob"])
            answers.append(session.run(None, {"data": images})[0])
        self.assert_equal(answers[0], answers[1], "both prototxts", 1e-6)
        right = (answers[0].argmax(1) == labels).sum()
        self.assertLessEqual(abs(right - accuracy * 10000), 1, "an image on the edge at most")

    def train(self):
        text = (ROOT / "examples" / "mnist" / "lenet_train_test.prototxt").read_text()
        for phase, name in (("train", "train"), ("test", "t10k")):
            text = text.replace(f"examples/mnist/mnist_{phase}_lmdb", str(FASHION / f"{name}-images-idx3-ubyte.gz"))
        net = self.write("net.prototxt", text)
        solver = self.write("solver.prototxt", f"""net: "{net}" base_lr: 0.01 momentum: 0.9 weight_decay: 0.0005
            lr_policy: "inv" gamma: 0.0001 power: 0.75 max_iter: {self.ITERATIONS} random_seed: 1
            test_iter: 1 test_interval: 1000 test_initialization: false
            snapshot_prefix: "{self.folder / 'lenet'}" """)
        lenet_cl("train", solver)
        return net, self.folder / f"lenet_iter_{self.ITERATIONS}.caffemodel"


class NumpyArrays(TestCase):
    """numpy.load and numpy.savez on the other side."""

    def setUp(self):
        super().setUp()
        self.net = self.write("net.prototxt", inputs([(2, 3, 4)]) + layer(
            "InnerProduct", "a/ip", "inner_product_param { num_output: 2 weight_filler { type: 'xavier' } }"))
        run_net(self.net, "fill", self.folder / "net.caffemodel")
        self.arrays = dict(np.load(self.export_arrays(self.folder / "net.caffemodel")))

    def export_arrays(self, weights):
        lenet_cl("export", "--npz", self.folder / "out.npz", "--model", self.net, "--weights", weights)
        return self.folder / "out.npz"

    def import_arrays(self, code=0):
        return lenet_cl("import", "--npz", self.folder / "in.npz", "--model", self.net,
                        "--out", self.folder / "back.caffemodel", code=code)

    def test_names_and_values(self):
        self.assertEqual(sorted(self.arrays), ["a/ip/0", "a/ip/1"])
        self.assertEqual(self.arrays["a/ip/0"].shape, (2, 12))
        self.assertEqual({a.dtype for a in self.arrays.values()}, {np.dtype(np.float32)})
        self.assertGreater(np.abs(self.arrays["a/ip/0"]).min(), 0)

    def test_round_trips(self):
        fortran = {name: np.asfortranarray(a) for name, a in self.arrays.items()}
        doubles = {name: a.astype(np.float64) for name, a in self.arrays.items()}
        for save, arrays in ((np.savez, self.arrays), (np.savez_compressed, self.arrays), (np.savez, fortran),
                             (np.savez_compressed, doubles)):
            save(self.folder / "in.npz", **arrays)
            self.import_arrays()
            back = np.load(self.export_arrays(self.folder / "back.caffemodel"))
            for name, array in self.arrays.items():
                np.testing.assert_array_equal(back[name], array)

    def test_halves(self):
        halves = {name: a.astype(np.float16) for name, a in self.arrays.items()}
        np.savez(self.folder / "in.npz", **halves)
        self.import_arrays()
        back = np.load(self.export_arrays(self.folder / "back.caffemodel"))
        for name, array in halves.items():
            np.testing.assert_array_equal(back[name], array.astype(np.float32))

    def test_what_is_refused(self):
        weights = self.arrays["a/ip/0"]
        for array, message in ((weights.T, "'a/ip/0' has shape 12 2 (24); the net's has 2 12 (24)"),
                               (weights.astype(">f4"), "in.npz(a/ip/0): cannot read values of type '>f4'"),
                               (weights.astype(object), "cannot read values of type '|O'"),
                               (weights.astype(np.complex64), "cannot read values of type '<c8'"),
                               (weights.astype(np.float64) * 1e300, "is too large for a float32")):
            with self.subTest(message):
                np.savez(self.folder / "in.npz", **{**self.arrays, "a/ip/0": array})
                done = self.import_arrays(code=3 if "shape" in message else 1)
                self.assertIn(message, done)
                self.assertFalse((self.folder / "back.caffemodel").exists())


if __name__ == "__main__":
    unittest.main()
