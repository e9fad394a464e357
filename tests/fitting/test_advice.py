"""What to pass instead of samples as columns, images and one-hot labels, after scikit-learn's words."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from models import blobs, both


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
