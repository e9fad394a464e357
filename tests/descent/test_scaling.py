"""The warning that a descent has not finished: silent on well-scaled data, there where scales hinder it."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_iris,
    load_wine,
    make_circles,
    make_classification,
    make_moons,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, Normalizer, scale

from models import ACTIVATIONS, blobs
from sknn_basic import (
    FlattenScaler,
    LogisticRegressionGD,
    ShallowNNClassifier,
    VectorizedGridSearchCV,
    load_photo_patches,
)
from sknn_basic._descent.run import Descent
from sknn_basic._fitting.inputs import make_problem
from watchers import Recorder

UNFINISHED = "has not finished.*Scale X, as StandardScaler does"


def age_and_income(m=600, seed=0):
    """Two features of which age decides more, on the scales that such data has."""
    rng = np.random.RandomState(seed)
    age, income = rng.normal(45, 15, m), rng.normal(50_000, 20_000, m)
    logit = 2 * (age - 45) / 15 - (income - 50_000) / 20_000
    return np.column_stack([age, income]), (rng.random_sample(m) < 1 / (1 + np.exp(-logit))).astype(int)


X, y = blobs(2, 300, 4)
RAW = {
    "age and income": age_and_income(),
    "years": (np.column_stack([2000 + 10 * X[:, 0], X[:, 1:]]), X[:, 0] > 0),
    "thousandths": (X / 1000, y),
    "one in thousandths": (X * [1e-3, 1, 1, 1], X[:, 0] > 0.3),
    "wine": load_wine(return_X_y=True),
    "breast cancer": load_breast_cancer(return_X_y=True),
}


def fit_and_tell(model, X, y, **kwargs):
    """Return the messages of the warnings of a fit."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y, **kwargs)
    return [str(w.message) for w in caught]


@pytest.mark.parametrize("name", RAW)
@pytest.mark.parametrize("container", [np.asarray, np.float32, sparse.csr_array])
def test_raw_features_of_unlike_scale_are_told(name, container):
    """Logistic regression at the defaults, dense and sparse; once; scaled, the same data is silent."""
    X, y = RAW[name]
    with pytest.warns(ConvergenceWarning, match=UNFINISHED) as caught:
        LogisticRegressionGD(max_iter=500).fit(container(X), y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert fit_and_tell(LogisticRegressionGD(max_iter=500), container(scale(X)), y) == []


@pytest.mark.parametrize("name", RAW)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_network_on_raw_features_is_told(name, activation):
    """One warning: that it did not descend, or that it has not finished."""
    X, y = RAW[name]
    (message,) = fit_and_tell(ShallowNNClassifier(4, activation, max_iter=300, random_state=0), X, y)
    assert "scale x" in message.lower()


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_message_names_the_feature_and_promises_no_more_than_a_step_wins(fit_intercept):
    """A lower bound: an exact search along the feature, with the intercept if there is one, wins more."""
    X, y = age_and_income()
    frame = pd.DataFrame(X.copy(), columns=["age", "income"])
    model = LogisticRegressionGD(fit_intercept=fit_intercept)
    if not fit_intercept:
        frame["age"] -= 45
    along = r"'age' \(feature 0\)" + " and the intercept" * fit_intercept
    with pytest.warns(ConvergenceWarning, match=f"along {along} would lower it by") as caught:
        model.fit(frame, y)
    with pytest.warns(ConvergenceWarning, match="a step along feature 0 "):
        clone(model).fit(frame.to_numpy(), y)
    promised = float(str(caught[0].message).split("lower it by ")[1].split(" ")[0])
    centred = X[:, 0] - (X[:, 0].mean() if fit_intercept else 45)  # what a step adds to Z
    Z = model.decision_function(frame) + np.linspace(-0.5, 0.5, 2001)[:, np.newaxis] * centred
    costs = np.logaddexp(0, (1 - 2 * y) * Z).mean(axis=1)
    assert 0.1 < promised <= model.loss_ - costs.min()


def standard(load):
    X, y = load(return_X_y=True)
    return scale(X), y


RNG = np.random.RandomState(0)
SCALED = {
    "iris": standard(load_iris),
    "wine": standard(load_wine),
    "breast cancer": standard(load_breast_cancer),
    "digits": tuple(array[:400] for array in standard(load_digits)),
    "moons": make_moons(300, noise=0.1, random_state=0),
    "no signal": (RNG.standard_normal((100, 5)), np.arange(100) % 2),
    "constant": (np.ones((20, 3)), np.arange(20) % 2),
    "six rows": blobs(2, 6, 3),
    "wide": blobs(3, 30, 400),
    "rare": ((RNG.random_sample((400, 20)) < 0.01) * 1.0, np.arange(400) % 2),
    "five classes": make_classification(400, 20, n_informative=10, n_classes=5, random_state=0),
    "separable": (np.array([[-1.0], [-2.0], [1.0], [2.0]]), [0, 0, 1, 1]),
}


@pytest.mark.parametrize("name", SCALED)
@pytest.mark.parametrize("n_steps", [1, 5, 100, 500])
def test_well_scaled_data_is_never_told(name, n_steps):
    """However short the fit; float32 and sparse too, with weights, with a penalty, after a warm start."""
    X, y = SCALED[name]
    model = LogisticRegressionGD(max_iter=n_steps)
    for container in (np.asarray, np.float32, sparse.csr_array):
        assert fit_and_tell(model, container(X), y) == []
    assert fit_and_tell(clone(model).set_params(l2_regularization=0.1), X, y) == []
    assert fit_and_tell(model.set_params(warm_start=True), X, y) == []
    if len(y) > 6:
        assert fit_and_tell(clone(model), X, y, sample_weight=np.arange(len(y)) % 3) == []


@pytest.mark.parametrize("name", [name for name in SCALED if name != "digits"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("init_scale", [0.01, "auto"])
@pytest.mark.parametrize("n_steps", [1, 100])
def test_networks_on_well_scaled_data_are_never_told(name, activation, init_scale, n_steps):
    X, y = SCALED[name]
    model = ShallowNNClassifier(4, activation, init_scale=init_scale, max_iter=n_steps, random_state=0)
    assert not any("has not finished" in message for message in fit_and_tell(model, X, y))


@pytest.mark.parametrize("n_steps", [1, 2000])
def test_the_notes_runs_are_never_told(cats, n_steps):
    """Other than of a cost above its start, which the notes' rate has for a while."""
    X, y = FlattenScaler().fit_transform(cats.train_set_x), cats.train_set_y
    network = ShallowNNClassifier(7, learning_rate=0.005, max_iter=min(n_steps, 500), random_state=0)
    for model in (
        LogisticRegressionGD(0.005, n_steps),
        LogisticRegressionGD(max_iter=n_steps),
        clone(network).set_params(init_scale=0.01),
        network,
    ):
        assert not any("has not finished" in message for message in fit_and_tell(model, X, y))


@pytest.mark.parametrize("n_steps", [1, 5, 50, 500])
@pytest.mark.parametrize("scaler", [MaxAbsScaler(), MinMaxScaler(), Normalizer()], ids=repr)
def test_other_scalers_are_as_good(scaler, n_steps):
    """Short fits and a warm start step by step, of both classifiers, on data that another scaler has seen."""
    for load in (load_wine, load_iris):
        if load is load_wine and isinstance(scaler, Normalizer):
            continue  # proline is nearly all of each row
        X, y = load(return_X_y=True)
        X = scaler.fit_transform(X)
        assert fit_and_tell(LogisticRegressionGD(max_iter=n_steps), X, y) == []
        network = ShallowNNClassifier(4, max_iter=n_steps, random_state=0)
        assert not any("has not finished" in message for message in fit_and_tell(network, X, y))
    model = LogisticRegressionGD(max_iter=1, warm_start=True)
    assert [message for _ in range(5) for message in fit_and_tell(model, X, y)] == []


def test_the_scale_of_all_features_together_does_not_matter_to_logistic_regression():
    """Its rate suits any one scale; pixels from 0 to 255 are learnt as those from 0 to 1."""
    X, y = SCALED["digits"]
    X, y = 1000 * X[y < 2], y[y < 2]
    assert fit_and_tell(LogisticRegressionGD(max_iter=5), X, y) == []


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize("factor", [300, 3e4])
@pytest.mark.parametrize("data", ["circles", "product"])
def test_a_network_that_large_features_saturate_is_told(activation, factor, data):
    """Also where no single feature tells the classes apart; features of size 1 it learns silently."""
    X, y = make_circles(400, noise=0.05, factor=0.5, random_state=0)
    if data == "product":
        X = np.random.RandomState(0).standard_normal((400, 4))
        y = X[:, 0] * X[:, 1] > 0
    model = ShallowNNClassifier(activation=activation, max_iter=500, random_state=0)
    (message,) = fit_and_tell(model, factor * X, y)
    assert "scale x" in message.lower()
    assert fit_and_tell(model, X, y) == []


@pytest.mark.parametrize("offset", [1e5, 1e6, 1.7e12])
def test_a_large_offset_is_told(offset):
    """Of a single feature, such as a time stamp, whose variance float64 still resolves."""
    z = np.random.RandomState(0).standard_normal((300, 1))
    X, y = offset + offset / 1e6 * z, z[:, 0] > 0
    (message,) = fit_and_tell(LogisticRegressionGD(), X, y)
    assert "has not finished" in message


def test_a_fit_that_was_ended_on_purpose_is_not_told():
    pytest.importorskip("sklearn.callback")
    X, y = age_and_income()
    assert fit_and_tell(LogisticRegressionGD(max_iter=50).set_callbacks(Recorder(stop_after=10)), X, y) == []


def test_a_search_tells_once():
    """However many candidates and folds: it is the data that wants scaling."""
    X, y = age_and_income(200)
    grid = {"learning_rate": ["auto", 1e-10], "max_iter": [20, 40]}
    search = VectorizedGridSearchCV(LogisticRegressionGD(), grid, cv=2, refit=False)
    (message,) = fit_and_tell(search, pd.DataFrame(X, columns=["age", "income"]), y)
    assert "has not finished" in message
    assert "'age'" in message
    assert "This was the candidate {'learning_rate': 'auto', 'max_iter': 20}" in message


@pytest.mark.parametrize("shape", [(300, 5), (20, 200)])
@pytest.mark.parametrize("container", [np.asarray, np.float32, sparse.csr_array])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_features_and_gain_are_those_of_the_definition(shape, container, n_classes):
    """Variances, gradients and gains longhand from the whole matrix; in the Gram form too."""
    X, y = blobs(n_classes, *shape)
    X[:, ::3] *= 1e-3
    X[:, 0] += 2
    weights, l2 = np.linspace(0, 1, len(y)), 1e-7
    model = LogisticRegressionGD(max_iter=1, l2_regularization=l2, warm_start=True)
    fit_and_tell(model, container(X), y, sample_weight=weights)
    problem = make_problem(model, container(X), y, weights, n_steps=300)
    descent = Descent(problem.layers, 1, model.loss_, [])
    found = problem.scaling.find_unfinished(descent, l2, model.learning_rate_)
    s = weights / weights.sum()
    mean = s @ X
    variance = s @ (X - mean) ** 2
    far = np.flatnonzero(100 * variance < (1 + (s @ X**2).sum()) / (1 + X.shape[1]))
    assert problem.scaling.features.tolist() == far.tolist() == [*range(0, X.shape[1], 3)]
    error = s[:, np.newaxis] * (model.predict_proba(container(X)) - np.eye(n_classes)[y])
    g = (X - mean).T @ error[:, -len(model.coef_) :] + l2 * model.coef_.T
    gains = (g**2).sum(axis=1) / (2 * (variance / (4 if n_classes == 2 else 2) + l2))
    best, shares = far[np.argmax(gains[far])], np.bincount(y, s)
    assert gains[best] > -0.01 * shares @ np.log(shares)
    assert found.feature == best
    assert found.gain == pytest.approx(gains[best], rel=1e-3 if container is np.float32 else 1e-8)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_network_whose_units_are_dead_is_told(activation):
    """Steps that are too large leave the biases alone: the cost falls to the class entropy."""
    train_x, train_y, *_ = load_photo_patches()
    model = ShallowNNClassifier(8, activation, learning_rate=0.5, max_iter=300, random_state=0)
    X = FlattenScaler().fit_transform(train_x)
    (message,) = fit_and_tell(model, X, train_y)
    assert model.loss_ == pytest.approx(np.log(2), abs=1e-3)
    assert model.loss_curve_[0] > model.loss_
    assert "no better than that of always predicting the class frequencies" in message
    assert 'learning_rate="auto"' in message
    assert fit_and_tell(clone(model).set_params(learning_rate="auto"), X, train_y) == []


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_random_labels_are_not_told_of(activation):
    """They are learnt by heart, if slightly."""
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((500, 5)), rng.randint(0, 2, 500)
    assert fit_and_tell(ShallowNNClassifier(4, activation, max_iter=300, random_state=0), X, y) == []
