"""What a user would pick instead of gradient descent: scikit-learn's LogisticRegression."""

import subprocess
import sys
from time import perf_counter

import numpy as np

from sknn_basic import LogisticRegressionGD

from .data import images
from .report import Section, seconds, table
from .wide import RATE

SOLVERS = "lbfgs", "newton-cg", "newton-cholesky", "liblinear"
PATIENCE = 120  # seconds for all fits of one solver; a Newton matrix of 12,289 x 12,289 takes longer
SCRIPT = """
import sys
from benchmarks.solvers import race
print(race(*sys.argv[1:]))
"""


def run(quick=False):
    data = images()
    steps = 200 if quick else 2000
    start = perf_counter()
    ours = LogisticRegressionGD(RATE, steps).fit(data.X, data.y)
    time = perf_counter() - start
    rows = [["sknn_basic", seconds(time), f"{ours.loss_:.6f}", "", ""]]
    for solver in SOLVERS:
        command = [sys.executable, "-W", "ignore", "-c", SCRIPT, solver, str(ours.loss_)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=5 if quick else PATIENCE)
            if done.returncode:
                rows.append([f"LogisticRegression, {solver}", "failed", "", "", ""])
                continue
            rows.append([f"LogisticRegression, {solver}", *done.stdout.strip().splitlines()[-1].split(";")])
        except subprocess.TimeoutExpired:
            rows.append(
                [f"LogisticRegression, {solver}", f"more than {5 if quick else PATIENCE} s", "", "", ""]
            )
    lines = [
        f"Without a penalty on {data.name}: the time to reach the cost that {steps:,} steps reach (one run with "
        "the fewest iterations that do), and to the solver's own end (default tolerance, up to 10,000 iterations). "
        "The images can be separated, so the cost has no minimum: a solver ends where its tolerance says.",
        "",
    ]
    header = ["", f"to the cost of {steps:,} steps", "cost there", "to its own end", "cost there"]
    return Section("What else a user would pick", [*lines, *table(header, rows)])


def race(solver, target):
    """Return 'seconds; cost; seconds; cost': until the target is reached, and until the solver stops."""
    from sklearn.linear_model import LogisticRegression

    data = images()
    penalty = 1e8 if solver == "liblinear" else np.inf  # liblinear has no fit without a penalty

    def fit(max_iter):
        start = perf_counter()
        model = LogisticRegression(C=penalty, solver=solver, max_iter=max_iter).fit(data.X, data.y)
        time = perf_counter() - start
        z = np.where(data.y == 1, -1, 1) * model.decision_function(data.X)
        return time, np.mean(np.logaddexp(0, z)), int(model.n_iter_[0])

    max_iter = 1
    time, cost, n_iter = fit(max_iter)
    while cost > float(target) and n_iter >= max_iter and max_iter < 10_000:
        max_iter = max_iter + 1 if max_iter < 20 else int(max_iter * 1.2)
        time, cost, n_iter = fit(max_iter)
    end_time, end_cost, _ = fit(10_000)
    return f"{seconds(time)};{cost:.6f};{seconds(end_time)};{end_cost:.2g}"
