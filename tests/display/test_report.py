"""The report, alone and of the command: what it draws is what the models say."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from models import images
from sknn_basic import (
    FlattenScaler,
    LogisticRegressionGD,
    ShallowNNClassifier,
    WeightsDisplay,
    draw_report,
)
from sknn_basic._display.report import N_NUMBERED, N_SHOWN, _draw, check_report, write_report
from sknn_basic._files.datasets import ImageDataset

plt = pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")


def dataset(shape=(4, 4), n_classes=2, noise=120, m=60):
    X, y = images(n_classes, m, shape, noise, 40)
    half, X, names = m // 2, X.astype(np.uint8), np.array(["dark", "grey", "light"][:n_classes])
    return ImageDataset(X[:half], y[:half], X[half:], y[half:], names)


def fit(data, *classifiers):
    return [make_pipeline(FlattenScaler(), c).fit(data.train_set_x, data.train_set_y) for c in classifiers]


def texts(figure):
    """All that is written in a figure, subfigures and axes included."""
    return [text for text in (found.get_text() for found in figure.findobj(plt.Text)) if text]


def axes_titled(figure, title):
    (ax,) = (ax for ax in figure.findobj(plt.Axes) if ax.get_title() == title)
    return ax


@pytest.mark.parametrize(
    ("n_wrong", "title"),
    [
        (0, "All 30 test images\nare classified correctly."),
        (1, "Its 1 mistake\nin 30 test images"),
        (5, "Its 5 mistakes\nin 30 test images"),
        (20, f"The {N_SHOWN} most confident of its 20 mistakes\nin 30 test images"),
    ],
)
def test_report_shows_the_accuracy_and_the_mistakes(n_wrong, title):
    """As many images as mistakes, as far as there is room."""
    data = dataset(noise=10)
    (model,) = fit(data, LogisticRegressionGD(max_iter=200))
    assert model.score(data.test_set_x, data.test_set_y) == 1
    data.test_set_y[:n_wrong] = 1 - data.test_set_y[:n_wrong]
    shown = texts(draw_report([model], data))
    assert title in shown
    assert sum("(is " in text for text in shown) == min(n_wrong, N_SHOWN)
    assert any(f"test {100 * (30 - n_wrong) / 30:.1f} %" in text for text in shown)


@pytest.mark.parametrize(("shape", "n_classes"), [((5, 6, 1), 3), ((5, 6, 3), 2)])
def test_report_of_both_models(shape, n_classes):
    """Grey and coloured images, two classes and three: names of classes, units, curves of both."""
    data = dataset(shape, n_classes)
    network = ShallowNNClassifier(3, learning_rate=0.1, max_iter=50, random_state=0)
    figure = draw_report(fit(data, LogisticRegressionGD(max_iter=50), network), data)
    shown = texts(figure)
    names = ["grey against dark"] if n_classes == 2 else ["dark", "grey", "light"]
    assert {*names, "LogisticRegressionGD", "ShallowNNClassifier"} <= {*shown}
    units = [text.partition("\n")[0] for text in shown if text.startswith("unit ")]
    assert units == ["unit 0", "unit 1", "unit 2"]
    assert figure.get_size_inches().tolist() == [12.8, 7.2]


def test_report_of_many_units_shows_those_that_weigh_most():
    data = dataset()
    (model,) = fit(data, ShallowNNClassifier(30, learning_rate=0.1, max_iter=50, random_state=0))
    W2 = model[-1].coefs_[1][:, 0]
    largest = sorted(np.argsort(-abs(W2))[:N_SHOWN])
    shown = texts(draw_report([model], data))
    expected = [f"unit {j}\nfor {'grey' if W2[j] > 0 else 'dark'}" for j in largest]
    assert [text for text in shown if text.startswith("unit ")] == expected
    assert "What 12 of its 30 hidden units have learnt\n(weights minus start)" in shown


def test_report_where_the_first_class_is_not_trained_on():
    """Names go by label, not by the place of the label among those of the model."""
    data = dataset()
    labels = {"train_set_y": data.train_set_y + 1, "test_set_y": 2 - data.test_set_y}
    data = data._replace(classes=np.array(["none", "dark", "light"]), **labels)
    shown = texts(draw_report(fit(data, LogisticRegressionGD(max_iter=50)), data))
    assert "light against dark" in shown
    assert any(text.startswith("dark, ") and text.endswith("(is light)") for text in shown)
    assert not any("none" in text for text in shown)


def test_report_of_labels_that_are_names_already():
    data = dataset(noise=10)
    data = data._replace(
        train_set_y=data.classes[data.train_set_y], test_set_y=data.classes[1 - data.test_set_y]
    )
    shown = texts(draw_report(fit(data, LogisticRegressionGD(max_iter=50)), data))
    assert "grey against dark" in shown
    assert any(text.endswith(("(is grey)", "(is dark)")) for text in shown)


def test_report_where_features_are_no_pixels():
    """The weights of principal components are no images; the mistakes are."""
    data = dataset()
    model = make_pipeline(FlattenScaler(), PCA(16), LogisticRegressionGD(max_iter=20))
    model.fit(data.train_set_x, data.train_set_y)
    assert "grey against dark" in texts(draw_report([model], data))  # 16 of 16: not to be told from pixels
    model.set_params(pca__n_components=3).fit(data.train_set_x, data.train_set_y)
    shown = texts(draw_report([model], data))
    assert "Its features are not pixels,\nso its weights are no images." in shown
    assert not any("against" in text for text in shown)
    assert any("(is " in text for text in shown)


@pytest.mark.parametrize(
    ("random_state", "start", "title", "colours"),
    [
        (0, "start", " have learnt\n(weights minus start)", "weight has grown; blue: it has fallen"),
        (
            None,
            None,
            " look for\n(start included: pass int random_state)",
            "bright pixel raises the score; blue: lowers it",
        ),
    ],
)
def test_weights_of_a_network_are_relative_to_its_start_if_that_is_known(random_state, start, title, colours):
    data = dataset()
    (model,) = fit(data, ShallowNNClassifier(3, learning_rate=0.1, max_iter=50, random_state=random_state))
    figure = draw_report([model], data)
    assert {f"What its hidden units{title}", f"red: {colours}; white: 0"} <= {*texts(figure)}
    display = WeightsDisplay.from_estimator(model, relative_to=start, class_names=data.classes)
    for title, weights in zip(display.titles, display.weights, strict=True):
        (image,) = axes_titled(figure, title.replace(", ", "\n")).images
        np.testing.assert_array_equal(image.get_array(), weights.reshape(4, 4))


@pytest.mark.parametrize("n_classes", [3, 14])
def test_confusion_matrix_counts_the_predictions(n_classes):
    """Row: the true class, column: the predicted one; all classes that occur, numbers if there is room.

    Cells are coloured by their share of the row.
    """
    rng = np.random.RandomState(0)
    data = dataset(m=200)._replace(classes=np.array([f"class {i}" for i in range(n_classes)]))
    data = data._replace(test_set_y=rng.permutation(np.arange(100) % n_classes))
    (model,) = fit(data, LogisticRegressionGD(max_iter=10))
    counts = np.zeros((n_classes, n_classes))
    for true, predicted in zip(data.test_set_y, model.predict(data.test_set_x), strict=True):
        counts[true, predicted] += 1
    figure = draw_report([model], data)
    ax = axes_titled(figure, "LogisticRegressionGD")
    shares = counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(ax.images[0].get_array(), shares)
    assert ax.images[0].get_clim() == (0, 1)
    numbers = [str(int(count)) for count in counts.ravel()] if n_classes <= N_NUMBERED else []
    assert [text.get_text() for text in ax.texts] == numbers
    ticks = [tick.get_text() for tick in ax.get_yticklabels()]
    assert ticks == [f"class {i}" for i in range(0, n_classes, 2 if n_classes > N_NUMBERED else 1)]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")


def test_mistakes_are_as_bright_as_the_divisor_says():
    """White is 200, as in the pipeline, not 255."""
    data = dataset(noise=10)
    data = data._replace(test_set_y=1 - data.test_set_y)
    model = make_pipeline(FlattenScaler(divisor=200), LogisticRegressionGD(max_iter=50))
    figure = draw_report([model.fit(data.train_set_x, data.train_set_y)], data)
    mistakes = [ax for ax in figure.findobj(plt.Axes) if "(is " in ax.get_title()]
    values = np.unique([ax.images[0].get_array() for ax in mistakes])
    assert len(values) > 0
    assert np.isin(values, data.test_set_x / 200).all()


def test_report_in_a_figure_of_the_users_own():
    data = dataset()
    models = fit(data, LogisticRegressionGD(max_iter=5))
    figure = plt.Figure(layout="constrained")
    left, right = figure.subfigures(1, 2)
    assert draw_report(models, data, figure=left) is left
    assert texts(left)
    assert not texts(right)
    assert plt.get_fignums() == []
    assert draw_report(models, data) is plt.gcf()


def test_report_of_the_command_calls_the_test_set_so():
    """Unlike `draw_report`, which cannot know what the validation samples were."""
    data = dataset()
    X, X_test = (x.reshape(30, -1) / 255 for x in (data.train_set_x, data.test_set_x))
    model = LogisticRegressionGD(max_iter=50).fit(X, data.train_set_y, X_val=X_test, y_val=data.test_set_y)
    models = {"validation": model}
    data = data._replace(train_set_x=X, test_set_x=X_test)
    for figure, name in (
        (draw_report(models, data), "validation"),
        (_draw(models, data, None, "test"), "test"),
    ):
        labels = [text for text in texts(figure) if text.startswith("validation, ")]
        assert labels[0] == "validation, training"
        assert labels[1].split(", ")[:2] == ["validation", name]


@pytest.mark.parametrize("kind", ["model", "list", "dict"])
def test_report_of_samples_alone(kind):
    """X, y and names of classes, as other displays take them: one accuracy, of models by their names."""
    data = dataset()
    (model,) = fit(data, LogisticRegressionGD(max_iter=50))
    models = {"model": model, "list": [model], "dict": {"mine $": model}}[kind]
    given = data.test_set_x, data.test_set_y.tolist()
    shown = texts(draw_report(models, *given, class_names=["dark", "grey"]))
    name = "mine $" if kind == "dict" else "LogisticRegressionGD"
    assert f"{name}\naccuracy: {100 * model.score(*given):.1f} %" in shown
    assert name.replace("$", r"\$") in shown
    assert any(text.endswith("in 30 images") for text in shown)
    assert not any("test" in text for text in shown)
    assert "grey against dark" in shown
    for y, message in (([0, 1], "inconsistent numbers of samples"), (None, "Without y, .* has 30 parts")):
        with pytest.raises(ValueError, match=message):
            draw_report(models, data.test_set_x, y)


@pytest.mark.parametrize("n_models", [1, 3])
def test_report_of_a_table_fills_the_page(n_models):
    """The curves and the matrices of a model or more: together more than a third of the page, no panels."""
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((90, 4)), np.arange(90) % 3
    models = [ShallowNNClassifier(n, max_iter=20, random_state=0).fit(X, y) for n in range(2, 2 + n_models)]
    names = ["a long name of a class", "another one", "third"]
    figure = draw_report(models, X, y, class_names=names)
    figure.draw_without_rendering()
    axes = figure.findobj(plt.Axes)
    assert len(axes) == 1 + n_models
    boxes = [ax.get_window_extent() for ax in axes]
    assert sum(box.width * box.height for box in boxes) > figure.bbox.width * figure.bbox.height / 3
    for ax in axes:
        labels = [label.get_window_extent() for label in ax.get_xticklabels()]
        assert all(labels[i].count_overlaps(labels[:i]) == 0 for i in range(len(labels)))


def test_long_names_of_models_take_one_line():
    """Beside their accuracy; in smaller letters, or cut, but never in three lines."""
    data = dataset()
    (model,) = fit(data, LogisticRegressionGD(max_iter=5))
    figure = draw_report({name * 30: model for name in ("a ", "b ", "c ")}, data)
    captions = [text for text in texts(figure) if "accuracy: " in text]
    assert [caption.count("\n") for caption in captions] == [1, 1, 1]
    titles = [ax.get_title() for ax in figure.findobj(plt.Axes) if ax.get_xlabel() == "predicted class"]
    assert max(title.count("\n") for title in titles) <= 1


def test_no_grid_over_images():
    with plt.style.context("ggplot"):
        data = dataset()
        figure = draw_report(fit(data, LogisticRegressionGD(max_iter=5)), data)
        figure.draw_without_rendering()
    shown = [ax for ax in figure.findobj(plt.Axes) if ax.images and ax.axison]
    grids = [ax.get_xgridlines() + ax.get_ygridlines() for ax in shown]
    assert any(grids)
    assert not any(line.get_visible() for lines in grids for line in lines)


def test_what_is_no_report_is_refused():
    data = dataset()
    (model,) = fit(data, LogisticRegressionGD(max_iter=5))
    for models, given, error, message in (
        ([], data, ValueError, "needs at least one model"),
        ([model] * 4, data, ValueError, "has room for 3 models, got 4: draw several"),
        ([model], data[:4], ValueError, "data should be .*, but has 4 parts"),
        ([PCA()], data, TypeError, "draw_report takes LogisticRegressionGD.*got PCA"),
        ([LogisticRegressionGD()], data, NotFittedError, "not fitted"),
        ([model], (*data[:4], ["a"]), ValueError, r"no name for the classes \[1\]"),
    ):
        with pytest.raises(error, match=message):
            draw_report(models, given)


def assert_apart(drawn, others):
    """Each is in a figure of 1920 x 1080 dots, and covers neither another nor one of the others."""
    boxes = [artist.get_window_extent() for artist in (*drawn, *others)]
    for i, box in enumerate(boxes[: len(drawn)]):
        assert 0 <= box.x0 < box.x1 <= 1920
        assert 0 <= box.y0 < box.y1 <= 1080
        assert box.count_overlaps([*boxes[:i], *boxes[i + 1 :]]) == 0


@pytest.mark.parametrize("n_units", [[10], [30, None], [4, 8, None]])
def test_titles_do_not_overlap(n_units):
    """Of one model to three: each stays in its part of the figure, and covers no image."""
    data = dataset((6, 6))._replace(classes=np.array(["non-cat", "a long name of a class"]))
    options = {"max_iter": 20, "learning_rate": 0.01}
    classifiers = [
        ShallowNNClassifier(n, random_state=0, **options) if n else LogisticRegressionGD(**options)
        for n in n_units
    ]
    figure = plt.Figure(figsize=(12.8, 7.2), dpi=150, layout="constrained")
    draw_report(fit(data, *classifiers), data, figure=figure)
    figure.draw_without_rendering()
    axes = [ax for ax in figure.findobj(plt.Axes) if ax.images]
    if len(n_units) < 3:
        assert_apart([ax.title for ax in axes if ax.get_title()], axes)
    captions = [text for text in figure.findobj(plt.Text) if text.get_text().startswith("red: ")]
    assert_apart(captions, [])
    parts = [text for text in figure.findobj(plt.Text) if "accuracy" in text.get_text()]
    assert len(parts) == len(n_units)
    assert_apart(parts, [])


@pytest.mark.parametrize(
    ("names", "n_classes"),
    [
        (["a" * 10**5, "b" * 10**5], 100),
        (["\x1b[2J\n", "\u202e$\\frac{$"], 2),
        (["$5 bill", "c$\\frac{"], 2),
    ],
)
def test_long_and_odd_names_are_drawn_short_and_on_their_line(names, n_classes, tmp_path):
    """No text of the report is longer, or has more lines, than if the classes were called a and b."""
    data = dataset()
    model = fit(data, LogisticRegressionGD(max_iter=5))
    labels = np.arange(len(data.test_set_y)) % n_classes
    plain, odd = (
        draw_report(model, data._replace(classes=np.resize(x, n_classes), test_set_y=labels))
        for x in (["a", "b"], names)
    )
    for expected, shown in zip(texts(plain), texts(odd), strict=True):
        assert len(shown) <= len(expected) + 80
        assert shown.count("\n") == expected.count("\n")
        assert shown.replace("\n", "").isprintable()
    odd.savefig(tmp_path / "report.png", dpi=40)


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("PDF", b"%PDF"), ("svg", b"<?xml")])
def test_report_is_written_in_the_kind_of_its_suffix(suffix, start, tmp_path):
    data = dataset(noise=10)
    path = tmp_path / f"report.{suffix}"
    check_report(path)
    path.write_bytes(b"old")
    write_report(fit(data, LogisticRegressionGD(max_iter=5)), data, path)
    assert path.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [path]


def test_paths_that_cannot_be_written_are_told_before(tmp_path):
    (tmp_path / "folder.png").mkdir()
    for path, error, message in (
        (tmp_path / "report.txt", ValueError, r"report.txt should end in one of .*\.png"),
        (tmp_path / "report.pgf", ValueError, r"report.pgf should end in one of .*\.png"),
        (tmp_path / "none" / "report.png", OSError, r"report\.png cannot be written"),
        (tmp_path / "folder.png", OSError, "it is a folder"),
    ):
        with pytest.raises(error, match=message):
            check_report(path)
    if Path("/proc/self").exists():
        with pytest.raises(OSError, match=r"report\.png cannot be written"):
            check_report("/proc/report.png")


@pytest.mark.parametrize("kind", ["dask", "lists", "names"])
def test_samples_and_labels_of_other_kinds(kind):
    """Arrays of Dask, lists, and labels that are names themselves: rows, so only the curves and a matrix."""
    X, y = np.random.RandomState(0).standard_normal((40, 6)), np.arange(40) % 2
    y = np.array(["dark", "grey"])[y] if kind == "names" else y
    model = LogisticRegressionGD(0.1, 20).fit(X, y)
    convert = np.ndarray.tolist
    if kind == "dask":
        convert = pytest.importorskip("dask.array").from_array
    x, labels = convert(X), y if kind == "names" else convert(y)
    figure = draw_report([model], (x, labels, x, labels, None))
    assert len(figure.findobj(plt.Axes)) == 2
    shown = texts(figure)
    assert any(f"accuracy: training {100 * model.score(X, y):.1f} %" in text for text in shown)
    assert ("grey" in shown) == (kind == "names")
