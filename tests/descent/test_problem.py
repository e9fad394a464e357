"""A problem is held as is best for its steps, and answers in the weights and the precision of X."""

import numpy as np
import pytest

from longhand import distance
from models import flat, moved, step_of
from sknn_basic._descent import problem as problem_module
from sknn_basic._descent.gram import GramSamples
from sknn_basic._descent.problem import Problem
from sknn_basic._descent.run import Descent
from sknn_basic._descent.samples import Samples

FORMS = {"plain": (0, Samples), "gram": (1000, GramSamples)}  # the number of steps that chooses between them
forms = pytest.mark.parametrize("form", FORMS)


def make_problem(form="plain", model="logistic", dtype=np.float64, gram=None):
    """A problem of 8 x 90, held in a form; and X."""
    n_steps, kind = FORMS[form]
    X, T, s, layers, network = step_of(model, m=8, n=90, dtype=dtype)
    problem = Problem(network, X, T, s, layers, n_steps, gram)
    assert isinstance(problem.samples, kind)
    return problem, X


@forms
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_all_arrays_have_the_precision_of_the_samples(form, dtype):
    """Of the Gram form float64, else that of X; the weights that come out have that of X."""
    problem, _ = make_problem(form, "tanh", dtype)
    held = [problem.targets, problem.s, *flat(problem.layers)]
    assert {array.dtype for array in held} == {np.dtype(np.float64 if form == "gram" else dtype)}
    descent = Descent(problem.layers, n_iter=3, loss=0.5, loss_curve=[0.6])
    with_weights = problem.with_weights(descent)
    assert {array.dtype for array in flat(with_weights.layers)} == {np.dtype(dtype)}
    assert with_weights[1:] == descent[1:]


def test_a_known_gram_matrix_is_used():
    _, X = make_problem()
    known = X @ X.T
    assert make_problem("gram", gram=known)[0].samples.gram is known


def test_the_curvature_is_computed_once_and_only_if_asked_for(monkeypatch):
    """And a rate that is a number stays that number, as a plain float."""
    problem, _ = make_problem()
    asked = []
    monkeypatch.setattr(problem_module, "largest_curvature", lambda *args: asked.append(args) or 4.0)
    rate = problem.learning_rate(np.float32(0.5), 0.0)
    assert (rate, type(rate), asked) == (0.5, float, [])
    assert [problem.learning_rate("auto", 0.0), problem.stable_rate(1.0)] == [1 / 4, 2 / 5]
    assert len(asked) == 1


@forms
@pytest.mark.parametrize("model", ["logistic", "tanh"])
def test_validation_is_the_cost_of_other_samples(form, model):
    """As a function of the same parameters, without the penalty: the textbook's cost of their weights."""
    problem, _ = make_problem(form, model)
    X_val, T, s, *_ = step_of(model, m=5, n=90, seed=1)
    validation = problem.validation(X_val, T, s)
    A, parameters = X_val, [(P / 10, b) for P, b in moved(problem.layers)]
    for W, b in problem.weights_of(parameters):
        Z = A @ W + b
        A = np.tanh(Z)
    y, p = (1 - T) / 2, 1 / (1 + np.exp(-Z))
    expected = -np.sum(s * (y * np.log(p) + (1 - y) * np.log(1 - p)))
    assert distance(validation.data_cost(parameters), expected) < 1e-12
    assert distance(validation(parameters, want_cost=True)[0], expected) < 1e-12
