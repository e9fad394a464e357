"""The estimators on arrays of other libraries, on any device: what NumPy gives, where X is."""

import numpy as np
import pytest
from sklearn.base import clone

from libraries import CPU, DEVICE, NO_FLOAT64, PLACES, TORCH, Place, assert_near, dispatching, host, needs_dispatch, places
from models import ACTIVATIONS, BOTH, blobs, both, images, weights_of
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier

pytestmark = [needs_dispatch, pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")]

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
