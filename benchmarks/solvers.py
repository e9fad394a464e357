"""What a user would pick instead of gradient descent: scikit-learn's LogisticRegression."""

import subprocess
import sys
from time import perf_counter

import numpy as np

from sknn_basic import LogisticRegressionGD

from .data import images, noise
from .ours import our_jobs
from .report import Section, seconds, table
from .timing import in_turn
from .wide import RATE

DATA = {
    "images": images,
    "60,000 x 784": lambda: noise(60_000, 784),
    "2,000,000 x 10": lambda: noise(2_000_000, 10),
}
SOLVERS = "lbfgs", "newton-cg", "newton-cholesky", "liblinear"
TALL_SOLVERS = "lbfgs", "newton-cholesky"
TALL_STEPS = 10  # at the rate "auto": the classes overlap, so that a descent is soon at the minimum
PATIENCE = 120  # seconds for all fits of one solver; a Newton matrix of 12,289 x 12,289 takes longer
SCRIPT = """
import sys
from benchmarks.solvers import race
print(race(*sys.argv[1:]))
"""


def run(quick=False):
    steps = 200 if quick else 2000
    patience = 3 if quick else PATIENCE
    lines = [
        "scikit-learn's LogisticRegression without a penalty: the time to reach the cost that our steps reach (one "
        "run with the fewest iterations that do), and to the solver's own end (default tolerance, up to 10,000 "
        "iterations). The images can be separated, so the cost has no minimum: a solver ends where its tolerance "
        "says.",
        "",
        f"### {images().name}, {steps:,} steps",
        "",
        *compare("images", LogisticRegressionGD(RATE, steps), SOLVERS, patience),
    ]
    for name in [] if quick else list(DATA)[1:]:
        model = LogisticRegressionGD(max_iter=TALL_STEPS)
        lines += [f'### {name}, {TALL_STEPS} steps at learning_rate="auto"', ""]
        lines += compare(name, model, TALL_SOLVERS, patience)
    return Section("What else a user would pick", lines)


def compare(name, model, solvers, patience):
    data = DATA[name]()
    times, results = in_turn(our_jobs(model, data.X, data.y), 3)
    rows = [[ours, seconds(times[ours]), f"{results[ours].loss_:.6f}", "", ""] for ours in times]
    target = max(model.loss_ for model in results.values())
    del data
    for solver in solvers:
        command = [sys.executable, "-W", "ignore", "-c", SCRIPT, name, solver, str(target)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=patience)
            cells = (
                done.stdout.strip().splitlines()[-1].split(";")
                if done.returncode == 0
                else ["failed", "", "", ""]
            )
        except subprocess.TimeoutExpired:
            cells = [f"more than {patience} s", "", "", ""]
        rows.append([f"LogisticRegression, {solver}", *cells])
    header = ["", "to that cost", "cost there", "to its own end", "cost there"]
    return table(header, rows)


def race(name, solver, target):
    """Return 'seconds; cost; seconds; cost': until the target is reached, and until the solver stops."""
    from sklearn.linear_model import LogisticRegression

    data = DATA[name]()
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
