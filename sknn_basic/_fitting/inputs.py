"""Validate the arguments of `fit` and turn them into a `Problem`: X, targets and normalised weights s."""

from contextlib import contextmanager

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length, column_or_1d, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from .._descent.problem import Problem, cast
from .._lazy.dask import (
    as_array,
    example_of,
    in_memory,
    is_converted,
    is_dask,
    memmap_to_stored,
    refuse_files,
    to_stored,
)
from .._sklearn import check_sample_weight


def make_problem(estimator, X, y, sample_weight=None, *, n_steps, gram=None):
    """Validate the data, set `classes_` and `n_features_in_`; return the problem for `n_steps` steps.

    `gram` is X X' in float64, if already known.
    """
    previous = _previous_fit(estimator) if estimator.warm_start else None
    X, y, classes = validate_samples(estimator, X, y)
    if len(classes) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs samples of at least 2 classes, but y contains only "
            f"one class: {classes.tolist()[0]!r}."
        )
    estimator.classes_ = classes
    labels = np.searchsorted(classes, y)  # np.unique(return_inverse=True) takes 40 bytes a sample
    s = normalized_weights(labels, classes, sample_weight, estimator.class_weight, X)
    network = estimator._network
    targets = network.output.targets(labels, len(classes), X.dtype)
    if previous is None:
        layers = estimator._init_layers(X.shape[1], targets.shape[1], X.dtype)
    else:
        _check_warm_start(estimator, *previous)
        layers = cast(estimator._get_layers(), X.dtype)
        if not network.fit_intercept:
            layers = [(W, np.zeros_like(b)) for W, b in layers]
    return Problem(network, X, targets, s, layers, n_steps, gram)


def make_validation(estimator, problem, X_val, y_val, sample_weight_val):
    """Return the objective of the validation samples, or None without any.

    Deletes the validation attributes of the previous fit.
    """
    for name in ("validation_loss_curve_", "validation_loss_"):
        vars(estimator).pop(name, None)
    given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
    if all(value is None for value in given.values()):
        return None
    for name in ("X_val", "y_val"):
        if given[name] is None:
            others = " and ".join(other for other, value in given.items() if value is not None)
            raise ValueError(f"{others} given without {name}: pass X_val and y_val together.")
    classes = estimator.classes_
    try:
        refuse_files(X_val)
        with orientation_advice(X_val, y_val, estimator.n_features_in_, "_val"):
            dtype, y_val = problem.samples.weight_dtype, in_memory(y_val)
            if is_stored(X_val):
                is_local = problem.samples.gram is not None  # which is in memory, and multiplies the samples
                X_val = validate_stored(estimator, X_val, dtype, reset=False, is_local=is_local)
            else:
                X_val = validate_data(estimator, X_val, accept_sparse="csr", dtype=dtype, reset=False)
            y_val = column_or_1d(y_val, warn=True)
            check_consistent_length(X_val, y_val)
            # Compared in Python: NumPy would cast one array to the type of the other, and truncate strings.
            unseen = set(y_val.tolist()) - set(classes.tolist())
            if unseen:
                raise ValueError(
                    f"y_val has labels that are not in y: {sorted(unseen, key=str)}; those in y are "
                    f"{classes.tolist()}. Leave these samples out."
                )
            labels = np.searchsorted(classes, y_val.astype(classes.dtype))
            s = normalized_weights(labels, classes, sample_weight_val, estimator.class_weight, X_val)
            targets = problem.network.output.targets(labels, len(classes), problem.samples.weight_dtype)
            return problem.validation(X_val, targets, s)
    except ValueError as error:
        message = f"In the validation samples (X_val, y_val, sample_weight_val): {error}"
        raise ValueError(message) from error


# Samples and labels


def shape_of(array):
    """Return the shape of an array-like, or () if it has none."""
    if is_dask(array):
        return tuple(array.shape) if hasattr(array, "chunks") else ()
    try:
        return tuple(array.shape) if hasattr(array, "shape") else np.asarray(array).shape
    except ValueError:  # a ragged list
        return ()


def validate_samples(estimator, X, y):
    """Return X as float32 or float64, dense or CSR, y (n_samples,) and its classes, or raise an error."""
    refuse_files(X)
    with orientation_advice(X, y):
        y = in_memory(y)
        if is_stored(X) and y is not None:
            X, y = validate_stored(estimator, X), validate_data(BaseEstimator(), y=y, reset=False)
            check_consistent_length(X, y)
        else:
            X, y = validate_data(estimator, X, y, accept_sparse="csr", dtype=accepted_dtypes(X))
        try:
            classes = np.unique(y)
            if isinstance(classes[0], bytes):  # which scikit-learn accepts before 1.7, with a warning
                raise TypeError("got bytes")
            check_classification_targets(y)
        except TypeError as error:
            raise TypeError(
                "y must hold class labels that can be sorted: numbers, strings or booleans, not bytes, no "
                f"mixture and none missing ({str(error).rstrip('.')})."
            ) from error
    return X, y, classes


def validate_new_samples(estimator, X):
    """Return X to predict, validated in the same way."""
    refuse_files(X)
    with orientation_advice(X, None, estimator.n_features_in_):
        if is_stored(X):
            return validate_stored(estimator, X, reset=False)
        return validate_data(estimator, X, accept_sparse="csr", dtype=accepted_dtypes(X), reset=False)


def is_stored(X):
    """Whether X is read block by block: of Dask, or a memmap of other values than floats."""
    return is_dask(X) or is_converted(X)


def validate_stored(estimator, X, dtype=None, reset=True, is_local=False):
    """Return X as `Stored`; what needs a value, such as finite values, is checked when it is first read."""
    example = example_of(X) if is_dask(X) else X[:1]
    dtype = validate_data(estimator, example, dtype=dtype or accepted_dtypes(example), reset=reset).dtype
    if not is_dask(X):
        return memmap_to_stored(X, dtype)
    X = as_array(X)
    if X.shape[0] == 0:
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
    return to_stored(X if X.dtype.kind in "buif" else X.astype(dtype), dtype, is_local)


def accepted_dtypes(X):
    """Return the dtypes to keep: float32 and float64."""
    return np.float32 if is_float32(X) else [np.float64, np.float32]


def is_float32(X):
    """Whether all values are float32: of any byte order, or columns of pandas, polars or PyArrow."""
    dtypes = getattr(X, "dtypes", None)
    if dtypes is None:
        dtypes = X.schema.types if hasattr(X, "schema") else [getattr(X, "dtype", None)]
    elif hasattr(X, "dtype"):  # a Series
        dtypes = [X.dtype]
    return {_name_of(dtype) for dtype in dtypes} <= {"float32", "<f4", ">f4", "float"}


def _name_of(dtype):
    """Return the name of the values' type, for extension types of pandas too."""
    return str(getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype))).lower()


@contextmanager
def orientation_advice(X, y=None, n_features=None, suffix=""):
    """Add advice to a ValueError if the samples seem to be columns, as in the notes, or are images.

    `n_features` is the expected number, if known; `suffix` completes the argument names X and y.
    """
    try:
        with np.errstate(all="ignore"):  # scikit-learn's test of finite values adds them up
            yield
    except ValueError as error:
        advice = _what_to_pass(shape_of(X), () if y is None else shape_of(y), n_features, suffix)
        advice = advice or _one_hot_advice(y, suffix)
        if not advice:
            raise
        plain = getattr(error, "without_advice", error)  # of a nested call, which has seen X alone
        advised = ValueError(f"{str(plain).rstrip('.')}. {advice}")
        advised.without_advice = plain
        raise advised from plain


def _what_to_pass(X_shape, y_shape, n_features, suffix):
    """Return advice on what to pass instead, or ''."""
    if len(X_shape) > 2 and suffix:
        return (
            "To transform validation images as X, enable scikit-learn's metadata routing, pass "
            'transform_input=["X_val"] to the pipeline and call set_fit_request(X_val=True, y_val=True) on '
            "the classifier."
        )
    if len(X_shape) > 2 and (y_shape or n_features):
        return "To classify images, put FlattenScaler() before the classifier in a pipeline."
    y_is_row = len(y_shape) == 2 and y_shape[0] == 1 < y_shape[1]
    n_samples = y_shape[-1 if y_is_row else 0] if y_shape else None
    X_is_transposed = (
        len(X_shape) == 2
        and X_shape[0] != X_shape[1]
        and (n_samples is not None or n_features is not None)
        and n_samples in (None, X_shape[1])
        and n_features in (None, X_shape[0])
    )
    instead = [f"X{suffix}.T"] * X_is_transposed + [f"y{suffix}.ravel()"] * y_is_row
    if not instead:
        return ""
    return f"Samples are rows here (the notes have them as columns): pass {' and '.join(instead)}."


def _one_hot_advice(y, suffix):
    """Return what to pass instead of one-hot labels, or ''."""
    if y is None or len(shape_of(y)) != 2 or min(shape_of(y)) < 2:
        return ""
    y = np.asarray(y)
    for axis in (1, 0):
        if y.dtype.kind in "buif" and np.isin(y, (0, 1)).all() and (y.sum(axis=axis) == 1).all():
            return f"The labels are one-hot: pass y{suffix}.argmax(axis={axis})."
    return ""


# Warm start


def _previous_fit(estimator):
    """Return the classes and features of the previous fit, or None before the first."""
    if not hasattr(estimator, "classes_"):
        return None
    return estimator.classes_, estimator.n_features_in_, getattr(estimator, "feature_names_in_", None)


def _check_warm_start(estimator, classes, n_features, names):
    """Raise ValueError if the features or classes differ from those of the previous fit."""
    names_now = getattr(estimator, "feature_names_in_", None)
    same_names = names_now is None or names is None or np.array_equal(names_now, names)
    if estimator.n_features_in_ != n_features or not same_names:
        was, now = n_features, estimator.n_features_in_
        if was == now:
            was, now = f"{was} named {list(names)}", f"{now} named {list(names_now)}"
        raise ValueError(
            f"warm_start=True continues from weights that were fitted on {was} features, but X "
            f"has {now}. Pass the same features, or set warm_start=False to start afresh."
        )
    if not np.array_equal(estimator.classes_, classes):
        raise ValueError(
            f"warm_start=True continues from weights that were fitted on the classes "
            f"{classes.tolist()}, but y has {estimator.classes_.tolist()}. Pass the same classes, or "
            f"set warm_start=False to start afresh."
        )
    estimator._check_warm_start()


# Weights


def normalized_weights(labels, classes, sample_weight, class_weight, X):
    """Return s (n_samples, 1): the sample weights divided by their sum, so that the cost is a plain sum."""
    weights = np.ones(len(labels))
    if sample_weight is not None:
        weights = check_sample_weight(in_memory(sample_weight), X, dtype=np.float64)
        weights = _divide_by_max(weights, "sample_weight")
    if class_weight == "balanced":
        totals = np.bincount(labels, weights, minlength=len(classes))
        weights = weights / np.where(totals == 0, 1, totals)[labels]
    elif class_weight is not None:
        factors = compute_class_weight(class_weight, classes=classes, y=classes)
        weights = _divide_by_max(
            weights * _divide_by_max(factors, "class_weight")[labels], "sample_weight times class_weight"
        )
    return (weights / weights.sum()).reshape(-1, 1)


def _divide_by_max(weights, name):
    """Return the weights divided by the largest, so that their sum cannot overflow."""
    if not np.isfinite(weights).all() or weights.min() < 0:
        raise ValueError(
            f"{name} must be finite and non-negative, but ranges from {weights.min():g} to {weights.max():g}."
        )
    if weights.max() == 0:
        raise ValueError(f"Sample weights must contain at least one non-zero number: {name} are all 0.")
    return weights / weights.max()
