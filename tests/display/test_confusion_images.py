"""The mistakes are drawn: which, in what order, under what names, in what colours and on what axes."""

import re

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from models import BOTH, images
from sknn_basic import (
    ConfusionImagesDisplay,
    FlattenScaler,
    LogisticRegressionGD,
    VectorizedGridSearchCV,
    load_photo_patches,
)

plt = pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")
from_predictions = ConfusionImagesDisplay.from_predictions


def mistakes(y, proba, labels):
    """(index, predicted label, its probability) of each mistake, by a plain loop and sort."""
    found = []
    for i, (true, row) in enumerate(zip(y, proba, strict=True)):
        predicted = max(range(len(row)), key=lambda j, row=row: row[j])
        if labels[predicted] != true:
            found.append((-row[predicted], i, labels[predicted]))
    return [(i, label, -p) for p, i, label in sorted(found)]


def titles(display):
    return [ax.get_title() for ax in display.axes_]


def drawn(display):
    return [np.asarray(image.get_array()) for image in display.images_]


def assert_drawn(display, X, expected, white=255):
    """The images that are drawn are those of the mistakes, in their order."""
    assert len(expected) > 0
    np.testing.assert_allclose(drawn(display), [X[i] / white for i, *_ in expected])


def predictions(n_classes=2, m=40, shape=(4, 5, 3)):
    """Images, true classes and probabilities that have nothing to do with them."""
    X, y = images(n_classes, m, shape)
    proba = np.random.RandomState(1).dirichlet(np.ones(n_classes), m)
    return X.astype(np.uint8), y, proba


def scaled(**options):
    return make_pipeline(FlattenScaler(), LogisticRegressionGD(**options))


def test_the_most_confident_mistakes_come_first():
    """In the order of the probability of the predicted class, on photographs, by a plain sort."""
    train_x, train_y, test_x, test_y, names = load_photo_patches()
    model = make_pipeline(FlattenScaler(), LogisticRegressionGD(0.005, 30)).fit(train_x, train_y)
    expected = mistakes(test_y, model.predict_proba(test_x), [0, 1])
    display = ConfusionImagesDisplay.from_estimator(model, test_x, test_y, n_images=5, class_names=names)
    assert titles(display) == [f"{names[j]}, {p:.1%}\n(is {names[test_y[i]]})" for i, j, p in expected[:5]]
    assert_drawn(display, test_x, expected[:5])
    assert display.indices.tolist() == [i for i, *_ in expected[:5]]
    assert (display.n_mistakes, display.n_samples) == (len(expected), 50)
    assert display.figure_.get_suptitle() == f"The 5 most confident of {len(expected)} mistakes in 50 images"


@pytest.mark.parametrize("labels", [[7, 3], ["cat", "ox", "a bird"], np.array(["x", "a"], object), None])
def test_labels_of_every_kind(labels):
    """Without names, labels are shown. Columns are the sorted classes, unless `labels` tells otherwise."""
    columns = np.array(["a", "b"] if labels is None else labels)
    X, y, proba = predictions(len(columns), m=12)
    expected = mistakes(columns[y], proba, columns)
    display = from_predictions(X, columns[y], proba, labels=labels, n_images=40)
    assert titles(display) == [f"{said}, {p:.1%}\n(is {columns[y[i]]})" for i, said, p in expected]
    assert display.figure_.get_suptitle() == f"{len(expected)} mistakes in 12 images"


def test_equal_mistakes_keep_their_order():
    """Two levels of confidence, each with many mistakes."""
    X, _, _ = predictions(m=300)
    p = np.where(np.random.RandomState(2).rand(300) < 0.5, 0.6, 0.7)
    display = from_predictions(
        X, np.zeros(300), np.column_stack([1 - p, p]), labels=[0, 1], n_images=200, ax=[plt.axes()]
    )
    order = [*np.flatnonzero(p == 0.7), *np.flatnonzero(p == 0.6)][:200]
    np.testing.assert_allclose(display.images, X[order] / 255)


def test_names_are_drawn_short_and_as_they_are():
    X, y, proba = predictions()
    names = ["a" * 10**5, "\x1b[2J\n$\\frac{$"]
    display = from_predictions(X, y, proba, class_names=names, n_images=3)
    assert {*display.predicted, *display.true} == {*names}
    for title in titles(display):
        said, is_ = re.fullmatch(r"(.*), \d+\.\d%\n\(is (.*)\)", title).groups()
        assert {said, is_} == {"a" * 37 + "...", r"\x1b[2J\n$\frac{$"}
    display.figure_.canvas.draw()


def test_classes_that_the_classifier_does_not_know_are_mistakes():
    X, y = images(3)
    known = y < 2
    model = scaled(max_iter=50).fit(X[known], y[known])
    display = ConfusionImagesDisplay.from_estimator(model, X, y, n_images=3)
    assert 2 in display.true
    assert set(display.predicted) <= {0, 1}
    assert display.n_mistakes == sum(model.predict(X) != y)


@pytest.mark.parametrize("make_axes", [lambda: None, lambda: plt.figure().subplots(2, 2)])
def test_no_mistakes_are_said_in_the_axes(make_axes):
    X, y, _ = predictions()
    display = from_predictions(X, y, np.eye(2)[y], ax=make_axes())
    (axes,) = display.axes_
    assert [text.get_text() for text in axes.texts] == ["No mistakes in 40 images"]
    assert (display.text_, display.images_, display.n_mistakes) == (axes.texts[0], [], 0)
    assert not any(ax.axison for ax in display.figure_.axes)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3)])
@pytest.mark.parametrize("convert", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_rows_are_the_images_that_they_flatten(shape, convert):
    """Grey, grey with one channel and RGB; dense rows and sparse."""
    X, y, proba = predictions(shape=shape)
    from_images = from_predictions(X, y, proba, n_images=3)
    from_rows = from_predictions(convert(X.reshape(40, -1)), y, proba, image_shape=list(shape), n_images=3)
    expected = mistakes(y, proba, [0, 1])[:3]
    for a, b, (i, *_) in zip(drawn(from_images), drawn(from_rows), expected, strict=True):
        assert a.shape == (shape if shape[2:] == (3,) else (4, 5))
        np.testing.assert_array_equal(a, b)
        np.testing.assert_allclose(a, X[i].reshape(a.shape) / 255)


@pytest.mark.parametrize(
    ("convert", "expected"),
    [
        (lambda X: X, 1),
        (lambda X: X.astype(np.float32), 1),
        (lambda X: X / 255, 1),
        (lambda X: X / 510, 0.5),
        (lambda X: X.astype(np.uint16) * 100, 1),
        (lambda X: (X > 100).astype(np.uint8), 1 / 255),
        (lambda X: X > 100, 1),
        (lambda X: np.where(X == 0, -3.0, X), 1),
    ],
    ids=["uint8", "float32 to 255", "to 1", "to a half", "to 25500", "uint8 to 1", "bool", "negative"],
)
def test_images_are_drawn_as_they_are(convert, expected):
    """Black is 0 and less; white 255, 1 where no value exceeds that, or the largest value above 255."""
    X, y, proba = predictions(shape=(4, 4))
    X[:, 0, 0], X[:, 0, 1] = 255, 0
    for image in from_predictions(convert(X), y, proba, n_images=2).images_:
        assert image.get_clim() == (0, 1)
        assert image.get_cmap().name == "gray"
        np.testing.assert_allclose(image.get_array()[0, :2], [expected, 0])


@pytest.mark.parametrize(("divisor", "white"), [(16, 16), (20, 20), (1, 255)])
def test_white_is_the_divisor_of_the_pipeline(divisor, white):
    """If no value is above it; else as without a pipeline."""
    X, y = images(shape=(4, 5))
    X = X // 16  # 0 to 15
    assert 8 < X.max() <= 16
    model = make_pipeline(FlattenScaler(divisor), LogisticRegressionGD(max_iter=5)).fit(X, y)
    expected = mistakes(1 - y, model.predict_proba(X), [0, 1])
    display = ConfusionImagesDisplay.from_estimator(model, X, 1 - y, n_images=5)
    assert_drawn(display, X, expected[:5], white)


def test_white_is_that_of_all_images():
    """A dark image stays dark, also where no bright one is a mistake."""
    X = np.stack([np.full((2, 2), 10.0), np.full((2, 2), 200.0), np.full((2, 2), 0.5)])
    proba = [[0.2, 0.8], [0.2, 0.8], [0.8, 0.2]]
    display = from_predictions(X, [0, 1, 1], proba)
    assert [image[0, 0] for image in drawn(display)] == [10 / 255, 0.5 / 255]


@pytest.mark.parametrize(
    "classifier", [BOTH[1], GaussianNB(), TunedThresholdClassifierCV(GaussianNB(), cv=2)]
)
def test_any_classifier_with_probabilities(classifier):
    """Alone, from strings; of this package or scikit-learn's, also one with a `refit` that is no search."""
    X, y = images(shape=(20,))
    y = np.array(["cat", "ox"])[np.random.RandomState(0).permutation(y)]
    model = clone(classifier).fit(X / 255, y)
    display = ConfusionImagesDisplay.from_estimator(model, X / 255, y, image_shape=(4, 5), n_images=3)
    expected = mistakes(y, model.predict_proba(X / 255), ["cat", "ox"])
    assert display.n_mistakes == len(expected) > 0
    assert titles(display) == [f"{said}, {p:.1%}\n(is {y[i]})" for i, said, p in expected[:3]]


@pytest.mark.parametrize("search", [None, GridSearchCV, VectorizedGridSearchCV])
@pytest.mark.parametrize("is_flat", [False, True])
def test_pipelines_and_searches_know_the_shape(search, is_flat):
    """FlattenScaler was fitted on images: it tells the shape of rows, in a search's best estimator too."""
    X, y = images()
    y = np.random.RandomState(0).permutation(y)
    model = scaled(max_iter=3)
    if search:
        model = search(model, {"logisticregressiongd__learning_rate": [0.01, 0.1]}, cv=2)
    model.fit(X, y)
    display = ConfusionImagesDisplay.from_estimator(model, X.reshape(30, -1) if is_flat else X, y, n_images=2)
    assert_drawn(display, X, mistakes(y, model.predict_proba(X), [0, 1])[:2])


NO_PROBABILITIES = TypeError, r"fitted classifier with predict_proba, or .*refit=True, got"


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (LinearRegression(), *NO_PROBABILITIES),
        (LinearSVC(), *NO_PROBABILITIES),
        (GridSearchCV(LogisticRegressionGD(), {}, refit=False), *NO_PROBABILITIES),
        (LogisticRegressionGD(), NotFittedError, "not fitted"),
        (scaled(), NotFittedError, "not fitted"),
        (GridSearchCV(LogisticRegressionGD(), {}), NotFittedError, "not fitted"),
    ],
)
def test_what_has_no_probabilities_or_is_not_fitted_is_refused(estimator, error, message):
    X, y = images(shape=(20,))
    with pytest.raises(error, match=message):
        ConfusionImagesDisplay.from_estimator(estimator, X, y, image_shape=(4, 5))


def test_a_table_is_refused():
    X, y = images(shape=(20,))
    with pytest.raises(ValueError, match=r"needs images, but the samples are rows of 20 .*image_shape"):
        ConfusionImagesDisplay.from_estimator(LogisticRegressionGD(max_iter=3).fit(X, y), X, y)


def test_lengths_labels_and_numbers_that_are_refused():
    X, y = images()
    model = scaled(max_iter=3).fit(X, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ConfusionImagesDisplay.from_estimator(model, X, y[:-1])
    with pytest.raises(ValueError, match=r"Mix of label input types \(string and number\)"):
        ConfusionImagesDisplay.from_estimator(model, X, y.astype(str))
    proba = model.predict_proba(X)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        from_predictions(X, y, proba[:-1])
    with pytest.raises(ValueError, match=r"y_prob has 2 columns, but there are 1 classes: \[1\].*as labels"):
        from_predictions(X[y == 1], y[y == 1], proba[y == 1])
    for y_prob in (proba[:, 1], model.predict(X), y.astype(str)):
        with pytest.raises(ValueError, match=r"a column for each class: pass predict_proba\(X\)"):
            from_predictions(X, y, y_prob)
    for n_images in (0, -1, 2.5):
        with pytest.raises((ValueError, TypeError), match="n_images"):
            from_predictions(X, y, proba, n_images=n_images)


@pytest.mark.parametrize("n_axes", [3, 13])
def test_images_fill_the_axes_given(n_axes):
    """As far as either goes, the most confident first; what is left over is empty."""
    X, y, proba = predictions()
    expected = mistakes(y, proba, [0, 1])
    axes = np.array([plt.figure().add_subplot() for _ in range(n_axes)])
    display = from_predictions(X, y, proba, ax=axes)
    n_drawn = min(12, n_axes)
    assert list(display.axes_) == list(axes[:n_drawn])
    assert display.figure_ is axes[0].figure
    assert display.figure_.get_suptitle() == ""
    assert_drawn(display, X, expected[:n_drawn])
    assert not any(ax.axison for ax in axes)
    assert not any(ax.has_data() for ax in axes[n_drawn:])


def test_plot_draws_again_and_returns_itself():
    X, y, proba = predictions(shape=(4, 5))
    display = from_predictions(X, y, proba)
    first = display.figure_
    assert display.plot(cmap="viridis", vmax=0.5) is display
    assert display.figure_ is not first
    assert_drawn(display, X, mistakes(y, proba, [0, 1])[:12])
    assert display.images_[0].get_cmap().name == "viridis"
    assert display.images_[0].get_clim() == (0, 0.5)
    assert display.plot(norm=plt.Normalize(0, 2)).images_[0].get_clim() == (0, 2)
