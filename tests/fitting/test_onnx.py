"""Models that skl2onnx converts predict the same in ONNX Runtime."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from models import ACTIVATIONS, blobs, images
from sknn_basic import FlattenScaler, LogisticRegressionGD, ShallowNNClassifier, VectorizedGridSearchCV

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


def load(content):
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1  # others would take the processors of other workers, waiting
    return onnxruntime.InferenceSession(content.SerializeToString(), settings, ["CPUExecutionProvider"])


def run(model, X, example=None, **options):
    """Return the labels and probabilities, or whatever the outputs are, of the converted model."""
    example = X if example is None else example
    content = skl2onnx.to_onnx(model, example[:1], options={id(model): options} if options else None)
    session = load(content)
    inputs = session.get_inputs()
    if len(inputs) == 1:
        return session.run(None, {inputs[0].name: np.asarray(X)})
    columns = {known.name: X[[name]].to_numpy() for known, name in zip(inputs, X, strict=True)}
    return session.run(None, columns)


def assert_predicts(model, X, **options):
    """The labels, and the probabilities or raw scores, are those of the model in float64."""
    found, scores = run(model, X, **options)
    precise = X.astype(np.float64)
    expected = model.predict(precise)
    np.testing.assert_array_equal(found.reshape(expected.shape), expected)
    if options.get("raw_scores") or isinstance(model, OneVsOneClassifier):
        expected = model.decision_function(precise)
        scores = scores[:, 1] if expected.ndim == 1 else scores  # of class 1
    else:
        expected = model.predict_proba(precise)
    atol = 3 * TOLERANCE[scores.dtype] * max(1, np.abs(expected).max())
    np.testing.assert_allclose(scores, expected, rtol=0, atol=atol)


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


@pytest.mark.filterwarnings("ignore:X has values up to")
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
    session = load(skl2onnx.to_onnx(FlattenScaler().fit(X), X[:1]))
    with pytest.raises(Exception, match=r"[Rr]eshape|[Ii]nvalid|Got invalid dimensions"):
        session.run(None, {session.get_inputs()[0].name: X[:, :2]})


TWO = LogisticRegressionGD(0.5, 50), ShallowNNClassifier(4, learning_rate=0.3, max_iter=50, random_state=0)
two = pytest.mark.parametrize("model", TWO, ids=["logistic", "network"])


def searched(model):
    return VectorizedGridSearchCV(model, {"learning_rate": [0.1, 0.3]}, cv=2)


def scaled(model):
    return make_pipeline(StandardScaler(), model)


@two
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_small_probabilities(model, dtype):
    """Of two classes, they are as exact as large ones until they are rounded to 0, in every form."""
    X, y = blobs()
    X = X.astype(dtype)
    model = clone(model).fit(X, y)
    last = getattr(model, "coefs_", None) or [model.coef_]
    last[-1][:] *= -2 * np.log(np.finfo(dtype).tiny) / np.abs(model.decision_function(X)).max()
    X = np.concatenate([X * scale for scale in np.linspace(-1, 1, 20, dtype=dtype)])
    _, Z = run(model, X, raw_scores=True)
    assert Z.min() < np.log(np.finfo(dtype).tiny) < Z[Z < -40].max()
    forms = {
        "array": run(model, X)[1],
        "zipmap=False": run(model, X, zipmap=False)[1],
        "columns": np.stack(run(model, X, zipmap="columns")[1:], axis=1),
        "pipeline": run(make_pipeline(FlattenScaler(1.0).fit(X), model), X)[1],
    }
    if dtype == np.float32:
        forms["zipmap=True"] = np.array([[row[0], row[1]] for row in run(model, X, zipmap=True)[1]])
    limits = np.finfo(dtype)
    for name, found in forms.items():
        np.testing.assert_allclose(
            found, expit(Z.astype(float)), rtol=100 * limits.eps, atol=limits.tiny, err_msg=name
        )


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logits_that_overflow_float32(n_classes):
    """Their probabilities are finite."""
    X, y = blobs(n_classes)
    model = LogisticRegressionGD(0.5, 50).fit(X, y)
    model.coef_[:] = np.eye(n_classes if n_classes > 2 else 1, 5) * 1e30
    far = np.sign(X).astype(np.float32) * 1e30
    found, probabilities = run(model, far)
    np.testing.assert_array_equal(found, model.predict(far.astype(np.float64)))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


FORMS = {
    "alone": lambda model: model,
    "pipeline": scaled,
    "pipeline of one": make_pipeline,
    "nested": lambda model: make_pipeline(MinMaxScaler(), make_pipeline(PCA(3), model)),
    "GridSearchCV": lambda model: GridSearchCV(model, {}, cv=2),
    "search": searched,
    "search of pipelines": lambda model: VectorizedGridSearchCV(scaled(model), {}, cv=2),
    "pipeline of a search": lambda model: scaled(searched(model)),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("labels", [[7, -2], ["é", "b", "c"], [1.0, -1.0], [False, True]])
def test_forms_of_the_output(name, labels):
    """An array by default; the options zipmap and raw_scores do what they do for scikit-learn's."""
    X, y = blobs(len(labels))
    model = FORMS[name](clone(TWO[0])).fit(X, np.array(labels)[y])
    X = X.astype(np.float32)
    assert_predicts(model, X)
    assert_predicts(model, X, zipmap=False)
    assert_predicts(model, X, zipmap=False, raw_scores=True)
    assert_predicts(model, X.astype(np.float64), raw_scores=True)
    probabilities = run(model, X)[1]
    found, dictionaries = run(model, X, zipmap=True)
    np.testing.assert_array_equal(found, model.predict(X))
    for row, expected in zip(dictionaries, probabilities, strict=True):
        assert row == dict(zip(model.classes_, expected, strict=True))
    columns = run(model, X, zipmap="columns")[1:]
    np.testing.assert_array_equal(np.stack(columns, axis=1), probabilities)
    with pytest.raises(NotImplementedError, match=r"float32 only.*zipmap"):
        run(model, X.astype(np.float64), zipmap=True)


OTHERS = {
    "OneVsRestClassifier": OneVsRestClassifier,
    "OneVsOneClassifier": OneVsOneClassifier,
    "CalibratedClassifierCV": lambda model: CalibratedClassifierCV(model, cv=2),
    "one calibrated": lambda model: CalibratedClassifierCV(model, cv=2, ensemble=False),
    "BaggingClassifier": lambda model: BaggingClassifier(model, 2, max_features=0.8, random_state=0),
    "StackingClassifier": lambda model: StackingClassifier(
        [("a", model), ("b", LogisticRegression())], clone(model), cv=2, passthrough=True
    ),
    "VotingClassifier": lambda model: VotingClassifier(
        [("a", model), ("b", LogisticRegression())],
        voting="soft",
        weights=np.array([2, 1]),
        flatten_transform=False,
    ),
    "GridSearchCV": lambda model: GridSearchCV(model, {}, cv=2),
    "calibrated in others": lambda model: make_pipeline(
        StandardScaler(), GridSearchCV(CalibratedClassifierCV(model, cv=2), {}, cv=2)
    ),
    "others calibrated": lambda model: CalibratedClassifierCV(OneVsRestClassifier(model), cv=2),
    "stacked scores": lambda model: StackingClassifier(
        [("a", model)], cv=2, stack_method="decision_function"
    ),
}
INSIDE = {"logistic": TWO[0], "network": TWO[1], "pipeline": scaled(TWO[0]), "search": searched(TWO[0])}
WITH_RAW_SCORES = "OneVsRestClassifier", "StackingClassifier", "GridSearchCV", "stacked scores"


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("inside", INSIDE)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_in_other_estimators(name, inside, n_classes):
    """As scikit-learn's own classifier in the same place."""
    if name == "stacked scores" and n_classes == 2:
        pytest.skip("is refused")
    X, y = blobs(n_classes)
    X = X.astype(np.float32 if n_classes == 2 else np.float64)
    others = [INSIDE[inside], LogisticRegression()] if inside == "logistic" else [INSIDE[inside]]
    for member in others:
        model = OTHERS[name](clone(member)).fit(X, y)
        assert_predicts(model, X, zipmap=False)
        if name in WITH_RAW_SCORES:
            assert_predicts(model, X, zipmap=False, raw_scores=True)


@pytest.mark.parametrize("raw_scores", [False, True])
def test_in_boosting(raw_scores):
    """In float32; float64 is refused, of which skl2onnx makes a file that cannot be loaded."""
    X, y = blobs(3)
    X = X.astype(np.float32)
    for member in (TWO[0], LogisticRegression()):
        model = AdaBoostClassifier(member, n_estimators=3).fit(X, y)
        assert_predicts(model, X, zipmap=False, raw_scores=raw_scores)
    model = AdaBoostClassifier(TWO[0], n_estimators=3).fit(X, y)
    with pytest.raises(NotImplementedError, match=r"AdaBoostClassifier.*float32"):
        run(model, X.astype(np.float64), zipmap=False)


def test_votes():
    """Of estimators that vote for labels, some of them pipelines of images, there are no probabilities."""
    X, y = images(3)
    X = X.astype(np.float32)
    parts = [(str(i), make_pipeline(FlattenScaler(), model)) for i, model in enumerate((*TWO, TWO[0]))]
    model = VotingClassifier(parts, flatten_transform=False).fit(X, y)
    np.testing.assert_array_equal(run(model, X)[0], model.predict(X))


def test_several_outputs():
    X, y = blobs(3)
    X = X.astype(np.float32)
    for member in (*TWO, searched(TWO[0]), LogisticRegression()):
        model = MultiOutputClassifier(member).fit(X, np.stack([y, y % 2], axis=1))
        found, probabilities = run(model, X, zipmap=False)
        np.testing.assert_array_equal(found, model.predict(X))
        for scores, expected in zip(probabilities, model.predict_proba(X.astype(np.float64)), strict=True):
            np.testing.assert_allclose(scores, expected, atol=1e-6)


def stacked(method="auto", **options):
    return StackingClassifier([("a", TWO[0])], cv=2, stack_method=method, **options)


PIPED_RESTS = make_pipeline(StandardScaler(), OneVsRestClassifier(TWO[0]))
REFUSED = {  # estimator, number of classes, options, what the message names
    "threshold": (TunedThresholdClassifierCV(TWO[0], cv=2), 2, {}, "TunedThreshold.*best_threshold_"),
    "isotonic": (CalibratedClassifierCV(TWO[0], method="isotonic", cv=2), 2, {}, 'Calibrated.*"sigmoid"'),
    "labels": (OneVsOneClassifier(TWO[0]), -3, {}, "OneVsOneClassifier.*labels 0, 1"),
    "mean score": (BaggingClassifier(TWO[0], 2), 3, {"raw_scores": True}, "Bagging.*raw_scores"),
    "classes": (BaggingClassifier(scaled(TWO[0]), 9, max_samples=3, random_state=0), 3, {}, "Bagging.*all"),
    "stacked labels": (stacked("predict"), 3, {}, 'Stacking.*"predict_proba"'),
    "stacked scores": (stacked("decision_function"), 2, {}, 'Stacking.*"predict_proba"'),
    "dropped": (
        VotingClassifier(
            [("a", "drop"), ("b", TWO[0]), ("c", TWO[1])],
            voting="soft",
            weights=np.array([1, 2, 3]),
            flatten_transform=False,
        ),
        2,
        {},
        "Voting.*dropped",
    ),
    "scores of others": (CalibratedClassifierCV(PIPED_RESTS, cv=2), 2, {}, "Calibrated.*raw scores"),
    "no scores": (
        StackingClassifier([("a", TWO[0])], CalibratedClassifierCV(TWO[0], cv=2), cv=2),
        2,
        {"raw_scores": True},
        "Stacking.*no raw scores",
    ),
    "option of a pipeline": (PIPED_RESTS, 2, {"raw_scores": True}, "OneVsRest.*pipeline.-1"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore:'n_jobs':FutureWarning")
def test_what_skl2onnx_would_get_wrong_is_refused(name):
    model, n_classes, options, message = REFUSED[name]
    X, y = blobs(abs(n_classes))
    X = X.astype(np.float32)
    y = y * 2 + 1 if n_classes < 0 else y
    model = clone(model).fit(X, y)
    with pytest.raises(NotImplementedError, match=message):
        run(model, X, zipmap=False, **options)


def test_integers_in_other_estimators():
    """They convert as scikit-learn's, except where skl2onnx would round probabilities to integers."""
    X, y = blobs(2)
    X = np.round(X * 3).astype(np.int64)
    for model in (OneVsRestClassifier(TWO[0]), BaggingClassifier(TWO[1], 2)):
        assert_predicts(model.fit(X, y), X, zipmap=False)
    for model in (stacked(), OneVsRestClassifier(scaled(TWO[0]))):
        with pytest.raises(NotImplementedError, match=r"integers.*floats"):
            run(model.fit(X, y), X, zipmap=False)


def test_several_labels_of_a_sample():
    X, y = blobs(3)
    X = X.astype(np.float32)
    model = OneVsRestClassifier(TWO[0]).fit(X, np.stack([y == 0, y > 0, y == 2], axis=1).astype(int))
    assert_predicts(model, X, zipmap=False)
    with pytest.raises(NotImplementedError, match=r"OneVsRest.*0\.5"):
        run(model, X, zipmap=False, raw_scores=True)


def test_one_classifier_for_scores_and_probabilities():
    """skl2onnx has one set of options for it."""
    X, y = blobs()
    X = X.astype(np.float32)
    model = OneVsRestClassifier(TWO[0]).fit(X, y)
    shared = model.estimators_[0]
    both = VotingClassifier([("a", shared), ("b", shared)], voting="soft", flatten_transform=False).fit(X, y)
    both.estimators_ = [shared, CalibratedClassifierCV(TWO[0], cv=2).fit(X, y)]
    both.estimators_[1].calibrated_classifiers_[0].estimator = shared
    with pytest.raises(NotImplementedError, match="copy"):
        run(both, X, zipmap=False)


COLUMNS = {
    "float64": dict.fromkeys("abcde", "float64"),
    "float32": dict.fromkeys("abcde", "float32"),
    "integers": dict.fromkeys("abcde", "int64"),
    "integers first": {"a": "int64", "b": "float32", "c": "float32", "d": "int32", "e": "uint8"},
    "doubles last": {"a": "int64", "b": "bool", "c": "float32", "d": "float64", "e": "float64"},
    "booleans first": {"a": "bool", "b": "float32", "c": "int64", "d": "float32", "e": "bool"},
}


def frame_of(kinds, X):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=[*"abcde"])
    for name, kind in kinds.items():
        values = frame[name].abs() if kind == "uint8" else frame[name]
        frame[name] = (
            values > 0 if kind == "bool" else (values if "float" in kind else 3 * values).astype(kind)
        )
    return frame.rename(columns={"b": "b c", "e": "é"})


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("labels", [[0, 1], ["x", "é", "z"]])
def test_columns_of_a_frame(name, labels):
    """Each is an input; they are joined in float64 if any of them is float64, else in float32."""
    X, y = blobs(len(labels))
    frame, y = frame_of(COLUMNS[name], X), np.array(labels)[y]
    logistic, network = (clone(model).set_params(learning_rate=0.03) for model in TWO)
    scaler = FlattenScaler(2.0)
    search = VectorizedGridSearchCV(logistic, {}, cv=2)
    for first in (logistic, network, search, make_pipeline(scaler, logistic)):
        model = clone(first).fit(frame, y)
        assert_predicts(model, frame)
        _, probabilities = run(model, frame)
        assert probabilities.dtype == ("float64" if "float64" in COLUMNS[name].values() else "float32")
    if name != "doubles last":
        votes = VotingClassifier([("a", logistic)], voting="soft", flatten_transform=False).fit(frame, y)
        assert_predicts(votes, frame, zipmap=False)
    rows = run(FlattenScaler(2.0, dtype="float32").fit(frame), frame)[0]
    np.testing.assert_array_equal(rows, frame.to_numpy(dtype=np.float32) / 2)
    blocks = [("a", scaler, ["a", "b c"]), ("b", "passthrough", ["c", "d"])]
    for first in (ColumnTransformer(blocks), FeatureUnion([("a", scaler), ("b", FlattenScaler(4.0))])):
        assert_predicts(make_pipeline(first, logistic).fit(frame, y), frame)
    assert_predicts(clone(logistic).fit(frame[["a"]], y), frame[["a"]])


def test_columns_that_are_refused():
    """Those in another order, texts, and those of types that skl2onnx would mix up."""
    X, y = blobs()
    frame = frame_of(COLUMNS["float64"], X)
    slow = clone(TWO[0]).set_params(learning_rate=0.03)
    model = clone(slow).fit(frame, y)
    with pytest.raises(ValueError, match="order of fit"):
        run(model, frame, frame[frame.columns[::-1]])
    with pytest.raises(TypeError, match=r"text.*'a'"):
        run(model, frame, frame.assign(a="1"))
    frame = frame_of(COLUMNS["integers first"], X)
    with pytest.raises(NotImplementedError, match=r"StandardScaler.*integers"):
        run(scaled(TWO[0]).fit(frame.iloc[:, :3], y), frame.iloc[:, :3])
    frame = frame_of(COLUMNS["doubles last"], X)
    with pytest.raises(NotImplementedError, match=r"VotingClassifier.*float64"):
        run(VotingClassifier([("a", slow)], flatten_transform=False).fit(frame, y), frame, zipmap=False)


def test_another_converter():
    """For a subclass that predicts otherwise."""

    class Doubled(LogisticRegressionGD):
        def predict_proba(self, X):
            return 2 * X

    def set_types(operator):
        pass

    def convert(scope, operator, container):
        container.add_node("Add", [operator.inputs[0].full_name] * 2, operator.outputs[1].full_name)
        container.add_node("ArgMax", operator.inputs[0].full_name, operator.outputs[0].full_name, axis=1)

    skl2onnx.update_registered_converter(Doubled, "Doubled", set_types, convert)
    X, y = blobs()
    X = X.astype(np.float32)
    np.testing.assert_array_equal(run(Doubled(0.1, 5).fit(X, y), X)[1], 2 * X)


IN_ANY_ORDER = """
import importlib.util, warnings
warnings.simplefilter("ignore")
{first}
assert importlib.util.find_spec("skl2onnx").name == "skl2onnx"
import sknn_basic
class Mine(sknn_basic.LogisticRegressionGD): pass
assert importlib.util.find_spec("skl2onnx").name == "skl2onnx"
import skl2onnx
class Later(sknn_basic.VectorizedGridSearchCV): pass
for kind in (Mine, Later, sknn_basic.FlattenScaler, sknn_basic.ShallowNNClassifier):
    assert skl2onnx.get_model_alias(kind), kind
"""


@pytest.mark.parametrize("first", ["", "import skl2onnx"])
def test_packages_are_imported_in_any_order(first):
    """Every class, subclasses too, is known to skl2onnx."""
    subprocess.run([sys.executable, "-c", IN_ANY_ORDER.format(first=first)], check=True)
