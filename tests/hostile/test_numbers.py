"""Random numbers of every magnitude: logits and costs against arithmetic without limits, and stacks."""

from functools import partial

import mpmath
import numpy as np
import pytest
from scipy import sparse

from longhand import G_EXACT
from models import ACTIVATIONS, weights_of
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._descent.run import train_stack
from sknn_basic._fitting.inputs import make_problem

mpmath.mp.prec = 200
FAR = mpmath.mpf("1e700")  # beyond all floats


def numbers(rng, shape, dtype):
    """Finite numbers of any sign: all of one magnitude, or of every magnitude; with zeros."""
    limits = np.finfo(dtype)
    exponents = rng.integers(limits.minexp, limits.maxexp, shape if rng.random() < 0.5 else ())
    values = np.ldexp(rng.uniform(1, 2, shape) * rng.choice([-1, 1], shape), exponents - 1)
    special = np.array([0, 1, limits.max, -limits.max, limits.smallest_subnormal])
    return np.where(rng.random(shape) < 0.1, rng.choice(special, shape), values).astype(dtype)


def true_layer(A, error, W, b, limits):
    """Return A W + b, each an exact sum, and bounds on the errors of floats with these limits.

    They round, and lose what is below the smallest float: where a row overflows, after the division by n
    times the largest weight, for all columns of the row.
    """
    u, smallest, half = (
        mpmath.mpf(float(x)) for x in (limits.eps, limits.smallest_subnormal, limits.max / 2)
    )
    Z, bounds, n = np.empty((len(A), len(b)), object), np.empty((len(A), len(b)), object), len(W) + 2
    largest = max(map(abs, [*W.ravel(), *b]))
    for i, row in enumerate(A):
        sizes = abs(row) @ abs(W) + [abs(bias) for bias in b]
        lost = smallest * (1 if max(sizes) < half else 1 + 4 * n * largest * (1 + max(map(abs, row))))
        Z[i] = row @ W + b
        bounds[i] = error[i] @ abs(W) + 2 * n * u * sizes + 2 * n * lost
    return Z, bounds


def true_logits(X, layers, activation=None):
    """Return the logits in arithmetic without limits, and bounds on the errors of floats."""
    limits = np.finfo(X.dtype)
    A, *exact = (exactly(array.astype(np.float64)) for array in (X, *(a for layer in layers for a in layer)))
    Z, bounds = true_layer(A, 0 * A, *exact[:2], limits)
    for W, b in zip(exact[2::2], exact[3::2], strict=True):
        g = partial(G_EXACT[activation], mp=mpmath)
        largest = g(FAR) - g(-FAR)  # error of g(z), whatever that of z
        A = np.vectorize(g, otypes=[object])(Z)
        # The library's sigmoid may be 0 below the smallest normal number.
        error = np.minimum(bounds, largest) + 4 * float(limits.eps) * abs(A) + float(limits.tiny)
        # A row whose largest unit overflows is divided by a power of 2 that makes it fit.
        beyond = abs(A).max(axis=1, keepdims=True) / float(limits.max)
        Z, bounds = true_layer(A, error, W, b, limits)
        lost = float(limits.smallest_subnormal) * (1 + abs(W).max()) * len(W)
        bounds += np.where(beyond > 0.5, 8 * lost * beyond, 0)
    return Z, bounds


exactly = np.vectorize(mpmath.mpf, otypes=[object])


def model_of(layers, activation, n_classes):
    """Return a fitted classifier with the given weights."""
    if activation is None:
        model = LogisticRegressionGD()
        ((W, b),) = layers
        model.coef_, model.intercept_ = W.T.copy(), b
    else:
        model = ShallowNNClassifier(activation=activation)
        model.coefs_, model.intercepts_ = [W for W, _ in layers], [b for _, b in layers]
    model.classes_, model.n_features_in_ = np.arange(n_classes), len(layers[0][0])
    return model


def assert_probabilities(model, X, Z):
    """Probabilities are finite and sum to 1, their logarithms are finite, and the largest is predicted."""
    P, log_P = model.predict_proba(X), model.predict_log_proba(X)
    assert P.dtype == log_P.dtype == X.dtype
    assert np.isfinite([P, log_P]).all()
    assert (P >= 0).all()
    assert (log_P <= 0).all()
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=8 * np.finfo(X.dtype).eps)
    np.testing.assert_array_equal(model.predict(X), Z > 0 if Z.ndim == 1 else Z.argmax(axis=1))


@pytest.mark.parametrize("activation", [None, *ACTIVATIONS])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_are_true_and_finite(activation, dtype, hostile_seed):
    """For any finite weights and samples, dense or sparse, within the rounding of a sum of products."""
    rng = np.random.default_rng([hostile_seed, len(activation or ""), dtype().itemsize])
    half, smallest = float(np.finfo(dtype).max) / 2, float(np.finfo(dtype).smallest_subnormal)
    for case in range(12):
        m, n, h, k = rng.integers(1, [5, 9, 5, 4]).tolist()
        sizes = [n, k] if activation is None else [n, h, k]
        is_mixed = case % 4 == 0
        kinds = rng.choice([np.float32, np.float64], 2 * len(sizes)) if is_mixed else [dtype] * 9
        layers = [
            (numbers(rng, sizes[i : i + 2], kinds[2 * i]), numbers(rng, sizes[i + 1], kinds[2 * i + 1]))
            for i in range(len(sizes) - 1)
        ]
        X = numbers(rng, (m, n), dtype)
        if k == 2:
            layers[-1] = layers[-1][0][:, :1], layers[-1][1][:1]
        model = model_of(layers, activation, max(k, 2))
        given = sparse.csr_array(X) if rng.random() < 0.3 else X
        Z = model.decision_function(given)
        assert_probabilities(model, given, Z)
        assert Z.dtype == dtype
        if is_mixed:  # weights beyond the range of X: small ones may be lost beside them
            continue
        true, bounds = true_logits(X, layers, activation)
        for i, row in enumerate(Z.reshape(m, -1)):
            size = mpmath.mpf(float(abs(row).max()))
            divisor = 1  # of a row that does not fit
            if len(row) == 1:
                true[i, 0] = min(max(true[i, 0], -2 * half), 2 * half)
            elif max(abs(true[i])) >= half and size > half / 4:
                divisor = mpmath.mpf(2) ** mpmath.nint(mpmath.log(max(abs(true[i])) / size, 2))
            for j, z in enumerate(row):
                error = abs(z - true[i, j] / divisor)
                assert error <= bounds[i, j] / divisor + smallest, (hostile_seed, case, i, j)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fits_are_finite_and_their_cost_is_true(hostile_seed):
    """On samples of any magnitude a fit raises ValueError, or the cost is that of its finite weights."""
    rng = np.random.default_rng(hostile_seed)
    for case in range(25):
        dtype = rng.choice([np.float32, np.float64])
        m, n, n_classes = (int(size) for size in rng.integers([4, 1, 2], [25, 30, 4]))
        X = numbers(rng, (m, n), dtype) if rng.random() < 0.7 else rng.standard_normal((m, n)).astype(dtype)
        y = np.arange(m) % n_classes
        given = sparse.csr_array(X) if rng.random() < 0.2 else X
        rate = float(np.ldexp(1.0, rng.integers(-300, 300) if rng.random() < 0.3 else rng.integers(-10, 4)))
        options = {"max_iter": int(rng.integers(1, 40)), "record_every": int(rng.integers(1, 50))}
        options["l2_regularization"] = float(rng.choice([0, 0, 0.1, 1e10]))
        activation = None if rng.random() < 0.5 else str(rng.choice(ACTIVATIONS))
        if activation is None:
            rate = "auto" if rng.random() < 0.3 else rate
            model = LogisticRegressionGD(rate, fit_intercept=bool(rng.random() < 0.8), **options)
        else:
            model = ShallowNNClassifier(3, activation, learning_rate=rate, random_state=case, **options)
        try:
            model.fit(given, y)
        except ValueError as error:
            if "Scale X" not in str(error):
                raise
            assert vars(model) == vars(type(model)(**model.get_params())), (hostile_seed, case)
            continue
        where = hostile_seed, case, model
        assert all(np.isfinite(array).all() for array in weights_of(model)), where
        assert all(array.dtype == dtype for array in weights_of(model)), where
        assert np.isfinite([model.loss_, *model.loss_curve_]).all(), where
        assert_probabilities(model, given, model.decision_function(given))
        layers = [(W, b.ravel()) for W, b in model._get_layers()]
        true, bounds = true_logits(X, layers, activation)
        cost, tolerance = true_cost(true, bounds, y, n_classes)
        squares = sum(mpmath.mpf(w) ** 2 for W, _ in layers for w in W.ravel().tolist())
        penalty = model.l2_regularization / 2 * squares
        tolerance += 1e-4 * (cost + penalty) + 1e-6
        assert abs(model.loss_ - cost - penalty) <= tolerance, where


def true_cost(Z, bounds, y, n_classes):
    """Return the mean of -log a of the true class, and by how much it may change within the bounds."""
    costs, tolerances = [], []
    for i, label in enumerate(y.tolist()):
        z = [*Z[i]] if n_classes > 2 else [mpmath.mpf(0), Z[i, 0]]
        largest = max(z)
        log_sum = largest + mpmath.log(sum(mpmath.exp(max(a - largest, -10000)) for a in z))
        costs.append(log_sum - z[label])
        tolerances.append(2 * max(bounds[i]))
    return sum(costs) / len(costs), sum(tolerances) / len(costs)


def test_neighbours_in_a_stack_change_no_bit(hostile_seed):
    """A member ends as it does beside copies of itself, whatever the others' rates, penalties and costs."""
    rng = np.random.default_rng(hostile_seed)
    for case in range(40):
        dtype = rng.choice([np.float32, np.float64])
        m, n, k = (int(size) for size in rng.integers([4, 1, 2], [25, 40, 4]))
        X = (rng.standard_normal((m, n)) * 10.0 ** rng.integers(-3, 20)).astype(dtype)
        model = LogisticRegressionGD()
        if rng.random() < 0.5:
            model = ShallowNNClassifier(3, str(rng.choice(ACTIVATIONS)), random_state=case)
        problem = make_problem(model, X, np.arange(m) % k, n_steps=int(rng.choice([0, 1000])))
        own = rng.choice([1e-3, 0.1, 1e10]), rng.choice([0, 0, 0.1, 1e20])
        others = [(rng.choice([1e-9, 1, 1e30, 1e300]), rng.choice([0, 0.1, 1e30])) for _ in range(2)]
        expected, found = (train_member(problem, [own, *others]) for others in ([own, own], others))
        assert found == expected, (hostile_seed, case, model, own, others)


def train_member(problem, settings):
    """Return all bits of the first member of a stack with these rates and penalties."""
    with np.errstate(over="ignore"):
        rates, l2 = np.array(settings, problem.samples.dtype).T.reshape(2, -1, 1, 1)
    layers = [tuple(np.stack([array] * len(settings)) for array in layer) for layer in problem.layers]
    ended = []
    objective = problem.objective(l2 if l2.any() else 0.0, layers)
    keep = {"on_checkpoint": lambda _, found: ended.append(found[0])}
    train_stack(objective, layers, rates, [7, 20], range(0, 20, 5), **keep)
    return [descent and (*map(bytes_of, descent.layers), *map(repr, descent[1:])) for descent in ended]


def bytes_of(layer):
    return [array.tobytes() for array in layer]


def test_the_oracle_can_tell_a_wrong_sign():
    """The bounds of a sum that overflows in parts are smaller than the sum itself."""
    X, W = np.float32([[3e38, 3e38, -3e38]]), np.float32([[2.0], [-2.5], [1]])
    true, bounds = true_logits(X, [(W, np.float32([0]))])
    assert true[0, 0] < -4e38
    assert bounds[0, 0] < 1e34
