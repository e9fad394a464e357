"""Callbacks that note what they are told, for tests of them, and an error at a chosen moment."""

from itertools import count

import numpy as np

from models import blobs, weights_of

TALL, WIDE = (40, 5), (30, 200)


class Recorder:
    """Notes the hooks that are called, and asks to stop after the iteration `stop_after`."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.calls = []

    def setup(self, estimator, context):
        self.calls.append(("setup", type(estimator).__name__))

    def teardown(self, estimator, context):
        self.calls.append(("teardown", type(estimator).__name__))

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator, context):
        self.calls.append(("end", context.task_name))
        return context.task_name == "iteration" and context.task_id + 1 == self.stop_after


class Everywhere(Recorder):
    """Is propagated from a search or a pipeline to what it fits."""

    max_propagation_depth = None


class Looker(Recorder):
    """Keeps the fitted estimators that it is handed."""

    def __init__(self):
        super().__init__()
        self.models, self.tasks, self.metadata = [], [], []

    def on_fit_task_begin(self, estimator, context, *, fitted_estimator=None):
        if fitted_estimator is not None:
            self.models.append((fitted_estimator, context.task_id))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None, metadata=None):
        self.tasks.append(context.task_name)
        self.metadata.append(metadata)
        if fitted_estimator is not None and context.task_name == "iteration":
            self.models.append((fitted_estimator, context.task_id + 1))


class LookerEverywhere(Looker):
    max_propagation_depth = None


def data(shape, n_classes=2, dtype=np.float64, container=np.asarray):
    X, y = blobs(n_classes, *shape)
    return container(X.astype(dtype)), y


def raise_once(monkeypatch, error, owner, name, n):
    """Raise the error in the n-th call of a method, counted from 1."""
    calls, ordinary = count(1), getattr(owner, name)

    def method(*args, **kwargs):
        if next(calls) == n:
            raise error
        return ordinary(*args, **kwargs)

    monkeypatch.setattr(owner, name, method)


def assert_identical(model, other):
    for a, b in zip(weights_of(model), weights_of(other), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype
    assert model.loss_ == other.loss_
    assert model.loss_curve_ == other.loss_curve_
    assert model.n_iter_ == other.n_iter_


def begun_and_ended(recorder):
    return [sorted(name for when, name in recorder.calls if when == which) for which in ("begin", "end")]
