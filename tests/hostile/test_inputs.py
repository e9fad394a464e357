"""Random samples, labels, weights and parameters: an error of the documented kind, or a model that works."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone

from models import ACTIVATIONS, blobs, weights_of
from sknn_basic import FlattenScaler, LogisticRegressionGD, ShallowNNClassifier

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning"),
    pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning"),
]
DTYPES = [np.uint8, bool, np.int64, np.float16, ">f4", np.float32, np.float64, np.longdouble, object, "U5"]
CONTAINERS = {
    "array": lambda X: X,
    "Fortran": np.asfortranarray,
    "reversed": lambda X: X[::-1, ::-1],
    "strided": lambda X: np.repeat(X, 2, axis=0)[::2],
    "read-only": lambda X: np.frombuffer(X.tobytes(), X.dtype).reshape(X.shape) if X.dtype != object else X,
    "list": lambda X: X.tolist(),
    "masked": np.ma.masked_array,
    "memory map": lambda X: X.view(np.memmap),
    "CSR": lambda X: sparse.csr_array(X.astype(float)),
    "CSC": lambda X: sparse.csc_matrix(X.astype(float)),
    "COO": lambda X: sparse.coo_array(X.astype(float)),
    "pandas": lambda X: pd.DataFrame(X.astype(float)).rename(columns=str),
    "polars": lambda X: pl.DataFrame(X.astype(float)),
}


def random_samples(rng, m):
    """Return samples and whether they are sound."""
    shape = [(m, int(rng.integers(1, 8)))] * 16 + [(m, 0), (m,), (m, 2, 3), (), (0, 3), (m + 1, 3), (1, m)]
    X = rng.integers(0, 2, shape[rng.integers(len(shape))])
    X = np.asarray(X * rng.choice([1, 3, 0.5])).astype(DTYPES[rng.integers(len(DTYPES))])
    if X.size and X.dtype.kind == "f" and rng.random() < 0.2:
        X.flat[rng.integers(X.size)] = rng.choice([np.nan, np.inf, -np.inf])
    name = rng.choice([*CONTAINERS])
    return CONTAINERS[name](X) if X.ndim == 2 else X


def random_labels(rng, m):
    codes = rng.integers(0, rng.integers(1, 5), m)
    names = [
        np.array(["no", "yes", "maybe", "never", "ünï"]),
        np.array([-1, 1, 7, 2**40, -(2**62)]),
        np.array([0.0, 1.0, 2.0, -0.0, 5.0]),
        np.array([0.5, np.nan, np.inf, 1, 2]),
        np.array([True, False] * 3),
        np.array([None, "a", "b", 1, 2.5], object),
        np.array([b"a", b"b", b"c", b"d", b"e"]),
        np.array(["2020-01-01", "2021-01-01", "NaT", "2022-01-01", "2023-01-01"], "M8[D]"),
    ]
    y = names[rng.choice(len(names), p=[0.25, 0.2, 0.1, 0.1, 0.05, 0.1, 0.1, 0.1])][codes]
    wraps = [lambda y: y, lambda y: y.tolist(), lambda y: y.reshape(-1, 1), lambda y: y.reshape(1, -1)]
    wraps += [lambda y: pd.Series(y), lambda y: pd.Categorical(y), lambda y: y[:-1], lambda y: None]
    return wraps[rng.choice(len(wraps), p=[0.4, 0.15, 0.1, 0.05, 0.1, 0.1, 0.05, 0.05])](y)


def random_model(rng):
    class_weights = [None, None, "balanced", {"no": 2}, {0: 0}, {1: -1}, "heavy", {1: 1e308}]
    options = {
        "max_iter": int(rng.choice([1, 2, 5])),
        "record_every": int(rng.choice([1, 3])),
        "class_weight": class_weights[rng.integers(len(class_weights))],
        "l2_regularization": rng.choice([0, 0.1, np.float32(1), 5], p=[0.7, 0.1, 0.1, 0.1]),
        "warm_start": bool(rng.random() < 0.2),
    }
    if rng.random() < 0.2:
        name = str(rng.choice([*options]))
        options[name] = [-1, 0, 2.5, "x", None, np.nan, [1], 1e-320, 10**30, 1j][rng.integers(10)]
        options[name] = 3 if (name, options[name]) == ("max_iter", 10**30) else options[name]
    if rng.random() < 0.5:
        rates = ["auto", 0.1, np.float32(0.5), 10]
        return LogisticRegressionGD(rates[rng.integers(4)], fit_intercept=bool(rng.random() < 0.7), **options)
    return ShallowNNClassifier(
        int(rng.integers(1, 5)), str(rng.choice(ACTIVATIONS)), random_state=int(rng.integers(9)), **options
    )


def values_of(thing):
    """Return a text of all values, to see later whether one has changed."""
    return repr(np.asarray(thing.toarray() if sparse.issparse(thing) else thing).tolist())


def test_samples_labels_weights_and_parameters(hostile_seed):
    """An error leaves the model as it was; no input is changed; a model predicts classes that it knows."""
    rng = np.random.default_rng(hostile_seed)
    n_fitted = 0
    for case in range(100):
        m = int(rng.integers(2, 12))
        X, y, model = random_samples(rng, m), random_labels(rng, m), random_model(rng)
        weights = None
        if rng.random() < 0.4:
            weights = rng.random(m) * rng.choice([0, 1, -1, 1e300, np.nan], p=[0.1, 0.6, 0.1, 0.1, 0.1])
        before, given = dict(vars(model)), [values_of(thing) for thing in (X, y, weights)]
        where = hostile_seed, case, model
        try:
            model.fit(X, y, weights)
        except (TypeError, ValueError):
            assert vars(model) == before, where
            continue
        finally:
            assert [values_of(thing) for thing in (X, y, weights)] == given, where
        n_fitted += 1
        P = model.predict_proba(X)
        assert np.isfinite(P).all(), where
        np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-5)
        assert set(model.predict(X).tolist()) <= set(model.classes_.tolist()), where
        for other in (np.ones((2, model.n_features_in_ + 1)), "text", None, [[None] * model.n_features_in_]):
            with pytest.raises((TypeError, ValueError)):
                model.predict(other)
    assert n_fitted > 0


@pytest.mark.filterwarnings("ignore:All values of X are in:UserWarning")
def test_scaler(hostile_seed):
    """An error leaves the scaler as it was; else rows are X / divisor, and come back."""
    rng = np.random.default_rng(hostile_seed)
    n_fitted = 0
    for case in range(150):
        shape = [tuple(rng.integers(0 if rng.random() < 0.05 else 1, 5, k)) for k in (1, 2, 3, 3, 4, 5)]
        X = (rng.random(shape[rng.integers(6)]) * 3 * 10.0 ** rng.integers(0, 4)).astype(
            DTYPES[rng.integers(len(DTYPES) - 1)]
        )
        scaler = FlattenScaler(
            [255, 1, 1e-300, 1e300, 0, np.float32(2)][rng.integers(6)],
            dtype=[None, "float32", "float64", "float16"][rng.choice(4, p=[0.4, 0.3, 0.25, 0.05])],
        )
        before, where = dict(vars(scaler)), (hostile_seed, case, scaler, X.dtype, X.shape)
        try:
            rows = scaler.fit(X).transform(X)
        except ValueError as error:
            is_overflow = "overflow" in str(error)
            assert is_overflow or vars(scaler) == before, where
            continue
        n_fitted += 1
        assert rows.shape == (len(X), scaler.n_features_in_), where
        expected = X.astype(np.longdouble).reshape(len(X), -1) / float(scaler.divisor)
        np.testing.assert_allclose(rows.astype(np.longdouble), expected, 1e-6, 1e-44, err_msg=str(where))
        if float(scaler.divisor) < 1e300:  # with which the smallest float32 would overflow
            assert scaler.inverse_transform(rows).shape == X.shape, where
    assert n_fitted > 20


def test_threads_share_nothing(hostile_seed):
    """Fits and predictions at the same time are, to the bit, those one after another."""
    X, y = blobs(3, 60, 8, seed=hostile_seed)
    models = [LogisticRegressionGD(max_iter=40), ShallowNNClassifier(4, max_iter=40, random_state=0)] * 4
    expected = [weights_of(clone(model).fit(X, y)) for model in models]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda model: clone(model).fit(X, y), models))
        answers = list(pool.map(lambda _: found[1].predict_proba(X), range(20)))
    for model, weights in zip(found, expected, strict=True):
        assert all(map(np.array_equal, weights_of(model), weights))
    assert all(np.array_equal(answer, answers[0]) for answer in answers)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # that a process with threads forks
def test_a_forked_process_fits_too():
    """After a fit in its parent, and with the same bits."""
    X, y = blobs(2, 300, 200)
    model = LogisticRegressionGD(1e-3, 20)
    expected = clone(model).fit(X, y).coef_
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # ends it if it hangs
        try:
            os._exit(0 if np.array_equal(clone(model).fit(X, y).coef_, expected) else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0) == (child, 0)
