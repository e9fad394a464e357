"""The cost of held-out samples beside that of the training samples, by scikit-learn's log_loss."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.class_weight import compute_sample_weight

from models import blobs, both, weights_of
from sknn_basic import FlattenScaler, LogisticRegressionGD, VectorizedGridSearchCV
from sknn_basic._descent.gram import GramSamples
from sknn_basic._descent.samples import Samples
from watchers import TALL, WIDE


def split(shape, n_classes=2, n_val=13, seed=0):
    X, y = blobs(n_classes, shape[0] + n_val, shape[1], seed)
    return X[:-n_val], y[:-n_val], X[-n_val:], y[-n_val:]


@both
@pytest.mark.parametrize(("n_classes", "class_weight"), [(2, None), (3, "balanced"), (2, {0: 2.0})])
@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_curve_is_the_log_loss_at_every_record(model, n_classes, class_weight, shape, container):
    """At each record that of a fit ended there; without the penalty; weighted as the training samples are."""
    X, y, X_val, y_val = split(shape, n_classes)
    weights = np.linspace(0, 2, len(y_val))
    model = clone(model).set_params(
        max_iter=45, record_every=20, class_weight=class_weight, l2_regularization=0.05
    )
    fitted = clone(model).fit(container(X), y, X_val=container(X_val), y_val=y_val, sample_weight_val=weights)
    factors = weights * compute_sample_weight(class_weight, y_val)
    if class_weight == "balanced":  # classes are counted by their weights
        factors = weights / np.bincount(y_val, weights)[y_val]
    expected = []
    for steps in (20, 40, 45):
        alone = clone(model).set_params(max_iter=steps).fit(container(X), y)
        expected.append(log_loss(y_val, alone.predict_proba(container(X_val)), sample_weight=factors))
    assert [*fitted.validation_loss_curve_[1:], fitted.validation_loss_] == pytest.approx(expected, rel=1e-11)
    assert len(fitted.validation_loss_curve_) == len(fitted.loss_curve_) == 3
    if hasattr(fitted, "coef_"):
        assert fitted.validation_loss_curve_[0] == pytest.approx(np.log(n_classes), rel=1e-14)


@both
@pytest.mark.parametrize("shape", [TALL, WIDE])
def test_validation_changes_nothing_in_the_model(model, shape):
    """Weights and costs are bit for bit those of a fit without; a refit without forgets the curve."""
    X, y, X_val, y_val = split(shape)
    alone = clone(model).fit(X, y)
    validated = clone(model).fit(X, y, X_val=X_val, y_val=y_val)
    for a, b in zip(weights_of(validated), weights_of(alone), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (validated.loss_, validated.loss_curve_) == (alone.loss_, alone.loss_curve_)
    assert set(vars(validated.fit(X, y))) == set(vars(alone))


@both
@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize("dtype_val", [np.float64, np.float32])
def test_float32(model, shape, dtype_val):
    """The curve of float32 samples is close to that of float64; the weights stay float32."""
    X, y, X_val, y_val = split(shape)
    exact = clone(model).fit(X, y, X_val=X_val, y_val=y_val)
    single = clone(model).fit(X.astype(np.float32), y, X_val=X_val.astype(dtype_val), y_val=y_val)
    assert single.validation_loss_curve_ == pytest.approx(exact.validation_loss_curve_, rel=1e-3)
    assert all(array.dtype == np.float32 for array in weights_of(single))
    assert all(type(cost) is float for cost in [*single.validation_loss_curve_, single.validation_loss_])


def test_gram_form_multiplies_the_validation_samples_once(monkeypatch):
    """X_val meets the training samples once, however often its cost is recorded."""
    X, y, X_val, y_val = split(WIDE, n_val=100)
    asked, widths = [], []
    with_rows, product = GramSamples.with_rows, Samples.__matmul__
    monkeypatch.setattr(
        GramSamples, "with_rows", lambda samples, X: asked.append(X.shape[0]) or with_rows(samples, X)
    )
    monkeypatch.setattr(
        Samples, "__matmul__", lambda samples, W: widths.append(samples.shape[1]) or product(samples, W)
    )
    LogisticRegressionGD(0.01, 300, record_every=1).fit(X, y, X_val=X_val, y_val=y_val)
    assert asked == [100]
    assert widths
    assert set(widths) == {len(X)}  # X_val B', not X_val


@pytest.mark.parametrize(
    "container", [sparse.csr_array, sparse.csr_matrix, sparse.coo_array, np.asfortranarray]
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_validation_samples_need_not_be_held_as_the_training_samples(container, dtype):
    """Sparse beside dense and the other way round, tall and wide."""
    for shape in (TALL, WIDE):
        X, y, X_val, y_val = split(shape)
        expected = LogisticRegressionGD(0.01, 60).fit(X, y, X_val=X_val, y_val=y_val)
        for a, b in ((X, container(X_val)), (container(X), X_val)):
            mixed = LogisticRegressionGD(0.01, 60).fit(a.astype(dtype), y, X_val=b, y_val=y_val)
            assert mixed.validation_loss_ == pytest.approx(
                expected.validation_loss_, rel=1e-12 if dtype == np.float64 else 1e-4
            )


def test_validation_samples_whose_products_overflow_are_refused():
    X, y, X_val, y_val = split(WIDE)
    with pytest.raises(ValueError, match=r"X_val.* overflow. Scale"):
        LogisticRegressionGD(1e-4, 100).fit(X * 1e3, y, X_val=X_val * 1e306, y_val=y_val)


def test_curve_of_many_validation_rows():
    """More rows than one block holds: the same cost."""
    X, y, X_val, y_val = split((50, 20), n_val=60_000)
    fitted = LogisticRegressionGD(0.1, 20).fit(X, y, X_val=X_val, y_val=y_val)
    assert fitted.validation_loss_ == pytest.approx(log_loss(y_val, fitted.predict_proba(X_val)), rel=1e-12)


def test_labels_of_the_users_own_and_missing_classes():
    """Labels are those of y; not every class need be among the validation samples."""
    X, y, X_val, _ = split(TALL, 3)
    names = np.array(["ant", "bee", "cat"])
    fitted = LogisticRegressionGD(0.1, 50).fit(X, names[y], X_val=X_val, y_val=["bee"] * len(X_val))
    proba = fitted.predict_proba(X_val)[:, 1]
    assert fitted.validation_loss_ == pytest.approx(-np.log(proba).mean(), rel=1e-12)


@pytest.mark.parametrize(
    ("labels", "others"),
    [
        (["cat", "dog"], ["catfish", "dogma"]),
        ([0, 1], [0.2, 1.5]),
        ([0, 1], ["0", "1"]),
        (np.array([0, 1], np.int8), [256, 257]),
        ([False, True], ["no", "yes"]),
    ],
)
def test_labels_are_not_cast_to_those_of_y(labels, others):
    X, y, X_val, y_val = split(TALL)
    with pytest.raises(ValueError, match="labels that are not in y"):
        LogisticRegressionGD(max_iter=5).fit(
            X, np.array(labels)[y], X_val=X_val, y_val=np.array(others)[y_val]
        )
    assert LogisticRegressionGD(max_iter=5).fit(
        X, np.array([0, 1])[y], X_val=X_val, y_val=np.array([0.0, 1.0])[y_val]
    )


@both
def test_data_frames(model):
    X, y, X_val, y_val = split(TALL)
    frame, frame_val = (pd.DataFrame(part, columns=list("abcde")) for part in (X, X_val))
    fitted = clone(model).fit(frame, y, X_val=frame_val, y_val=pd.Series(y_val))
    expected = clone(model).fit(X, y, X_val=X_val, y_val=y_val).validation_loss_curve_
    assert fitted.validation_loss_curve_ == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match=r"validation samples .* feature names should match"):
        clone(model).fit(frame, y, X_val=frame_val[list("edcba")], y_val=y_val)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_val": None}, "X_val given without y_val: pass X_val and y_val together"),
        ({"X_val": None}, "y_val given without X_val"),
        ({"X_val": None, "y_val": None, "sample_weight_val": [1.0]}, "sample_weight_val given without X_val"),
        ({"y_val": [0, 1]}, r"validation samples .* inconsistent numbers of samples"),
        ({"X_val": np.ones((5, 13))}, r"expecting 5 features .* Samples are rows .* pass X_val\.T\.$"),
        ({"y_val": np.ones((1, 13))}, r"pass y_val\.ravel\(\)\.$"),
        ({"X_val": np.ones((13, 4, 4, 3))}, r'routing, pass transform_input=\["X_val"\] to the pipeline'),
        ({"y_val": [7] * 13}, r"validation samples .* labels that are not in y: \[7\]"),
        ({"X_val": np.ones((13, 4))}, r"validation samples .* 4 features, .* expecting 5"),
        ({"X_val": np.full((13, 5), np.nan)}, r"validation samples .* NaN"),
        ({"sample_weight_val": np.zeros(13)}, r"validation samples .* at least one non-zero"),
        ({"sample_weight_val": -np.ones(13)}, r"validation samples .* non-negative"),
    ],
)
def test_bad_validation_samples_are_refused(change, message):
    """A ValueError that says what is wrong; the estimator is as it was."""
    X, y, X_val, y_val = split(TALL)
    model = LogisticRegressionGD(max_iter=5).fit(X, y, X_val=X_val, y_val=y_val)
    before = dict(vars(model))
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, **({"X_val": X_val, "y_val": y_val} | change))
    assert vars(model) == before


def tables():
    """Halves of 20 small data sets, with many classes or few, noise, or heavy tails."""
    for load in (load_iris, load_wine, load_breast_cancer):
        yield load(return_X_y=True)
    X, y = load_digits(return_X_y=True)
    yield X[:120], y[:120]
    for seed in range(6):
        yield make_classification(120, 20, n_informative=4, flip_y=0.3, random_state=seed)
        rng = np.random.default_rng(seed)
        yield rng.standard_normal((80, 20 * (seed + 1))), rng.integers(0, 2, 80)
    for sample in (rng.standard_exponential, rng.standard_normal, partial(rng.standard_t, 3)):
        yield sample(size=(200, 10)), rng.integers(0, 2, 200)
    yield np.exp(rng.standard_normal((200, 10))), rng.integers(0, 3, 200)


@pytest.mark.parametrize("data", [*tables()], ids=lambda data: str(data[0].shape))
@both
def test_overfitting_is_no_other_scale(model, data):
    """Warnings are errors here: the cost of half the samples may rise without one."""
    X, y = data
    order = np.random.default_rng(0).permutation(len(X))
    (X, X_val), (y, y_val) = (np.array_split(np.asarray(array)[order], 2) for array in (X, y))
    scaler = StandardScaler().fit(X)
    model = clone(model).set_params(learning_rate="auto", max_iter=3000)
    model.fit(scaler.transform(X), y, X_val=scaler.transform(X_val), y_val=y_val)


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
@both
def test_validation_samples_on_another_scale_warn(model, load):
    """Those that bypass the scaler of X."""
    X, y = load(return_X_y=True)
    model = clone(model).set_params(learning_rate="auto", max_iter=300)
    advice = r'another scale than X: .*pass transform_input=\["X_val"\] to the pipeline'
    with pytest.warns(ConvergenceWarning, match=advice):
        model.fit(scale(X), y, X_val=X, y_val=y)


@both
def test_advice_for_validation_samples_that_bypass_the_transformers(model):
    """That of X, to encode and to impute, has been followed already."""
    X, y = blobs(2, 20, 3)
    for wrong in (np.array(["a", "b"] * 30).reshape(20, 3), np.full((20, 3), np.nan)):
        with pytest.raises(ValueError, match=r'pass transform_input=\["X_val"\] to the pipeline') as error:
            clone(model).fit(X, y, X_val=wrong, y_val=y)
        assert "OneHotEncoder" not in str(error.value)
        assert "SimpleImputer" not in str(error.value)


def test_pipeline_transforms_the_validation_samples():
    """`transform_input=["X_val"]`: images pass the same scaler as X does, by metadata routing."""
    X, y, X_val, y_val = split((40, 60))
    by_hand = LogisticRegressionGD(0.05, 50, record_every=10).fit(X / 2, y, X_val=X_val / 2, y_val=y_val)
    with config_context(enable_metadata_routing=True):
        classifier = LogisticRegressionGD(0.05, 50, record_every=10).set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(FlattenScaler(2), classifier, transform_input=["X_val"])
        images, images_val = (rows.reshape(-1, 4, 5, 3) for rows in (X, X_val))
        pipeline.fit(images, y, X_val=images_val, y_val=y_val)
    assert pipeline[-1].validation_loss_curve_ == pytest.approx(by_hand.validation_loss_curve_, rel=1e-12)
    assert len(by_hand.validation_loss_curve_) == 5


def test_search_passes_validation_samples_on():
    """With one set of them for all folds both searches train one by one and find the same."""
    X, y, X_val, y_val = split(TALL)
    pipeline = make_pipeline(StandardScaler(), LogisticRegressionGD(max_iter=20))
    searches = [
        kind(pipeline, {"logisticregressiongd__learning_rate": [0.1, 0.2]}, cv=2, scoring="neg_log_loss").fit(
            X, y, logisticregressiongd__X_val=X_val, logisticregressiongd__y_val=y_val
        )
        for kind in (GridSearchCV, VectorizedGridSearchCV)
    ]
    assert searches[0].best_params_ == searches[1].best_params_
    curves = [search.best_estimator_[-1].validation_loss_curve_ for search in searches]
    assert curves[0] == curves[1]
