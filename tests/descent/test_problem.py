"""A problem is held as is best for its steps, and answers in the weights and the precision of X."""

import numpy as np
import pytest

from longhand import distance
from sknn_basic._descent import problem as problem_module
from sknn_basic._descent.activations import ACTIVATIONS
from sknn_basic._descent.gram import GramSamples
from sknn_basic._descent.network import Network, init_layers
from sknn_basic._descent.outputs import logistic
from sknn_basic._descent.problem import Problem
from sknn_basic._descent.run import Descent
from sknn_basic._descent.samples import Samples

PLAIN, GRAM = (0, Samples), (1000, GramSamples)  # the number of steps that chooses between them
forms = pytest.mark.parametrize("form", [PLAIN, GRAM], ids=["plain", "gram"])


def make_problem(form, n_hidden=None, dtype=np.float64, scale=1, gram=None):
    """A problem of 8 x 90, held in a form, of logistic regression or a network; and X."""
    rng = np.random.RandomState(0)
    X = scale * rng.standard_normal((8, 90)).astype(dtype)
    T = np.where(np.arange(8) % 2, -1, 1).astype(dtype).reshape(-1, 1)
    s = np.full((8, 1), 1 / 8)
    sizes = (90, 1) if n_hidden is None else (90, n_hidden, 1)
    layers = init_layers(sizes, dtype, rng, [0.1, 1])
    network = Network(ACTIVATIONS["tanh"] if n_hidden else None, logistic)
    n_steps, kind = form
    problem = Problem(network, X, T, s, layers, n_steps, gram)
    assert isinstance(problem.samples, kind)
    return problem, X


@forms
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_all_arrays_have_the_precision_of_the_samples(form, dtype):
    """Of the Gram form float64, else that of X; the weights that come out have that of X."""
    problem, _ = make_problem(form, 2, dtype)
    held = [problem.targets, problem.s, *(array for layer in problem.layers for array in layer)]
    assert {array.dtype for array in held} == {np.dtype(np.float64 if form is GRAM else dtype)}
    descent = Descent(problem.layers, n_iter=3, loss=0.5, loss_curve=[0.6])
    with_weights = problem.with_weights(descent)
    assert {array.dtype for layer in with_weights.layers for array in layer} == {np.dtype(dtype)}
    assert with_weights[1:] == descent[1:]


def test_a_known_gram_matrix_is_used():
    _, X = make_problem(PLAIN)
    known = X @ X.T
    assert make_problem(GRAM, gram=known)[0].samples.gram is known


@forms
def test_the_rate_is_one_over_the_curvature(form):
    """1/L and 2/L of the whole matrix, plus l2; a number stays that number, as a plain float."""
    problem, X = make_problem(form)
    extended = np.hstack([X, np.ones((8, 1))]) / np.sqrt(8)
    curvature = np.linalg.norm(extended, 2) ** 2 / 4
    for l2 in (0.0, 0.3):
        assert problem.learning_rate("auto", l2) == pytest.approx(1 / (curvature + l2), rel=1e-12)
        assert problem.stable_rate(l2) == pytest.approx(2 / (curvature + l2), rel=1e-12)
    rate = problem.learning_rate(np.float32(0.5), 0.0)
    assert (rate, type(rate)) == (0.5, float)


def test_the_curvature_is_computed_once_and_only_if_asked_for(monkeypatch):
    problem, _ = make_problem(PLAIN)
    asked = []
    monkeypatch.setattr(problem_module, "largest_curvature", lambda *args: asked.append(args) or 4.0)
    problem.learning_rate(0.1, 0.0)
    assert asked == []
    assert [problem.learning_rate("auto", 0.0), problem.stable_rate(1.0)] == [1 / 4, 2 / 5]
    assert len(asked) == 1


def test_a_network_has_no_stable_rate():
    assert make_problem(PLAIN, 2)[0].stable_rate(0.0) is None


def test_auto_is_refused_where_squares_overflow():
    problem, _ = make_problem(PLAIN, scale=1e200)
    with pytest.raises(ValueError, match=r'learning_rate="auto".*overflow float64.*Scale X'):
        problem.learning_rate("auto", 0.0)


@forms
@pytest.mark.parametrize("n_hidden", [None, 2])
def test_validation_is_the_cost_of_other_samples(form, n_hidden):
    """As a function of the same parameters, without the penalty: the textbook's cost of their weights."""
    problem, _ = make_problem(form, n_hidden)
    rng = np.random.RandomState(1)
    X_val, y = rng.standard_normal((5, 90)), np.array([0, 1, 1, 0, 1])
    s = np.linspace(0.1, 0.3, 5)
    validation = problem.validation(X_val, 1.0 - 2 * y.reshape(-1, 1), s.reshape(-1, 1))
    parameters = [(P + 0.1 * rng.standard_normal(P.shape), b - 0.2) for P, b in problem.layers]
    A = X_val
    for W, b in problem.weights_of(parameters):
        Z = A @ W + b
        A = np.tanh(Z)
    p = 1 / (1 + np.exp(-Z.ravel()))
    expected = -np.sum(s * (y * np.log(p) + (1 - y) * np.log(1 - p)))
    assert distance(validation.data_cost(parameters), expected) < 1e-12
    assert distance(validation(parameters, want_cost=True)[0], expected) < 1e-12
