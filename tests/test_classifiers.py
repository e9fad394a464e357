"""The laws of both classifiers, each against an oracle that is not this package."""

import io
from contextlib import redirect_stdout

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_circles, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from longhand import distance, logistic_descent, network_descent, softmax_descent
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier

ACTIVATIONS = ["sigmoid", "tanh", "relu", "leaky_relu"]
BOTH = [
    LogisticRegressionGD(max_iter=300),
    ShallowNNClassifier(4, learning_rate=0.1, max_iter=300, random_state=3),
]
both = pytest.mark.parametrize("model", BOTH, ids=["logistic", "shallow"])


def blobs(n_classes=2, m=40, n=5, seed=0):
    rng = np.random.RandomState(seed)
    y = np.arange(m) % n_classes
    X = rng.standard_normal((m, n)) + y[:, np.newaxis] * np.linspace(-1, 1, n)
    return X, y


def weights_of(model):
    if hasattr(model, "coef_"):
        return [model.coef_, model.intercept_]
    return [*model.coefs_, *model.intercepts_]


def assert_same_model(model, other, tolerance):
    for a, b in zip(weights_of(model), weights_of(other), strict=True):
        assert distance(a, b) < tolerance
    assert distance([*model.loss_curve_, model.loss_], [*other.loss_curve_, other.loss_]) < tolerance


# ---- Law 1: the notes' loop


@pytest.mark.parametrize("rate", [0.01, 0.3])
def test_logistic_regression_is_the_notes_loop(rate):
    X, y = blobs()
    w, b, costs = logistic_descent(X.T, y, rate, 2000)
    model = LogisticRegressionGD(rate, 2000, record_every=1).fit(X, y)
    assert distance(model.coef_, w.T) < 1e-12
    assert distance(model.intercept_, [b]) < 1e-12
    assert distance(model.loss_curve_, costs) < 1e-12


def test_softmax_regression_is_the_notes_loop():
    X, y = blobs(3)
    W, b, costs = softmax_descent(X.T, y, 0.1, 2000)
    model = LogisticRegressionGD(0.1, 2000, record_every=1).fit(X, y)
    assert distance(model.coef_, W.T) < 1e-12
    assert distance(model.intercept_, b.ravel()) < 1e-12
    assert distance(model.loss_curve_, costs) < 1e-12


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_network_is_the_notes_loop(activation):
    X, y = blobs()
    W1, b1, W2, b2, costs = network_descent(X.T, y, 4, activation, 0.1, 500, seed=5, scale=0.3)
    model = ShallowNNClassifier(
        4, activation, learning_rate=0.1, max_iter=500, init_scale=0.3, random_state=5, record_every=1
    ).fit(X, y)
    for ours, notes in zip(weights_of(model), (W1.T, W2.T, b1.ravel(), b2.ravel()), strict=True):
        assert distance(ours, notes) < 1e-12
    assert distance(model.loss_curve_, costs) < 1e-12


def test_the_notes_cats(cats):
    """The notes' own run: weights and all 2,000 costs of the loop, and both accuracies to the last digit."""
    X, X_test = (images.reshape(len(images), -1) / 255.0 for images in (cats.train_set_x, cats.test_set_x))
    model = LogisticRegressionGD(0.005, 2000, record_every=1).fit(X, cats.train_set_y)
    w, b, costs = logistic_descent(X.T, cats.train_set_y, 0.005, 2000)
    assert distance(model.coef_, w.T) < 1e-12
    assert distance(model.intercept_, [b]) < 1e-12
    assert distance(model.loss_curve_, costs) < 1e-12
    assert 100 - np.mean(model.predict(X) != cats.train_set_y) * 100 == 99.04306220095694
    assert 100 - np.mean(model.predict(X_test) != cats.test_set_y) * 100 == 70.0


# ---- Law 3, for what is held today: dense and CSR


@both
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csr_matrix, sparse.coo_array])
def test_sparse_is_dense(model, n_classes, container):
    X, y = blobs(n_classes)
    X[np.abs(X) < 0.8] = 0
    model = clone(model).set_params(max_iter=50)
    a, b = clone(model).fit(X, y), clone(model).fit(container(X), y)
    assert_same_model(b, a, 1e-10)
    np.testing.assert_allclose(b.predict_proba(container(X)), a.predict_proba(X), rtol=1e-9)


# ---- Law 4: weights are repeated rows


@both
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 2, 1: 0.5}])
@pytest.mark.parametrize("l2", [0, 0.1])
def test_weights_equal_repeated_rows(model, n_classes, class_weight, l2):
    """A weight of 3 is three rows, a weight of 0 is none; also under class weights and L2."""
    X, y = blobs(n_classes)
    weights = np.random.RandomState(1).randint(0, 4, len(y))
    model = clone(model).set_params(class_weight=class_weight, l2_regularization=l2)
    weighted = clone(model).fit(X, y, sample_weight=weights)
    repeated = clone(model).fit(X.repeat(weights, axis=0), y.repeat(weights))
    assert_same_model(weighted, repeated, 1e-10)


@both
def test_row_order_and_copies_change_nothing(model):
    X, y = blobs(3)
    order = np.random.RandomState(2).permutation(len(y))
    fitted = clone(model).fit(X, y)
    assert_same_model(clone(model).fit(X[order], y[order]), fitted, 1e-10)
    assert_same_model(clone(model).fit(np.vstack([X, X]), np.hstack([y, y])), fitted, 1e-10)


@both
def test_only_the_proportions_of_weights_matter(model):
    """Weights of 1e300 or 1e-300 each, whose sum overflows or underflows, are as good as ones."""
    X, y = blobs()
    fitted = clone(model).fit(X, y)
    for scale in (7.0, 1e308, 1e-308):
        assert_same_model(clone(model).fit(X, y, np.full(len(y), scale)), fitted, 1e-10)


@both
def test_balanced_classes_weigh_the_same(model):
    """ "balanced" is a dict of inverse class totals; a class of zero weight does no harm."""
    X, y = blobs(3)
    y[y == 2] = np.where(np.arange((y == 2).sum()) < 9, 0, 2)
    counts = np.bincount(y)
    by_hand = clone(model).set_params(class_weight=dict(enumerate(1 / counts))).fit(X, y)
    balanced = clone(model).set_params(class_weight="balanced")
    assert_same_model(clone(balanced).fit(X, y), by_hand, 1e-10)
    without = clone(balanced).fit(X, y, sample_weight=(y != 2).astype(float))
    assert all(np.isfinite(array).all() for array in weights_of(without))


# ---- Law 5: precision


@both
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_float32_in_float32_out(model, n_classes, container):
    """Every fitted array and every answer has the precision of X; also from NumPy scalars as parameters."""
    X, y = blobs(n_classes)
    X = container(X.astype(np.float32))
    rate = np.float64(0.1)
    model = clone(model).set_params(learning_rate=rate, l2_regularization=np.float64(0.01), max_iter=20)
    model.fit(X, y, sample_weight=np.ones(len(y)))
    answers = [model.decision_function(X), model.predict_proba(X), model.predict_log_proba(X)]
    assert {array.dtype for array in [*weights_of(model), *answers]} == {np.dtype(np.float32)}
    model.set_params(warm_start=True).fit(X, y)
    assert {array.dtype for array in weights_of(model)} == {np.dtype(np.float32)}
    assert all(type(cost) is float for cost in [*model.loss_curve_, model.loss_])


# ---- Law 6: scikit-learn


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_network_is_a_plain_mlp(activation, n_classes):
    """MLPClassifier stripped to full-batch descent, from the same weights, takes the same 100 steps."""
    X, y = blobs(n_classes)
    rate, h = 0.1, 4
    tiny = {"max_iter": 1, "random_state": 0}  # one step too short to leave the initial weights
    start = ShallowNNClassifier(h, activation, learning_rate=1e-300, init_scale=0.5, **tiny).fit(X, y)
    name = "logistic" if activation == "sigmoid" else activation
    mlp = MLPClassifier(h, name, solver="sgd", learning_rate_init=1e-300, warm_start=True, **tiny)
    mlp.set_params(momentum=0, nesterovs_momentum=False, alpha=0, batch_size=len(y), shuffle=False)
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        mlp.fit(X, y)
    for mine, theirs in zip(weights_of(start), (*mlp.coefs_, *mlp.intercepts_), strict=True):
        theirs[...] = mine
    mlp.set_params(learning_rate_init=rate, max_iter=100, tol=0, n_iter_no_change=np.inf)
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        mlp.fit(X, y)
    model = clone(start).set_params(learning_rate=rate, max_iter=100).fit(X, y)
    assert distance(model.coefs_[0], start.coefs_[0]) > 0.01
    for mine, theirs in zip(weights_of(model), (*mlp.coefs_, *mlp.intercepts_), strict=True):
        assert distance(mine, theirs) < 1e-12


@pytest.mark.parametrize("n_classes", [2, 3])
def test_long_run_reaches_the_ridge_optimum(n_classes):
    """With L2 the descent ends where scikit-learn's solver does, C being 1 / (l2 m)."""
    X, y = blobs(n_classes)
    l2 = 0.05
    optimum = LogisticRegression(C=1 / (l2 * len(y)), tol=1e-12, max_iter=10000).fit(X, y)
    model = LogisticRegressionGD(max_iter=20000, l2_regularization=l2).fit(X, y)
    assert distance(model.coef_, optimum.coef_) < 1e-6
    # Softmax does not feel a common shift of the intercepts: our descent keeps their mean at 0.
    shift = optimum.intercept_.mean() if n_classes > 2 else 0
    assert distance(model.intercept_, optimum.intercept_ - shift) < 1e-6


# ---- Law 7: repeatable


@both
def test_same_seed_same_bits(model):
    X, y = blobs(3)
    for a, b in zip(weights_of(clone(model).fit(X, y)), weights_of(clone(model).fit(X, y)), strict=True):
        assert a.tobytes() == b.tobytes()


# ---- Fitted attributes and answers


@both
@pytest.mark.parametrize("classes", [["no", "yes"], [False, True], [-1, 1], ["a", "b", "c"], [3, 5, 9]])
def test_any_labels(model, classes):
    """Predictions are labels as they were given; the second of two is predicted exactly where Z > 0."""
    X, codes = blobs(len(classes))
    y = np.array(classes)[codes]
    fitted = clone(model).fit(X, y)
    assert fitted.classes_.tolist() == classes
    assert fitted.predict(X).dtype == y.dtype
    Z = fitted.decision_function(X)
    if len(classes) == 2:
        assert Z.shape == (len(y),)
        np.testing.assert_array_equal(fitted.predict(X) == classes[1], Z > 0)
    else:
        assert Z.shape == (len(y), len(classes))
        np.testing.assert_array_equal(fitted.predict(X), np.array(classes)[Z.argmax(axis=1)])
    proba = fitted.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(fitted.predict_log_proba(X), np.log(proba), rtol=1e-9)
    assert fitted.score(X, y) == np.mean(fitted.predict(X) == y) > 0.5


def test_shapes_of_fitted_attributes():
    X, y = blobs(3)
    network = clone(BOTH[1]).fit(X, y)
    assert [W.shape for W in network.coefs_] == [(5, 4), (4, 3)]
    assert [b.shape for b in network.intercepts_] == [(4,), (3,)]
    logistic = clone(BOTH[0]).fit(X, y)
    assert (logistic.coef_.shape, logistic.intercept_.shape) == ((3, 5), (3,))
    binary = clone(BOTH[0]).fit(*blobs())
    assert (binary.coef_.shape, binary.intercept_.shape) == ((1, 5), (1,))


@both
@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_keep_their_tails(model, n_classes):
    """Far from the boundary the small probability and both logarithms are right: exactly those of Z."""
    X, y = blobs(n_classes)
    fitted = clone(model).fit(X, y)
    for array in weights_of(fitted):
        array *= 40
    far = X[:6] * 2
    Z = np.longdouble(fitted.decision_function(far))
    Z = np.stack([0 * Z, Z], axis=1) if n_classes == 2 else Z
    Z -= Z.max(axis=1, keepdims=True)
    exact = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    assert exact.min() < 1e-20
    np.testing.assert_allclose(fitted.predict_proba(far), exact.astype(float), rtol=1e-10)
    log_exact = Z - np.log1p(np.exp(Z).sum(axis=1, keepdims=True) - 1)
    log_proba = fitted.predict_log_proba(far)
    np.testing.assert_allclose(log_proba, log_exact.astype(float), rtol=1e-10, atol=1e-19)
    for array in weights_of(fitted):
        array *= 1e3
    assert np.isfinite(fitted.predict_log_proba(far)).all()


@both
def test_loss_is_the_cost_of_the_model(model):
    """`loss_` is the cost of the fitted weights, `loss_curve_` those before updates 0, 7, 14, ..."""
    X, y = blobs(3)
    weights = np.linspace(1, 2, len(y))
    model = clone(model).set_params(record_every=7, l2_regularization=0.02)
    for steps in (7, 20, 21):
        fitted = clone(model).set_params(max_iter=steps).fit(X, y, weights)
        log_likelihood = fitted.predict_log_proba(X)[np.arange(len(y)), y]
        matrices = [fitted.coef_] if hasattr(fitted, "coef_") else fitted.coefs_
        penalty = 0.01 * sum(np.sum(W**2) for W in matrices)
        assert fitted.loss_ == pytest.approx(penalty - np.average(log_likelihood, weights=weights), rel=1e-13)
        assert len(fitted.loss_curve_) == -(-steps // 7)
        assert fitted.n_iter_ == steps
    assert clone(model).set_params(max_iter=14).fit(X, y, weights).loss_ == fitted.loss_curve_[2]


def test_verbose_prints_as_the_notes_do():
    X, y = blobs()
    printed = io.StringIO()
    with redirect_stdout(printed):
        model = LogisticRegressionGD(0.1, 201, verbose=True).fit(X, y)
    expected = [f"Cost after iteration {100 * i}: {cost:.6f}" for i, cost in enumerate(model.loss_curve_)]
    assert printed.getvalue().splitlines() == expected
    assert len(expected) == 3


# ---- learning_rate="auto"


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("scale", [1e-3, 1, 1e5])
@pytest.mark.parametrize("l2", [0, 0.5])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_auto_rate_is_one_over_the_curvature(n_classes, scale, l2, dtype):
    """Tall, wide and sparse X: 1/L from all eigenvalues of the whole matrix; the cost never rises."""
    for m, n in ((40, 5), (6, 30)):
        X, y = blobs(n_classes, m, n)
        X = (X * scale + 1).astype(dtype)
        weights = np.linspace(1, 3, m)
        extended = np.hstack([X, np.ones((m, 1))]).astype(float)
        hessian_bound = extended.T @ np.diag(weights / weights.sum()) @ extended
        curvature = np.linalg.eigvalsh(hessian_bound)[-1] / (4 if n_classes == 2 else 2) + l2
        for container in (np.asarray, sparse.csr_array):
            model = LogisticRegressionGD(max_iter=30, record_every=1, l2_regularization=l2)
            model.fit(container(X), y, weights)
            assert model.learning_rate_ == pytest.approx(
                1 / curvature, rel=1e-9 if dtype == np.float64 else 1e-5
            )
            if dtype == np.float64:
                costs = [*model.loss_curve_, model.loss_]
                assert np.all(np.diff(costs) < 1e-15)


def test_auto_rate_of_features_without_information():
    """Constant, zero and orthogonal columns have a largest eigenvalue too."""
    y = np.arange(8) % 2
    assert LogisticRegressionGD(max_iter=1).fit(np.zeros((8, 2)), y).learning_rate_ == pytest.approx(4)
    assert LogisticRegressionGD(max_iter=1).fit(np.ones((8, 1)), y).learning_rate_ == pytest.approx(2)
    orthogonal = np.linalg.qr(np.random.RandomState(0).standard_normal((8, 8)))[0]
    extended = np.hstack([orthogonal, np.ones((8, 1))])
    rate = LogisticRegressionGD(max_iter=1).fit(orthogonal, y).learning_rate_
    assert rate == pytest.approx(4 * 8 / np.linalg.norm(extended, 2) ** 2)


def test_auto_rate_of_overflowing_features():
    X, y = blobs()
    with pytest.raises(ValueError, match=r'learning_rate="auto".*overflow.*Scale X'):
        LogisticRegressionGD().fit(X * 1e200, y)


# ---- Warm start


@both
@pytest.mark.parametrize("n_classes", [2, 3])
def test_warm_start_continues(model, n_classes):
    """Two fits of 150 steps are one of 300, bit for bit; curve and count are those of the second."""
    X, y = blobs(n_classes)
    model = clone(model).set_params(learning_rate=0.1, l2_regularization=0.01, record_every=10)
    whole = clone(model).set_params(max_iter=300).fit(X, y)
    parts = clone(model).set_params(max_iter=150, warm_start=True).fit(X, y).fit(X, y)
    for a, b in zip(weights_of(parts), weights_of(whole), strict=True):
        np.testing.assert_array_equal(a, b)
    assert parts.loss_curve_ == whole.loss_curve_[15:]
    assert parts.n_iter_ == 150


@both
def test_without_warm_start_a_fit_starts_anew(model):
    X, y = blobs()
    once, twice = clone(model).fit(X, y), clone(model).fit(X, y).fit(X, y)
    assert_same_model(once, twice, 1e-15)


@both
def test_warm_start_refuses_other_features_and_classes(model):
    """The message says what changed, and the fitted model stays as it was."""
    X, y = blobs(3)
    frame = pd.DataFrame(X, columns=list("abcde"))
    model = clone(model).set_params(warm_start=True, max_iter=5).fit(frame, y)
    before = {name: np.copy(value) for name, value in zip("pqrs", weights_of(model), strict=False)}
    for other_X, other_y, message in [
        (frame[["a", "b"]], y, r"warm_start=True .* 5 features, but X has 2"),
        (frame.rename(columns={"e": "z"}), y, r"warm_start=True .* named .*'e'.*'z'"),
        (frame, y % 2, r"warm_start=True .* classes \[0, 1, 2\], but y has \[0, 1\]"),
        (frame, y + 1, r"warm_start=True .* classes \[0, 1, 2\], but y has \[1, 2, 3\]"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.fit(other_X, other_y)
        assert model.n_features_in_ == 5
        assert model.feature_names_in_.tolist() == list("abcde")
        assert model.classes_.tolist() == [0, 1, 2]
        for old, new in zip(before.values(), weights_of(model), strict=True):
            np.testing.assert_array_equal(old, new)


def test_warm_start_refuses_another_hidden_layer():
    X, y = blobs()
    model = clone(BOTH[1]).set_params(warm_start=True, max_iter=5).fit(X, y)
    with pytest.raises(ValueError, match="4 hidden units, but hidden_layer_size is 7"):
        model.set_params(hidden_layer_size=7).fit(X, y)


# ---- Bad input


@both
def test_samples_as_columns_are_explained(model):
    """The notes' orientation gets scikit-learn's error and what to pass instead."""
    X, y = blobs()
    for bad_X, bad_y, advice in [
        (X.T, y, r"inconsistent numbers.*Samples are rows here .*: pass X\.T\.$"),
        (X.T.tolist(), y.tolist(), r"pass X\.T\.$"),
        (sparse.csr_array(X.T), y, r"pass X\.T\.$"),
        (X, y.reshape(1, -1), r"pass y\.ravel\(\)\.$"),
        (X.T, y.reshape(1, -1), r"pass X\.T and y\.ravel\(\)\.$"),
    ]:
        with pytest.raises(ValueError, match=advice):
            clone(model).fit(bad_X, bad_y)
    with pytest.raises(ValueError, match="FlattenScaler"):
        clone(model).fit(np.zeros((4, 8, 8, 3)), [0, 1, 0, 1])


@both
@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [2.0]], [0, 0], "at least 2 classes"),
        ([[1.0], [np.nan]], [0, 1], "contains NaN"),
        ([[1.0], [2.0]], [0.5, 1.2], "Unknown label type"),
        ([[1.0], [2.0], [3.0]], [0, 1], r"inconsistent numbers of samples: \[3, 2\]$"),
        ([[1.0, 2.0], [1.0]], [0, 1], "inhomogeneous"),
        ([[1.0], [2.0]], None, "requires y to be passed"),
    ],
)
def test_bad_data_is_refused_with_scikit_learns_words(model, X, y, message):
    with pytest.raises(ValueError, match=message):
        clone(model).fit(X, y)


@both
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, -1, 1, 1], "[Nn]egative"),
        ([0, 0, 0, 0], "at least one non-zero"),
        ([1, 1], "sample_weight.shape"),
    ],
)
def test_bad_weights_are_refused(model, weight, message):
    X, y = blobs(m=4)
    with pytest.raises(ValueError, match=message):
        clone(model).fit(X, y, weight)


@both
def test_bad_class_weights_are_refused(model):
    X, y = blobs()
    with pytest.raises(ValueError, match="Negative weights"):
        clone(model).set_params(class_weight={0: -1}).fit(X, y)
    with pytest.raises(ValueError, match="not in class_weight"):
        clone(model).set_params(class_weight={0: 1, 5: 1}).fit(X, y)


@both
def test_a_failed_fit_leaves_the_model_as_it_was(model):
    """Neither bad weights nor an interruption in the middle of the descent leave half a model."""
    X, y = blobs()
    model = clone(model).fit(X, y)
    before = dict(vars(model))
    with pytest.raises(ValueError, match="at least one non-zero"):
        model.fit(X[:, :2], y, np.zeros(len(y)))
    with pytest.raises(ValueError, match="2 classes"):
        model.fit(pd.DataFrame(X[:, :2], columns=["a", "b"]), y * 0)
    assert vars(model) == before
    unfitted = clone(model)
    with pytest.raises(ValueError, match="NaN"):
        unfitted.fit(X * np.nan, y)
    assert vars(unfitted) == vars(clone(model))


# ---- Divergence


def test_divergence_keeps_the_last_finite_weights():
    """Overflow ends the descent at a recorded step: one warning, no RuntimeWarning, a finite model."""
    X, y = blobs()
    model = ShallowNNClassifier(4, "relu", learning_rate=50, max_iter=500, random_state=0, record_every=1)
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X * 1000, y)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "learning_rate=50" in message
    assert f"step {model.n_iter_ + 1} the cost" in message
    assert f"weights of step {model.n_iter_} are kept" in message
    assert caught[0].filename == __file__
    assert all(np.isfinite(array).all() for array in weights_of(model))
    assert np.isfinite([*model.loss_curve_, model.loss_]).all()
    assert model.loss_ == model.loss_curve_[-1]
    same = clone(model).set_params(max_iter=max(model.n_iter_, 1))
    with pytest.warns(ConvergenceWarning):
        same.fit(X * 1000, y)
    for a, b in zip(weights_of(same), weights_of(model), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_cost_that_ends_above_its_start_is_told_with_the_stable_rate():
    """For logistic regression the warning names 2/L; below it, there is none."""
    X, y = blobs()
    y = np.random.RandomState(0).permutation(y)
    stable = 2 * LogisticRegressionGD(max_iter=1).fit(X, y).learning_rate_
    with pytest.warns(ConvergenceWarning, match=rf"step 50, above .* 2/L = {stable:g}") as caught:
        model = LogisticRegressionGD(1e4, 50).fit(X, y)
    assert len(caught) == 1
    assert model.loss_ > model.loss_curve_[0]
    LogisticRegressionGD(0.99 * stable, 50).fit(X, y)


def test_a_rising_cost_is_no_divergence():
    """A descent that rises on its way and ends below its start gives no warning."""
    X, y = blobs(m=200, seed=3)
    model = LogisticRegressionGD(6.0, 100, record_every=1).fit(X, y)
    assert np.diff(model.loss_curve_).max() > 0
    assert model.loss_ < model.loss_curve_[0]


def test_rounding_at_the_optimum_is_no_divergence():
    """A warm start at the optimum moves the cost by rounding only: no warning."""
    X, y = blobs()
    model = LogisticRegressionGD(max_iter=3000, l2_regularization=0.1, warm_start=True)
    for dtype in (np.float64, np.float32):
        for _ in range(4):
            model.fit(X.astype(dtype), y)


def test_features_that_overflow_at_the_start_are_refused():
    X, y = blobs()
    with pytest.raises(ValueError, match=r"initial weights is not finite.*Scale X"):
        ShallowNNClassifier(4, "relu", init_scale=1e10, random_state=0).fit(X * 1e307, y)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("rate", [1e-3, 1, 1e5, 1e300])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_no_rate_leaves_a_broken_model(activation, rate, dtype):
    """Whatever the rate: finite weights, finite costs, and no warning but ConvergenceWarning."""
    X, y = blobs(3)
    models = [
        LogisticRegressionGD(rate, 120, record_every=50),
        ShallowNNClassifier(4, activation, learning_rate=rate, max_iter=120, record_every=50, random_state=0),
    ]
    for model in models:
        try:
            model.fit((X * 100).astype(dtype), y)
        except ConvergenceWarning:  # raised, since warnings are errors here: fit again to see the model
            with pytest.warns(ConvergenceWarning):
                model.fit((X * 100).astype(dtype), y)
        assert all(np.isfinite(array).all() for array in weights_of(model))
        assert np.isfinite([*model.loss_curve_, model.loss_]).all()
        assert np.isfinite(model.predict_proba((X * 100).astype(dtype))).all()


# ---- Defaults learn


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_digits])
def test_defaults_learn_standardised_data(load):
    """5-fold accuracy close to scikit-learn's logistic regression: within 0.02, the network within 0.03."""
    X, y = load(return_X_y=True)
    accuracy = {
        type(classifier).__name__: cross_val_score(make_pipeline(StandardScaler(), classifier), X, y).mean()
        for classifier in (LogisticRegression(), LogisticRegressionGD(), ShallowNNClassifier(random_state=0))
    }
    assert accuracy["LogisticRegressionGD"] >= accuracy["LogisticRegression"] - 0.02
    assert accuracy["ShallowNNClassifier"] >= accuracy["LogisticRegression"] - 0.03


def test_defaults_learn_unscaled_data():
    X, y = load_breast_cancer(return_X_y=True)
    assert cross_val_score(LogisticRegressionGD(), X, y).mean() >= 0.88


def xor(m, noise, seed):
    rng = np.random.RandomState(seed)
    corners = rng.choice([-1, 1], (m, 2))
    return corners + noise * rng.standard_normal((m, 2)), corners.prod(axis=1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "data",
    [
        make_circles(400, noise=0.1, factor=0.4, random_state=0),
        make_moons(400, noise=0.1, random_state=0),
        xor(400, 0.3, 0),
    ],
    ids=["circles", "moons", "xor"],
)
def test_hidden_layer_learns_what_no_line_separates(data, seed):
    assert ShallowNNClassifier(random_state=seed).fit(*data).score(*data) >= 0.95
