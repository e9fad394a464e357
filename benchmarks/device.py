"""Tensors of PyTorch in place of arrays of NumPy: against the same loop in plain PyTorch.

python -m benchmarks.device                       # on CPU tensors and one thread, as `python -m benchmarks` does
python -m benchmarks.device --device cuda         # on a graphics card, with larger shapes and more questions
python -m benchmarks.device --device cuda --small # the same in a trial run: its figures say nothing
"""

import argparse
import itertools
import os
import subprocess
import sys
import warnings
from functools import partial
from itertools import pairwise
from time import perf_counter

import numpy as np

from .report import Section, ratio, seconds, table, verdict
from .timing import installed, steps_in_turn

TITLE = "Device: tensors of PyTorch"
RATE, NEVER = 1e-3, 10**9
CODE = "import sys; from benchmarks.device import measure; measure(sys.argv[1], sys.argv[2] == 'small')"
# (m, n, classes, units, type): steps, and at most this much of the time of plain PyTorch
SHAPES = {
    (400, 2, 2, 0, "float64"): (2000, None),  # all overhead: see MOST_OVERHEAD
    (10_000, 100, 2, 0, "float64"): (200, 1.2),
    (60_000, 784, 2, 0, "float32"): (20, 1.05),
    (60_000, 784, 10, 0, "float32"): (10, 0.95),
    (60_000, 784, 10, 64, "float32"): (5, None),
}
ON_A_CARD = {
    (2_000_000, 784, 2, 0, "float32"): (50, None),
    (1_281_167, 512, 1000, 0, "float32"): (10, 1 / 0.9),
}
MOST_OVERHEAD = 30  # microseconds a step on 400 x 2, on CPU tensors
SWEEP = np.geomspace(1e-4, 1, 8)


def run(quick=False):
    """Return the section of CPU tensors. It is measured in a process of its own."""
    if not installed("torch"):
        return Section(TITLE, ["Not measured: PyTorch is not installed.", ""])
    return Section(TITLE, start("cpu", quick, stdout=subprocess.PIPE).stdout.splitlines())


def start(device, small, **options):
    """Measure in a process with one thread of BLAS, in which SciPy knows the array API from the start."""
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    command = [sys.executable, "-W", "ignore", "-c", CODE, device, "small" if small else "full"]
    environment = os.environ | threads | {"SCIPY_ARRAY_API": "1"}
    return subprocess.run(command, env=environment, check=True, text=True, **options)


def measure(device, small):
    """Print the section, line by line as it is measured."""
    import torch

    torch.set_num_threads(1)
    torch.set_float32_matmul_precision(
        "highest"
    )  # as NumPy: a float32 is not shortened to 10 bits in products
    is_card = device != "cpu"
    name = torch.cuda.get_device_name(device) if is_card else "CPU, one thread"
    print(
        f"PyTorch {torch.__version__}, {name}. A step is the difference of fits of few and of many steps.\n"
    )
    print(equal(device))
    if is_card:
        print(synchronisations(device))
    print()
    header = ["samples", "model", "a step", "plain PyTorch", "times as long", "in reads of X"]
    print("\n".join(table(header, [])[:-1]), flush=True)
    verdicts = []
    for shape, (steps, most) in (SHAPES | ON_A_CARD if is_card else SHAPES).items():
        try:
            row, lines = step_lines(shape, steps, most, device, small)
        except torch.cuda.OutOfMemoryError:
            row, lines = [*words_of(shape, small), "too large for the device", "", "", ""], []
        print(f"| {' | '.join(row)} |", flush=True)
        verdicts += lines
    print("\n".join(["", *verdicts, sweep_line(device, small), ""]), flush=True)


def equal(device):
    """Return a verdict on how far fits and predictions on the device are from those of NumPy."""
    import torch
    from sklearn import clone, config_context

    from sknn_basic import LogisticRegressionGD, ShallowNNClassifier

    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 20))
    Z = X[:, :3] + 0.5 * rng.standard_normal((2000, 3))
    logistic = LogisticRegressionGD(max_iter=300, l2_regularization=0.01)
    networks = [
        ShallowNNClassifier(8, g, max_iter=200, random_state=0)
        for g in ("tanh", "sigmoid", "relu", "leaky_relu")
    ]
    worst = 0
    for model in (logistic, *networks):
        for y in (Z[:, 0] > 0, Z.argmax(axis=1)):
            known = clone(model).fit(X, y, X_val=X[:200], y_val=y[:200])
            with config_context(array_api_dispatch=True):
                tensor = torch.asarray(X, device=device)
                new = clone(model).fit(tensor, y, X_val=tensor[:200], y_val=y[:200])
                found = new.decision_function(tensor).cpu().numpy()
            expected = known.decision_function(X)
            pairs = [(found, expected), (new.loss_curve_, known.loss_curve_)]
            pairs += [(new.validation_loss_curve_, known.validation_loss_curve_)]
            differences = [np.abs(np.subtract(a, b)).max() / np.abs(b).max() for a, b in pairs]
            worst = max(worst, *differences)
    met = "met" if worst <= 1e-10 else "**missed**"
    return f"* {met}: largest difference from NumPy in float64, of logits and curves, relative: {worst:.0e} (at most 1e-10)"


def synchronisations(device):
    """Return a verdict on how often fits of 10 and of 110 steps wait for the card, with a first record alone."""
    import torch

    counts = []
    for k, h in ((2, 0), (3, 0), (3, 8)):
        fit = our_job(*data(2000, 20, k, "float64", device), h)
        fit(10)
        for steps in (10, 110):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                torch.cuda.set_sync_debug_mode("warn")
                fit(steps)
                torch.cuda.set_sync_debug_mode("default")
            counts.append(sum("synchroniz" in str(warning.message) for warning in caught))
    met = "met" if counts[::2] == counts[1::2] and min(counts) > 0 else "**missed**"
    return (
        f"* {met}: fits wait for the card as often in 110 steps as in 10: {counts[1::2]} times and {counts[::2]} "
        "(logistic, softmax, network)"
    )


def step_lines(shape, steps, most, device, small):
    """Return the row of the table and the verdicts of one shape."""
    import torch

    m, n, k, h, dtype = shape
    X, y = data(min(m, 2000) if small else m, n, k, dtype, device)
    jobs = {"ours": our_job(X, y, h), "plain": plain_job(X, y, k, h), "read": read_job(X)}
    times, _ = steps_in_turn(jobs, (2, 2 + (min(steps, 20) if small else steps)), 1 if small else 5)
    ours, plain, read = times.values()
    samples, model = words_of(shape, small)
    row = [samples, model, seconds(ours), seconds(plain), ratio(ours / plain), ratio(ours / read)]
    lines, is_card = [], device != "cpu"
    if m == 400 and not is_card:
        lines.append(
            verdict(
                "µs more a step on 400 x 2 than plain PyTorch",
                1e6 * (ours - plain),
                MOST_OVERHEAD,
                at_least=False,
            )
        )
    if most and (not is_card or shape in ON_A_CARD):
        lines.append(
            verdict(
                f"{samples}, {model}: times as long as plain PyTorch",
                ours / plain,
                round(most, 2),
                at_least=False,
            )
        )
    if is_card and m >= 60_000 and k == 2:
        lines.append(
            verdict(f"{samples}, {model}: relative to two reads of X", ours / read / 2, 1.3, at_least=False)
        )
    if is_card:
        torch.cuda.empty_cache()
    return row, lines


def words_of(shape, small):
    m, n, k, h, dtype = shape
    model = f"network of {h} units, {k} classes" if h else "logistic" if k == 2 else f"softmax of {k}"
    return f"{min(m, 2000) if small else m:,} x {n} {dtype}", model


def sweep_line(device, small):
    """Return a verdict on a search over 8 penalties, without its scores, against one fit of the same samples."""
    from sklearn import config_context

    from sknn_basic import LogisticRegressionGD, VectorizedGridSearchCV

    m, n, k = (2000, 64, 10) if small else (60_000, 784, 10)
    X, y = data(m, n, k, "float32", device)
    split = [(np.arange(m), np.arange(k))]

    def sweep(steps):
        model = LogisticRegressionGD(RATE, steps, record_every=NEVER)
        with config_context(array_api_dispatch=True):
            VectorizedGridSearchCV(model, {"l2_regularization": SWEEP}, cv=split, refit=False).fit(X, y)
        wait(device)

    jobs = {"sweep": sweep, "one": our_job(X, y, 0)}
    times, _ = steps_in_turn(jobs, (2, 4 if small else 12), 1 if small else 3)
    claim = f"{m:,} x {n} float32, softmax of {k}: a step of 8 penalties in one descent, relative to one of a single fit"
    figure = times["sweep"] / times["one"]
    return (
        f"* for the record: {claim}: {figure:.2f}"
        if device == "cpu"
        else verdict(claim, figure, 3, at_least=False)
    )


# Jobs of some steps


def data(m, n, k, dtype, device):
    """Return random X and labels of all k classes, on the device."""
    import torch

    torch.manual_seed(0)
    X = torch.randn(m, n, dtype=getattr(torch, dtype), device=device)
    return X, torch.arange(m, device=device) % k


def our_job(X, y, h):
    from sklearn import config_context

    from sknn_basic import LogisticRegressionGD, ShallowNNClassifier

    def job(steps):
        options = {"learning_rate": RATE, "max_iter": steps, "record_every": NEVER}
        model = ShallowNNClassifier(h, random_state=0, **options) if h else LogisticRegressionGD(**options)
        with config_context(array_api_dispatch=True):
            model.fit(X, y)
        wait(X.device.type)

    return job


def plain_job(X, y, k, h):
    """Return the notes' loop in PyTorch, with the order of factors that it multiplies fastest, forward and backward."""
    import torch

    def product(A, B, is_transposed):
        return (B.mT @ A.mT).mT if is_transposed else A @ B

    @torch.no_grad()
    def loop(forward, backward, steps):
        options, n_outputs = {"dtype": X.dtype, "device": X.device}, 1 if k == 2 else k
        Y = y.reshape(-1, 1).to(X.dtype) if k == 2 else torch.nn.functional.one_hot(y, k).to(X.dtype)
        sizes = [X.shape[1], h, n_outputs] if h else [X.shape[1], n_outputs]
        layers = [
            (0.1 * torch.randn(*pair, **options), torch.zeros(1, pair[1], **options))
            for pair in pairwise(sizes)
        ]
        s = 1 / X.shape[0]
        for _ in range(steps):
            *hidden, (W, b) = layers
            A = X
            for W1, b1 in hidden:
                A = torch.tanh(product(X, W1, forward) + b1)
            Z = product(A, W, forward) + b
            dZ = s * ((torch.sigmoid(Z) if k == 2 else torch.softmax(Z, 1)) - Y)
            layers = [(W - RATE * product(A.mT, dZ, backward), b - RATE * dZ.sum(0, keepdim=True))]
            for W1, b1 in hidden:
                dZ1 = (dZ @ W.mT) * (1 - A * A)
                dW1, db1 = product(X.mT, dZ1, backward), dZ1.sum(0, keepdim=True)
                layers.insert(0, (W1 - RATE * dW1, b1 - RATE * db1))
        wait(X.device.type)

    orders = itertools.product((False, True), repeat=2)
    return min((partial(loop, *order) for order in orders), key=lambda job: min(timed(job) for _ in range(3)))


def timed(job):
    start = perf_counter()
    job(2)
    return perf_counter() - start


def read_job(X):
    def job(steps):
        for _ in range(steps):
            X.sum()
        wait(X.device.type)

    return job


def wait(device):
    import torch

    if device != "cpu":
        torch.cuda.synchronize()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.device",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--device", default="cpu", help="of PyTorch: cpu or cuda")
    parser.add_argument("--small", action="store_true", help="a trial run: its figures say nothing")
    options = parser.parse_args()
    start(options.device, options.small)
