"""The cost and its gradients in public: by the course's cases, central differences and the steps of fits."""

import numpy as np
import pytest
from scipy import sparse

from longhand import distance, network_descent
from models import ACTIVATIONS, blobs
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier, propagate

COURSE = {  # samples as columns, as students have them
    "w": np.array([[1.0], [2.0]]),
    "b": 2.0,
    "X": np.array([[1.0, 2.0, -1.0], [3.0, 4.0, -3.2]]),
    "Y": np.array([[1, 0, 1]]),
}


def test_the_case_of_the_course():
    """The notes' formulas, longhand, on the numbers that students know; gradients shaped as weights."""
    w, b, X, Y = COURSE.values()
    A = 1 / (1 + np.exp(-(w.T @ X + b)))
    cost = -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    J, dw, db = propagate(X.T, Y.T, w, b)
    assert pytest.approx(cost, rel=1e-14) == J
    np.testing.assert_allclose(dw, X @ (A - Y).T / 3, rtol=1e-13)
    assert db == pytest.approx(np.mean(A - Y), rel=1e-11)
    assert type(J) is float
    assert np.ndim(db) == 0
    assert dw.shape == (2, 1)
    flat = propagate(X.T, Y.ravel(), w.ravel(), [b])
    assert flat._fields == ("J", "dW", "db")
    assert (flat.dW.shape, flat.db.shape) == ((2,), (1,))
    np.testing.assert_array_equal(flat.dW, dw.ravel())


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("k", "l2"), [(1, 0.0), (3, 0.3)])
def test_gradients_equal_central_differences(activation, k, l2):
    """Of the cost that it returns, with weights of samples and a penalty."""
    X, y = blobs(max(k, 2), m=15)
    rng = np.random.RandomState(0)
    layers = [rng.standard_normal(shape) for shape in ((5, 4), (4,), (4, k), (k,))]
    options = {"activation": activation, "l2_regularization": l2, "sample_weight": rng.random_sample(15)}
    _, *gradients = propagate(X, y, *layers, **options)
    assert len(gradients) == 4
    for array, gradient in zip(layers, gradients, strict=True):
        assert gradient.shape == array.shape
        numeric = np.empty_like(array)
        for index in np.ndindex(array.shape):
            value, costs = array[index], []
            for sign in (1, -1):
                array[index] = value + sign * 1e-5
                costs.append(propagate(X, y, *layers, **options).J)
            array[index] = value
            numeric[index] = (costs[0] - costs[1]) / 2e-5
        assert distance(gradient, numeric) < 1e-7


def test_a_step_by_hand_is_a_step_of_fit():
    X, y = blobs(3)
    _, dW, db = propagate(X, y, np.zeros((5, 3)), np.zeros(3))
    model = LogisticRegressionGD(0.1, max_iter=1).fit(X, y)
    np.testing.assert_allclose(model.coef_, -0.1 * dW.T, rtol=1e-13)
    np.testing.assert_allclose(model.intercept_, -0.1 * db, rtol=1e-13, atol=1e-17)
    X, y = blobs(2)
    draws = np.random.RandomState(0)
    W1, W2 = draws.standard_normal((4, 5)).T, draws.standard_normal((1, 4)).T
    step = propagate(X, y, W1, np.zeros(4), W2, 0.0)
    network = ShallowNNClassifier(4, learning_rate=0.1, max_iter=1, init_scale=1.0, random_state=0).fit(X, y)
    np.testing.assert_allclose(network.coefs_[0], W1 - 0.1 * step.dW1, rtol=1e-12)
    np.testing.assert_allclose(network.coefs_[1], W2 - 0.1 * step.dW2, rtol=1e-12)
    notes = network_descent(X.T, y, 4, "tanh", 0.1, 1, seed=0, scale=1.0)
    np.testing.assert_allclose(W1 - 0.1 * step.dW1, notes[0].T, rtol=1e-12)
    assert pytest.approx(notes[-1][0], rel=1e-13) == step.J


@pytest.mark.parametrize("labels", [["no", "yes"], [-1, 1], [False, True], [0.0, 1.0], [3, 7]])
def test_classes_count_in_sorted_order(labels):
    """As in `fit`: the same numbers as with 0 and 1; X may be sparse, and float32 stays float32."""
    w, b, X, Y = COURSE.values()
    expected = propagate(X.T, Y.ravel(), w, b)
    assert propagate(X.T, np.array(labels)[Y.ravel()], w, b).J == expected.J
    np.testing.assert_array_equal(propagate(sparse.csr_array(X.T), Y.ravel(), w, b).dW, expected.dW)
    assert {propagate(X.T.astype(kind), Y.ravel(), w, b).dW.dtype.name for kind in ("f4", ">f4")} == {
        "float32"
    }


def test_one_class_of_the_two_is_enough():
    """A single sample has a gradient too, if its label says which of the classes it is."""
    w, b, X, _ = COURSE.values()
    for label in (0, 1):
        z = float(X[:, 0] @ w[:, 0] + b)
        assert propagate(X.T[:1], [label], w, b).db == pytest.approx(1 / (1 + np.exp(-z)) - label, rel=1e-9)


OUTPUT = {"W2": np.ones((1, 1)), "b2": 0.0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": COURSE["X"]}, r"Samples are rows .* pass X\.T\."),
        ({"y": COURSE["Y"]}, r"pass y\.ravel\(\)\."),
        ({"y": [2, 0, 3]}, r"labels \[0, 2, 3\], expected 0 to 1, or 2 different"),
        ({"y": [2, 2, 2]}, r"labels \[2\]"),
        ({"y": [0.3, 0.5, 1]}, "Unknown label type"),
        ({"W1": np.ones((3, 1))}, r"W1 has the shape \(3, 1\), expected \(2, any number\)"),
        ({"b1": [1.0, 2.0]}, r"b1 has the shape \(2,\), expected \(1, 1\)"),
        ({"W1": [[1.0], [np.nan]]}, "W1 must hold finite"),
        ({"W2": np.ones((1, 1))}, "W2 and b2 together"),
        ({"activation": "relu"}, "that of a hidden layer: pass W2 and b2"),
        ({"W1": np.ones((4, 2)), "b1": np.ones((4, 1))}, r"W1 has the shape \(4, 2\).* Pass W1\.T\."),
        ({"W1": np.ones((2, 4)), "b1": np.ones((4, 1))}, r"b1 has the shape \(4, 1\).* Pass b1\.T\."),
        ({"X": COURSE["w"], "y": 2.0, "W1": COURSE["X"], "b1": COURSE["Y"]}, r"propagate\(X, y, W1, b1\)"),
        ({"y": np.eye(2)[[1, 0, 1]]}, r"one-hot: pass y\.argmax\(axis=1\)\."),
        ({**OUTPUT, "activation": "step"}, "must be one of sigmoid, tanh"),
        ({**OUTPUT, "activation": ["tanh"]}, "must be one of sigmoid, tanh"),
        ({"l2_regularization": "much"}, r"must be a number in \[0, inf\)"),
        ({"W1": [[1.0], [2.0, 3.0]]}, "W1 is not an array"),
        ({"l2_regularization": -1}, r"must be a number in \[0, inf\)"),
        ({"sample_weight": [1, -1, 1]}, "non-negative"),
        ({"X": [[np.nan, 1], [1, 1], [1, 1]]}, "contains NaN"),
        ({"X": np.float32([[3e38, -3e38]] * 3), "W1": [[7.0], [7.0]]}, "overflows float32. Scale X"),
        ({"X": np.full((3, 2), 1e300), "W1": [[1e10], [1e10]]}, "overflows float64. Scale X"),
        ({"W1": [[1e200], [1.0]], "l2_regularization": 1.0}, "the cost or a gradient overflows"),
    ],
)
def test_what_it_cannot_use_is_refused(change, message):
    arguments = {"X": COURSE["X"].T, "y": [1, 0, 1], "W1": COURSE["w"], "b1": 2.0} | change
    with pytest.raises(ValueError, match=message):
        propagate(**arguments)
