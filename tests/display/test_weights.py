"""The weights are drawn as images: signs, scale and shape."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline

from longhand import distance
from models import images
from sknn_basic import FlattenScaler, LogisticRegressionGD, ShallowNNClassifier, WeightsDisplay, descent_path

plt = pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")
RANDOM = "weights, including the random start"


def shown(display):
    return [image.get_array() for image in display.images_]


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1)])
def test_grey_weights(n_classes, shape):
    """Each image is a row of the weights, 0 in the middle of the colours; logistic regression starts at 0."""
    X, y = images(n_classes, shape=shape)
    model = make_pipeline(FlattenScaler(), LogisticRegressionGD(max_iter=50)).fit(X, y)
    display = WeightsDisplay.from_estimator(model)
    np.testing.assert_array_equal(shown(display), model[-1].coef_.reshape(-1, 4, 5))
    for image, w in zip(display.images_, model[-1].coef_, strict=True):
        assert image.get_clim() == (-np.abs(w).max(), np.abs(w).max())
    titles = [ax.get_title() for ax in display.axes_]
    assert titles == (["1 against 0"] if n_classes == 2 else ["0", "1", "2"])
    relative = WeightsDisplay.from_estimator(model, relative_to="start")
    np.testing.assert_array_equal(relative.weights, model[-1].coef_)


def test_colour_weights_of_hidden_units():
    """0 is mid-grey, the largest weight black or white; one image a unit."""
    X, y = images()
    network = ShallowNNClassifier(7, learning_rate=0.1, max_iter=50, random_state=0)
    model = make_pipeline(FlattenScaler(), network).fit(X, y)
    display = WeightsDisplay.from_estimator(model, relative_to=None)
    favoured = ["1" if w > 0 else "0" for w in model[-1].coefs_[1][:, 0]]
    assert [ax.get_title() for ax in display.axes_] == [f"unit {j}, for {favoured[j]}" for j in range(7)]
    assert {*favoured} == {"0", "1"}
    assert display.figure_ is display.axes_[0].figure
    for drawn, w in zip(shown(display), model[-1].coefs_[0].T, strict=True):
        assert max(drawn.max(), 1 - drawn.min()) == 1
        np.testing.assert_allclose((drawn - 0.5) * 2 * np.abs(w).max(), w.reshape(4, 5, 3), atol=1e-12)


def test_image_shape_without_a_pipeline():
    X, y = images(shape=(20,))
    model = LogisticRegressionGD(max_iter=5).fit(X, y)
    display = WeightsDisplay.from_estimator(model, image_shape=(4, 5), cmap="gray")
    assert shown(display)[0].shape == (4, 5)
    assert display.images_[0].get_cmap().name == "gray"
    WeightsDisplay.from_estimator(model, image_shape=[4, 5], norm=plt.matplotlib.colors.CenteredNorm())


@pytest.mark.parametrize("n_classes", [2, 3])
def test_classes_of_long_names(n_classes):
    """Each name is shortened, so that both stand in the title of two classes."""
    X, y = images(n_classes, shape=(4, 5))
    names = np.array(["$a" + "x" * 10**5, "b\n", "c"])
    model = make_pipeline(FlattenScaler(), LogisticRegressionGD(max_iter=5)).fit(X, names[y])
    titles = [ax.get_title() for ax in WeightsDisplay.from_estimator(model).axes_]
    a, b = "$a" + "x" * 35 + "...", r"b\n"
    assert titles == ([f"{b} against {a}"] if n_classes == 2 else [a, b, "c"])


@pytest.mark.parametrize("image_shape", [(2, 2, 3), (2, 2)])
def test_zero_weights_are_drawn(image_shape):
    """A fit that has learnt nothing is grey, not a division by zero."""
    WeightsDisplay(weights=np.zeros((1, np.prod(image_shape))), image_shape=image_shape).plot()


def test_axes_of_the_users_own():
    """One a image, or one whose place they divide; `plot` returns the display."""
    weights = np.random.RandomState(0).standard_normal((3, 4))
    display = WeightsDisplay(weights=weights, image_shape=(2, 2), titles=["a", "b", "c"])
    _, axes = plt.subplots(1, 3)
    assert list(display.plot(axes).axes_) == list(axes)
    _, ax = plt.subplots()
    assert display.plot(ax).figure_ is ax.figure
    assert len(ax.figure.axes) == 4
    with pytest.raises(ValueError, match="3 images need 3 axes or one, got 2"):
        display.plot(axes[:2])


@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        ([], "needs images, but the samples are rows"),
        ([FlattenScaler(), PCA(3)], "3 values per sample, but .* have 60: .*leave out the step"),
        ([FlattenScaler(1), FlattenScaler()], "needs images, but the samples are rows"),
    ],
)
def test_weights_that_are_no_images_are_refused(pipeline, message):
    X, y = images()
    if not pipeline:
        X = X.reshape(len(X), -1)
    model = make_pipeline(*pipeline, LogisticRegressionGD(max_iter=3)).fit(X, y)
    with pytest.raises(ValueError, match=message):
        WeightsDisplay.from_estimator(model)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("options", [{}, {"init_scale": 0.01, "activation": "relu"}])
def test_weights_relative_to_the_start(options, n_classes, dtype):
    """The weights minus those of a fit that has taken no step, in its precision."""
    X, y = images(n_classes, shape=(4, 5))
    X = (X.reshape(len(X), -1) / 255).astype(dtype)
    network = ShallowNNClassifier(6, learning_rate=0.1, max_iter=30, random_state=5, **options).fit(X, y)
    (start,) = descent_path(network, X, y, [0])
    rng = np.random.RandomState(5)  # drawn as the notes do: the matrix (h, n), times the scale
    W1 = rng.standard_normal((6, 20)) * options.get("init_scale", 20**-0.5)
    expected = network.coefs_[0].T - W1.astype(dtype)
    assert np.abs(expected).max() > 1e-6
    by_seed = WeightsDisplay.from_estimator(network, relative_to="start", image_shape=(4, 5))
    by_model = WeightsDisplay.from_estimator(network, relative_to=start, image_shape=(4, 5))
    assert by_seed.weights.dtype == dtype
    np.testing.assert_array_equal(by_seed.weights, expected)
    np.testing.assert_array_equal(by_model.weights, expected)
    np.testing.assert_array_equal(shown(by_seed), expected.reshape(6, 4, 5))
    whole = WeightsDisplay.from_estimator(network, relative_to=None, image_shape=(4, 5))
    assert distance(by_seed.weights, whole.weights) > 0.1


@pytest.mark.parametrize(
    ("options", "changed", "title"),
    [
        ({"random_state": 3}, {}, "weights minus their start"),
        ({"random_state": None}, {}, f"{RANDOM}:\npass an int random_state to subtract it"),
        ({"random_state": 3, "warm_start": True}, {}, RANDOM),
        ({"random_state": 3}, {"hidden_layer_size": 4}, RANDOM),
    ],
)
def test_weights_of_a_network_are_relative_to_their_start_where_that_is_known(options, changed, title):
    """By default; a new figure says so in its title."""
    is_known = title != RANDOM and "pass" not in title
    X, y = images(shape=(4, 5))
    network = ShallowNNClassifier(3, learning_rate=0.1, max_iter=20, **options)
    model = make_pipeline(FlattenScaler(), network).fit(X, y)
    model[-1].set_params(**changed)
    display = WeightsDisplay.from_estimator(model)
    expected = WeightsDisplay.from_estimator(model, relative_to="start" if is_known else None)
    np.testing.assert_array_equal(display.weights, expected.weights)
    assert display.figure_.get_suptitle() == title
    assert display.plot(plt.figure().subplots()).figure_.get_suptitle() == ""


def test_strings_are_names_already():
    X, y = images(shape=(4, 5))
    network = ShallowNNClassifier(3, learning_rate=0.1, max_iter=20, random_state=0)
    model = make_pipeline(FlattenScaler(), network).fit(X, np.array(["cat", "ox"])[y])
    titles = WeightsDisplay.from_estimator(model).titles
    assert titles == [f"unit {j}, for {'ox' if w > 0 else 'cat'}" for j, w in enumerate(model[-1].coefs_[1])]


def test_unit_is_for_the_class_of_its_largest_output_weight():
    """By its name, if there are names; on a line of its own, if that is long."""
    X, y = images(3, shape=(4, 5))
    network = ShallowNNClassifier(5, learning_rate=0.1, max_iter=20, random_state=0)
    model = make_pipeline(FlattenScaler(), network).fit(X, y)
    model[-1].coefs_[1] = np.array([[3.0, 1, 2], [-1, -3, -2], [0, 1, 0], [-9, -9, 1], [0, 0, 5]])
    titles = WeightsDisplay.from_estimator(model).titles
    assert titles == [f"unit {j}, for {k}" for j, k in enumerate((0, 0, 1, 2, 2))]
    names = {0: "cat", 1: "a dog of a long name and age", 2: "$"}
    titles = WeightsDisplay.from_estimator(model, class_names=names).titles
    expected = ["cat", "cat", "a dog of a long n...", "$", "$"]
    assert titles == [f"unit {j}\nfor {name}" for j, name in enumerate(expected)]
    with pytest.raises(ValueError, match=r"no name for the classes \[2\]"):
        WeightsDisplay.from_estimator(model, class_names=["a", "b"])


def test_what_weights_cannot_be_relative_to():
    X, y = images()
    rng = np.random.RandomState(0)
    for options, relative_to, error, message in (
        ({}, "end", ValueError, 'relative_to should be "auto", "start", a fitted model or None, got \'end\''),
        ({}, PCA(), TypeError, "got PCA"),
        ({}, "start", ValueError, "random_state=None, which.*int as random_state"),
        ({"random_state": rng}, "start", ValueError, "random_state=RandomState.*int as random_state"),
        ({"warm_start": True}, "start", ValueError, "warm_start=True, which continues.*without warm_start"),
    ):
        network = ShallowNNClassifier(3, learning_rate=0.1, max_iter=5, **options)
        model = make_pipeline(FlattenScaler(), network).fit(X, y)
        with pytest.raises(error, match=message):
            WeightsDisplay.from_estimator(model, relative_to=relative_to)
    other = make_pipeline(FlattenScaler(), ShallowNNClassifier(4, max_iter=3, random_state=0)).fit(X, y)
    with pytest.raises(ValueError, match=r"shape \(4, 60\).*shape \(3, 60\).*model of the same size"):
        WeightsDisplay.from_estimator(model, relative_to=other)
    other[-1].set_params(hidden_layer_size=5)
    with pytest.raises(ValueError, match=r"has 4 hidden units, but hidden_layer_size is 5.*Set it back"):
        WeightsDisplay.from_estimator(other, relative_to="start")
