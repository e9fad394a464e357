"""What to pass instead of samples as columns, images, files, text and one-hot labels."""

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from models import blobs, both
from sknn_basic import FlattenScaler, LogisticRegressionGD, ShallowNNClassifier


@both
def test_samples_as_columns_are_explained(model):
    """The notes' orientation gets scikit-learn's error and what to pass instead."""
    X, y = blobs()
    for bad_X, bad_y, advice in [
        (X.T, y, r"inconsistent numbers.*Samples are rows here .*: pass X\.T\.$"),
        (X.T.tolist(), y.tolist(), r"pass X\.T\.$"),
        (sparse.csr_array(X.T), y, r"pass X\.T\.$"),
        (X, y.reshape(1, -1), r"pass y\.ravel\(\)\.$"),
        (X.T, y.reshape(1, -1), r"pass X\.T and y\.ravel\(\)\.$"),
    ]:
        with pytest.raises(ValueError, match=advice):
            clone(model).fit(bad_X, bad_y)
    with pytest.raises(ValueError, match="FlattenScaler"):
        clone(model).fit(np.zeros((4, 8, 8, 3)), [0, 1, 0, 1])
    one_hot = np.eye(2)[y]
    for labels, axis in ((one_hot, 1), (one_hot.T, 0), (one_hot.tolist(), 1)):
        with pytest.raises(ValueError, match=rf"one-hot: pass y\.argmax\(axis={axis}\)\.$"):
            clone(model).fit(X, labels)
    with pytest.raises(ValueError, match=r"got an array of shape \(40, 2\) instead\.?$"):
        clone(model).fit(X, np.ones((40, 2)))


@both
def test_samples_as_columns_are_explained_by_answers_too(model):
    """In predict, predict_proba, decision_function and score: what to pass, once."""
    X, y = blobs()
    fitted = clone(model).set_params(max_iter=3).fit(X, y)
    for answer in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        with pytest.raises(
            ValueError, match=r"expecting 5 features as input\. Samples are rows .*: pass X\.T\.$"
        ):
            getattr(fitted, answer)(X.T)
    for bad_X, bad_y, advice in [
        (X.T, y, r"input\. Samples are rows here .*: pass X\.T\.$"),
        (X.T, y.reshape(1, -1), r"input\. Samples are rows here .*: pass X\.T and y\.ravel\(\)\.$"),
        (X, y.reshape(1, -1), r"Samples are rows here .*: pass y\.ravel\(\)\.$"),
    ]:
        with pytest.raises(ValueError, match=advice) as caught:
            fitted.score(bad_X, bad_y)
        assert str(caught.value).count("Samples are rows") == 1
    with pytest.raises(ValueError, match=r"40 features, .*expecting 5 features as input\.$"):
        fitted.predict(np.ones((7, 40)))
    with pytest.raises(ValueError, match="FlattenScaler"):
        fitted.predict(np.zeros((4, 8, 8, 3)))
    square = clone(model).set_params(max_iter=3).fit(X[:, :3], y)
    with pytest.raises(ValueError, match=r"2 features, .*expecting 3 features as input\. .*pass X\.T\.$"):
        square.predict(X[:3, :2])


FILE_NAMES = {
    "text": "new.jpg",
    "path": Path("new.jpg"),
    "list": ["new.jpg", "b.jpg"],
    "paths": [Path("new.jpg")],
    "array": np.array(["new.jpg"]),
    "series": pd.Series(["new.jpg", "b.jpg"]),
    "polars": pl.Series(["new.jpg"]),
}


@pytest.mark.parametrize("kind", FILE_NAMES)
def test_names_of_files_are_refused_with_how_to_read_them(kind):
    """By classifiers, FlattenScaler and both in a pipeline, in fit and in answers."""
    X, y = blobs()
    names = FILE_NAMES[kind]
    estimators = LogisticRegressionGD(max_iter=2), ShallowNNClassifier(2, max_iter=2), FlattenScaler(1)
    for estimator in (*estimators, make_pipeline(FlattenScaler(1), LogisticRegressionGD(max_iter=2))):
        with pytest.raises(ValueError, match=r"'new.jpg'.*pass \[read_image\("):
            clone(estimator).fit(names, [0, 1])
        answer = "transform" if isinstance(estimator, FlattenScaler) else "predict"
        with pytest.raises(ValueError, match=r"'new.jpg'.*pass \[read_image\("):
            getattr(estimator.fit(X, y), answer)(names)
    with pytest.raises(ValueError, match="read_image"):
        FlattenScaler(1).fit(np.ones((2, 3, 3))).transform(names)


def table(**columns):
    """A table of four samples with a column of numbers that are text, which scikit-learn converts."""
    return pd.DataFrame({"age": ["1", "2", "3", "4"], **columns})


CITY = ["a", None, "b", "2"]
TEXTS = {
    "pandas": (table(city=CITY, sex=pd.Categorical(["f", "m", "m", "f"]), n=1), ["city", "sex"]),
    "pandas text with NA": (table(city=pd.array(CITY, dtype="string")), ["city"]),
    "polars": (pl.DataFrame({"age": [1, 2, 3, 4], "city": CITY}), ["city"]),
    "PyArrow": (pa.table({"age": [1, 2, 3, 4], "city": CITY}), ["city"]),
    "objects": (table(city=CITY).to_numpy(dtype=object), [1]),
    "texts": (np.array([["1", "a"], ["2", "b"]] * 2), [1]),
    "list": ([[1, "a"], [2, "b"]] * 2, [1]),
    "many": (pd.DataFrame(np.full((4, 13), "a")).rename(columns=str), [*map(str, range(10))]),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_columns_of_text_are_named(kind):
    """In fit, in answers, of validation samples and in FlattenScaler; not the columns of numbers as text."""
    X, names = TEXTS[kind]
    others = r"\]" if kind != "many" else r"\] and 3 others"
    names = re.escape(str(names)[:-1]) + others
    message = f"columns of X hold text: {names}.*OneHotEncoder"
    y = [0, 1, 0, 1]
    n_columns = X.shape[1] if hasattr(X, "shape") else 2
    numbers = np.ones((4, n_columns)) * [[1], [2], [3], [5]]
    model = LogisticRegressionGD(max_iter=2)
    for estimator in (model, FlattenScaler(1)):
        with pytest.raises(ValueError, match=message):
            clone(estimator).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the model was fitted without the names of columns
        with pytest.raises(ValueError, match=message):
            clone(model).fit(numbers, y).predict(X)
        with pytest.raises(ValueError, match=rf"In the validation samples .* of X_val hold text: {names}"):
            clone(model).fit(numbers, y, X_val=X, y_val=y)


def test_numbers_as_text_are_still_converted():
    assert LogisticRegressionGD(max_iter=2).fit(table(), [0, 1, 0, 1]).predict(table()).shape == (4,)


def test_missing_values_of_samples_are_told_from_those_of_labels():
    """Of samples in scikit-learn's words, with what fills them in; of labels they are said to be in y."""
    X, y = blobs()
    complete = X.copy()
    X[3, 1] = np.nan
    for estimator in (LogisticRegressionGD(), FlattenScaler(1)):
        with pytest.raises(ValueError, match=r"(?s)^Input X contains NaN\..*missing values.*SimpleImputer"):
            estimator.fit(X, y)
    with pytest.raises(ValueError, match="Input X contains NaN") as error:
        FlattenScaler(1).fit(X.reshape(len(X), -1, 1))
    assert "SimpleImputer" not in str(error.value)
    words = np.array(["no", "yes"], object)[y]
    for labels, kind in [
        (np.where(y, 1, np.nan), ValueError),
        (np.where(y, words, np.nan), ValueError),
        (pd.Series(np.where(y, words, None)), ValueError),
        (pd.Series(np.where(y, words, None)).astype("category"), ValueError),
        (pd.Series(np.where(y, words, None), dtype="string"), TypeError),
    ]:
        with pytest.raises(kind, match=r"y contains NaN\. Leave out the samples that have no label\.$"):
            LogisticRegressionGD().fit(complete, labels)
        with pytest.raises(kind, match=r"y contains NaN\."):
            LogisticRegressionGD(max_iter=2).fit(complete, y, X_val=complete, y_val=labels)
