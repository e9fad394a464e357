"""Advice in errors about samples and labels, their shapes and values: what to pass instead."""

from contextlib import contextmanager
from os import PathLike

import numpy as np

from .._lazy.sources import shape_of

ROUTING = (
    "To transform the validation samples as X, enable scikit-learn's metadata routing, pass "
    'transform_input=["X_val"] to the pipeline and call set_fit_request(X_val=True, y_val=True) on the '
    "classifier."
)


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
        plain = getattr(error, "without_advice", error)  # a nested call has seen X alone
        advised = ValueError(f"{str(plain).rstrip('.')}. {advice}")
        advised.without_advice = plain
        raise advised from plain


def refuse_file_names(X):
    """Raise ValueError if X is a text or a path, or holds such instead of numbers."""
    is_list = isinstance(X, list | tuple) or len(getattr(X, "shape", ())) == 1
    first = next(iter(X), None) if is_list else X
    if isinstance(first, str | PathLike):
        verb, images = ("holds", "[read_image(path) for path in X]") if is_list else ("is", "[read_image(X)]")
        raise ValueError(
            f"X must be numbers, but {verb} the text or path {str(first)[:100]!r}. If this names an image "
            f"file, pass {images}, with the size that the images of fit have."
        )


@contextmanager
def value_advice(X, suffix=""):
    """Add advice to a ValueError if columns of X, which is in memory, hold text or lack values."""
    try:
        yield
    except ValueError as error:
        advice, message = "", str(error)
        # Only then, since it makes an object of each value.
        if ("string" in message or "type object" in message) and (names := _text_columns(X)):
            more = f" and {len(names) - 10} others" if len(names) > 10 else ""
            advice = f"These columns of X{suffix} hold text: {names[:10]}{more}."
            encode = (
                "Encode them by OneHotEncoder, in a ColumnTransformer before the classifier in a pipeline."
            )
            advice = f"{advice} {ROUTING if suffix else encode}"
        elif "X contains NaN" in message and len(shape_of(X)) == 2:
            impute = "Put SimpleImputer, which fills in missing values, before the classifier in a pipeline."
            advice = ROUTING if suffix else impute
        if not advice:
            raise
        raise ValueError(f"{message.rstrip('.')}. {advice}") from error


def _text_columns(X):
    """Return the names, or else the numbers, of the columns of a table that hold text other than numbers."""
    try:
        values = np.asarray(X, object)
    except ValueError:  # a ragged list
        return []
    if values.ndim != 2:
        return []
    names = list(getattr(X, "column_names", getattr(X, "columns", range(values.shape[1]))))
    return [name for name, column in zip(names, values.T, strict=True) if _is_text(column)]


def _is_text(column):
    try:
        column.astype(np.float64)
    except (TypeError, ValueError):
        return any(isinstance(value, str) for value in column)
    return False


def _what_to_pass(X_shape, y_shape, n_features, suffix):
    """Return advice on what to pass instead, or ''."""
    if len(X_shape) > 2 and suffix:
        return ROUTING
    if len(X_shape) > 2 and (y_shape or n_features):
        return "To classify images, put FlattenScaler() before the classifier in a pipeline."
    y_is_row = len(y_shape) == 2 and y_shape[0] == 1 < y_shape[1]
    n_samples = y_shape[-1 if y_is_row else 0] if y_shape else None
    known = [(n, size) for n, size in zip((n_features, n_samples), X_shape, strict=False) if n is not None]
    is_not_square = len(X_shape) == 2 and X_shape[0] != X_shape[1]
    X_is_transposed = is_not_square and bool(known) and all(n == size for n, size in known)
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
