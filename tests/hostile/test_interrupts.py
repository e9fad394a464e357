"""Ctrl-C at every line, once or twice: an estimator is as it was before, or fitted as a whole."""

import sys
from functools import cache
from unittest.mock import patch

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import sknn_basic
from models import blobs, images, weights_of
from sknn_basic import FlattenScaler, LogisticRegressionGD, ShallowNNClassifier, VectorizedGridSearchCV
from sknn_basic._descent.objective import Objective
from watchers import TALL, WIDE

pytestmark = [pytest.mark.interrupts, pytest.mark.filterwarnings("ignore::UserWarning")]
FOLDER = sknn_basic.__path__[0]
N_CASES = 20  # for each estimator and seed


class Interruption:
    """Raises KeyboardInterrupt at the n-th line of the package that is run from now on."""

    def __init__(self, n):
        self.n, self.n_lines, self.where = n, 0, None

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.trace)
        frame = sys._getframe(1)
        while frame is not None:  # those that are running already
            if frame.f_code.co_filename.startswith(FOLDER):
                frame.f_trace = self.trace
            frame = frame.f_back
        return self

    def __exit__(self, *error):
        sys.settrace(self.before)

    def trace(self, frame, event, argument):
        if not frame.f_code.co_filename.startswith(FOLDER):
            return None
        if event == "line":
            self.n_lines += 1
            if self.n_lines == self.n:
                self.where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                raise KeyboardInterrupt
        return self.trace


PIPELINE = make_pipeline(FlattenScaler(), LogisticRegressionGD(max_iter=3))
RATES = {"logisticregressiongd__learning_rate": [0.1, 0.2]}
X, Y = blobs(2, *TALL)
CASES = {
    "tall": (LogisticRegressionGD(max_iter=5, record_every=2), (X, Y), {"X_val": X, "y_val": Y}),
    "wide": (LogisticRegressionGD(1e-3, 60, warm_start=True, record_every=7), blobs(3, *WIDE), {}),
    "network": (ShallowNNClassifier(3, max_iter=4, record_every=3, random_state=0), (X, Y), {}),
    "scaler": (FlattenScaler(), images()[:1], {}),
    "search": (VectorizedGridSearchCV(PIPELINE, RATES, cv=2), images(), {}),
}


@cache
def fitted_state(name):
    model, arguments, options = CASES[name]
    return vars(clone(model).fit(*arguments, **options))


def assert_whole(model, before, whole, where):
    """The state is that of before, the very same objects, or has all attributes of a fit."""
    after = vars(model)
    if after.keys() == before.keys() and all(after[name] is before[name] for name in before):
        return
    assert after.keys() == whole.keys(), where
    assert all(after[name] is not before.get(name) for name in FITTED & after.keys()), where
    if hasattr(model, "n_iter_"):
        assert all(np.isfinite(array).all() for array in weights_of(model)), where
        assert len(model.loss_curve_) == -(-model.n_iter_ // model.record_every), where


FITTED = {"classes_", "coef_", "coefs_", "loss_curve_", "cv_results_", "best_estimator_"}


def fit_interrupted(name, rng, context, interruption):
    """Fit for the first or second time within a context that interrupts, and look at what is left."""
    model, arguments, options = CASES[name]
    interrupted = clone(model)
    if rng.random() < 0.5:
        interrupted.fit(*(array[: len(array) // 2] for array in arguments))
    before, tracing = dict(vars(interrupted)), sys.gettrace()
    try:
        with context:
            interrupted.fit(*arguments, **options)
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(tracing)
    assert_whole(interrupted, before, fitted_state(name), interruption.where)


@pytest.mark.parametrize("name", CASES)
def test_one_interruption(name, hostile_seed):
    """Anywhere, in a first or in another fit of the same estimator."""
    rng = np.random.default_rng([hostile_seed, len(name)])
    model, arguments, options = CASES[name]
    with Interruption(0) as counted:
        clone(model).fit(*arguments, **options)
    for _ in range(N_CASES):
        interruption = Interruption(int(rng.integers(1, counted.n_lines + 1)))
        fit_interrupted(name, rng, interruption, interruption)


@pytest.mark.parametrize("name", ["tall", "wide", "network"])
def test_a_second_interruption_while_the_first_is_handled(name, hostile_seed):
    """Ctrl-C in a step, and again soon after."""
    rng = np.random.default_rng([hostile_seed, len(name)])
    step = Objective.__call__
    for _ in range(N_CASES):
        n_steps, second, calls = int(rng.integers(5)), Interruption(int(rng.integers(1, 150))), []

        def interrupted_step(objective, layers, want_cost, calls=calls, n_steps=n_steps, second=second):
            calls.append(1)
            if len(calls) == n_steps + 1:
                second.__enter__()
                raise KeyboardInterrupt
            return step(objective, layers, want_cost)

        fit_interrupted(name, rng, patch.object(Objective, "__call__", interrupted_step), second)
