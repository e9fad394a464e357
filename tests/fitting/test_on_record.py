"""`OnRecord` hears each record once, at the right step, whatever else the fit does."""

from itertools import product

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from engines import ENGINES, engine_of
from models import blobs, both
from sknn_basic import EarlyStopping, LogisticRegressionGD, OnRecord
from watchers import TALL, WIDE, Recorder, assert_identical, data

callback = pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")


def listening(model, *others):
    """Return a clone that is listened to, and what it tells: [(step, cost, validation cost), ...]."""
    told = []
    return clone(model).set_callbacks(OnRecord(lambda *record: told.append(record)), *others), told


def records_of(model):
    costs = getattr(model, "validation_loss_curve_", [None] * len(model.loss_curve_))
    return list(zip(model.loss_curve_steps_.tolist(), model.loss_curve_, costs, strict=True))


@both
@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize("record_every", ["auto", 7])
def test_it_hears_the_loss_curve_and_changes_nothing(model, shape, record_every):
    """Of the validation samples too, and the fit is the one without it, to the last bit."""
    X, y = data(shape)
    for options in ({}, {"X_val": X[::2], "y_val": y[::2]}):
        ordinary = clone(model).set_params(record_every=record_every).fit(X, y, **options)
        listened, told = listening(clone(model).set_params(record_every=record_every))
        assert_identical(listened.fit(X, y, **options), ordinary)
        assert told == records_of(ordinary)
        assert {type(step) for step, *_ in told} == {int}
        assert {type(cost) for _, cost, _ in told} == {float}


def test_steps_are_right_where_several_are_a_task():
    X, y = data(TALL)
    model, told = listening(LogisticRegressionGD(max_iter=6000))
    model.fit(X, y)
    assert told == records_of(model)
    assert told[-1][0] > 5000


@pytest.mark.parametrize("engine", ENGINES)
def test_no_step_is_reported_for_it(monkeypatch, engine):
    """So that many are taken in one call, where the engine can; other callbacks are told of all steps."""

    def forbidden(*args):
        raise AssertionError

    X, y = data(TALL)
    with engine_of(engine):
        model, told = listening(LogisticRegressionGD(max_iter=40))
        recorder = Recorder()
        both_of_them, also_told = listening(LogisticRegressionGD(max_iter=40), recorder)
        both_of_them.fit(X, y)
        assert recorder.calls.count(("end", "iteration")) == 40
        monkeypatch.setattr("sknn_basic._fitting.callbacks.StepReporter", forbidden)
        model.fit(X, y)
    assert told == also_told == records_of(model)


def test_beside_early_stopping_and_verbose(capsys):
    X, y = blobs(m=100)
    model, told = listening(
        LogisticRegressionGD(max_iter=300, verbose=True),
        EarlyStopping("loss", patience=5, min_delta=1e-3, restore_best=False),
    )
    model.fit(X, y)
    assert model.n_iter_ < 300
    assert told == records_of(model)
    assert "Cost after iteration 0: " in capsys.readouterr().out


def test_records_of_a_diverging_fit_are_told_once():
    """Where a call that took many steps meets large numbers, its records are made again, one by one."""
    X, y = blobs()
    y = np.random.RandomState(0).permutation(y)
    for scale, engine in product((1e3, 1e100, 1e200), ENGINES):
        with engine_of(engine):
            model, told = listening(LogisticRegressionGD(1e100, 200))
            with pytest.warns(ConvergenceWarning):
                model.fit(X * scale, y)
        assert told[: len(model.loss_curve_)] == records_of(model)
        assert len({step for step, *_ in told}) == len(told)
        assert all(np.isfinite(cost) for _, cost, _ in told)


def test_an_error_of_the_function_ends_the_fit():
    """The model stays as it was; overflow in the function is not silenced."""
    X, y = blobs()
    for error in (ZeroDivisionError, RuntimeWarning):

        def fail(step, loss, validation_loss, error=error):
            if error is ZeroDivisionError:
                raise error
            np.float64(1e300) * np.float64(1e300)

        model = LogisticRegressionGD(max_iter=5).set_callbacks(OnRecord(fail))
        with pytest.raises(error):
            model.fit(X, y)
        assert not hasattr(model, "coef_")


def test_in_a_pipeline_and_a_search():
    X, y = blobs()
    model, told = listening(LogisticRegressionGD(max_iter=10))
    GridSearchCV(make_pipeline(StandardScaler(), model), {}, cv=2).fit(X, y)
    assert [step for step, *_ in told] == [*range(10)] * 3


def test_what_it_cannot_use():
    with pytest.raises(TypeError, match=r"takes a function of \(step, loss, validation_loss\), got 3"):
        OnRecord(3)
    pipeline = make_pipeline(StandardScaler(), LogisticRegressionGD()).set_callbacks(OnRecord(print))
    with pytest.raises(TypeError, match="OnRecord is set on Pipeline"):
        pipeline.fit(*blobs())
