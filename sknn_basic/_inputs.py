"""What `fit` makes of its arguments: checked samples, labels as Y, weights as shares s."""

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from ._sklearn import check_sample_weight


def shape_of(array):
    """Return the shape of anything array-like, () where it has none."""
    try:
        return tuple(array.shape) if hasattr(array, "shape") else np.asarray(array).shape
    except ValueError:  # a ragged list
        return ()


def validate_samples(estimator, X, y):
    """Return X as float32 or float64, dense or CSR, and y (n_samples,), or say what to pass instead."""
    try:
        X_checked, y_checked = validate_data(estimator, X, y, accept_sparse="csr", dtype=_accepted_dtypes(X))
        check_classification_targets(y_checked)
    except ValueError as error:
        advice = _orientation_advice(X, y)
        if not advice:
            raise
        raise ValueError(f"{str(error).rstrip('.')}. {advice}") from error
    return X_checked, y_checked


def validate_more_samples(estimator, X):
    """Return X to predict, in the same form."""
    return validate_data(estimator, X, accept_sparse="csr", dtype=_accepted_dtypes(X), reset=False)


def validate_validation_samples(estimator, X_val, y_val, sample_weight_val, dtype):
    """Return X_val, labels, and s of the samples that a fit is validated on, or None where there are none."""
    given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
    if all(value is None for value in given.values()):
        return None
    for name in ("X_val", "y_val"):
        if given[name] is None:
            others = " and ".join(other for other, value in given.items() if value is not None)
            raise ValueError(f"{others} given without {name}: pass X_val and y_val together.")
    classes = estimator.classes_
    try:
        X_val = validate_data(estimator, X_val, accept_sparse="csr", dtype=dtype, reset=False)
        y_val = column_or_1d(y_val, warn=True)
        check_consistent_length(X_val, y_val)
        # As Python compares them: NumPy would cast one to the type of the other, and cut strings.
        unseen = set(y_val.tolist()) - set(classes.tolist())
        if unseen:
            raise ValueError(
                f"y_val has labels that y has not: {sorted(unseen, key=str)}; those of y are "
                f"{classes.tolist()}. Leave these samples out."
            )
        labels = np.searchsorted(classes, y_val.astype(classes.dtype))
        s = shares(labels, classes, sample_weight_val, estimator.class_weight, X_val)
    except ValueError as error:
        message = f"In the validation samples (X_val, y_val, sample_weight_val): {error}"
        advice = _validation_advice(given["X_val"], given["y_val"], estimator.n_features_in_)
        raise ValueError(f"{message.rstrip('.')}. {advice}" if advice else message) from error
    return X_val, labels, s


def _accepted_dtypes(X):
    """Keep float32 also of a DataFrame whose columns have a type of pandas or polars of that name."""
    if all(str(dtype).lower() == "float32" for dtype in getattr(X, "dtypes", [None])):
        return np.float32
    return [np.float64, np.float32]


def _validation_advice(X_val, y_val, n_features):
    """Return what to pass instead of images, or where samples seem to be columns; else ''."""
    X_shape = shape_of(X_val)
    if len(X_shape) > 2:
        return (
            "A pipeline transforms images as it does X: turn on scikit-learn's enable_metadata_routing, pass "
            'transform_input=["X_val"] to the pipeline and call set_fit_request(X_val=True, y_val=True) of '
            "the classifier."
        )
    return _orientation_advice(X_val, y_val, n_features, "_val")


def _orientation_advice(X, y, n_features=None, suffix=""):
    """Return what to pass instead where samples seem to be columns, as in the notes; else ''.

    `n_features` is their number where it is known; the arguments of `fit` are called X and y with the suffix.
    """
    X_shape, y_shape = shape_of(X), shape_of(y)
    if not y_shape:
        return ""
    y_is_row = len(y_shape) == 2 and y_shape[0] == 1 < y_shape[1]
    m = y_shape[1] if y_is_row else y_shape[0]
    X_is_transposed = len(X_shape) == 2 and X_shape[1] == m != X_shape[0] and n_features in (None, X_shape[0])
    if len(X_shape) > 2:
        return "To train on images, put FlattenScaler() before the classifier in a pipeline."
    instead = [f"X{suffix}.T"] * X_is_transposed + [f"y{suffix}.ravel()"] * y_is_row
    if instead:
        return f"Samples are rows here (the notes have them as columns): pass {' and '.join(instead)}."
    return ""


def shares(labels, classes, sample_weight, class_weight, X):
    """Return s (n_samples, 1): the weights divided by their sum, so that the cost is a plain sum."""
    weights = np.ones(len(labels))
    if sample_weight is not None:
        weights = _relative(check_sample_weight(sample_weight, X, dtype=np.float64), "sample_weight")
    if class_weight == "balanced":
        totals = np.bincount(labels, weights, minlength=len(classes))
        weights = weights / np.where(totals == 0, 1, totals)[labels]
    elif class_weight is not None:
        factors = compute_class_weight(class_weight, classes=classes, y=classes)
        weights = _relative(weights * _relative(factors, "class_weight")[labels], "all products of weights")
    return (weights / weights.sum()).reshape(-1, 1)


def _relative(weights, name):
    """Return the weights divided by the largest, so that no sum of them overflows."""
    if not np.isfinite(weights).all() or weights.min() < 0:
        raise ValueError(
            f"Negative and infinite weights are no weights: {name} holds values from {weights.min():g} to "
            f"{weights.max():g}. Pass finite weights of 0 or more."
        )
    if weights.max() == 0:
        raise ValueError(f"Sample weights must contain at least one non-zero number: {name} are all 0.")
    return weights / weights.max()


def targets(labels, n_outputs, dtype):
    """Return T = 1 - 2y (n_samples, 1) for two classes, else Y of 0 and 1, one column a class."""
    if n_outputs == 1:
        return (1 - 2 * labels).astype(dtype).reshape(-1, 1)
    Y = np.zeros((len(labels), n_outputs), dtype)
    Y[np.arange(len(labels)), labels] = 1
    return Y
