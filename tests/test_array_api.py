"""The estimators on arrays of other libraries, on any device: what NumPy gives, where X is."""

import pickle
import re
import warnings
from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest
from mpmath import mp
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import _array_api

from libraries import CPU, DEVICE, HOST, TORCH, assert_near, dispatching, host, needs_dispatch, places
from models import blobs, images, weights_of
from searches import NETWORK_GRID
from sknn_basic import (
    EarlyStopping,
    FlattenScaler,
    LogisticRegressionGD,
    LossCurveDisplay,
    ShallowNNClassifier,
    VectorizedGridSearchCV,
    WeightsDisplay,
    descent_path,
    propagate,
    sharpness,
    vector_to_weights,
    weights_to_vector,
)
from sknn_basic._fitting.pipelines import last_step
from sknn_basic._lazy import sources
from sknn_basic._search.memo import SearchMemo
from sknn_basic._sklearn import DISPATCHES
from watchers import Looker

pytestmark = [needs_dispatch, pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")]
if DISPATCHES:
    from sklearn.utils._array_api import get_namespace_and_device, move_estimator_to
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


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64, np.float32, bool])
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


@pytest.mark.parametrize("dtype", [np.uint8, np.float64, bool])
@both_doubles
def test_images_of_another_scale_are_warned_of_there(place, dtype):
    """Where fit or transform warns on NumPy, with the same words."""
    X = (np.arange(72).reshape(2, 4, 3, 3) % 2).astype(dtype)
    for fitted, given in ((X, X), (X + 100.0, X.astype(float)), (X.astype(float), X * 255.0)):
        told = []
        for put in (np.asarray, place.put):
            with dispatching(), warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                FlattenScaler().fit(put(fitted)).transform(put(given))
            told.append([str(warning.message) for warning in caught])
        assert told[0] == told[1] != []


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


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("images", GridSearchCV),
        *((name, VectorizedGridSearchCV) for name in ("logistic", "shallow", "images")),
    ],
)
@both_doubles
def test_searches_train_their_candidates_there(place, name, kind, alone, monkeypatch):
    """Scores and best model of a search on NumPy, with weights. Stacks train all of the vectorized one."""
    X, y = images(3) if name == "images" else blobs(3)
    X, weights, grid = X.astype(float), np.linspace(0.5, 2, len(y)), NETWORK_GRID
    model, prefix = {"shallow": NETWORK}.get(name, LOGISTIC), ""
    if model is LOGISTIC:
        grid = {"learning_rate": ["auto", 0.1], "l2_regularization": [0, 0.1], "max_iter": [10, 20]}
    if name == "images":
        model, prefix = make_pipeline(FlattenScaler(), model), "logisticregressiongd__"
    grid = {prefix + parameter: values for parameter, values in grid.items()}
    search = kind(model, grid, scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss", cv=2)
    expected = clone(search).fit(X, y, **{prefix + "sample_weight": weights})
    ordinary, trained = SearchMemo._train, []

    def train(*arguments):
        trained.append(ordinary(*arguments))
        return trained[-1]

    monkeypatch.setattr(SearchMemo, "_train", train)
    with dispatching():
        found = search.fit(place.put(X), place.put(y), **{prefix + "sample_weight": place.put(weights)})
        scores = [
            [one.cv_results_[f"mean_test_{name}"] for name in ("accuracy", "neg_log_loss")]
            for one in (found, expected)
        ]
        np.testing.assert_allclose(scores[0][0], scores[1][0], rtol=1e-6)  # averaged by PyTorch in float32
        np.testing.assert_allclose(scores[0][1], scores[1][1], rtol=1e-9)
        probabilities = found.predict_proba(place.put(X))
        best, by_numpy = (last_step(one.best_estimator_) for one in (found, expected))
    assert found.best_params_ == expected.best_params_
    assert_near([*weights_of(best), probabilities], [*weights_of(by_numpy), expected.predict_proba(X)], 1e-10)
    assert all(map(place.holds, [*weights_of(best), probabilities]))
    assert alone == []
    n_candidates = len(expected.cv_results_["params"])
    assert sum(map(len, trained)) == (2 * n_candidates if kind is VectorizedGridSearchCV else 0)


# What leaves the device


@pytest.mark.parametrize("model", [LOGISTIC, NETWORK], ids=["logistic", "shallow"])
@places
def test_a_model_moved_to_the_host_is_one_of_numpy(place, model):
    """It predicts what it did, also out of a pickle, and after it has moved back; so does one that stayed."""
    X, y = images(3)
    X = X.astype(place.dtype)
    with dispatching():
        there = place.put(X)
        model = make_pipeline(FlattenScaler(), clone(model)).fit(there, place.put(np.array([7, 1, 4])[y]))
        expected = [host(getattr(model, name)(there)) for name in ("predict_proba", "predict")]
        moved = move_estimator_to(model, np, "cpu")
        xp, _, device = get_namespace_and_device(there)
        models = moved, pickle.loads(pickle.dumps(moved)), move_estimator_to(moved, xp, device)
        stayed = pickle.loads(pickle.dumps(model))
    for again in models[:2]:
        assert all(type(array) is np.ndarray for array in (*weights_of(again[-1]), again[-1].classes_))
        assert_near([again.predict_proba(X), again.predict(X)], expected, place.tolerance)
    for again in (models[2], stayed):
        assert all(map(place.holds, (*weights_of(again[-1]), again[-1].classes_)))
        with dispatching():
            assert_near([again.predict_proba(there), again.predict(there)], expected, 0)


@places
def test_displays_and_representations_of_models(place):
    """The curve of a model that is there; the weights of one that was moved."""
    pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")
    X, y = images()
    expected, found = fit_both(
        make_pipeline(FlattenScaler(), clone(LOGISTIC)), place, X.astype(place.dtype), y
    )
    (line,) = LossCurveDisplay.from_estimator(found).ax_.lines
    costs = [*expected[-1].loss_curve_, expected[-1].loss_]
    np.testing.assert_allclose(line.get_ydata(), costs, rtol=10 * place.tolerance)
    assert "coef_" in found[-1]._repr_html_()
    moved = move_estimator_to(found[-1], np, "cpu")
    displays = [WeightsDisplay.from_estimator(m, image_shape=(4, 5, 3)) for m in (moved, expected[-1])]
    drawn = [[image.get_array() for image in display.images_] for display in displays]
    assert_near(drawn[0], drawn[1], place.tolerance)


@places
def test_skops_takes_a_model_that_was_moved(place):
    skops_io = pytest.importorskip("skops.io", reason="the extra share is not installed")
    X, y = blobs(3)
    found = fit_both(NETWORK, place, X.astype(place.dtype), y)[1]
    moved = move_estimator_to(found, np, "cpu")
    content = skops_io.dumps(moved)
    again = skops_io.loads(content, trusted=skops_io.get_untrusted_types(data=content))
    assert_near(weights_of(again), weights_of(found), 0)
    np.testing.assert_array_equal(again.predict_proba(X), moved.predict_proba(X))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("model", [LOGISTIC, NETWORK], ids=["logistic", "shallow"])
@places
def test_onnx_is_made_of_a_model_there_too(place, model):
    """Of a model where it was fitted and of one that was moved: the same graph."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the packages about each other
        skl2onnx = pytest.importorskip("skl2onnx", reason="the extra onnx is not installed")
    X, y = blobs(3)
    X = X.astype(place.dtype)
    found = fit_both(model, place, X, np.array([7, 1, 4])[y])[1]
    graphs = [
        skl2onnx.to_onnx(m, X[:1], name="a").graph for m in (found, move_estimator_to(found, np, "cpu"))
    ]
    assert [len(graph.initializer) > 2 for graph in graphs] == [True, True]
    assert graphs[0].SerializeToString() == graphs[1].SerializeToString()


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
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-310)


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


# What is refused


@pytest.mark.parametrize(
    "model", [LOGISTIC, NETWORK, FlattenScaler()], ids=lambda model: type(model).__name__
)
@both_doubles
def test_a_model_is_asked_where_it_is(place, model):
    """Of another library or device all methods refuse X, and say how to move: as they say, it works."""
    X, y = blobs()
    X = X * 100
    methods = ["transform", "inverse_transform"] if isinstance(model, FlattenScaler) else []
    methods = methods or ["predict", "predict_proba", "predict_log_proba", "decision_function"]
    expected, found = fit_both(model, place, X, y)
    for fitted, put in [
        (found, np.asarray),
        (found, CPU.put),
        (found, np.ndarray.tolist),
        (expected, place.put),
    ]:
        for method in methods:
            words = (
                rf"passed to {type(model).__name__}.{method}\(\) must use the same namespace and .* device"
            )
            with dispatching(), pytest.raises(ValueError, match=words) as error:
                getattr(fitted, method)(put(X))
        advice = re.search(r"utils\._array_api: (xp, .*)\.$", str(error.value))[1]
        with dispatching():
            names = {"X": np.asarray(X) if put is np.ndarray.tolist else put(X), "model": fitted}
            exec(advice, dict(vars(_array_api)), names)
            result = getattr(names["model"], methods[0])(names["X"])
            assert_near([result], [getattr(expected, methods[0])(X)], 1e-12)
            assert type(result) is type(names["X"])


@both_doubles
def test_validation_samples_are_where_x_is(place):
    """Another library or device is refused, and said to be in `X_val`; labels may be anywhere."""
    X, y = blobs()
    puts = [np.asarray, place.put, CPU.put]
    with dispatching():
        for put in puts:
            for put_val in puts:
                is_refused = put is not put_val
                words = "In the validation samples.*X_val must use the same namespace and the same device"
                with pytest.raises(ValueError, match=words) if is_refused else nullcontext():
                    clone(LOGISTIC).fit(put(X), y, X_val=put_val(X), y_val=place.put(y))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"X": lambda X: np.where(X > 2, np.nan, X)}, "Input X contains NaN"),
        ({"X": lambda X: np.where(X > 2, np.inf, X)}, "Input X contains infinity"),
        ({"X": lambda X: X[:, :, None]}, r"dim 3.*put FlattenScaler\(\) before the classifier"),
        ({"X": lambda X: X.T.copy()}, r"inconsistent numbers of samples.*pass X\.T"),
        ({"X": lambda X: X[:0]}, "0 sample"),
        ({"y": lambda y: y * 0}, "contains only one class: 0"),
        ({"y": lambda y: np.where(y == 1, np.nan, y)}, "Input y contains NaN"),
        ({"y": lambda y: y + 0.25}, "Unknown label type: continuous"),
        ({"sample_weight": lambda s: -s}, "sample_weight must be finite and non-negative"),
        ({"sample_weight": lambda s: s[:4]}, r"sample_weight\.shape == \(4,\), expected \(40,\)"),
    ],
)
@both_doubles
def test_unusable_samples_are_refused_in_the_words_for_numpy(place, change, words):
    """The same error on NumPy's arrays as there; the model is as before."""
    X, y = blobs()
    given = {"X": X, "y": y, "sample_weight": np.ones(len(y))}
    given |= {name: of(given[name]) for name, of in change.items()}
    for put in (np.asarray, place.put):
        model = clone(LOGISTIC)
        with dispatching(), pytest.raises(ValueError, match=f"(?s){words}"):
            model.fit(**{name: put(array) for name, array in given.items()})
        assert vars(model) == vars(clone(LOGISTIC))


@pytest.mark.parametrize("array", [TORCH, DEVICE], ids=repr)
def test_complex_numbers_are_refused(array):
    """Instead of what is left without their imaginary parts."""
    X, y = blobs()
    X = array.xp.asarray(X + 1j, device=array.device)
    with dispatching():
        for fit in (clone(LOGISTIC).fit, partial(propagate, W1=np.zeros((5, 1)), b1=np.zeros(1))):
            with pytest.raises(ValueError, match="Complex data not supported"):
                fit(X, y)


def test_labels_and_weights_of_pyarrow_are_as_without_dispatch():
    """They have a `__dlpack__` too, but are no arrays of the standard."""
    pyarrow = pytest.importorskip("pyarrow")
    X, y = blobs()
    weights = np.linspace(0.5, 2, len(y))
    expected = clone(LOGISTIC).fit(X, y, weights)
    with dispatching():
        found = clone(LOGISTIC).fit(X, pyarrow.array(y), pyarrow.array(weights))
        assert_near(learnt(found), learnt(expected), 0)
        assert type(found.classes_) is np.ndarray


def test_without_dispatch_nothing_changes():
    """Arrays that NumPy can read become NumPy's; others get scikit-learn's error."""
    X, y = blobs()
    expected = clone(LOGISTIC).fit(X, y)
    found = clone(LOGISTIC).fit(CPU.put(X), CPU.put(y))
    assert_near(learnt(found), learnt(expected), 0)
    for array in (
        *weights_of(found),
        found.classes_,
        found.predict(CPU.put(X)),
        found.predict_proba(CPU.put(X)),
    ):
        assert type(array) is np.ndarray
    errors = []
    for model in (LOGISTIC, LogisticRegression()):
        with pytest.raises(RuntimeError, match="Can't convert array") as error:
            model.fit(DEVICE.put(X), y)
        errors.append(str(error.value))
    assert errors[0] == errors[1]


def test_without_dispatch_a_tensor_becomes_numpys():
    X, y = blobs()
    expected = clone(LOGISTIC).fit(X, y)
    found = clone(LOGISTIC).fit(TORCH.put(X), TORCH.put(y), X_val=TORCH.put(X), y_val=y)
    assert_near(learnt(found)[:3], learnt(expected)[:3], 0)
    assert type(found.predict(TORCH.put(X))) is type(found.coef_) is type(found.classes_) is np.ndarray


@pytest.mark.parametrize(
    "estimator", [LOGISTIC, NETWORK, FlattenScaler()], ids=lambda model: type(model).__name__
)
def test_an_older_scikit_learn_is_named(estimator, monkeypatch):
    """It would take some such arrays, in part: the version that is needed stands in the message."""
    monkeypatch.setattr(sources, "DISPATCHES", False)
    X, y = blobs()
    with dispatching():
        with pytest.raises(ImportError, match=r"array_api_strict.* need scikit-learn 1\.9"):
            clone(estimator).fit(DEVICE.put(X), y)
        clone(estimator).fit(X * 100, y)


# Tensors


def test_gradients_and_parameters_of_pytorch_are_left_alone():
    """Tensors that require gradients, also as parameters, views and weights: as without them."""
    torch = TORCH.xp
    X, y = blobs()
    put = partial(torch.asarray, requires_grad=True)
    weights = np.linspace(0.5, 2, len(y))
    expected = clone(NETWORK).fit(X, y, weights, X_val=X, y_val=y)
    with dispatching():
        for there in (
            put(X),
            torch.nn.Parameter(TORCH.put(X)),
            put(np.hstack([X, X]))[:, :5],
            put(X.T.copy()).T,
        ):
            found = clone(NETWORK).fit(there, TORCH.put(y), put(weights), X_val=there, y_val=y)
            assert_near(learnt(found), learnt(expected), 1e-12)
            answered = answers(found, there)
            assert_near(answered, answers(expected, X), 1e-12)
            gradients = propagate(
                there, y, *(put(array) for layer in expected._get_layers() for array in layer)
            )
            assert pytest.approx(propagate(X, y, expected).J, rel=1e-12) == gradients.J
            rows = FlattenScaler(2).fit(there).transform(there)
            halved = vector_to_weights(put(weights_to_vector(expected) / 2), found)
            results = [*weights_of(found), *answered, *gradients[1:], rows, *weights_of(halved)]
            assert not any(array.requires_grad for array in results)


@pytest.mark.parametrize("name", ["float16", "bfloat16", "int64", "int8", "uint8", "bool", "float32"])
def test_other_types_become_floats(name):
    """float64 of half precision, integers and booleans; float32 remains."""
    torch = TORCH.xp
    X = TORCH.put(blobs()[0] * 4).to(getattr(torch, name))
    y = blobs()[1]
    precise = X if name == "float32" else X.double()
    expected = clone(LOGISTIC).fit(precise.numpy(), y)
    with dispatching():
        found = clone(LOGISTIC).fit(X, y)
        probabilities = found.predict_proba(X)
    assert found.coef_.dtype == probabilities.dtype == precise.dtype
    tolerance = 1e-5 if name == "float32" else 1e-12
    assert_near(
        [found.coef_, probabilities], [expected.coef_, expected.predict_proba(precise.numpy())], tolerance
    )


@places
def test_integers_become_the_widest_floats_there(place):
    X, y = blobs()
    X = np.rint(4 * X).astype(int)
    expected = clone(LOGISTIC).fit(X.astype(place.dtype), y)
    with dispatching():
        found = clone(LOGISTIC).fit(place.put(X), place.put(y))
        assert_near(
            [found.predict_proba(place.put(X))],
            [expected.predict_proba(X.astype(place.dtype))],
            place.tolerance,
        )


# Nothing waits for the device


@pytest.fixture
def reads(place, monkeypatch):
    """Notes the name of each method that takes values of the place's arrays to the host."""
    noted = []
    kind = type(place.put([0.0]))
    names = "__float__ __bool__ __int__ __index__ __complex__ __array__ __buffer__ __dlpack__ to_device"
    for name in f"{names} item tolist numpy cpu to".split():
        if hasattr(kind, name):
            monkeypatch.setattr(kind, name, noting(noted, name, getattr(kind, name)))
    return noted


def noting(noted, name, ordinary):
    def method(*arguments, **options):
        noted.append(name)
        return ordinary(*arguments, **options)

    return method


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("parameters", [{}, {"l2_regularization": 0.1}, {"learning_rate": "auto"}], ids=repr)
@pytest.mark.parametrize("model", [LOGISTIC, NETWORK], ids=["logistic", "shallow"])
@both_doubles
def test_no_step_reads_a_value(place, model, parameters, n_classes, reads):
    """A fit of 110 steps reads as many as one of 10, with validation samples too; none beside the records."""
    X, y = (place.put(array) for array in blobs(n_classes))
    counts = []
    for n_steps in (10, 110):
        reads.clear()
        with dispatching():
            short = clone(model).set_params(max_iter=n_steps, record_every=10**6, **parameters)
            short.fit(X, y, X_val=X, y_val=y)
        counts.append(len(reads))
    assert counts[0] == counts[1] > 0


@both_doubles
def test_no_step_of_a_stack_reads_a_value(place, reads):
    X, y = (place.put(array) for array in blobs(3))
    counts = []
    for n_steps in (10, 110):
        reads.clear()
        model = clone(LOGISTIC).set_params(max_iter=n_steps, record_every=10**6)
        grid = {"learning_rate": [0.01, 0.1], "l2_regularization": [0, 0.1]}
        with dispatching():
            VectorizedGridSearchCV(model, grid, cv=2, refit=False).fit(X, y)
        counts.append(len(reads))
    assert counts[0] == counts[1] > 0
