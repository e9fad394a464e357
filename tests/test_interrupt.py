"""Ctrl-C during a fit: the model holds the weights reached, and one warning says so."""

import os
import signal
import subprocess
import sys
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from engines import ENGINES, engine_of
from models import BOTH, blobs, both, weights_of
from sknn_basic import LogisticRegressionGD
from sknn_basic._descent import engine
from sknn_basic._descent.gram import GramSamples
from sknn_basic._descent.objective import Objective
from sknn_basic._fitting import base
from sknn_basic._fitting.messages import FitInterruptedWarning
from watchers import TALL, WIDE, assert_identical, raise_once

pytestmark = pytest.mark.interrupts
needs_timer = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no interval timer")
ENDLESS = 10**9


def interrupt_at_call(monkeypatch, n):
    """Raise KeyboardInterrupt in the n-th evaluation of the gradient, counted from 1: NumPy's are single."""
    monkeypatch.setattr(engine, "has_numba", lambda: False)
    raise_once(monkeypatch, KeyboardInterrupt, Objective, "__call__", n)


@both
@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize("n_steps", [0, 1, 9, 10, 11, 300])  # the last one, at the cost of the result
def test_an_interrupted_fit_is_a_fit_of_fewer_steps(model, shape, n_steps, monkeypatch):
    """The same weights, costs and number of steps, and one warning that says which step."""
    X, y = blobs(2, *shape)
    model = clone(model).set_params(max_iter=300, record_every=5)
    interrupt_at_call(monkeypatch, n_steps + 1)
    interrupted = clone(model)
    with pytest.warns(FitInterruptedWarning, match=rf"weights of step {n_steps} of 300") as caught:
        interrupted.fit(X, y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert interrupted.n_iter_ == n_steps
    assert len(interrupted.loss_curve_) == -(-n_steps // 5)
    alone = clone(model).set_params(max_iter=max(n_steps, 1)).fit(X, y)
    assert interrupted.loss_curve_ == pytest.approx(alone.loss_curve_[: -(-n_steps // 5)], rel=1e-12)
    if n_steps:
        assert interrupted.loss_ == pytest.approx(alone.loss_, rel=1e-12)
        for a, b in zip(weights_of(interrupted), weights_of(alone), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    assert set(interrupted.predict(X)) <= {0, 1}


@needs_timer
def test_a_signal_at_any_moment():
    """A real signal, wherever it strikes, leaves a consistent model: that of a fit of n_iter_ steps.

    In a process of its own: what measures coverage may hold a lock when the signal comes, and wait for ever.
    """
    code = "import test_interrupt\ntest_interrupt.strike_all()"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()


def strike_all():
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    for name in ENGINES if engine.has_numba() else ["numpy"]:
        for model, n_classes in product(BOTH, (2, 3)):
            with engine_of(name):
                strike(clone(model).set_params(max_iter=ENDLESS, record_every=3), n_classes)


def strike(model, n_classes):
    """Interrupt fits of a model after all kinds of times."""
    X, y = blobs(n_classes)
    clone(model).set_params(max_iter=1).fit(X, y)  # compiles the steps
    n_fitted = 0
    for delay in np.linspace(0.002, 0.03, 9):
        interrupted = clone(model)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                # Once more later, since Python drops an error in a callback of the garbage collector.
                signal.setitimer(signal.ITIMER_REAL, delay, 10)
                interrupted.fit(X, y)
            except KeyboardInterrupt:  # before the first step
                assert not hasattr(interrupted, "classes_")
                continue
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        n_fitted += 1
        assert [w.category for w in caught] == [FitInterruptedWarning]
        if interrupted.n_iter_ > 0:
            alone = clone(model).set_params(max_iter=interrupted.n_iter_).fit(X, y)
            assert_identical(interrupted, alone)
    assert n_fitted > 3


def test_an_interruption_while_weights_are_made_keeps_the_model(monkeypatch):
    """The Gram form makes weights of coefficients when the descent is over: Ctrl-C there loses nothing."""
    X, y = blobs(2, *WIDE)
    expected = LogisticRegressionGD(0.001, 200).fit(X, y).coef_
    raise_once(monkeypatch, KeyboardInterrupt, GramSamples, "weights_of", 1)
    model = LogisticRegressionGD(0.001, 200)
    with pytest.warns(FitInterruptedWarning, match="step 200 of 200"):
        model.fit(X, y)
    np.testing.assert_array_equal(model.coef_, expected)


def test_a_warm_start_continues_an_interrupted_fit(monkeypatch):
    """What the warning advises: 12 steps and 28 more are 40."""
    X, y = blobs()
    model = LogisticRegressionGD(0.1, 40, warm_start=True)
    interrupt_at_call(monkeypatch, 13)
    with pytest.warns(FitInterruptedWarning):
        model.fit(X, y)
    assert model.n_iter_ == 12
    model.set_params(max_iter=28).fit(X, y)
    np.testing.assert_array_equal(model.coef_, LogisticRegressionGD(0.1, 40).fit(X, y).coef_)


def test_an_interruption_before_the_first_step_leaves_nothing(monkeypatch):
    raise_once(monkeypatch, KeyboardInterrupt, base, "make_problem", 1)
    model = LogisticRegressionGD()
    before = dict(vars(model))
    with pytest.raises(KeyboardInterrupt):
        model.fit(*blobs())
    assert vars(model) == before


def test_an_interruption_while_it_diverges_keeps_finite_weights(monkeypatch):
    """The weights reached are no longer finite: those of the last record are kept, and both are told."""
    X, y = blobs()
    model = LogisticRegressionGD(1e308, 100, record_every=50)
    interrupt_at_call(monkeypatch, 10)
    with pytest.warns() as caught:
        model.fit(X * 100, y)
    assert len(caught) == 2
    assert model.n_iter_ == 0
    assert np.isfinite(model.coef_).all()
