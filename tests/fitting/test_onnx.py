"""Models that skl2onnx converts predict the same in ONNX Runtime."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models import ACTIVATIONS, blobs, images
from sknn_basic import FlattenScaler, LogisticRegressionGD, ShallowNNClassifier

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the packages about each other
    skl2onnx = pytest.importorskip("skl2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:(skl2onnx|onnx).*")
TOLERANCE = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-12}
MODELS = {
    "logistic": LogisticRegressionGD(0.5, 100),
    "without intercept": LogisticRegressionGD(0.5, 100, fit_intercept=False),
    **{
        name: ShallowNNClassifier(4, name, learning_rate=0.3, max_iter=100, random_state=0)
        for name in ACTIVATIONS
    },
}


def run(model, X):
    """Return the labels and probabilities, or whatever the outputs are, of the converted model."""
    content = skl2onnx.to_onnx(model, X[:1]).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: X})


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "labels", [[7, -2], [False, True], ["é", "b"], [1.0, -1.0], [7, -2, 30], ["é", "b", "c d"]]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_classifiers(name, dtype, labels):
    """Labels and probabilities; in float64 to its precision."""
    X, y = blobs(len(labels))
    X = X.astype(dtype)
    model = clone(MODELS[name]).fit(X, np.array(labels)[y])
    found, probabilities = run(model, X)
    np.testing.assert_array_equal(found, model.predict(X))
    assert found.dtype in (np.int64, object)  # whole floats become integers
    expected = model.predict_proba(X.astype(np.float64))
    np.testing.assert_allclose(probabilities, expected, atol=TOLERANCE[np.dtype(dtype)])
    assert probabilities.dtype == dtype


@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 5), (20,)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_images(shape, dtype):
    """A FlattenScaler alone, and in pipelines."""
    X, y = images(3, shape=shape)
    X = X.astype(dtype)
    (rows,) = run(FlattenScaler().fit(X), X)
    np.testing.assert_allclose(
        rows, FlattenScaler().fit_transform(X), rtol=1e-6 if dtype != np.float64 else 1e-15
    )
    for precision in ("float32", "float64"):
        assert run(FlattenScaler(dtype=precision).fit(X), X)[0].dtype == precision
    model = make_pipeline(FlattenScaler(), LogisticRegressionGD(0.1, 50)).fit(X, y)
    found, probabilities = run(model, X)
    np.testing.assert_array_equal(found, model.predict(X))
    np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=1e-6)


def test_between_other_steps():
    """Of scikit-learn, which skl2onnx knows; and the probabilities of far samples do not overflow."""
    X, y = images(2)
    X = X.astype(np.float32)
    model = make_pipeline(FlattenScaler(), StandardScaler(), PCA(5), LogisticRegressionGD(0.1, 50)).fit(X, y)
    far = np.concatenate([X, 1e4 * X])
    found, probabilities = run(model, far)
    np.testing.assert_array_equal(found, model.predict(far))
    np.testing.assert_allclose(probabilities, model.predict_proba(far), atol=1e-5)


def test_subclasses():
    """Those that predict as their base class are converted, others refused."""

    class Mine(LogisticRegressionGD):
        pass

    class Other(LogisticRegressionGD):
        def predict_proba(self, X):
            return super().predict_proba(X)[:, ::-1]

    class Darker(FlattenScaler):
        def transform(self, X):
            return super().transform(X) / 2

    X, y = blobs()
    X = X.astype(np.float32)
    model = Mine(0.1, 20).fit(X, y)
    _, probabilities = run(model, X)
    np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=1e-6)
    for model, name in (
        (Other(0.1, 20).fit(X, y), "Other defines predict_proba"),
        (Darker().fit(X), "Darker def"),
    ):
        with pytest.raises(NotImplementedError, match=f"{name}.* itself"):
            run(model, X)


def test_images_of_another_size():
    """They are refused, not taken as another number of images."""
    X, _ = images()
    X = X.astype(np.float32)
    content = skl2onnx.to_onnx(FlattenScaler().fit(X), X[:1]).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    with pytest.raises(Exception, match=r"[Rr]eshape|[Ii]nvalid|Got invalid dimensions"):
        session.run(None, {session.get_inputs()[0].name: X[:, :2]})
