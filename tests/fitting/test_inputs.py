"""Bad samples, labels and weights are refused, in scikit-learn's words and with what to do."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone

from models import assert_same_model, blobs, both, weights_of
from sknn_basic import FlattenScaler


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
    for class_weight in (None, "balanced", {0: 1, 1: 2}):
        with pytest.raises(ValueError, match=message):
            clone(model).set_params(class_weight=class_weight).fit(X, y, weight)


@both
def test_bad_class_weights_are_refused(model):
    X, y = blobs()
    for bad in (-1, np.inf, np.nan):
        with pytest.raises(ValueError, match="class_weight must be finite and non-negative, but ranges from"):
            clone(model).set_params(class_weight={0: bad}).fit(X, y)
    with pytest.raises(ValueError, match="class_weight are all 0"):
        clone(model).set_params(class_weight={0: 0, 1: 0}).fit(X, y)


LABELS = {
    "numbers": [3, 10],
    "floats": [3.0, 10.0],
    "booleans": [False, True],
    "strings of digits": ["0", "1"],
    "strings of other numbers": ["-1", "1_0"],
    "objects": np.array(["0", "1"], object),
    "words": ["no", "yes"],
}


@both
@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("keys", [(0, 1), (1,), (0,), (1, 0)])
def test_factors_of_classes_by_their_own_labels(model, kind, keys):
    """Those of a dict are weights of the samples; classes that it leaves out have the weight 1."""
    X, indices = blobs()
    factors = {0: 2.0, 1: 5.0}
    labels = np.asarray(LABELS[kind])
    class_weight = {labels.tolist()[i]: factors[i] for i in keys}
    weights = np.array([factors[i] if i in keys else 1.0 for i in indices])
    by_hand = clone(model).fit(X, labels[indices], weights)
    found = clone(model).set_params(class_weight=class_weight).fit(X, labels[indices])
    assert found.classes_.tolist() == labels.tolist()
    assert_same_model(found, by_hand, 1e-12)


@both
@pytest.mark.parametrize(
    ("labels", "class_weight", "absent"),
    [
        ([0, 1], {0: 1, 5: 1}, [1]),
        ([0, 1], {"0": 1, "1": 3}, [0, 1]),
        (["0", "1"], {0: 1, 1: 3}, ["0", "1"]),
        (["0", "1"], {"0": 1, 1: 3}, ["1"]),
        ([False, True], {"False": 1, "True": 3}, [False, True]),
        (["a", "b"], {"A": 2}, ["a", "b"]),
    ],
)
def test_factors_of_other_labels_are_refused(model, labels, class_weight, absent):
    """By the classes that have no factor, as scikit-learn 1.8; keys beside all classes are ignored."""
    X, indices = blobs()
    y = np.array(labels)[indices]
    model = clone(model)
    with pytest.raises(ValueError, match="not in class_weight, whose keys are") as error:
        model.set_params(class_weight=class_weight).fit(X, y)
    assert f"The classes, {absent}, are" in str(error.value)
    complete = dict.fromkeys(labels, 1.0)
    found = clone(model).set_params(class_weight=complete | class_weight).fit(X, y)
    kept = {label: (complete | class_weight)[label] for label in labels}
    assert_same_model(found, clone(model).set_params(class_weight=kept).fit(X, y), 1e-12)


FLOAT32 = {
    "big-endian": lambda X: X.astype(">f4"),
    "pandas": lambda X: pd.DataFrame(X).astype("Float32").rename(columns=str),
    "pandas with PyArrow": lambda X: pd.DataFrame(X).astype("float32[pyarrow]").rename(columns=str),
    "sparse pandas": lambda X: pd.DataFrame(X).astype(pd.SparseDtype("float32", 0)).rename(columns=str),
    "polars": pl.DataFrame,
    "PyArrow": lambda X: pa.table({str(i): column for i, column in enumerate(X.T)}),
}


@pytest.mark.filterwarnings("ignore:pandas.DataFrame with sparse columns found:UserWarning")
@pytest.mark.parametrize("kind", FLOAT32)
@both
def test_float32_stays_float32_in_every_container(model, kind):
    """Law 5: weights and answers have the precision of X, whatever holds it; the weights are the same."""
    X, y = blobs()
    X = X.astype(np.float32)
    given, model = FLOAT32[kind](X), clone(model).set_params(max_iter=3)
    fitted = clone(model).fit(given, y)
    for a, b in zip(weights_of(fitted), weights_of(clone(model).fit(X, y)), strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    assert fitted.predict_proba(given).dtype == np.float32
    if "sparse" not in kind:
        assert FlattenScaler(1).fit_transform(given).dtype == np.float32


@both
def test_a_series_is_no_table(model):
    """One column alone gets scikit-learn's error, in fit and in predict."""
    X, y = blobs()
    fitted = clone(model).set_params(max_iter=3).fit(X, y)
    for series in (pd.Series(X[:, 0]), pl.Series(X[:, 0])):
        with pytest.raises(ValueError, match=r"Expected (a 2-dimensional container|2D array)"):
            clone(model).fit(series, y)
        with pytest.raises(ValueError, match=r"Expected (a 2-dimensional container|2D array)"):
            fitted.predict(series)


@both
@pytest.mark.parametrize(
    "labels", [[b"no", b"yes"], np.array(["no", "yes"], "S3"), ["yes", None], np.array([1, "yes"], object)]
)
def test_labels_of_other_types_are_refused(model, labels):
    """As the documentation says: TypeError, with what labels may be; the model is as it was."""
    X, _ = blobs()
    model = clone(model)
    with pytest.raises(TypeError, match="y must hold class labels that can be sorted: numbers, strings"):
        model.fit(X, np.array(labels)[np.arange(len(X)) % 2])
    assert vars(model) == vars(clone(model))
