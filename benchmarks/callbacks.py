"""What callbacks and recorded costs cost: nothing where no callbacks are set, and how much where some are."""

import contextlib
import io
from importlib.util import find_spec
from itertools import pairwise
from time import perf_counter
from unittest.mock import patch

import numpy as np
from sklearn.base import clone
from sklearn.datasets import make_moons

from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._descent.run import recorded_steps
from sknn_basic._descent.threads import threads
from sknn_basic._fitting.callbacks import MAX_TASKS
from sknn_basic._fitting.inputs import make_problem

from .data import images
from .report import Section, seconds, table, verdict
from .timing import in_turn, installed


class Idle:
    """A callback that does nothing."""

    def setup(self, estimator, context):
        pass

    teardown = on_fit_task_begin = on_fit_task_end = setup


def run(quick=False):
    data = images()
    X, y = make_moons(400, noise=0.1, random_state=0)
    steps = 200 if quick else 2000
    jobs = {
        f"logistic regression, {data.name}, {steps:,} steps": (
            LogisticRegressionGD(0.005, steps),
            data.X,
            data.y,
        ),
        f"network of 7 units, {data.name}, {steps // 4:,} steps": (
            ShallowNNClassifier(7, learning_rate=0.005, max_iter=steps // 4, random_state=0),
            data.X,
            data.y,
        ),
        f"network of 4 units, 400 x 2, {steps:,} steps": (
            ShallowNNClassifier(4, max_iter=steps, random_state=0),
            X,
            y,
        ),
    }
    rows, lines, verdicts = [], [], []
    for name, (model, X_, y_) in jobs.items():
        jobs_in_turn = {"fit": lambda m=model, X=X_, y=y_: m.fit(X, y), "bare": bare_fit(model, X_, y_)}
        times, models = in_turn(jobs_in_turn, 5 if quick else 41)
        assert models["fit"].loss_ == models["bare"].loss_  # the same steps
        ours, bare = times["fit"], times["bare"]
        rows.append([name, seconds(ours), seconds(bare), f"{ours / bare:.3f}"])
        verdicts.append(verdict(f"{name}: as long as without the code", ours / bare, 1.02, at_least=False))
    lines += ["Without callbacks: a whole fit, and the same without the code for callbacks, interruption and "
              "validation samples, in turn.", "",
              *table(["", "fit", "without the code", "ratio"], rows), *verdicts, ""]  # fmt: skip
    lines += with_records(quick)
    if find_spec("sklearn.callback") and installed("rich"):  # scikit-learn 1.9
        lines += with_callbacks(X, y, quick)
    return Section("Callbacks", lines)


def with_records(quick):
    """Return how long fits take that record costs at the steps of "auto", and those that record one."""
    moons, (X, y) = make_moons(400, noise=0.1, random_state=0), make_moons(10_000, noise=0.1, random_state=0)
    tall = np.random.RandomState(0).standard_normal((len(X), 100)), y
    models = {
        "logistic regression, 400 x 2, 2,000 steps": (LogisticRegressionGD(0.1, 2000), moons),
        "network of 4 units, 400 x 2, 5,000 steps": (
            ShallowNNClassifier(4, learning_rate=0.1, random_state=0),
            moons,
        ),
        "logistic regression, 10,000 x 100, 2,000 steps": (LogisticRegressionGD(0.1, 2000), tall),
        "network of 4 units, 10,000 x 2, 500 steps": (
            ShallowNNClassifier(4, learning_rate=0.1, max_iter=500, random_state=0),
            (X, y),
        ),
    }
    rows, verdicts = [], []
    for name, (model, data) in models.items():
        one = clone(model).set_params(record_every=10**9)
        jobs = {"auto": lambda m=model, d=data: m.fit(*d), "one": lambda m=one, d=data: m.fit(*d)}
        for job in jobs.values():
            job()
        times, _ = in_turn(jobs, 3 if quick else 15)
        rows.append([name, *map(seconds, times.values()), f"{times['auto'] / times['one']:.3f}"])
        if times["one"] > 0.05:
            verdicts.append(verdict(f"{name}: records", times["auto"] / times["one"], 1.02, at_least=False))
        else:
            took = 1e3 * (times["auto"] - times["one"])
            verdicts.append(verdict(f"{name}: records, in ms", took, 1, at_least=False))
    head = ["", 'record_every="auto"', "one record", "ratio"]
    return ["Costs that are recorded:", "", *table(head, rows), *verdicts, ""]


def with_callbacks(X, y, quick):
    from sklearn.callback import ProgressBar, ScoringMonitor

    kinds = {"none": None, "one that does nothing": Idle, "ProgressBar": ProgressBar,
             "ScoringMonitor of the accuracy": lambda: ScoringMonitor(scoring="accuracy")}  # fmt: skip
    sizes = (200, 1000) if quick else (1000, 2000, MAX_TASKS, 4 * MAX_TASKS)
    rows = [[f"{n:,}", *(seconds(watched(n, make, X, y)) for make in kinds.values())] for n in sizes]
    lines = [
        f"With callbacks: logistic regression on 400 x 2, one fit each. Of more than {MAX_TASKS:,} steps several "
        "are told at once; a ProgressBar alone is told of 200 parts.",
        "",
        *table(["steps", *kinds], rows),
    ]
    if not quick:
        with patch("sknn_basic._fitting.callbacks.MAX_TASKS_OF_BARS", 4 * MAX_TASKS):
            time = watched(4 * MAX_TASKS, ProgressBar, X, y)
        lines += [
            f"Each of {4 * MAX_TASKS:,} steps told to the ProgressBar: {seconds(time)}. Its time grows with the "
            "square of their number.",
            "",
        ]
    return lines


def watched(steps, make, X, y):
    """Return the seconds of a fit with a callback."""
    model = LogisticRegressionGD(0.1, steps)
    if make:
        model.set_callbacks(make())
    begin = perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        model.fit(X, y)
    return perf_counter() - begin


def bare_fit(model, X, y):
    """Return a job that fits as `fit` does, with no code for callbacks, interruption or validation samples."""
    bare = clone(model)

    @threads.shared_out()
    def job():
        bare._validate_params()
        problem = make_problem(bare, X, y, n_steps=bare.max_iter)
        l2 = float(bare.l2_regularization)
        rate = problem.learning_rate(bare.learning_rate, l2)
        objective, layers, curve = problem.objective(l2), problem.layers, []

        def record(cost):
            assert np.isfinite(cost)
            assert objective.are_finite(layers)
            curve.append(float(cost))

        objective.prepare()
        with np.errstate(all="ignore"):
            records = recorded_steps(bare.record_every, bare.max_iter)
            for step, until in pairwise([*records, bare.max_iter]):
                for _, reached, cost in objective.advance(layers, rate, until - step, want_cost=True):
                    if cost is not None:
                        record(cost)
                    layers = reached
            record(objective(layers, want_cost=True)[0])
        vars(bare).update(bare._layer_attributes(problem.weights_of(layers)))
        *bare.loss_curve_, bare.loss_ = curve
        return bare

    return job
