"""The displays draw what the model holds, in scikit-learn's manner."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from models import blobs, both
from sknn_basic import (
    FlattenScaler,
    LogisticRegressionGD,
    LossCurveDisplay,
    ShallowNNClassifier,
    VectorizedGridSearchCV,
    WeightsDisplay,
)

plt = pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")


def images(n_classes=2, m=30, shape=(4, 5, 3)):
    rng = np.random.RandomState(0)
    y = np.arange(m) % n_classes
    return rng.randint(0, 200, (m, *shape)) + 20 * y.reshape(-1, *[1] * len(shape)), y


# Loss curves


@both
@pytest.mark.parametrize("max_iter", [40, 45])
def test_loss_curve_is_the_recorded_one(model, max_iter):
    """Steps 0, 20, 40, ... and the last, with its `loss_`; the costs of validation samples beside."""
    X, y = blobs()
    model = clone(model).set_params(max_iter=max_iter, record_every=20).fit(X, y, X_val=X[:9], y_val=y[:9])
    display = LossCurveDisplay.from_estimator(model)
    steps = [0, 20, 40] if max_iter == 40 else [0, 20, 40, 45]
    np.testing.assert_array_equal(display.line_.get_xdata(), steps)
    np.testing.assert_array_equal(display.line_.get_ydata(), [*model.loss_curve_, model.loss_])
    np.testing.assert_array_equal(display.validation_line_.get_xdata(), steps)
    expected = [*model.validation_loss_curve_, model.validation_loss_]
    np.testing.assert_array_equal(display.validation_line_.get_ydata(), expected)
    assert display.line_.get_color() == display.validation_line_.get_color()
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == [
        f"{type(model).__name__}, training",
        f"{type(model).__name__}, validation",
    ]
    assert display.figure_ is display.ax_.figure
    assert display.ax_.get_xlabel() == "step"


def test_several_models_on_one_axis():
    X, y = blobs()
    slow, fast = (LogisticRegressionGD(rate, 200).fit(X, y) for rate in (0.01, 0.1))
    first = LossCurveDisplay.from_estimator(slow, name="slow")
    second = LossCurveDisplay.from_estimator(fast, name="fast", ax=first.ax_, color="red", lw=3)
    assert first.validation_line_ is None
    assert second.ax_ is first.ax_
    assert len(first.ax_.lines) == 2
    assert (second.line_.get_color(), second.line_.get_linewidth()) == ("red", 3)
    legend = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert legend == ["slow, training", "fast, training"]


def test_styles_of_the_users_own():
    """Whatever alias names them, they hold for both curves; the validation curve is dashed unless told."""
    display = LossCurveDisplay(iterations=[0, 1], loss=[2.0, 1.0], validation_loss=[3.0, 2.0])
    display.plot(c="green", lw=3)
    lines = display.line_, display.validation_line_
    assert [line.get_color() for line in lines] == ["green", "green"]
    assert [line.get_linewidth() for line in lines] == [3, 3]
    assert [line.get_linestyle() for line in lines] == ["-", "--"]
    display.plot(ls=":")
    assert display.validation_line_.get_linestyle() == ":"


def test_plot_draws_again_and_returns_itself():
    display = LossCurveDisplay(iterations=[0, 1], loss=[2.0, 1.0], validation_loss=[3.0, 2.0])
    assert display.plot() is display
    _, ax = plt.subplots()
    assert display.plot(ax, name="again").ax_ is ax
    assert ax.get_legend().get_texts()[1].get_text() == "again, validation"


@pytest.mark.parametrize("kind", [GridSearchCV, VectorizedGridSearchCV])
def test_displays_look_into_searches_and_pipelines(kind):
    X, y = images()
    pipeline = make_pipeline(FlattenScaler(), StandardScaler(), LogisticRegressionGD(max_iter=50))
    search = kind(pipeline, {"logisticregressiongd__learning_rate": [0.01, 0.1]}, cv=2).fit(X, y)
    best = search.best_estimator_
    curve = LossCurveDisplay.from_estimator(search)
    assert curve.loss[-1] == best[-1].loss_ == LossCurveDisplay.from_estimator(best).loss[-1]
    np.testing.assert_array_equal(WeightsDisplay.from_estimator(search).weights, best[-1].coef_)


def test_curve_of_a_descent_that_broke_down_ends_with_the_weights_kept():
    X, y = blobs()
    model = ShallowNNClassifier(4, "relu", learning_rate=50, max_iter=500, random_state=0, record_every=1)
    with pytest.warns(ConvergenceWarning):
        model.fit(X * 1000, y)
    display = LossCurveDisplay.from_estimator(model)
    assert display.iterations[-1] == model.n_iter_
    np.testing.assert_array_equal(display.loss, model.loss_curve_)


def test_steps_are_those_of_the_fit():
    """A parameter that is changed after the fit changes nothing in the picture."""
    X, y = blobs()
    model = LogisticRegressionGD(0.1, 50, record_every=10).fit(X, y).set_params(record_every=11, max_iter=7)
    assert LossCurveDisplay.from_estimator(model).iterations.tolist() == [0, 10, 20, 30, 40, 50]


@pytest.mark.parametrize("display", [LossCurveDisplay, WeightsDisplay])
def test_displays_refuse_other_estimators(display):
    X, y = blobs()
    with pytest.raises(TypeError, match=rf"{display.__name__} takes LogisticRegressionGD.*got SVC"):
        display.from_estimator(SVC().fit(X, y))
    search = VectorizedGridSearchCV(LogisticRegressionGD(max_iter=3), {"max_iter": [3]}, refit=False)
    for estimator in (LogisticRegressionGD(), search):
        with pytest.raises(NotFittedError):
            display.from_estimator(estimator)
    with pytest.raises(
        NotFittedError, match=rf"{display.__name__} draws .*GridSearchCV has none.*refit=True"
    ):
        display.from_estimator(search.fit(X, y))


# Weights


def shown(display):
    return [image.get_array() for image in display.images_]


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1)])
def test_grey_weights(n_classes, shape):
    """Each image is a row of the weights in its shape, 0 in the middle of the colours."""
    X, y = images(n_classes, shape=shape)
    model = make_pipeline(FlattenScaler(), LogisticRegressionGD(max_iter=50)).fit(X, y)
    display = WeightsDisplay.from_estimator(model)
    for image, drawn, w in zip(display.images_, shown(display), model[-1].coef_, strict=True):
        np.testing.assert_array_equal(drawn, w.reshape(4, 5))
        assert image.get_clim() == (-np.abs(w).max(), np.abs(w).max())
    titles = [ax.get_title() for ax in display.axes_]
    assert titles == (["1 against 0"] if n_classes == 2 else ["0", "1", "2"])


def test_colour_weights_of_hidden_units():
    """0 is mid-grey, the largest weight black or white; one image a unit."""
    X, y = images()
    network = ShallowNNClassifier(7, learning_rate=0.1, max_iter=50, random_state=0)
    model = make_pipeline(FlattenScaler(), network).fit(X, y)
    display = WeightsDisplay.from_estimator(model)
    assert [ax.get_title() for ax in display.axes_] == [f"unit {j}" for j in range(7)]
    assert display.figure_ is display.axes_[0].figure
    for drawn, w in zip(shown(display), model[-1].coefs_[0].T, strict=True):
        assert drawn.shape == (4, 5, 3)
        assert drawn.min() >= 0
        assert drawn.max() <= 1
        assert max(drawn.max(), 1 - drawn.min()) == 1
        np.testing.assert_allclose((drawn - 0.5) * 2 * np.abs(w).max(), w.reshape(4, 5, 3), atol=1e-12)


def test_image_shape_without_a_pipeline():
    X, y = images(shape=(20,))
    model = LogisticRegressionGD(max_iter=5).fit(X, y)
    display = WeightsDisplay.from_estimator(model, image_shape=(4, 5), cmap="gray")
    assert shown(display)[0].shape == (4, 5)
    assert display.images_[0].get_cmap().name == "gray"
    from matplotlib.colors import CenteredNorm

    WeightsDisplay.from_estimator(model, image_shape=[4, 5], norm=CenteredNorm())


def test_zero_weights_are_drawn():
    """A fit that has learnt nothing is grey, not a division by zero."""
    WeightsDisplay(weights=np.zeros((1, 12)), image_shape=(2, 2, 3)).plot()
    WeightsDisplay(weights=np.zeros((1, 4)), image_shape=(2, 2)).plot()


def test_axes_of_the_users_own():
    """One a image, or one whose place they divide; `plot` returns the display."""
    weights = np.random.RandomState(0).standard_normal((3, 4))
    display = WeightsDisplay(weights=weights, image_shape=(2, 2), titles=["a", "b", "c"])
    figure, axes = plt.subplots(1, 3)
    assert display.plot(axes) is display
    assert list(display.axes_) == list(axes)
    _, ax = plt.subplots()
    assert display.plot(ax).figure_ is ax.figure
    assert len(ax.figure.axes) == 4
    _, ax = plt.subplots()
    assert WeightsDisplay(weights=weights[:1], image_shape=(2, 2)).plot(ax).axes_[0] is ax
    with pytest.raises(ValueError, match="3 images need 3 axes or one, got 2"):
        display.plot(axes[:2])
    with pytest.raises(ValueError, match="lies in no grid"):
        display.plot(figure.add_axes((0, 0, 1, 1)))
    plt.close(figure)


@pytest.mark.parametrize(
    ("pipeline", "options", "message"),
    [
        ([], {}, r"pass image_shape=\(height, width, 3\), or a pipeline with FlattenScaler"),
        ([], {"image_shape": (5, 5)}, r"60 weights an image, but images of shape \(5, 5\) have 25 values"),
        ([FlattenScaler(), PCA(3)], {}, "3 weights an image"),
        ([FlattenScaler()], {"image_shape": (2, 2, 15)}, r"got image_shape=\(2, 2, 15\)"),
        ([FlattenScaler()], {"image_shape": (60,)}, r"got image_shape=\(60,\)"),
        ([FlattenScaler(1), FlattenScaler()], {}, r"fitted on rows.*pass image_shape=\(height"),
    ],
)
def test_weights_that_are_no_images_are_refused(pipeline, options, message):
    X, y = images()
    if not pipeline:
        X = X.reshape(len(X), -1)
    model = make_pipeline(*pipeline, LogisticRegressionGD(max_iter=3)).fit(X, y)
    with pytest.raises(ValueError, match=message):
        WeightsDisplay.from_estimator(model, **options)


# scikit-learn's display of decision boundaries


@both
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_decision_boundary_display(model, n_classes, method):
    """What it draws of two features is what the model answers on its grid."""
    X, y = blobs(n_classes, n=2)
    fitted = clone(model).fit(X, y)
    options = {"class_of_interest": 1} if n_classes == 3 and method != "predict" else {}
    display = DecisionBoundaryDisplay.from_estimator(
        fitted, X, response_method=method, grid_resolution=20, **options
    )
    answers = getattr(fitted, method)(np.column_stack([display.xx0.ravel(), display.xx1.ravel()]))
    if answers.ndim == 2:
        answers = answers[:, 1]
    np.testing.assert_array_equal(display.response.ravel(), answers)
