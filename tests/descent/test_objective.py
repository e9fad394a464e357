"""The laws of one step, on any shapes, precisions, layouts and shares: J, its gradients, and the logits."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse

from engines import blocks_of, numpy_alone  # noqa: F401  a fixture
from longhand import G_SLOPE, G
from models import ACTIVATIONS, flat, moved, step_of
from sknn_basic._descent.gram import GramSamples
from sknn_basic._descent.logits import logits
from sknn_basic._descent.network import Network, forward, update
from sknn_basic._descent.objective import Objective
from sknn_basic._descent.problem import Problem
from sknn_basic._descent.samples import Samples
from sknn_basic._descent.stacking import stack

MODELS = ["logistic", *ACTIVATIONS]
laws = settings(max_examples=100)  # a few milliseconds each
TOLERANCE = {np.float64: 1e-12, np.float32: 2e-5}


class Case(NamedTuple):
    """What a step needs, and what only the longhand formulas ask for."""

    model: str  # "logistic" or an activation
    network: Network
    dense: np.ndarray  # the values of X, in C order
    X: object  # the same in some layout
    targets: np.ndarray
    s: np.ndarray
    l2: float
    layers: list

    def objective(self):
        return Objective(self.network, Samples(self.X), self.targets, self.s, self.l2, self.layers)

    def problem(self, n_steps):
        return Problem(self.network, self.X, self.targets, self.s, self.layers, n_steps)


# Strategies


def strided(X):
    """X in every second row and third column of an array that is NaN elsewhere."""
    around = np.full((2 * X.shape[0], 3 * X.shape[1]), np.nan, X.dtype)
    around[::2, 1::3] = X
    return around[::2, 1::3]


def csr(X):
    """X as CSR, some of its zeros stored."""
    is_stored = (X != 0) | (np.add.outer(np.arange(X.shape[0]), np.arange(X.shape[1])) % 5 == 0)
    return sparse.csr_array((X[is_stored], np.nonzero(is_stored)), shape=X.shape)


DENSE = {"C": np.copy, "Fortran": np.asfortranarray, "strided": strided}
LAYOUTS = DENSE | {"CSR": csr}
SHARES = {
    "equal": lambda rng, m: np.ones(m),
    "some zero": lambda rng, m: np.append(1, rng.randint(0, 3, m - 1)),
    "far apart": lambda rng, m: 10 ** rng.uniform(-300, 0, m),
}


@st.composite
def cases(
    draw, models=MODELS, dtypes=(np.float64,), layouts=("C",), rows=(2, 40), features=(1, 60), in_blocks=False
):
    """Random cases; `in_blocks` of so many rows that the smallest blocks are several."""
    model, dtype = draw(st.sampled_from(models)), draw(st.sampled_from(dtypes))
    n, h, k = draw(st.integers(*features)), draw(st.integers(1, 6)), draw(st.integers(1, 5))
    width = k if model == "logistic" else h
    m = draw(st.integers(*rows)) + (16 * width if in_blocks else 0)
    density, share = draw(st.sampled_from([1, 0.3])), draw(st.sampled_from(sorted(SHARES)))
    fit_intercept = model != "logistic" or draw(st.booleans())
    l2, seed = draw(st.sampled_from([0.0, 0.3])), draw(st.integers(0, 2**32 - 1))
    layout = LAYOUTS[draw(st.sampled_from(layouts))]
    dense, targets, _, layers, network = step_of(model, k, m, n, h, dtype, seed)
    rng = np.random.RandomState(seed)
    dense *= (rng.random_sample((m, n)) < density) & (rng.random_sample((m, 1)) > 0.1)
    s = SHARES[share](rng, m).reshape(-1, 1)
    network, s = network._replace(fit_intercept=fit_intercept), (s / s.sum()).astype(dtype)
    return Case(model, network, dense, layout(dense), targets, s, l2, moved(layers, seed))


# Oracle and comparisons


def longhand(case):
    """Return J without and with the penalty and its gradients: the textbook, row by row, in long double."""
    layers = [(np.longdouble(W), np.longdouble(b[0])) for W, b in case.layers]
    J, gradients = 0, [(np.zeros_like(W), np.zeros_like(b)) for W, b in layers]
    for x, target, share in zip(*map(np.longdouble, (case.dense, case.targets, case.s[:, 0])), strict=True):
        z1 = x @ layers[0][0] + layers[0][1]
        z, a = z1, x
        if case.model != "logistic":
            a = G[case.model](z1)
            z = a @ layers[1][0] + layers[1][1]
        if len(target) == 1:
            y, p = (1 - target) / 2, 1 / (1 + np.exp(-z))
            J = J - share * np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))
        else:
            y, p = target, np.exp(z) / np.exp(z).sum()
            J = J - share * np.sum(y * np.log(p))
        dz = share * (p - y)
        gradients[-1][0][...] += np.outer(a, dz)
        gradients[-1][1][...] += dz
        if case.model != "logistic":
            dz1 = layers[1][0] @ dz * G_SLOPE[case.model](z1)
            gradients[0][0][...] += np.outer(x, dz1)
            gradients[0][1][...] += dz1
    penalty = case.l2 / 2 * sum(np.sum(W**2) for W, _ in layers)
    gradients = [
        (dW + case.l2 * W, case.network.fit_intercept * db[np.newaxis])
        for (dW, db), (W, _) in zip(gradients, layers, strict=True)
    ]
    return J, J + penalty, gradients


def assert_same(found, expected, tolerance=1e-12):
    """Arrays of the same shapes, their differences relative to the largest value of all."""
    largest = max(np.max(np.abs(array)) for array in expected)
    for a, b in zip(found, expected, strict=True):
        assert np.shape(a) == np.shape(b)
        assert np.max(np.abs(a - b)) <= tolerance * largest


def assert_same_step(found, expected, tolerance=1e-12):
    assert abs(found[0] - expected[0]) <= tolerance * expected[0]
    assert_same(flat(found[1]), flat(expected[1]), tolerance)


# J and its gradients


@laws
@given(cases(dtypes=[np.float64, np.float32], layouts=list(LAYOUTS)))
def test_gradients_are_sums_over_rows(case):
    """J and its gradients are those of the textbook, added up row by row, whatever the layout of X.

    So the order of rows does not matter, rows without a share are absent, and copies share a share.
    """
    data_cost, J, gradients = longhand(case)
    (W1, b1), *_ = case.layers
    assume("relu" not in case.model or np.abs(case.dense @ W1 + b1).min() > 1e-5)  # a slope has a jump at 0
    tolerance = TOLERANCE[case.dense.dtype.type]
    objective = case.objective()
    assert_same_step(objective(case.layers, want_cost=True), (J, gradients), tolerance)
    assert objective.data_cost(case.layers) == pytest.approx(float(data_cost), rel=tolerance)


@laws
@given(cases(layouts=list(LAYOUTS), in_blocks=True))
def test_blocks_change_nothing(case):
    """The same step, and the same cost of the data, from blocks of rows, dense or CSR."""
    whole = case.objective()
    with blocks_of(1):
        blocks = case.objective()
    assert whole.rows.only_block() is not None
    assert blocks.rows.only_block() is None
    assert_same_step(blocks(case.layers, want_cost=True), whole(case.layers, want_cost=True))
    assert blocks.data_cost(case.layers) == pytest.approx(whole.data_cost(case.layers), rel=1e-12)


# What goes in and what comes out


def bytes_of(array):
    """What an array holds, and what lies between, if it is a view."""
    if sparse.issparse(array):
        return [part.tobytes() for part in (array.data, array.indices, array.indptr)]
    whole = array if array.base is None else array.base
    return whole.tobytes()


@laws
@given(
    cases(dtypes=[np.float64, np.float32], layouts=list(LAYOUTS), features=(1, 150), in_blocks=True),
    st.sampled_from([0, 10**6]),
)
def test_a_step_keeps_the_precision_and_changes_no_input(case, n_steps):
    """Gradients have the precision of the samples, weights and logits that of X; all inputs stay as they are.

    The gradients are the same bits whether the cost is asked for or not.
    """
    inputs = [case.X, case.targets, case.s, *flat(case.layers)]
    before = [bytes_of(array) for array in inputs]
    problem = case.problem(n_steps)
    parameters = [bytes_of(array) for array in flat(problem.layers)]
    with blocks_of(1):
        objective = problem.objective(case.l2)
    _, gradients = objective(problem.layers, want_cost=True)
    nothing, same = objective(problem.layers, want_cost=False)
    assert nothing is None
    assert [array.tobytes() for array in flat(same)] == [array.tobytes() for array in flat(gradients)]
    after = problem.weights_of(update(problem.layers, gradients, 0.1))
    Z = logits(case.network, Samples(case.X), case.layers)
    assert {array.dtype for array in flat(gradients)} == {problem.samples.dtype}
    assert {array.dtype for array in [Z, *flat(after)]} == {case.dense.dtype}
    assert [bytes_of(array) for array in flat(problem.layers)] == parameters
    assert [bytes_of(array) for array in inputs] == before


@laws
@given(
    cases(dtypes=[np.float64, np.float32], layouts=list(DENSE), rows=(2, 8), features=(150, 200)),
    st.sampled_from([(0, Samples), (10**6, GramSamples)]),
    st.booleans(),
)
def test_parameters_stand_for_the_initial_weights(case, form, from_zero):
    """Whatever descends in their place, the weights are those given, bit for bit, in the precision of X."""
    n_steps, kind = form
    (W, b), *deeper = case.layers
    case = case._replace(layers=[(np.zeros_like(W) if from_zero else W, b), *deeper])
    problem = case.problem(n_steps)
    assert isinstance(problem.samples, kind)
    for found, given_ in zip(flat(problem.weights_of(problem.layers)), flat(case.layers), strict=True):
        assert found.dtype == case.dense.dtype
        np.testing.assert_array_equal(found, given_)


@laws
@given(
    cases(models=["logistic"], dtypes=[np.float64, np.float32], layouts=list(LAYOUTS)), st.integers(0, 10**6)
)
def test_a_logistic_step_at_one_over_L_lowers_the_cost(case, n_steps):
    """At the rate 1/L the cost falls by half the rate times the squares of the gradient, or more."""
    problem = case.problem(n_steps)
    assume(case.network.fit_intercept or np.any(case.dense[case.s[:, 0] > 0]))  # else there is no L
    rate = problem.learning_rate("auto", case.l2)
    objective = problem.objective(case.l2)
    J, gradients = objective(problem.layers, want_cost=True)
    stepped = update(problem.layers, gradients, rate)
    weights = [flat(problem.weights_of(layers)) for layers in (problem.layers, stepped)]
    moved = sum(np.sum(np.square(a - b, dtype=np.float64)) for a, b in zip(*weights, strict=True))
    J_after, _ = objective(stepped, want_cost=True)
    assert J_after <= J - moved / (2 * rate) + TOLERANCE[case.dense.dtype.type] * J


@laws
@given(cases(layouts=list(LAYOUTS), rows=(100, 140), in_blocks=True), st.sampled_from([None, 2]))
def test_logits_in_blocks_are_those_of_all_rows(case, n_members):
    """Z of the output, of one model or a stack, is what `forward` makes of X as a whole."""
    layers = case.layers
    if n_members:
        layers = stack([layers, [(2 * W, 2 * b) for W, b in layers]])
    _, expected = forward(case.network, Samples(case.dense), layers)
    with blocks_of(1):
        assert_same([logits(case.network, Samples(case.X), layers)], [expected])


@pytest.mark.parametrize("where", [0, 1])
def test_weights_beyond_the_precision_of_x_are_not_bounded(where):
    """On a Gram matrix, whose coefficients are float64, however small the weights behind them are."""
    X, targets, s, layers, network = step_of("tanh", m=20, n=200)
    samples = GramSamples(X.astype(np.float32), layers[0][0])
    layers = [(samples.parameters_of(layers[0][0]), layers[0][1]), layers[1]]
    objective = Objective(network, samples, targets, s, 0.0, layers)
    assert objective.are_finite(layers)
    large = [[array.copy() for array in layer] for layer in layers]
    large[0][where][:] = 1e40
    large[1][0][:] = 1e-8
    assert not objective.are_finite(large)
    assert not objective.are_bounded(large)
