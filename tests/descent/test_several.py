"""Several descents: each is the one of a fit, in whatever pieces, and ends at each of its steps."""

from threading import Event, current_thread, main_thread
from unittest.mock import patch

import numpy as np
import pytest

from engines import engine_of
from models import blobs
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._descent import several, stacking
from sknn_basic._descent.run import NULL_OBSERVER, Run, recorded_steps, train
from sknn_basic._descent.several import Member, pieces_of, steps_of, train_pieces
from sknn_basic._descent.threads import threads
from sknn_basic._fitting.inputs import make_problem

MEMBERS = [Member(0.02, 0.0, {3, 9}), Member(0.01, 0.5, {9}), Member(0.03, 0.0, {5, 12})]


MODELS = [
    (LogisticRegressionGD(), 2, [2, 1]),  # estimator, classes, and sizes of the pieces if compiled
    (LogisticRegressionGD(), 3, [1, 1, 1]),
    (ShallowNNClassifier(3, random_state=0), 3, [1, 1, 1]),
]


@pytest.mark.parametrize(("estimator", "n_classes", "sizes"), MODELS)
@pytest.mark.parametrize("name", ["compiled", "numpy"])
@pytest.mark.parametrize("n_bytes", [1, 2**28])
def test_each_descent_is_that_of_a_fit(estimator, n_classes, sizes, name, n_bytes, monkeypatch):
    """With the steps of its neighbours, or alone: the same layers and costs to 1e-12, and no other steps."""
    monkeypatch.setattr(stacking, "STACK_BYTES", n_bytes)
    with engine_of(name), threads.shared_out():
        check_descents(estimator, n_classes, sizes if name == "compiled" else [3])


def check_descents(estimator, n_classes, sizes):
    problem = make_problem(estimator, *blobs(n_classes, 40, 9), n_steps=40)
    pieces = pieces_of(problem, MEMBERS)
    assert [len(piece) for piece in pieces] == (sizes if stacking.STACK_BYTES > 1 else [1, 1, 1])
    assert steps_of(MEMBERS) == [3, 5, 9, 12]
    ended = train_pieces(problem, pieces, 4, NULL_OBSERVER)
    expected = [(member, step) for member in MEMBERS for step in member.steps]
    assert sorted((member, step) for member, step, _ in ended) == sorted(expected)
    for (rate, l2, _), step, descent in ended:
        alone = train(problem.objective(l2), problem.layers, rate, step, recorded_steps(4, step))
        assert descent.n_iter == step
        np.testing.assert_allclose(
            [*descent.loss_curve, descent.loss], [*alone.loss_curve, alone.loss], 1e-12
        )
        for layer, expected_layer in zip(descent.layers, alone.layers, strict=True):
            for a, b in zip(layer, expected_layer, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_a_member_whose_cost_is_not_finite_is_left_out(monkeypatch):
    """Of a stack; alone it raises the error of a fit."""
    X, y = blobs(2, 40, 5)
    network = ShallowNNClassifier(3, init_scale=1.0, random_state=0)
    members = [Member(0.1, 1e308, {3}), Member(0.1, 0.0, {3})]
    problem = make_problem(network, 1e3 * X, y, n_steps=6)
    assert [member for member, *_ in train_pieces(problem, [members], 4, NULL_OBSERVER)] == members[1:]
    with pytest.raises(ValueError, match="initial weights is not finite"):
        train_pieces(problem, [members[:1]], 4, NULL_OBSERVER)


@pytest.mark.interrupts
def test_an_interruption_ends_the_descents_of_other_threads(monkeypatch):
    """It reaches the main thread alone: the others are told."""
    pytest.importorskip("numba")
    ended, leap = Event(), Run.leap

    class Stopped(Event):
        def is_set(self):  # asked before each leap
            if super().is_set():
                ended.set()
            return super().is_set()

    def interrupted(run, *args):
        if current_thread() is main_thread():
            raise KeyboardInterrupt
        return leap(run, *args)

    monkeypatch.setattr(several, "Event", Stopped)
    monkeypatch.setattr(Run, "leap", interrupted)
    problem = make_problem(ShallowNNClassifier(3, random_state=0), *blobs(2, 40, 5), n_steps=40)
    pieces = pieces_of(problem, [Member(rate, 0.0, {10**9}) for rate in (0.1, 0.2)])
    two = patch.object(threads, "limited", [(None, 2)])
    with engine_of("compiled"), two, pytest.raises(KeyboardInterrupt):
        train_pieces(problem, pieces, 4, NULL_OBSERVER)
    assert ended.wait(60)
