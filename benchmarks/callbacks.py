"""What callbacks cost: nothing where none are set, and how much where some are."""

import contextlib
import io
from importlib.util import find_spec
from time import perf_counter
from unittest.mock import patch

import numpy as np
from sklearn.datasets import make_moons

from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._base import GradientDescentClassifier
from sknn_basic._callbacks import MAX_TASKS
from sknn_basic._network import descend
from sknn_basic._objective import Objective
from sknn_basic._training import finish, start

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
        times, _ = in_turn(jobs_in_turn, 5 if quick else 41)
        ours, bare = times["fit"], times["bare"]
        rows.append([name, seconds(ours), seconds(bare), f"{ours / bare:.3f}"])
        verdicts.append(verdict(f"{name}: as long as without the code", ours / bare, 1.02, at_least=False))
    lines += ["Without callbacks: a whole fit, and the same without the code for callbacks, interruption and "
              "validation samples, in turn.", "",
              *table(["", "fit", "without the code", "ratio"], rows), *verdicts, ""]  # fmt: skip
    if find_spec("sklearn.callback") and installed("rich"):  # scikit-learn 1.9
        lines += with_callbacks(X, y, quick)
    return Section("Callbacks", lines)


def with_callbacks(X, y, quick):
    from sklearn.callback import ProgressBar, ScoringMonitor

    kinds = {"none": None, "one that does nothing": Idle, "ProgressBar": ProgressBar,
             "ScoringMonitor of the accuracy": lambda: ScoringMonitor(scoring="accuracy")}  # fmt: skip
    sizes = (200, 1000) if quick else (1000, 2000, MAX_TASKS, 4 * MAX_TASKS)
    rows = [[f"{n:,}", *(seconds(watched(n, make, X, y)) for make in kinds.values())] for n in sizes]
    lines = [
        f"With callbacks: logistic regression on 400 x 2, one fit each. Of more than {MAX_TASKS:,} steps several "
        "are told at once.",
        "",
        *table(["steps", *kinds], rows),
    ]
    if not quick:
        with patch("sknn_basic._callbacks.MAX_TASKS", 4 * MAX_TASKS):
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
    """Return a job that fits as `fit` did before there were callbacks: checks, descent, records, attributes."""

    class Bare(type(model)):
        fit = GradientDescentClassifier.fit

        def descend(self, X, y):
            X, Y, s, layers = self._pose(X, y, None)
            samples, layers = start(X, layers, self.max_iter)
            objective = Objective(samples, Y, s, self._activation, float(self.l2_regularization), layers)
            rate = self._get_learning_rate(samples, s, Y.shape[1])
            recorded = (
                step % self.record_every == 0 or step == self.max_iter for step in range(self.max_iter + 1)
            )
            curve = []
            with np.errstate(all="ignore"):
                for cost, layers_after in descend(objective, layers, rate, recorded):
                    if cost is not None:
                        assert np.isfinite(cost)
                        assert objective.are_finite(layers)
                        kept = layers
                        curve.append(float(cost))
                    layers = layers_after
            vars(self).update(self._name_layers(finish(samples, kept, X.dtype)))
            self.loss_curve_ = curve

    bare = Bare(**model.get_params())

    def job():
        bare._validate_params()
        bare.descend(X, y)

    return job
