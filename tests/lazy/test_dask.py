"""Dask arrays: the same models as in memory, from any chunks; lazy predictions; and what is refused."""

import pickle
from pathlib import Path
from warnings import catch_warnings, simplefilter

import numpy as np
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from engines import ENGINES, engine_of
from models import ACTIVATIONS, assert_same_model, blobs, images
from sknn_basic import FlattenScaler, LogisticRegressionGD, ShallowNNClassifier, VectorizedGridSearchCV
from sknn_basic._descent import gram, stored
from sknn_basic._lazy.dask import Reader, merged_chunks, to_stored
from watchers import Looker, Recorder, assert_identical, raise_once

da = pytest.importorskip("dask.array")
pytestmark = pytest.mark.filterwarnings("ignore:Gradient descent (has not finished|did not lower|diverged)")

X, Y = blobs()
LOGISTIC = LogisticRegressionGD(0.1, max_iter=40, record_every=7)
NETWORK = ShallowNNClassifier(4, learning_rate=0.1, max_iter=40, random_state=3)
MODELS = {
    "logistic": LOGISTIC,
    "auto": LogisticRegressionGD(max_iter=40),
    "l2": clone(LOGISTIC).set_params(l2_regularization=0.1, fit_intercept=False),
    "diverging": LogisticRegressionGD(1e308, max_iter=40, record_every=1),
    **{name: clone(NETWORK).set_params(activation=name) for name in ACTIVATIONS},
}
two_models = pytest.mark.parametrize("model", [LOGISTIC, NETWORK], ids=["logistic", "network"])


@pytest.fixture(params=ENGINES)
def engine(request):
    with engine_of(request.param):
        yield request.param


def as_frame(X):
    pd, dd = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    frame = pd.DataFrame(X, columns=[f"f{i}" for i in range(X.shape[1])])
    return dd.from_pandas(frame, npartitions=3)


def in_rows(X, n_rows=7):
    return da.from_array(X, (n_rows, *[-1] * (X.ndim - 1)))


def counted(reads, X, n_rows=7):
    """Return a Dask array that appends the size of each chunk to `reads` whenever it is computed."""

    def read(chunk):
        reads.append(len(chunk))
        return chunk

    return in_rows(X, n_rows).map_blocks(read, dtype=X.dtype, meta=X[:0])


CHUNKINGS = {
    "of 7 rows": in_rows,
    "of single rows": lambda X: in_rows(X, 1),
    "whole": lambda X: da.from_array(X, -1),
    "some empty": lambda X: da.concatenate([da.from_array(X[:0]), da.from_array(X[:9]), da.from_array(X[9:9]),
                                            da.from_array(X[9:], (5, -1))]),
    "columns too": lambda X: da.from_array(X, (7, 2)),
    "of unknown sizes": lambda X: in_rows(X)[da.from_array(X[:, 0] > -1000, 7)],
    "masked": lambda X: in_rows(np.ma.masked_array(X, np.zeros(X.shape, bool))),
    "of objects": lambda X: in_rows(X.astype(object)),
    "in columns order": lambda X: da.from_array(np.asfortranarray(X), (11, -1)),
    "computed": lambda X: da.from_array(X / 2, (10, -1)) * 2,
    "of a table": as_frame,
}  # fmt: skip


@pytest.mark.parametrize(
    ("model", "chunking"),
    [*((model, "of 7 rows") for model in MODELS), *(("tanh", chunking) for chunking in CHUNKINGS)],
)
def test_same_model_as_in_memory(engine, model, chunking, monkeypatch):
    """Also if blocks hold a few rows, and small blocks fewer."""
    monkeypatch.setattr("sknn_basic._lazy.memory.READ_BYTES", 8 * 5 * 15)
    monkeypatch.setattr(stored, "SMALL_BLOCK_BYTES", 400)
    expected = clone(MODELS[model]).fit(X, Y)
    got = clone(MODELS[model]).fit(CHUNKINGS[chunking](X), Y)
    assert_same_model(got, expected, 1e-10)
    assert got.loss_curve_ == pytest.approx(expected.loss_curve_, rel=1e-10)


@pytest.mark.parametrize("n_classes", [2, 3])
@two_models
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int16, bool, ">f8"])
def test_same_model_for_every_type(engine, model, dtype, n_classes):
    X, y = blobs(n_classes)
    X = (10 * X + 100).astype(dtype) if dtype is not bool else X > 0
    model = clone(model).set_params(learning_rate=1e-3)
    expected = clone(model).fit(X.astype(X.dtype.newbyteorder("=")), y)
    assert_same_model(model.fit(in_rows(X), y), expected, 1e-10 if dtype != np.float32 else 1e-4)


@pytest.mark.parametrize("m", [8, 30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("model", ["logistic", "auto", "tanh"])
def test_wide_samples_are_read_a_few_times(model, dtype, m, monkeypatch):
    """The Gram matrix from pairs of large blocks; the rest of the descent reads nothing."""
    monkeypatch.setattr(gram, "LARGE_BLOCK_BYTES", 7 * 300 * np.dtype(dtype).itemsize)
    monkeypatch.setattr(gram, "COLUMN_BYTES", 20_000)
    monkeypatch.setattr("sknn_basic._lazy.memory.READ_BYTES", 1)
    X = np.random.RandomState(0).randint(0, 9, (m, 300)).astype(dtype)
    X, y = X if dtype == np.uint8 else X / dtype(9), np.arange(m) % 2
    model, reads = clone(MODELS[model]).set_params(learning_rate=1e-3), []
    X_da = counted(reads, X, 3)
    got = clone(model).fit(X_da, y, X_val=X_da[:4], y_val=y[:4])
    expected = clone(model).fit(X, y, X_val=X[:4], y_val=y[:4])
    assert_same_model(got, expected, 1e-10 if dtype != np.float32 else 1e-4)
    assert got.validation_loss_curve_ == pytest.approx(expected.validation_loss_curve_, rel=1e-4)
    assert sum(reads) < 12 * m


@two_models
def test_everything_else_of_fit(engine, model):
    """Weights, balanced classes, validation samples, a warm start: from Dask arrays of different chunks."""
    X, y = blobs(3, 60)
    weights = np.linspace(0.1, 2, 60)
    labels = np.array(["red", "green", "blue"])[y]
    model = clone(model).set_params(class_weight="balanced", warm_start=True, max_iter=50)
    expected, got = clone(model), clone(model)
    for _ in range(2):
        expected.fit(X, labels, weights, X_val=X[:20], y_val=labels[:20], sample_weight_val=weights[:20])
        got.fit(
            in_rows(X), in_rows(labels, 11), in_rows(weights, 50), X_val=in_rows(X[:20], 6),
            y_val=in_rows(labels[:20], 3), sample_weight_val=in_rows(weights[:20]),
        )  # fmt: skip
    assert_same_model(got, expected, 1e-10)
    assert got.validation_loss_curve_ == pytest.approx(expected.validation_loss_curve_, rel=1e-10)
    assert got.classes_.tolist() == ["blue", "green", "red"]


# Predictions


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("chunked", CHUNKINGS.values(), ids=CHUNKINGS)
def test_predictions_are_lazy(n_classes, chunked):
    X, y = blobs(n_classes)
    labels = np.array(["red", "green", "blue"])[y]
    model = LogisticRegressionGD(0.1, max_iter=20).fit(X, labels)
    answers = ["predict", "predict_proba", "predict_log_proba", "decision_function"]
    expected = {answer: getattr(model, answer)(X) for answer in answers}
    if chunked is as_frame:
        model.fit(chunked(X), labels)
    for answer in answers:
        got = getattr(model, answer)(chunked(X))
        assert isinstance(got, da.Array)
        assert (got.dtype, got.ndim) == (expected[answer].dtype, expected[answer].ndim)
        if answer == "predict":
            np.testing.assert_array_equal(got.compute(), expected[answer])
        else:
            np.testing.assert_allclose(got.compute(), expected[answer], rtol=1e-10)
    assert model.score(chunked(X), in_rows(labels, 9)) == np.mean(expected["predict"] == labels)


def test_predictions_of_a_model_know_nothing_of_dask():
    """A saved model is as small as one that is fitted in memory, and names no module of Dask."""
    saved = pickle.dumps(clone(LOGISTIC).fit(in_rows(X), in_rows(Y)))
    assert b"dask" not in saved
    assert len(saved) < len(pickle.dumps(clone(LOGISTIC).fit(X, Y))) + 10


@pytest.mark.parametrize(
    ("divisor", "dtype", "scaler_dtype"),
    [(255.0, np.uint8, None), (51, np.uint8, "float32"), (51, np.int64, None), (255.0, np.float32, None)],
)
def test_images_in_a_pipeline(engine, divisor, dtype, scaler_dtype):
    """Lazy all the way; the rows are those that the scaler makes of images in memory."""
    X, y = images(m=40)
    X = X.astype(dtype)
    model = make_pipeline(FlattenScaler(divisor, dtype=scaler_dtype), LogisticRegressionGD(0.1, max_iter=20))
    expected = clone(model).fit(X, y)
    tolerance = 1e-5 if scaler_dtype or dtype == np.float32 else 1e-10
    for chunks in ((7, 2, 5, 1), -1):
        X_da = da.from_array(X, chunks)
        got = clone(model).fit(X_da, y)
        assert_same_model(got[-1], expected[-1], tolerance)
        assert got[0].image_shape_ == (4, 5, 3)
        rows = got[0].transform(X_da)
        assert rows.dtype == expected[0].transform(X).dtype
        np.testing.assert_array_equal(rows.compute(), expected[0].transform(X))
        np.testing.assert_allclose(got[0].inverse_transform(rows).compute(), X, rtol=1e-6)
        np.testing.assert_allclose(got.predict_proba(X_da).compute(), got.predict_proba(X), rtol=tolerance)
        assert got.score(X_da, y) == got.score(X, y)


def test_the_scaler_reads_no_pixel():
    """It makes nothing of values it has not seen, of a table too: a warning would be an error."""
    scaler, reads = FlattenScaler(), []
    assert scaler.fit_transform(counted(reads, np.ones((10, 4, 5, 3), np.uint8))).shape == (10, 60)
    assert not reads
    assert scaler.n_features_in_ == 60
    assert FlattenScaler().fit(as_frame(np.full((6, 2), 99))).n_features_in_ == 2


class Plain(FlattenScaler):
    pass


class Doubling(FlattenScaler):
    def fit_transform(self, X, y=None):
        return super().fit_transform(X, y)

    def transform(self, X):
        return 2 * super().transform(X)


@pytest.mark.parametrize("kind", [FlattenScaler, Plain, Doubling])
@pytest.mark.parametrize("container", ["pandas", "polars"])
@pytest.mark.parametrize("is_global", [True, False])
def test_tables_of_set_output_are_not_made_of_dask_arrays(kind, container, is_global):
    """They would hold all rows: the output is lazy, as by default; what is in memory becomes a table."""
    X, reads = images(m=40)[0].astype(np.uint8), []
    expected = kind().fit_transform(X)
    with config_context(transform_output=container if is_global else "default"):
        scaler = kind() if is_global else kind().set_output(transform=container)
        images_da, frame = counted(reads, X), as_frame(X.reshape(40, -1))
        lazy = [
            scaler.fit_transform(images_da),
            scaler.transform(images_da),
            scaler.transform(X=images_da),
            clone(scaler).fit_transform(frame),
        ]
        back = scaler.inverse_transform(lazy[0])
        table = scaler.transform(X)
    assert not reads
    assert {type(rows) for rows in (*lazy, back)} == {da.Array}
    for rows in lazy:
        np.testing.assert_array_equal(rows.compute(), expected)
    assert type(table).__module__.partition(".")[0] == container
    np.testing.assert_array_equal(table.to_numpy(), expected)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_pipelines_of_tables_train_from_dask_arrays(container):
    """Block by block, as without `set_output`."""
    X, y = images(m=40)
    X, reads = X.astype(np.uint8), []
    model = make_pipeline(FlattenScaler(), clone(LOGISTIC))
    expected = clone(model).fit(in_rows(X), y)
    with config_context(transform_output=container):
        model.fit(counted(reads, X), y)
        assert max(reads) == 7
        probabilities = model.predict_proba(in_rows(X))
    assert isinstance(probabilities, da.Array)
    assert_identical(model[-1], expected[-1])


BYTES = images(m=40)[0].astype(np.uint8)


@pytest.mark.parametrize(
    ("fitted", "divisor", "X", "match"),
    [
        (BYTES / 255, 1, BYTES, r"X has values up to 2\d\d, .* such as X / 255"),
        (BYTES > 99, 1, BYTES, r"X has values up to 2\d\d, .* such as X / 255"),
        (BYTES, 255, BYTES * np.uint16(257), r"X has values up to 5\d{4}, .* such as X / 255"),
        (BYTES / 255, 255, BYTES * np.uint16(257), r"X has values up to 5\d{4}, .* such as X / 255"),
        (BYTES, 255, BYTES / 255, r"All values of X are in \[0, 1\], .* multiply X by 255"),
    ],
)
def test_images_of_another_scale_than_those_of_fit(fitted, divisor, X, match):
    """Whichever of both is lazy; fit reads no pixel, and transform not before its rows are computed."""
    for fitted_on in (fitted, in_rows(fitted)):
        with catch_warnings():
            simplefilter("ignore")  # in [0, 1] in fit already
            scaler, reads = FlattenScaler(divisor).fit(fitted_on), []
        rows = scaler.transform(counted(reads, X))
        assert not reads
        with pytest.warns(UserWarning, match=match):
            rows.compute()
        assert len(reads) == len(rows.chunks[0])
    with pytest.warns(UserWarning, match=match):
        scaler.transform(X)


@pytest.mark.parametrize("scaled", [BYTES / 255, BYTES / 60 - 2, BYTES.astype(float), BYTES])
def test_images_of_the_scale_of_fit_make_no_warning(scaled):
    """In [0, 1], standardised, or as large as bytes: a warning would be an error."""
    scaler = FlattenScaler(1).fit(in_rows(scaled))
    for X in (scaled, in_rows(scaled)):
        assert np.asarray(scaler.transform(X)).shape == (40, 60)


def test_bytes_are_not_made_floats():
    """Chunks of a pipeline's images reach the descent as bytes: an eighth of the memory."""
    rows = FlattenScaler().fit_transform(in_rows(images()[0].astype(np.uint8)))
    (block,) = to_stored(rows, np.dtype(float)).blocks
    assert block.read().dtype == np.uint8
    np.testing.assert_array_equal(next(block.small_blocks())[1].X, rows.compute())


# Bounds


def test_blocks_are_neighbouring_chunks():
    assert merged_chunks((3, 3, 0, 3, 8, 1, 1), 6) == [
        (slice(0, 6), slice(0, 3)), (slice(6, 9), slice(3, 4)),
        (slice(9, 17), slice(4, 5)), (slice(17, 19), slice(5, 7)),
    ]  # fmt: skip
    assert merged_chunks((0, 2, 0), 1) == [(slice(0, 2), slice(1, 3))]


def n_reads(model, n_chunks, X, y):
    reads = []
    clone(model).fit(counted(reads, X, len(X) // n_chunks), y)
    return len(reads) / n_chunks


@two_models
def test_each_step_reads_each_chunk_once(model):
    ten, thirty = (clone(model).set_params(max_iter=n, record_every=100) for n in (10, 30))
    assert n_reads(thirty, 10, *blobs(2, 100)) - n_reads(ten, 10, *blobs(2, 100)) == 20


def test_the_auto_rate_reads_the_samples_few_times():
    assert n_reads(LogisticRegressionGD(max_iter=1), 2, *blobs(2, 100, 20)) <= 160


@pytest.mark.parametrize("l2", [0, 0.1])
def test_no_read_only_to_word_a_warning(l2):
    """A rate that is too large: each step reads the samples once, and 2/L is not computed to be told."""
    X, y = blobs(2, 100, 20)
    model = LogisticRegressionGD(1e4, 10, l2_regularization=l2)
    with pytest.warns(ConvergenceWarning, match=r"did not lower .* Pass a smaller learning_rate or scale X"):
        assert n_reads(model, 2, X, y) <= 10 + 4
    with pytest.warns(ConvergenceWarning, match=r"learning_rate \(descent is stable below 2/L = "):
        clone(model).fit(X, y)


# Errors


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_value_that_is_not_finite_is_named_with_its_row(bad, dtype):
    holed, model = X.astype(dtype), LogisticRegressionGD()
    holed[33, 2] = holed[38, 0] = bad
    what = "NaN" if np.isnan(bad) else "infinity or a value too large"
    for unusable in (holed, np.hstack([holed] * 60)):
        with pytest.raises(ValueError, match=f"Input X contains {what}.* first in row 33"):
            model.fit(in_rows(unusable), Y)
        assert is_unfitted(model)
    with pytest.raises(ValueError, match=r"validation samples.*first in row 33"):
        model.fit(in_rows(X[:30]), Y[:30], X_val=in_rows(holed), y_val=Y)


def is_unfitted(model):
    return vars(model).keys() == model.get_params().keys()


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        (da.from_array(X), Y[:39], ValueError, r"inconsistent numbers of samples: \[40, 39\]"),
        (da.zeros((10, 2, 2, 3)), Y[:10], ValueError, r"dim 4.*FlattenScaler"),
        (da.from_array(X * 1j), Y, ValueError, "Complex data not supported"),
        (da.from_array(X)[:0], Y[:0], ValueError, "0 sample"),
        (da.from_array(np.ma.masked_less(X, -1)), Y, ValueError, "X has masked values"),
        (da.from_array(X), 0 * Y, ValueError, "one class"),
        (da.from_array(X), None, ValueError, "requires y"),
        (da.from_array(X.T), Y, ValueError, "Samples are rows"),
        (da.from_array(X).map_blocks(list, meta=X[:0]), Y, TypeError, "A chunk of X is a list, expected"),
        (da.from_array(X).map_blocks(sparse.csr_array, meta=sparse.csr_array((0, 0))), Y,
         TypeError, "Dask array of csr_array.*toarray"),
    ],
)  # fmt: skip
def test_errors_of_shapes_and_types(X, y, error, message):
    with pytest.raises(error, match=message):
        LogisticRegressionGD(max_iter=5).fit(X, y)


def test_errors_of_predictions():
    model = LogisticRegressionGD(max_iter=5).fit(da.from_array(X), Y)
    with pytest.raises(ValueError, match="expecting 5 features"):
        model.predict(da.from_array(X[:, :3]))
    with pytest.raises(ValueError, match=r"takes \(n_samples, 4, 5, 3\)"):
        FlattenScaler().fit(images()[0]).transform(da.zeros((3, 5, 5, 3)))


def test_names_of_a_table(recwarn):
    model = LogisticRegressionGD(max_iter=5).fit(as_frame(X), Y)
    assert model.feature_names_in_.tolist() == ["f0", "f1", "f2", "f3", "f4"]
    assert model.predict(as_frame(X)).compute().shape == (40,)
    assert not recwarn.list
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(as_frame(X)[["f1", "f0", "f2", "f3", "f4"]])


def test_an_error_of_a_read_leaves_the_estimator_unchanged(monkeypatch):
    raise_once(monkeypatch, OSError("the disk is gone"), Reader, "__call__", 50)
    model = LogisticRegressionGD(max_iter=50)
    with pytest.raises(OSError, match="the disk is gone"):
        model.fit(in_rows(X), Y)
    assert is_unfitted(model)


@pytest.mark.filterwarnings("ignore:Gradient descent was interrupted")
def test_an_interruption_keeps_the_steps_taken(monkeypatch):
    raise_once(monkeypatch, KeyboardInterrupt, Reader, "__call__", 30)
    model = LogisticRegressionGD(0.1, max_iter=100, record_every=1).fit(in_rows(X), Y)
    assert 10 < model.n_iter_ < 30
    assert_same_model(model, clone(model).set_params(max_iter=model.n_iter_).fit(X, Y), 1e-10)


@pytest.mark.parametrize("shape", [(40, 5), (30, 200)])
@two_models
def test_callbacks(model, shape):
    """They see every step, may end the fit, and change no bit."""
    pytest.importorskip("sklearn.callback")
    X, y = blobs(2, *shape)
    X_da, model = in_rows(X), clone(model).set_params(max_iter=20, learning_rate=0.01)
    alone = clone(model).fit(X_da, y)
    assert_identical(clone(model).set_callbacks(Recorder()).fit(X_da, y), alone)
    assert clone(model).set_callbacks(Recorder(stop_after=5)).fit(X_da, y).n_iter_ == 5
    looker = Looker()
    clone(model).set_callbacks(looker).fit(X_da, y)
    last, n_steps = looker.models[-1]
    assert n_steps == 20
    np.testing.assert_allclose(last.predict_proba(X), alone.predict_proba(X), rtol=1e-10)


# In a search


@pytest.mark.parametrize("search", [GridSearchCV, VectorizedGridSearchCV])
def test_a_search_on_images(search):
    X, y = images(m=40)
    X = X.astype(np.uint8)
    model = make_pipeline(FlattenScaler(), LogisticRegressionGD(max_iter=10))
    rates = {"logisticregressiongd__learning_rate": [0.001, 0.1]}
    search = search(model, rates, cv=2, return_train_score=True)
    expected, got = clone(search).fit(X, y), clone(search).fit(in_rows(X), y)
    for name in ("mean_test_score", "mean_train_score"):
        np.testing.assert_allclose(got.cv_results_[name], expected.cv_results_[name])
    assert got.best_params_ == expected.best_params_


# Subclasses, rows that are changed, other types


class Halving(LogisticRegressionGD):
    def predict_proba(self, X):
        return super().predict_proba(X) * 0.5


def test_a_subclass_that_overrides_a_prediction():
    model = Halving(max_iter=20).fit(X, Y)
    np.testing.assert_allclose(model.predict_proba(in_rows(X)).compute(), model.predict_proba(X))


def test_rows_that_are_changed_after_the_scaler():
    """Their bytes are no longer what they are made of."""
    X, y = images(m=40)
    rows = FlattenScaler().fit_transform(in_rows(X.astype(np.uint8)))
    rows[rows > 0.5] = 0
    assert_same_model(clone(LOGISTIC).fit(rows, y), clone(LOGISTIC).fit(rows.compute(), y), 1e-10)


def test_a_table_of_several_types():
    pd, dd = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1] > 0, "c": pd.array(X[:, 2], "Float64")})
    got = clone(LOGISTIC).fit(dd.from_pandas(frame, npartitions=3), Y)
    assert_same_model(got, clone(LOGISTIC).fit(frame, Y), 1e-10)


def test_wide_rows_are_read_in_small_blocks():
    """Dask's own choice of chunks splits the columns; joined, they would have 768 MB each."""
    X = da.zeros((5000, 196_608), np.uint8, chunks=(4096, 65_536))
    assert max(block.rows.stop - block.rows.start for block in to_stored(X, np.dtype(float)).blocks) == 10


# Memory


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc, as Linux has it")
def test_memory_stays_under_its_bound(monkeypatch):
    """100 MB and 16 bytes a row, for images of 98 MB, which are 786 MB as floats."""
    import resource

    X, y = da.full((8000, 64, 64, 3), 9, dtype=np.uint8, chunks=(100, -1, -1, -1)), np.arange(8000) % 2
    model = make_pipeline(FlattenScaler(), LogisticRegressionGD(1e-3, 1))
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    with engine_of("numpy"):  # Numba's compiler takes memory of its own
        # Not counted: the stacks of the threads, and BLAS's buffers of 32 MB, of which it uses little.
        with monkeypatch.context() as patch:
            patch.setattr("sknn_basic._lazy.memory.READ_BYTES", 1)
            model.fit(da.full((1000, 8, 8, 3), 9, dtype=np.uint8, chunks=(20, -1, -1, -1)), y[:1000])
        used = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmData" in line)
        limit = 1024 * int(used.split()[1]) + 100 * 2**20 + 16 * len(y)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limits[1]))
        try:
            model.fit(X, y)
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, limits)
    assert model[-1].n_iter_ == 1


def test_few_columns_of_several_files(tmp_path):
    """Dask reads them as fewer partitions than there are files, which it learns late."""
    pd, dd = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    pytest.importorskip("pyarrow")
    X, y = blobs(2, 40, 30)
    table = pd.DataFrame(X, columns=[f"c{j}" for j in range(30)]).assign(y=y)
    for first in range(0, 40, 5):
        table[first : first + 5].to_parquet(tmp_path / f"{first:02}.parquet")
    lazy = dd.read_parquet(tmp_path)
    found = LogisticRegressionGD(max_iter=20).fit(lazy[["c0", "c1"]], lazy["y"])
    expected = LogisticRegressionGD(max_iter=20).fit(table[["c0", "c1"]], y)
    np.testing.assert_allclose(found.coef_, expected.coef_, rtol=1e-12)
    assert list(found.feature_names_in_) == ["c0", "c1"]


def test_a_search_takes_labels_of_dask():
    """A Series too, whose rows have no numbers."""
    pd, dd = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    X, y = blobs(2, 40, 5)
    search = VectorizedGridSearchCV(LogisticRegressionGD(max_iter=9), {"learning_rate": [1e-3, 1e-2]}, cv=3)
    expected = clone(search).fit(X, y).cv_results_["mean_test_score"]
    for labels in (dd.from_pandas(pd.Series(y), npartitions=3), da.from_array(y, chunks=9)):
        for rows in (X, da.from_array(X, chunks=(9, -1))):
            np.testing.assert_array_equal(
                clone(search).fit(rows, labels).cv_results_["mean_test_score"], expected
            )
