"""Validate the arguments of `fit` and turn them into a `Problem`: X, targets and normalised weights s."""

from functools import partial

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from .._descent.arrays import namespace, on_host
from .._descent.device import OnDevice
from .._descent.problem import Problem
from .._lazy.sources import computed, placed_like, source_of
from .._sklearn import check_sample_weight
from .advice import orientation_advice, refuse_file_names, value_advice

# Fitted attributes that describe the data: they are known before the descent.
DATA_ATTRIBUTES = "classes_", "n_features_in_", "feature_names_in_"


def make_problem(estimator, X, y, sample_weight=None, *, n_steps, gram=None):
    """Validate the data, set `classes_` and `n_features_in_`; return the problem for `n_steps` steps.

    `gram` is X X' in float64, if already known.
    """
    before, given = {name: getattr(estimator, name, None) for name in DATA_ATTRIBUTES}, y
    X, y, classes = validate_samples(estimator, X, y)
    if len(classes) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs samples of at least 2 classes, but y contains only one class: "
            f"{classes.tolist()[0]!r}."
        )
    estimator.classes_ = placed_like(given, classes)
    labels = np.searchsorted(classes, y)  # np.unique(return_inverse=True) takes 40 bytes a sample
    network = estimator._network
    targets, s = weighted(network, X, labels, classes, sample_weight, estimator.class_weight)
    if not estimator.warm_start or before["classes_"] is None:
        layers = estimator._init_layers(X.shape[1], targets.shape[1], X.dtype)
    else:
        _check_warm_start(estimator, *before.values())
        layers = layers_on_host(estimator, X.dtype)
        if not network.fit_intercept:
            layers = [(W, np.zeros_like(b)) for W, b in layers]
    return Problem(network, X, targets, s, layers, n_steps, gram)


def weighted(network, X, labels, classes, sample_weight, class_weight):
    """Return the targets of labels 0 ... n_classes - 1, where X is, and the normalised weights."""
    s = normalized_weights(labels, classes, sample_weight, class_weight)
    labels = X.place(labels) if isinstance(X, OnDevice) else labels
    return network.output.targets(labels, len(classes), X.dtype), s


def layers_on_host(classifier, dtype=None):
    """Return the fitted layers as arrays of NumPy, of a dtype if given."""
    return [tuple(np.asarray(on_host(array), dtype) for array in layer) for layer in classifier._get_layers()]


def make_validation(estimator, problem, X_val, y_val, sample_weight_val):
    """Return the objective of the validation samples, or None; delete their costs in the previous fit."""
    for name in ("validation_loss_curve_", "validation_loss_"):
        vars(estimator).pop(name, None)
    arguments = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
    given = [name for name, value in arguments.items() if value is not None]
    if not given:
        return None
    for name in ("X_val", "y_val"):
        if name not in given:
            raise ValueError(f"{' and '.join(given)} given without {name}: pass X_val and y_val together.")
    classes, dtype = on_host(estimator.classes_), problem.samples.weight_dtype
    try:
        with orientation_advice(X_val, y_val, estimator.n_features_in_, "_val"):
            X_val = _validated(estimator, X_val, dtype, suffix="_val")
            check_place(X_val, problem.samples.X, "Samples in X_val", whose="in X")
            y_val = check_labels(y_val, X_val)
            labels = label_numbers(y_val, classes, "y_val", "y")
            weights = sample_weight_val, estimator.class_weight
            return problem.validation(X_val, *weighted(problem.network, X_val, labels, classes, *weights))
    except ValueError as error:
        raise ValueError(f"In the validation samples ({', '.join(arguments)}): {error}") from error


# Samples and labels


def validate_samples(estimator, X, y):
    """Return X as float32 or float64, dense or CSR, y (n_samples,) and its classes, or raise an error."""
    with orientation_advice(X, y):
        if y is None:  # scikit-learn's words
            name = type(estimator).__name__
            raise ValueError(f"This {name} estimator requires y to be passed, but the target y is None.")
        X = _validated(estimator, X, reset=True)
        y = check_labels(y, X)
        return X, y, classes_of(y)


def validate_new_samples(estimator, X):
    """Return X to predict, validated in the same way."""
    with orientation_advice(X, None, estimator.n_features_in_):
        return _validated(estimator, X)


def check_place(X, other, what, *names, whose="passed to fit()"):
    """Raise ValueError unless X, which is validated, is of the library and on the device of another array."""
    if not (isinstance(X, np.ndarray) and isinstance(other, np.ndarray)):
        here, there = (_place_of(getattr(array, "array", array)) for array in (X, other))
        if here != there:
            raise ValueError(
                f"{what.format(*names)} must use the same namespace and the same device as those {whose}, "
                f"{there}, but use {here}. With array_api_dispatch=True, move X, or a model by "
                "sklearn.utils._array_api: xp, _, device = get_namespace_and_device(X); model = "
                "move_estimator_to(model, xp, device)."
            )


def _place_of(array):
    """Return the names of an array's library and device."""
    xp = namespace(array)
    return "NumPy" if xp is np else f"{xp.__name__.rpartition('.')[2]} on {array.device}"


def _validated(estimator, X, dtype=None, reset=False, suffix=""):
    """Return X in memory, dense or CSR, or as `Stored`, whose values are checked when they are first read."""
    return held(X, partial(validate_data, estimator, reset=reset), dtype, suffix)


def held(X, check, dtype=None, suffix=""):
    """Return the samples in the form that a descent takes; `check` is a function of scikit-learn."""
    source = source_of(X)
    X = source.example()
    refuse_file_names(X)
    with value_advice(X, suffix):
        return source.held(check(X, accept_sparse="csr", dtype=source.dtypes(dtype)))


def check_labels(y, X):
    """Return labels as an array (n_samples,), one for each sample of X, or raise ValueError."""
    try:
        y = validate_data(BaseEstimator(), y=computed(y), reset=False)
    except (TypeError, ValueError) as error:  # TypeError: pandas.NA in labels that are text
        if "contains NaN" in str(error) or "NA is ambiguous" in str(error):
            raise type(error)("Input y contains NaN. Leave out the samples that have no label.") from error
        raise
    check_consistent_length(X, y)
    return y


def label_numbers(y, classes, name, place):
    """Return labels as their numbers in `classes`, or raise ValueError if one is not there."""
    # Compared in Python: NumPy would cast one array to the type of the other, and truncate strings.
    unseen = set(y.tolist()) - set(classes.tolist())
    if unseen:
        raise ValueError(
            f"{name} has labels that are not in {place}: {sorted(unseen, key=str)}; those in {place} are "
            f"{classes.tolist()}. Leave these samples out."
        )
    return np.searchsorted(classes, y.astype(classes.dtype))


def classes_of(y):
    """Return the classes of labels in sorted order, or raise TypeError if they cannot be sorted."""
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
    return classes


# Warm start


def _check_warm_start(estimator, classes, n_features, names):
    """Raise ValueError if the features or classes differ from those of the previous fit."""
    names_now = getattr(estimator, "feature_names_in_", None)
    same_names = names_now is None or names is None or np.array_equal(names_now, names)
    if estimator.n_features_in_ != n_features or not same_names:
        was, now = n_features, estimator.n_features_in_
        if was == now:
            was, now = f"{was} named {list(names)}", f"{now} named {list(names_now)}"
        raise ValueError(
            f"warm_start=True continues from weights that were fitted on {was} features, but X has {now}. "
            "Pass the same features, or set warm_start=False to start afresh."
        )
    now, classes = on_host(estimator.classes_), on_host(classes)
    if not np.array_equal(now, classes):
        raise ValueError(
            f"warm_start=True continues from weights that were fitted on the classes {classes.tolist()}, but "
            f"y has {now.tolist()}. Pass the same classes, or set warm_start=False to start "
            "afresh."
        )
    estimator._check_warm_start()


# Weights


def normalized_weights(labels, classes, sample_weight, class_weight):
    """Return s (n_samples, 1): the sample weights divided by their sum, so that the cost is a plain sum."""
    weights = np.ones(len(labels))
    if sample_weight is not None:
        weights = check_sample_weight(computed(sample_weight), labels, dtype=np.float64)
        weights = _divide_by_max(weights, "sample_weight")
    if class_weight == "balanced":
        totals = np.bincount(labels, weights, minlength=len(classes))
        weights = weights / np.where(totals == 0, 1, totals)[labels]
    elif class_weight is not None:
        factors = _factors_of(classes.tolist(), class_weight)
        weights = weights * _divide_by_max(factors, "class_weight")[labels]
        weights = _divide_by_max(weights, "sample_weight times class_weight")
    return (weights / weights.sum()).reshape(-1, 1)


def _factors_of(classes, class_weight):
    """Return the factor of each class, 1 for those that a dict of other classes leaves out.

    Not by `compute_class_weight`: that of scikit-learn 1.9 looks up the label "1" as the number 1.
    """
    absent = [label for label in classes if label not in class_weight]
    if absent and len(class_weight) > len(classes) - len(absent):
        raise ValueError(
            f"The classes, {absent}, are not in class_weight, whose keys are {list(class_weight)}. Pass the "
            "labels of y as keys, of the same type."
        )
    return np.array([class_weight.get(label, 1) for label in classes], np.float64)


def _divide_by_max(weights, name):
    """Return the weights divided by the largest, so that their sum cannot overflow."""
    if not np.isfinite(weights).all() or weights.min() < 0:
        raise ValueError(
            f"{name} must be finite and non-negative, but ranges from {weights.min():g} to {weights.max():g}."
        )
    if weights.max() == 0:
        raise ValueError(f"Sample weights must contain at least one non-zero number: {name} are all 0.")
    return weights / weights.max()
