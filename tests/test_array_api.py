"""The estimators on arrays of other libraries, on any device: what NumPy gives, where X is."""

from functools import partial

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from libraries import CPU, DEVICE, HOST, TORCH, assert_near, dispatching, host, needs_dispatch, places
from models import blobs, images, weights_of
from searches import LOGISTIC_GRID, NETWORK_GRID
from sknn_basic import (
    EarlyStopping,
    FlattenScaler,
    LogisticRegressionGD,
    ShallowNNClassifier,
    VectorizedGridSearchCV,
    descent_path,
    propagate,
    sharpness,
    vector_to_weights,
    weights_to_vector,
)
from sknn_basic._search.memo import SearchMemo
from watchers import Looker

pytestmark = [needs_dispatch, pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")]
both_doubles = pytest.mark.parametrize("place", [DEVICE, TORCH], ids=repr)

LOGISTIC = LogisticRegressionGD(max_iter=40, record_every=7)
NETWORK = ShallowNNClassifier(3, max_iter=40, record_every=7, random_state=0, init_scale=0.5)
TALL, WIDE = (40, 5), (12, 30)  # of wide samples NumPy multiplies the Gram matrix
BALANCED, BY_CLASS = "balanced", {0: 1.0, 1: 2.5, 2: 0.5}
WEIGHTED, VALIDATED = "sample_weight", "X_val"
FITS = {  # a model, the shape of X, and what else the fit is given
    "logistic": (LOGISTIC, {}, TALL, []),
    "logistic wide": (LOGISTIC, {"l2_regularization": 0.1}, WIDE, [VALIDATED]),
    "logistic auto": (
        LOGISTIC,
        {"learning_rate": "auto", "l2_regularization": 0.1, "class_weight": BALANCED},
        *(TALL, [WEIGHTED, VALIDATED]),
    ),
    "logistic auto wide": (LOGISTIC, {"learning_rate": "auto"}, WIDE, [WEIGHTED]),
    "without intercept": (LOGISTIC, {"learning_rate": "auto", "fit_intercept": False}, TALL, [VALIDATED]),
    "without intercept wide": (LOGISTIC, {"learning_rate": "auto", "fit_intercept": False}, WIDE, []),
    "sigmoid": (NETWORK, {"activation": "sigmoid", "learning_rate": "auto"}, TALL, [WEIGHTED]),
    "tanh": (NETWORK, {"activation": "tanh", "class_weight": BY_CLASS}, TALL, [WEIGHTED, VALIDATED]),
    "relu": (NETWORK, {"activation": "relu", "l2_regularization": 0.1}, WIDE, [VALIDATED]),
    "leaky_relu": (NETWORK, {"activation": "leaky_relu", "learning_rate": "auto"}, WIDE, []),
    "tanh auto": (NETWORK, {"learning_rate": "auto", "l2_regularization": 0.1}, TALL, [VALIDATED]),
}


def data(n_classes, shape, given, dtype):
    """X, y and the arguments of a fit that are asked for."""
    X, y = blobs(n_classes, *shape)
    weights = np.linspace(0.5, 2, len(y))
    arguments = {WEIGHTED: weights} if WEIGHTED in given else {}
    if VALIDATED in given:
        X_val, y_val = blobs(n_classes, 15, shape[1], seed=1)
        arguments |= {"X_val": X_val.astype(dtype), "y_val": y_val}
        if WEIGHTED in given:
            arguments["sample_weight_val"] = np.linspace(2, 1, 15)
    return X.astype(dtype), y, arguments


def learnt(model):
    curves = [getattr(model, name, [1.0]) for name in ("loss_curve_", "validation_loss_curve_")]
    numbers = [model.loss_, getattr(model, "validation_loss_", 1.0), model.n_iter_, model.learning_rate_]
    return [*weights_of(model), *curves, numbers]


def answers(model, X):
    return [
        *(model.decision_function(X), model.predict_proba(X), model.predict_log_proba(X)),
    ]


def fit_both(model, place, X, y, **arguments):
    """Return the model fitted on NumPy's arrays, and fitted on those of the place."""
    there = {name: place.put(values) for name, values in arguments.items()}
    on_numpy = clone(model).fit(X, y, **arguments)
    with dispatching():
        return on_numpy, clone(model).fit(place.put(X), place.put(y), **there)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", FITS)
@places
def test_a_fit_is_that_of_numpy(place, name, n_classes):
    """Weights, curves, rate and all answers, in the precision of the place; fitted arrays are where X is."""
    model, parameters, shape, given = FITS[name]
    X, y, arguments = data(n_classes, shape, given, place.dtype)
    expected, found = fit_both(clone(model).set_params(**parameters), place, X, y, **arguments)
    assert_near(learnt(found), learnt(expected), place.tolerance)
    with dispatching():
        there = place.put(X)
        assert_near(answers(found, there), answers(expected, X), place.tolerance)
        np.testing.assert_array_equal(host(found.predict(there)), expected.predict(X))
        assert found.score(there, place.put(y)) == pytest.approx(expected.score(X, y))
        arrays = [*weights_of(found), found.classes_, found.predict(there), *answers(found, there)]
    assert all(map(place.holds, arrays))
    assert type(found.loss_) is type(found.loss_curve_[0]) is float
    assert type(found.n_iter_) is int


FITTED = "coef_", "intercept_", "classes_"
LABELS = {  # one for each class
    "int": [7, -1, 3],
    "float": [7.0, -1.0, 3.0],
    "bool": [True, False],
    "text": ["b", "a", "c d"],
}


@pytest.mark.parametrize("where", ["there", "NumPy", "elsewhere"])
@pytest.mark.parametrize("kind", LABELS)
@both_doubles
def test_results_are_made_of_what_logistic_regression_makes_them(place, kind, where):
    """Library, device and type of fitted arrays and of answers, for y and weights of any library."""
    X, y = blobs(len(LABELS[kind]))
    put = {"there": place.put, "NumPy": np.asarray, "elsewhere": CPU.put}[where]
    y = np.array(LABELS[kind])[y]
    y = y if kind == "text" else put(y)
    with dispatching():
        there = place.put(X)
        ours = clone(LOGISTIC).fit(there, y, put(np.ones(len(X))))
        theirs = LogisticRegression(max_iter=1).fit(there, y)
        results = [[getattr(model, name) for model in (ours, theirs)] for name in FITTED]
        for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
            results.append([getattr(model, method)(there) for model in (ours, theirs)])
        for a, b in results:
            assert (type(a), a.dtype, a.device, a.shape) == (type(b), b.dtype, b.device, b.shape)
        share = np.mean(host(ours.predict(there)) == host(y))
        assert ours.score(there, y) == ours.score(there, host(y)) == share > 0.6


@pytest.mark.parametrize("model", [LOGISTIC, NETWORK], ids=["logistic", "shallow"])
@places
def test_a_warm_start_goes_on_anywhere(place, model):
    """From NumPy to the device and back: as three fits on NumPy."""
    X, y = blobs(3)
    X, model = X.astype(place.dtype), clone(model).set_params(warm_start=True)
    expected, found = clone(model), clone(model)
    with dispatching():
        for put in (np.asarray, place.put, np.asarray):
            expected.fit(X, y)
            found.fit(put(X), put(y))
            assert_near(learnt(found), learnt(expected), place.tolerance)
            assert type(found.classes_) is type(weights_of(found)[0]) is type(put(X))


@both_doubles
def test_callbacks_look_at_models_where_they_are(place):
    """`EarlyStopping` ends at the same step, by either cost; a callback is handed models of the device."""
    X, y = blobs()
    validation = dict(zip(("X_val", "y_val"), blobs(seed=1), strict=True))
    model = NETWORK.set_params(max_iter=60, learning_rate=0.5)
    for monitor in ("loss", "validation_loss"):
        stopping = clone(model).set_callbacks(EarlyStopping(monitor, patience=3, min_delta=0.01))
        expected, found = fit_both(stopping, place, X, y, **validation)
        assert 3 < expected.n_iter_ < 60
        assert_near(learnt(found), learnt(expected), 1e-11)
    looker = Looker()
    with dispatching():
        short = clone(model).set_params(max_iter=3).set_callbacks(looker)
        short.fit(place.put(X), place.put(y))
        for handed_out, n_steps in looker.models:
            assert all(map(place.holds, weights_of(handed_out)))
            alone = clone(model).set_params(max_iter=n_steps).fit(X, y) if n_steps else handed_out
            assert_near(weights_of(handed_out), weights_of(alone), 1e-12)
            assert place.holds(handed_out.predict(place.put(X)))
    assert len(looker.models) >= 3


@pytest.mark.parametrize("model", [LOGISTIC, NETWORK], ids=["logistic", "shallow"])
@places
def test_the_functions_for_models_are_those_of_numpy(place, model):
    """`descent_path`, `propagate`, `sharpness` and the vector of the weights, fitted there or not."""
    X, y = blobs(3)
    X, weights = X.astype(place.dtype), np.linspace(0.5, 2, len(y))
    near = partial(assert_near, tolerance=10 * place.tolerance)
    expected, found = fit_both(model.set_params(max_iter=40, learning_rate=0.1), place, X, y)
    with dispatching():
        there = place.put(X), place.put(y), place.put(weights)
        paths = descent_path(model, *there[:2], [0, 3]), descent_path(model, X, y, [0, 3])
        for model_there, on_numpy in zip(*paths, strict=True):
            near(weights_of(model_there), weights_of(on_numpy))
            assert all(map(place.holds, weights_of(model_there)))
        for a, b in ((found, expected), (clone(model), clone(model))):
            largest = sharpness(a, *there), sharpness(b, X, y, weights)
            assert largest[0] == pytest.approx(largest[1], rel=1e-4)
        at_model = propagate(*there[:2], found, sample_weight=there[2])
        near(at_model[1:], propagate(X, y, expected, sample_weight=weights)[1:])
        layers = [array for pair in expected._get_layers() for array in pair]
        by_numpy = propagate(X, y, *layers, l2_regularization=0.1)
        for put in (place.put, np.asarray):
            at_arrays = propagate(*there[:2], *map(put, layers), l2_regularization=0.1)
            assert pytest.approx(by_numpy.J, rel=place.tolerance) == at_arrays.J
            near(at_arrays[1:], by_numpy[1:])
            assert all(map(place.holds, (*at_arrays[1:], *at_model[1:])))
        vector = weights_to_vector(found)
        near([vector], [weights_to_vector(expected)])
        for half in (vector / 2, host(vector) / 2):
            halved = vector_to_weights(half, found)
            near(weights_of(halved), weights_of(vector_to_weights(weights_to_vector(expected) / 2, expected)))
            assert all(map(place.holds, [vector, *weights_of(halved)]))


@pytest.mark.parametrize("dtype", [np.uint8, np.float64, np.float32, bool])
@places
def test_images_are_flattened_and_scaled_there(place, dtype):
    """As on NumPy, in the precision of the images or in 32 bits if the device has no more; and back."""
    X, y = images(shape=(4, 4, 3))
    X = X > 100 if dtype is bool else X.astype(dtype)
    scaler = FlattenScaler(1 if dtype is bool else 255)
    expected = scaler.fit_transform(X)
    with dispatching():
        there = clone(scaler).fit(place.put(X))
        rows = there.transform(place.put(X))
        back = there.inverse_transform(rows)
        assert place.holds(rows)
        assert place.holds(back)
        precision, tolerance = place.dtype, place.tolerance
        if dtype == np.float32:
            precision, tolerance = np.float32, 1e-5
        assert_near([rows, back], [expected.astype(precision), X.astype(precision)], tolerance)
        pipeline = make_pipeline(clone(scaler), clone(LOGISTIC)).fit(place.put(X), place.put(y))
        by_numpy = make_pipeline(clone(scaler), clone(LOGISTIC)).fit(X, y)
        probabilities = host(pipeline.predict_proba(place.put(X)))
    assert probabilities == pytest.approx(by_numpy.predict_proba(X), rel=10 * tolerance)


@pytest.mark.filterwarnings("ignore:invalid value encountered in divide:RuntimeWarning")  # of StandardScaler
@both_doubles
def test_a_pipeline_runs_through_there(place):
    """A transformer of scikit-learn that takes such arrays, then a classifier."""
    X, y = blobs(3)
    expected, found = fit_both(make_pipeline(StandardScaler(), clone(NETWORK)), place, X, y)
    with dispatching():
        assert_near(weights_of(found[-1]), weights_of(expected[-1]), 1e-11)
        probabilities = found.predict_proba(place.put(X))
    assert place.holds(probabilities)
    assert_near([probabilities], [expected.predict_proba(X)], 1e-12)


@pytest.mark.parametrize(("model", "grid"), [(LOGISTIC, LOGISTIC_GRID), (NETWORK, NETWORK_GRID)])
@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
@both_doubles
def test_searches_train_their_candidates_there(place, model, grid, scoring, alone, monkeypatch):
    """Scores and best model of a search on NumPy. Stacks train all candidates of the vectorized one."""
    X, y = blobs(3)
    searches = [kind(model, grid, scoring=scoring, cv=3) for kind in (GridSearchCV, VectorizedGridSearchCV)]
    expected = clone(searches[0]).fit(X, y)
    ordinary, trained = SearchMemo._train, []

    def train(*arguments):
        trained.append(ordinary(*arguments))
        return trained[-1]

    monkeypatch.setattr(SearchMemo, "_train", train)
    with dispatching():
        for search in searches:
            search.fit(place.put(X), place.put(y))
            for key in ("split0_test_score", "mean_test_score"):
                np.testing.assert_allclose(search.cv_results_[key], expected.cv_results_[key], atol=1e-12)
            assert search.best_params_ == expected.best_params_
            assert_near(weights_of(search.best_estimator_), weights_of(expected.best_estimator_), 1e-11)
            assert all(map(place.holds, weights_of(search.best_estimator_)))
            assert place.holds(search.predict(place.put(X)))
    assert alone == []
    assert sum(map(len, trained)) == 3 * len(expected.cv_results_["params"])


# Numbers

TAILS = np.array([-700.0, -40.0, -1.0, 0.0, 1.0, 40.0, 700.0])


def with_weights(n_classes, place, weights):
    """A logistic model there with these weights and no bias."""
    n_features = len(weights)
    X, y = blobs(n_classes, n=n_features)
    with dispatching():
        model = LogisticRegressionGD(max_iter=1).fit(place.put(X), place.put(y))
        vector = np.concatenate([np.ravel(weights), np.zeros(1 if n_classes == 2 else n_classes)])
        return vector_to_weights(vector, model)


@both_doubles
@pytest.mark.parametrize("n_classes", [2, 3])
def test_tails_are_those_of_numpy(place, n_classes):
    """Small probabilities and the logarithms of those near 1, relative to themselves."""
    k = 1 if n_classes == 2 else 3
    Z = np.array(np.meshgrid(*[TAILS] * k)).reshape(k, -1).T
    there, by_numpy = (with_weights(n_classes, where, np.eye(k)) for where in (place, HOST))
    for name in ("predict_proba", "predict_log_proba", "decision_function"):
        expected = getattr(by_numpy, name)(Z)
        with dispatching():
            found = host(getattr(there, name)(place.put(Z)))
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0)


@both_doubles
def test_the_logarithm_of_a_probability_near_1_is_exact(place):
    """-log(1 + sum of e^-(gaps)), to 50 digits by mpmath; three equal classes have log(1/3)."""
    Z = np.array([[z, 0, w] for z in (0, 5, 30, 36.5, 40, 300, 700) for w in (0, -1, -50)], float)
    with dispatching():
        model = with_weights(3, place, np.eye(3))
        found = host(model.predict_log_proba(place.put(Z)))
    with mp.workdps(400):
        for z, log_A in zip(Z, found, strict=True):
            exact = [-mp.log(mp.fsum(mp.exp(mp.mpf(other) - mp.mpf(one)) for other in z)) for one in z]
            np.testing.assert_allclose(log_A, np.array(exact, float), rtol=1e-13)


@pytest.mark.parametrize("n_classes", [2, 3])
@places
def test_sums_that_overflow_are_those_of_numpy(place, n_classes):
    """Finite answers, without a warning, where products of large finite numbers overflow."""
    large = float(np.finfo(place.dtype).max) / 8
    X = np.array([[large, 1.0, -large], [-large, large, 1.0], [1e-3, 1.0, 2.0]], place.dtype)
    weights = np.array([[8.0, -4.0, 2.0], [1.0, large, -large], [-2.0, 0.5, 64.0]])
    weights = weights[:, :1] if n_classes == 2 else weights
    there, by_numpy = (with_weights(n_classes, where, weights) for where in (place, HOST))
    for name in ("decision_function", "predict_proba", "predict_log_proba", "predict"):
        expected = getattr(by_numpy, name)(X)
        with dispatching():
            found = host(getattr(there, name)(place.put(X)))
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found, expected, rtol=place.tolerance)
