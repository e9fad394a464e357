"""What a fit adds to the memory that the data takes: the growth of the process's peak."""

from .report import Section, table, verdict
from .timing import added_bytes

MIB = 2**20
CODE = """
import numpy as np
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
rng = np.random.default_rng(0)
X = rng.standard_normal(({m}, {n}), dtype=np.{dtype})
y = np.argmax(X[:, :{classes}], axis=1) if {classes} > 2 else (X[:, 0] > 0).astype(np.int64)
for n in (2, 100):  # loads what a fit imports and compiles, on X itself and on a Gram matrix
    LogisticRegressionGD(1e-3, 200).fit(np.ascontiguousarray(X[:{classes} * 9, :n]), np.arange({classes} * 9) % {classes})
model = {model}
def job():
    model.fit(X, y)
"""
LOGISTIC = "LogisticRegressionGD(1e-3, {steps})"
NETWORK = "ShallowNNClassifier(64, learning_rate=1e-3, max_iter={steps}, random_state=0)"
TALL = [
    (60_000, 784, "float64"),
    (60_000, 784, "float32"),
    (1_000_000, 50, "float64"),
    (2_000_000, 10, "float64"),
]
WIDE = [
    (209, 12_288, "float64"),
    (209, 12_288, "float32"),
    (209, 100_000, "float64"),
    (1000, 30_000, "float64"),
]


def run(quick=False):
    rows, verdicts = [], []
    for m, n, dtype in TALL[:1] if quick else TALL:
        measure(rows, verdicts, LOGISTIC, 3, m, n, dtype, 64 * MIB + 48 * m)
    measure(rows, verdicts, LOGISTIC, 3, 60_000, 784, "float64", 128 * MIB, classes=10)
    for dtype in ("float64",) if quick else ("float64", "float32"):
        measure(rows, verdicts, NETWORK, 3, 60_000, 784, dtype, 128 * MIB)
    for m, n, dtype in WIDE[:1] if quick else WIDE:
        size = 8 if dtype == "float64" else 4
        measure(rows, verdicts, LOGISTIC, 2000, m, n, dtype, 8 * m * m + n * size + 32 * MIB)
    lines = table(["", "data", "fit adds", "at most"], rows)
    return Section("Memory: what a fit adds to the data", lines + verdicts + [""])


def measure(rows, verdicts, model, steps, m, n, dtype, bound, classes=2):
    code = CODE.format(m=m, n=n, dtype=dtype, model=model.format(steps=steps), classes=classes)
    added = added_bytes(code)
    name = f"{model.split('(')[0]}, {m:,} x {n:,} {dtype}" + f", {classes} classes" * (classes > 2)
    data = m * n * (8 if dtype == "float64" else 4)
    rows.append([name, *(f"{value / MIB:.1f} MiB" for value in (data, added, bound))])
    verdicts.append(verdict(f"{name}: share of the bound", added / bound, 1.0, at_least=False))
