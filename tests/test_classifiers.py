"""The laws of both classifiers, each against an oracle that is not this package."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_circles, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from longhand import distance, logistic_descent, network_descent, softmax_descent
from models import ACTIVATIONS, assert_same_model, blobs, both, weights_of
from searches import assert_same, search_both
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._descent.activations import ACTIVATIONS as RECORDS

# Law 1: the notes' loop


@pytest.mark.parametrize(("n_classes", "rate"), [(2, 0.01), (2, 0.3), (3, 0.1)])
def test_logistic_regression_is_the_notes_loop(n_classes, rate):
    """Of two classes and of three, with softmax."""
    X, y = blobs(n_classes)
    W, b, costs = (logistic_descent if n_classes == 2 else softmax_descent)(X.T, y, rate, 1000)
    model = LogisticRegressionGD(rate, 1000, record_every=1).fit(X, y)
    assert distance(model.coef_, W.T) < 1e-12
    assert distance(model.intercept_, np.ravel(b)) < 1e-12
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


NOTES_COSTS = """
    0.693147 0.584508 0.466949 0.376007 0.331463 0.303273 0.279880 0.260042 0.242941 0.228004
    0.214820 0.203078 0.192544 0.183033 0.174399 0.166521 0.159305 0.152667 0.146542 0.140872
"""


def test_the_notes_cats(cats):
    """The notes' own run: the costs that they print, both accuracies to the last digit, and their loop."""
    X, X_test = (images.reshape(len(images), -1) / 255.0 for images in (cats.train_set_x, cats.test_set_x))
    w, b, costs = logistic_descent(X.T, cats.train_set_y, 0.005, 50)
    model = LogisticRegressionGD(0.005, 50, record_every=1).fit(X, cats.train_set_y)
    assert distance(model.coef_, w.T) < 1e-12
    assert distance(model.intercept_, [b]) < 1e-12
    assert distance(model.loss_curve_, costs) < 1e-12
    model = LogisticRegressionGD(0.005, 2000, record_every=100).fit(X, cats.train_set_y)
    assert [f"{cost:f}" for cost in model.loss_curve_] == NOTES_COSTS.split()
    assert 100 - np.mean(model.predict(X) != cats.train_set_y) * 100 == 99.04306220095694
    assert 100 - np.mean(model.predict(X_test) != cats.test_set_y) * 100 == 70.0


# Law 3, for what is held today: dense and CSR


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


# Law 4: weights are repeated rows


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
    for class_weight in (None, "balanced", {0: 1e308, 1: 1e308}):
        for scale in (7.0, 1e308, 1e-308):
            scaled = clone(model).set_params(class_weight=class_weight).fit(X, y, np.full(len(y), scale))
            assert_same_model(scaled, fitted, 1e-10)


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


# Law 5: precision


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


def peak_of(call, *arguments):
    """Return the largest number of bytes that the call has allocated at a time."""
    tracemalloc.start()
    try:
        call(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@both
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("shape", [(10_000, 60), (60, 20_000)])
def test_no_copy_of_the_data(model, n_classes, container, shape):
    """Neither fit nor predict makes anything of the size of X, whatever the precision of the weights."""
    m, n = shape
    X = container(np.random.RandomState(0).random_sample(shape).astype(np.float32))
    y = np.arange(m) % n_classes
    model = clone(model).set_params(learning_rate=1e-4, max_iter=3)
    peaks = [peak_of(model.fit, X, y), peak_of(model.predict_proba, X)]
    for name in {"coef_", "intercept_", "coefs_", "intercepts_"} & vars(model).keys():
        weights = getattr(model, name)
        is_list = isinstance(weights, list)
        setattr(model, name, [W.astype(float) for W in weights] if is_list else weights.astype(float))
    peaks.append(peak_of(model.predict_proba, X))
    # Next to X: 48 bytes a sample and the network's temporaries, here of up to 4 hidden units.
    assert max(peaks) < 0.6 * 4 * m * n + 48 * m


def test_a_network_predicts_in_blocks():
    """As it trains: temporaries for a block of rows, never A1 of all, which would be 40 MB here."""
    X = np.random.RandomState(0).random_sample((500_000, 2))
    model = ShallowNNClassifier(10, learning_rate=0.1, max_iter=1, random_state=0)
    model.fit(X[:1000], np.arange(1000) % 2)
    # Z, and blocks of 8 MiB and what is made of them
    assert peak_of(model.decision_function, X) < 8 * len(X) + 16 * 2**20


# Law 6: scikit-learn


@pytest.mark.parametrize(("n_classes", "l2"), [(2, 0.0), (3, 0.0), (2, 0.05)])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_network_is_a_plain_mlp(activation, n_classes, l2):
    """MLPClassifier stripped to full-batch descent, from the same weights, takes the same 100 steps.

    Its alpha is l2 m, as the docstring says.
    """
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
    mlp.set_params(learning_rate_init=rate, max_iter=100, tol=0, n_iter_no_change=np.inf, alpha=l2 * len(y))
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        mlp.fit(X, y)
    model = clone(start).set_params(learning_rate=rate, max_iter=100, l2_regularization=l2).fit(X, y)
    assert distance(model.coefs_[0], start.coefs_[0]) > 0.01
    for mine, theirs in zip(weights_of(model), (*mlp.coefs_, *mlp.intercepts_), strict=True):
        assert distance(mine, theirs) < 1e-12


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("shape", "intercept"), [((40, 5), True), ((40, 5), False), ((20, 200), False)])
def test_long_run_reaches_the_ridge_optimum(n_classes, shape, intercept):
    """With L2 the descent ends where scikit-learn's solver does, C being 1 / (l2 m); in the Gram form too."""
    X, y = blobs(n_classes, *shape)
    X, l2 = X + 0.5, 0.1
    optimum = LogisticRegression(C=1 / (l2 * len(y)), tol=1e-12, max_iter=10000, fit_intercept=intercept)
    optimum.fit(X, y)
    model = LogisticRegressionGD(max_iter=10000, l2_regularization=l2, fit_intercept=intercept).fit(X, y)
    assert distance(model.coef_, optimum.coef_) < 1e-6
    if not intercept:
        assert model.intercept_.tolist() == [0] * len(model.intercept_)
        return
    # Softmax does not feel a common shift of the intercepts: our descent keeps their mean at 0.
    shift = optimum.intercept_.mean() if n_classes > 2 else 0
    assert distance(model.intercept_, optimum.intercept_ - shift) < 1e-6


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 3.0, 1: 0.2}])
@pytest.mark.parametrize("is_weighted", [True, False])
def test_C_of_weighted_samples(is_weighted, class_weight, n_classes):
    """It is 1 / (l2 n), with n the sum of all weights, which "balanced" leaves as it is."""
    X, y = blobs(n_classes)
    y[:9], l2 = 0, 0.1
    sample_weight = np.linspace(0.2, 5, len(y)) if is_weighted else np.ones(len(y))
    options = {"class_weight": class_weight, "max_iter": 10000}
    factors = [class_weight.get(label, 1) for label in y] if isinstance(class_weight, dict) else 1
    optimum = LogisticRegression(C=1 / (l2 * np.sum(sample_weight * factors)), tol=1e-12, **options)
    if is_weighted and class_weight == "balanced":  # older versions count classes without their weights
        optimum.set_params(class_weight=dict(enumerate(1 / np.bincount(y, sample_weight))))
        optimum.set_params(C=1 / (l2 * n_classes))
    optimum.fit(X, y, sample_weight)
    model = LogisticRegressionGD(l2_regularization=l2, **options).fit(X, y, sample_weight)
    assert distance(model.coef_, optimum.coef_) < 1e-6


@pytest.mark.parametrize("shape", [(40, 5), (20, 200)])
def test_a_search_without_intercept(shape):
    """A stack has no intercept either: scores are those of GridSearchCV."""
    X, y = blobs(3, *shape)
    model = LogisticRegressionGD(max_iter=50, fit_intercept=False)
    assert_same(
        *search_both(model, {"learning_rate": [0.01, 0.02]}, X + 0.5, y, cv=2, scoring="neg_log_loss")
    )


def test_without_intercept_a_warm_start_drops_the_intercept():
    """It continues from the weights alone, and the rows of sparse X are never shifted."""
    X, y = blobs()
    model = LogisticRegressionGD(0.1, 20, warm_start=True).fit(X + 1, y)
    assert model.intercept_.any()
    model.set_params(fit_intercept=False, max_iter=1, record_every=1).fit(sparse.csr_array(X + 1), y)
    assert model.intercept_.tolist() == [0]


# Law 7: repeatable


@both
def test_same_seed_same_bits(model):
    """Of another model and of another fit, since without a warm start it starts anew."""
    X, y = blobs(3)
    fitted = clone(model).fit(X, y)
    first = [array.tobytes() for array in weights_of(fitted)]
    for again in (clone(model), fitted):
        assert [array.tobytes() for array in weights_of(again.fit(X, y))] == first


# Defaults learn


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_digits])
def test_defaults_learn_standardised_data(load):
    """Accuracy close to that of scikit-learn's logistic regression: within 0.02, the network within 0.03."""
    X, y = load(return_X_y=True)
    cv = StratifiedShuffleSplit(1, test_size=0.3, random_state=0)
    expected, linear, network = (
        cross_val_score(make_pipeline(StandardScaler(), classifier), X, y, cv=cv).mean()
        for classifier in (LogisticRegression(), LogisticRegressionGD(), ShallowNNClassifier(random_state=0))
    )
    assert linear >= expected - 0.02
    assert network >= expected - 0.03


def test_defaults_learn_unscaled_data():
    X, y = load_breast_cancer(return_X_y=True)
    with pytest.warns(ConvergenceWarning, match="has not finished"):
        assert cross_val_score(LogisticRegressionGD(), X, y).mean() >= 0.88


def xor(m, noise, seed):
    rng = np.random.RandomState(seed)
    corners = rng.choice([-1, 1], (m, 2))
    return corners + noise * rng.standard_normal((m, 2)), corners.prod(axis=1)


def spirals(m, noise, seed):
    """Two arms of three quarters of a turn, standardised."""
    rng = np.random.RandomState(seed)
    angle = 1.5 * np.pi * np.sqrt(rng.random_sample(m // 2))
    arm = angle[:, np.newaxis] * np.column_stack([-np.cos(angle), np.sin(angle)])
    X = np.vstack([arm, -arm]) + noise * rng.standard_normal((m, 2))
    return StandardScaler().fit_transform(X), np.repeat([0, 1], m // 2)


PLANE = {  # data, and the accuracy that every activation reaches at every seed, and in the mean
    "circles": (make_circles(400, noise=0.02, factor=0.4, random_state=0), 0.95, 0.95),
    "noisy circles": (make_circles(400, noise=0.1, factor=0.4, random_state=0), 0.95, 0.95),
    "xor": (xor(400, 0.3, 0), 0.93, 0.95),
    "spirals": (spirals(400, 0.1, 0), 0.93, 0.95),
    "moons": (make_moons(400, noise=0.1, random_state=0), 0.88, 0.95),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", PLANE)
def test_hidden_layer_learns_what_no_line_separates(activation, name):
    """At the defaults, from three seeds."""
    (X, y), worst, mean = PLANE[name]
    scores = [
        ShallowNNClassifier(10, activation, random_state=seed).fit(X, y).score(X, y) for seed in range(3)
    ]
    assert min(scores) >= worst
    assert np.mean(scores) >= mean


@pytest.mark.filterwarnings("ignore:.*no better than that of always predicting")
def test_the_notes_start_may_stay_at_a_straight_line():
    """As the guide says of init_scale=0.01: tanh on two circles with little noise is a coin toss."""
    X, y = PLANE["circles"][0]
    assert (
        ShallowNNClassifier(learning_rate=1.2, init_scale=0.01, random_state=0).fit(X, y).score(X, y) < 0.55
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_initial_weights_keep_the_size_of_what_passes_them(activation):
    """ "auto": variance 1/fan-in for sigmoid and tanh, 2/fan-in for the ReLUs, in both layers."""
    assert (RECORDS["sigmoid"].gain, RECORDS["tanh"].gain, RECORDS["relu"].gain) == (1, 1, 2)
    X, y = np.random.RandomState(0).standard_normal((40, 300)), np.arange(40) % 2
    tiny = {"learning_rate": 1e-300, "max_iter": 1, "random_state": 3}
    auto = ShallowNNClassifier(400, activation, **tiny).fit(X, y)
    notes = ShallowNNClassifier(400, activation, init_scale=0.01, **tiny).fit(X, y)
    variance = RECORDS[activation].gain
    for W, W_notes, fan_in in zip(auto.coefs_, notes.coefs_, (300, 400), strict=True):
        np.testing.assert_allclose(W, W_notes * 100 * np.sqrt(variance / fan_in), rtol=1e-12)
        assert W.var() * fan_in == pytest.approx(variance, rel=0.2)


@both
def test_small_integers_of_numpy(model):
    """Numbers of steps of 8 bits do not overflow where they are multiplied."""
    X, y = blobs()
    small = clone(model).set_params(max_iter=np.uint8(200), record_every=np.uint8(30)).fit(X, y)
    plain = clone(model).set_params(max_iter=200, record_every=30).fit(X, y)
    assert_same_model(small, plain, 1e-15)


@pytest.mark.parametrize("weights", [None, np.arange(1, 31) / 7], ids=["plain", "weighted"])
@pytest.mark.parametrize("labels", ["ints", "small ints", "bools", "strings", "floats", "a list"])
def test_score_equals_accuracy_score(labels, weights):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 3)), rng.integers(0, 2, 30)
    kinds = {
        "ints": int,
        "small ints": np.int8,
        "bools": bool,
        "strings": str,
        "floats": float,
    }
    model = LogisticRegressionGD(0.1, 5).fit(X, y.astype(kinds.get(labels, int)))
    asked = np.where(rng.random(30) < 0.3, 1 - y, y).astype(kinds.get(labels, int))
    asked = asked.tolist() if labels == "a list" else asked
    score = model.score(X, asked, weights)
    assert type(score) is float
    assert score == accuracy_score(asked, model.predict(X), sample_weight=weights)


def test_score_of_labels_that_are_too_few_or_of_another_type_is_refused():
    X, y = np.eye(4), np.array([0, 1, 0, 1])
    model = LogisticRegressionGD(0.1, 5).fit(X, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.score(X, y[:3])
    with pytest.raises(ValueError, match="mix of"):
        model.score(X, y + 0.5)
