"""The data of every lesson, of three classes and ten: a step of each model, and what a short fit costs."""

import numpy as np
from sklearn.datasets import load_digits, load_iris, make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import scale

from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._descent.network import init_layers

from .data import noise
from .ours import OURS, our_jobs
from .peers import labels, library_jobs, zeros
from .report import Section, ratio, seconds, table, times_table, verdict
from .timing import in_turn, steps_in_turn
from .wide import check

RATE = 0.01
JOBS = {  # name: (data, hidden units, steps, most of JAX's time)
    "iris, softmax": ("iris", 0, (2000, 10_000), 0.7),
    "iris, network of 10 units": ("iris", 10, (1000, 6000), 0.6),
    "digits, softmax": ("digits", 0, (100, 600), 0.8),
    "digits, network of 32 units": ("digits", 32, (50, 250), 1.0),
    "10,000 x 100 of 5 classes, softmax": ("noise", 0, (20, 120), 0.9),
}
LIBRARIES = "torch", "jax"
SHORT = 100  # calls that are timed together


def run(quick=False):
    repeats = 3 if quick else 7
    lines = [f"A step in float64, from fits of few and of many steps, medians of {repeats} turns.", ""]
    for name, (data, h, steps, bound) in JOBS.items():
        X, y = load(data)
        k = len(np.unique(y))
        if h:
            start = init_layers((X.shape[1], h, k), np.float64, np.random.RandomState(0), [RATE, RATE])
            model = ShallowNNClassifier(h, learning_rate=RATE, init_scale=RATE, random_state=0)
        else:
            start, model = zeros(X, k), LogisticRegressionGD(RATE)
        model.set_params(record_every=10**6, max_iter=steps[1])
        jobs = our_jobs(model, X, y) | library_jobs(X, y, start, RATE, steps[1], LIBRARIES, steps[0])
        times, results = steps_in_turn(jobs, steps, repeats)
        for ends in results.values():
            check(ends, X, y, 1e-8)
        lines += [f"### {name}", "", *times_table(times, labels(jobs), times[OURS])]
        if "jax" in times:
            claim = f"{name}: a step, relative to compiled JAX"
            lines += [verdict(claim, times[OURS] / times["jax"], bound, at_least=False), ""]
    return Section("Lessons: iris, digits, and short fits", lines + short_lines(quick))


def load(name):
    if name == "iris":
        X, y = load_iris(return_X_y=True)
        return scale(X), y
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return X / 16, y
    return noise(10_000, 100, n_classes=5)[1:]


def short_lines(quick):
    """Whole calls beside those of scikit-learn's LogisticRegression, which converges in them."""
    X, y = load("iris")
    plane = make_moons(100, noise=0.1, random_state=0)
    four = np.hstack([plane[0], plane[0] ** 2]), plane[1]
    ours, theirs = LogisticRegressionGD().fit(X, y), LogisticRegression().fit(X, y)
    rows = {
        "fit of 1 step, 100 x 4, two classes": (fit(1, *four), LogisticRegression().fit, four, 0.7),
        "fit of 1 step, iris": (fit(1, X, y), LogisticRegression().fit, (X, y), 0.5),
        "fit of 100 steps, iris": (fit(100, X, y), LogisticRegression().fit, (X, y), 0.5),
        "prediction of 1 row": (lambda: ours.predict(X[:1]), theirs.predict, (X[:1],), 1.1),
        "prediction of 150 rows": (lambda: ours.predict(X), theirs.predict, (X,), 1.2),
    }
    cells, verdicts = [], []
    for name, (job, call, arguments, bound) in rows.items():
        jobs = {"ours": repeated(job), "theirs": repeated(lambda call=call, given=arguments: call(*given))}
        for each in jobs.values():
            each()
        times, _ = in_turn(jobs, 3 if quick else 9)
        share = times["ours"] / times["theirs"]
        cells.append([name, *(seconds(time / SHORT) for time in times.values()), ratio(share)])
        verdicts.append(verdict(f"{name}, relative to LogisticRegression", share, bound, at_least=False))
    header = ["", "sknn_basic", "LogisticRegression", "share of its time"]
    return ["### Short calls", "", *table(header, cells), *verdicts, ""]


def fit(n, X, y):
    return lambda: LogisticRegressionGD(max_iter=n).fit(X, y)


def repeated(job):
    def several():
        for _ in range(SHORT):
            job()

    return several
