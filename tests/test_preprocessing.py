"""Laws of the FlattenScaler, against NumPy's own reshape and division."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

from sknn_basic import FlattenScaler, LogisticRegressionGD, load_photo_patches
from watchers import raise_once

IMAGES = np.random.RandomState(0).randint(0, 256, (6, 4, 5, 3)).astype(np.uint8)


@pytest.mark.parametrize("shape", [(6, 4, 5, 3), (6, 20), (6, 4, 5), (6, 2, 3, 2, 2, 1)])
@pytest.mark.parametrize(
    "dtype",
    [np.uint8, np.int64, np.uint64, bool, np.float16, np.float32, np.float64, np.longdouble, object, ">f4"],
)
@pytest.mark.filterwarnings("ignore:All values of X are in:UserWarning")  # the bools
def test_flattened_in_c_order_and_divided(shape, dtype):
    """X.reshape(m, -1) / 255 for any number of axes and any real dtype; float32 stays, else float64.

    X is left alone.
    """
    X = np.resize(IMAGES, shape).astype(dtype)
    given = X.copy()
    rows = FlattenScaler().fit_transform(given)
    assert rows.dtype == (np.float32 if dtype in (np.float32, ">f4") else np.float64)
    assert rows.flags.c_contiguous
    np.testing.assert_array_equal(rows, X.reshape(len(X), -1).astype(rows.dtype) / rows.dtype.type(255))
    rows[:] = -1
    np.testing.assert_array_equal(given, X)


@pytest.mark.parametrize("X", [np.asfortranarray(IMAGES), IMAGES.repeat(2, 2)[:, :, ::2], IMAGES.tolist()])
def test_layout_in_memory_does_not_matter(X):
    np.testing.assert_array_equal(FlattenScaler().fit_transform(X), IMAGES.reshape(6, -1) / 255.0)


@pytest.mark.parametrize("given", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("chosen", ["float32", "float64"])
def test_chosen_precision(given, chosen):
    rows = FlattenScaler(2, dtype=chosen).fit_transform(IMAGES.astype(given))
    assert rows.dtype == chosen
    np.testing.assert_array_equal(rows, IMAGES.reshape(6, -1) / 2)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, lambda X: X.repeat(2, axis=2)[:, :, ::2]])
@pytest.mark.filterwarnings("ignore:All values of X are in:UserWarning")
def test_the_output_is_the_only_array(dtype, layout):
    """fit and transform of images allocate the output and nothing else of its size."""
    X = layout(np.ones((40, 64, 64, 3), dtype))
    tracemalloc.start()
    try:
        rows = FlattenScaler().fit(X).transform(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < rows.nbytes + 300_000


ALREADY_SCALED = IMAGES / 255.0


@pytest.mark.parametrize(
    "X",
    [
        ALREADY_SCALED,
        ALREADY_SCALED.astype(np.float32).reshape(6, 60),
        ALREADY_SCALED.tolist(),
        np.repeat(ALREADY_SCALED, 5000, axis=0),
        (IMAGES > 128).astype(np.uint8),
        IMAGES > 128,
        pd.DataFrame({"a": [0.0, 0.5], "b": [0.25, 1.0]}),
    ],
    ids=["4-D", "rows", "list", "blocks", "mask", "bool", "frame"],
)
def test_images_that_are_scaled_already_warn(X):
    """Once, in fit, where it was called; never in transform, nor by another divisor."""
    with pytest.warns(UserWarning, match=r"in \[0, 1\] already, .* pass divisor=1") as caught:
        scaler = FlattenScaler().fit(X)
    assert [warning.filename for warning in caught] == [__file__]
    scaler.transform(X)
    for divisor in (1, 254.0, 256):
        FlattenScaler(divisor).fit(X)


@pytest.mark.parametrize("value", [1.001, -0.001])
@pytest.mark.parametrize("index", [(0, 0), (29_999, 4)])
def test_one_value_outside_makes_no_warning(value, index):
    """Wherever it stands; nor do images that are all black, or nearly, in 8 bits."""
    X = np.full((30_000, 5), 0.5)
    X[index] = value
    FlattenScaler().fit(X)
    FlattenScaler().fit(0 * X)
    FlattenScaler().fit(np.full((2, 3), 2, np.uint8))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_flattened_rows_are_taken_too_and_given_back_as_images(dtype):
    """Unrounded: what was changed by half a grey level comes back changed by half a grey level."""
    scaler = FlattenScaler().fit(IMAGES.astype(dtype))
    assert scaler.image_shape_ == (4, 5, 3)
    assert scaler.n_features_in_ == 60
    rows = scaler.transform(IMAGES.astype(dtype))
    np.testing.assert_array_equal(scaler.transform(IMAGES.astype(dtype).reshape(6, 60)), rows)
    back = scaler.inverse_transform(rows + rows.dtype.type(0.5 / 255))
    assert back.shape == IMAGES.shape
    assert back.dtype == rows.dtype
    np.testing.assert_allclose(back, IMAGES + 0.5, rtol=1e-6 if dtype == np.float32 else 1e-14)


def test_names_of_pixels_and_columns():
    """pixel_{row}_{column}_{channel}, one index an axis; x0 for rows; those of a DataFrame, until a refit."""
    names = FlattenScaler().fit(IMAGES).get_feature_names_out()
    assert names.dtype == object
    assert names[[0, 1, 3, 59]].tolist() == ["pixel_0_0_0", "pixel_0_0_1", "pixel_0_1_0", "pixel_3_4_2"]
    assert FlattenScaler().fit(IMAGES[..., 0]).get_feature_names_out()[5] == "pixel_1_0"
    rows = FlattenScaler().fit(IMAGES.reshape(6, 60))
    assert rows.image_shape_ == (60,)
    assert rows.get_feature_names_out()[:2].tolist() == ["x0", "x1"]
    scaler = FlattenScaler().fit(pd.DataFrame({"a": [1, 2], "b": [3, 4]}))
    assert scaler.get_feature_names_out().tolist() == ["a", "b"]
    assert not hasattr(scaler.fit(IMAGES), "feature_names_in_")
    assert scaler.get_feature_names_out().tolist() == names.tolist()
    mine = [f"p{i}" for i in range(60)]
    assert scaler.get_feature_names_out(mine).tolist() == mine
    with pytest.raises(ValueError, match="input_features should have length"):
        scaler.get_feature_names_out(["a"])


@pytest.mark.parametrize(("container", "kind"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_set_output_from_images(container, kind):
    frame = FlattenScaler().set_output(transform=container).fit_transform(IMAGES)
    assert isinstance(frame, kind)
    assert list(frame.columns)[:2] == ["pixel_0_0_0", "pixel_0_0_1"]
    np.testing.assert_array_equal(frame.to_numpy(), IMAGES.reshape(6, -1) / 255.0)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (IMAGES[:, :3], r"\(6, 3, 5, 3\).*fitted on images of shape \(4, 5, 3\).*\(n_samples, 60\)"),
        (IMAGES.transpose(0, 2, 1, 3), r"\(6, 5, 4, 3\).*\(4, 5, 3\)"),
        (IMAGES[0], r"\(4, 5, 3\).*For one image, pass X\[np.newaxis\]"),
        (IMAGES[0].ravel(), r"\(60,\).*For one image, pass X\[np.newaxis\]"),
        (IMAGES.reshape(6, 60)[:, :59], r"\(6, 59\).*\(4, 5, 3\)"),
    ],
)
def test_other_shapes_are_refused_by_name(X, message):
    with pytest.raises(ValueError, match=message):
        FlattenScaler().fit(IMAGES).transform(X)
    with pytest.raises(ValueError, match=r"\(6, 4, 5, 3\).*takes \(n_samples, 60\)\."):
        FlattenScaler().fit(IMAGES.reshape(6, 60)).transform(IMAGES)
    with pytest.raises(ValueError, match=r"59 columns, but one image of shape \(4, 5, 3\) has 60"):
        FlattenScaler().fit(IMAGES).inverse_transform(np.ones((2, 59)))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (IMAGES * 1j, "Complex data not supported"),
        (np.where(IMAGES == 0, np.nan, IMAGES), "NaN"),
        (IMAGES[:0], "0 sample"),
        (IMAGES[:, :0], "images without pixels"),
        (np.arange(3), "Expected 2D array"),
        (sparse.csr_array(IMAGES.reshape(6, 60)), "[Ss]parse"),
        ([[[1, 2]], [[1]]], "inhomogeneous"),
        (np.array([["a", "b"]]), "strings"),
        (np.zeros((2, 3, 2), "m8[s]"), "has the type timedelta64"),
    ],
)
def test_bad_images_are_refused(X, message):
    """They leave the scaler as it was: fitted on the images before, or not at all."""
    for scaler in (FlattenScaler(), FlattenScaler().fit(IMAGES)):
        before = dict(vars(scaler))
        with pytest.raises((ValueError, TypeError), match=message):
            scaler.fit(X)
        assert vars(scaler) == before


PIPELINE = make_pipeline(FlattenScaler(), LogisticRegressionGD(max_iter=50))


@pytest.mark.parametrize(
    "model",
    [
        PIPELINE,
        GridSearchCV(PIPELINE, {"logisticregressiongd__learning_rate": [0.01, 0.03]}, cv=3),
        CalibratedClassifierCV(PIPELINE, cv=3),
        OneVsRestClassifier(PIPELINE),
    ],
    ids=lambda model: type(model).__name__,
)
def test_images_through_scikit_learn(model):
    """4-D images go through every meta-estimator, its clone and its pickle, as flattened rows do."""
    data = load_photo_patches()
    X, y, X_test = data.train_set_x[:, ::4, ::4], data.train_set_y, data.test_set_x[:, ::4, ::4]
    rows, rows_test = X.reshape(len(X), -1), X_test.reshape(len(X_test), -1)
    fitted, flat = clone(model).fit(X, y), clone(model).fit(rows, y)
    proba = fitted.predict_proba(X_test)
    np.testing.assert_allclose(proba, flat.predict_proba(rows_test), rtol=1e-12)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X_test), proba)
    np.testing.assert_allclose(cross_val_score(model, X, y, cv=2), cross_val_score(model, rows, y, cv=2))


def test_scaled_images_at_prediction_time_are_told():
    """Floats in [0, 1], as matplotlib reads PNGs, for a scaler that was fitted on pixels; nothing else."""
    scaler = FlattenScaler().fit(IMAGES)
    assert IMAGES.max() > 1
    with pytest.warns(UserWarning, match=r"All values of X are in \[0, 1\].*multiply X by 255") as caught:
        scaler.transform(IMAGES / 255)
    assert len(caught) == 1
    scaler.transform(IMAGES.astype(float))
    scaler.transform(np.zeros(IMAGES.shape))
    scaler.transform((IMAGES > 100).astype(np.uint8))
    FlattenScaler(1).fit(IMAGES).transform(IMAGES / 255)
    centred = np.random.RandomState(0).standard_normal((20, 3))
    FlattenScaler().fit(centred).transform([[0.1, 0.2, 0.3]])


SCALED = IMAGES / 255
SIXTEEN_BITS = IMAGES.astype(np.uint16) * 257


@pytest.mark.parametrize(
    ("fitted", "divisor", "X"),
    [
        (SCALED, 1, IMAGES),
        (SCALED.astype(np.float32), 1, IMAGES.astype(np.float32)),
        (SCALED.tolist(), 1, IMAGES.reshape(6, 60).tolist()),
        (1.04 * SCALED - 0.02, 1, IMAGES),
        (IMAGES > 99, 1, IMAGES),
        ((IMAGES > 99).astype(np.uint8), 1.0, SIXTEEN_BITS),
        (IMAGES, 255, SIXTEEN_BITS),
        (IMAGES.astype(float), 255, SIXTEEN_BITS.astype(float)),
        (np.repeat(SCALED, 500, axis=0), 1, np.repeat(IMAGES, 500, axis=0)),
        (np.repeat(SCALED, 2, axis=2)[:, :, ::2], 1, np.repeat(IMAGES, 2, axis=2)[:, :, ::2]),
    ],
)
def test_images_brighter_than_those_of_fit_are_told(fitted, divisor, X):
    """Of 255 times the scale, or 257 times, of any type: once, where transform was called."""
    scaler = FlattenScaler(divisor).fit(fitted)
    match = rf"X has values up to {np.max(X):g}, but .* divides by {divisor:g}: .* such as X / 255\."
    for pickled in (scaler, pickle.loads(pickle.dumps(scaler))):
        with pytest.warns(UserWarning, match=match) as caught:
            rows = pickled.transform(X)
        assert [warning.filename for warning in caught] == [__file__]
        np.testing.assert_allclose(rows, np.reshape(X, (len(X), -1)) / divisor)


@pytest.mark.parametrize("channel", [0, 1, 2])
@pytest.mark.parametrize("side", [8, 37, 64, 96])
def test_one_colour_is_bright_enough(channel, side):
    """Whichever the channel, of one image and of many: the values looked at are spread over all of them."""
    for m in (1, 50):
        X = np.zeros((m, side, side, 3), np.uint8)
        X[..., channel] = 200
        with pytest.warns(UserWarning, match="X has values up to 200"):
            FlattenScaler(1).fit(X / 255).transform(X)


@pytest.mark.parametrize(
    ("fitted", "divisor", "X"),
    [
        (SCALED, 1, 1.5 * SCALED),
        (SCALED, 1, 1.2 * SCALED - 0.1),
        (IMAGES, 1, IMAGES),
        (IMAGES, 1, SIXTEEN_BITS),
        (IMAGES, 255, IMAGES.astype(float)),
        (SIXTEEN_BITS, 65535, SIXTEEN_BITS),
        (np.random.RandomState(0).standard_normal((9, 60)), 1, 5 * np.random.RandomState(1).randn(9, 60)),
    ],
)
def test_images_as_those_of_fit_are_not_told(fitted, divisor, X):
    """A little brighter, or beyond `divisor` in fit too, or standardised: a warning would be an error."""
    FlattenScaler(divisor).fit(fitted).transform(X)
    FlattenScaler(divisor).fit_transform(X)


@pytest.mark.parametrize(
    ("scaler", "method", "X", "dtype"),
    [
        (FlattenScaler(dtype="float32"), "transform", [[1e300, 1.0]], "float32"),
        (FlattenScaler(1e-300), "transform", [[1e300, 1.0]], "float64"),
        (FlattenScaler(1e-300), "transform", np.float32([[1e30, 0]]), "float32"),
        (FlattenScaler(1e300), "inverse_transform", [[1e300, 1.0]], "float64"),
    ],
)
def test_values_that_overflow_are_refused(scaler, method, X, dtype):
    scaler.fit([[1.0, 2.0]])
    with pytest.raises(ValueError, match=f"overflow {dtype} when scaled by the divisor"):
        getattr(scaler, method)(X)


def test_not_enough_memory(monkeypatch):
    """The error says how to do without."""
    scaler = FlattenScaler().fit(np.full((2, 2, 2), 9))
    raise_once(monkeypatch, MemoryError("Unable to allocate 3.7 GiB"), np, "empty", 1)
    with pytest.raises(MemoryError, match=r"3\.7 GiB.*dask\.array\.from_array"):
        scaler.transform(np.full((2, 2, 2), 9))
