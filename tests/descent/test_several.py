"""Several descents: each is the one of a fit, in whatever pieces, and ends at each of its steps."""

import numpy as np
import pytest

from models import blobs
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._descent import stacking
from sknn_basic._descent.run import NULL_OBSERVER, recorded_steps, train
from sknn_basic._descent.several import Member, pieces_of, steps_of, train_piece
from sknn_basic._fitting.inputs import make_problem

MEMBERS = [Member(0.02, 0.0, {3, 9}), Member(0.01, 0.5, {9}), Member(0.03, 0.0, {5, 12})]


@pytest.mark.parametrize("estimator", [LogisticRegressionGD(), ShallowNNClassifier(3, random_state=0)])
@pytest.mark.parametrize("n_bytes", [1, 2**28])
def test_each_descent_is_that_of_a_fit(estimator, n_bytes, monkeypatch):
    """With the steps of its neighbours, or alone: the same layers and costs to 1e-12, and no other steps."""
    monkeypatch.setattr(stacking, "STACK_BYTES", n_bytes)
    problem = make_problem(estimator, *blobs(3, 40, 5), n_steps=40)
    pieces = pieces_of(problem, MEMBERS)
    assert [len(piece) for piece in pieces] == ([1, 1, 1] if n_bytes == 1 else [3])
    assert steps_of(MEMBERS) == [3, 5, 9, 12]
    ended = [end for piece in pieces for end in train_piece(problem, piece, 4, NULL_OBSERVER)]
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
    (piece,) = pieces_of(problem, members)
    assert [member for member, *_ in train_piece(problem, piece, 4, NULL_OBSERVER)] == members[1:]
    with pytest.raises(ValueError, match="initial weights is not finite"):
        train_piece(problem, members[:1], 4, NULL_OBSERVER)
