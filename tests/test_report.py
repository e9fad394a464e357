"""The report of the command: what it draws is what the models say."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sknn_basic import FlattenScaler, LogisticRegressionGD, ShallowNNClassifier, load_photo_patches
from sknn_basic._datasets import ImageDataset

pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")

from sknn_basic._report import N_SHOWN, check_report, draw_report, write_report


def dataset(shape, n_classes=2, noise=120, m=60):
    rng = np.random.RandomState(0)
    y = np.arange(m) % n_classes
    X = rng.randint(0, noise, (m, *shape)) + 40 * y.reshape(-1, *[1] * len(shape))
    names = np.array(["dark", "grey", "light"][:n_classes])
    return ImageDataset(
        X[: m // 2].astype(np.uint8), y[: m // 2], X[m // 2 :].astype(np.uint8), y[m // 2 :], names
    )


def fit(data, *classifiers):
    return [make_pipeline(FlattenScaler(), c).fit(data.train_set_x, data.train_set_y) for c in classifiers]


def texts(figure):
    """All that is written in a figure, subfigures and axes included."""
    import matplotlib.text

    found = (text.get_text() for text in figure.findobj(matplotlib.text.Text))
    return [text for text in found if text]


def test_report_shows_the_accuracy_and_the_mistakes():
    """Both as a plain comparison counts them, and as many images as mistakes."""
    data = load_photo_patches()
    (model,) = fit(data, LogisticRegressionGD(0.005, 100))
    is_right = model.predict(data.test_set_x) == data.test_set_y
    n_mistakes = sum(not right for right in is_right)
    assert 5 < n_mistakes <= N_SHOWN
    shown = texts(draw_report([model], data))
    assert f"Its {n_mistakes} mistakes in 50 test images" in shown
    assert sum("(is " in text for text in shown) == n_mistakes
    assert any(f"test accuracy {100 * sum(is_right) / 50:.1f} %" in text for text in shown)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("shape", [(5, 6), (5, 6, 1), (5, 6, 3)])
def test_report_of_both_models(shape, n_classes):
    """Grey and coloured images, two classes and three: names of classes, units, curves of both."""
    data = dataset(shape, n_classes)
    network = ShallowNNClassifier(3, learning_rate=0.1, max_iter=50, random_state=0)
    figure = draw_report(fit(data, LogisticRegressionGD(max_iter=50), network), data)
    shown = texts(figure)
    names = ["grey against dark"] if n_classes == 2 else ["dark", "grey", "light"]
    for text in [
        *names,
        "unit 0",
        "unit 2",
        "LogisticRegressionGD, training",
        "ShallowNNClassifier, training",
    ]:
        assert text in shown


def test_report_of_many_units_shows_those_that_weigh_most():
    data = dataset((4, 4))
    network = ShallowNNClassifier(30, learning_rate=0.1, max_iter=50, random_state=0)
    (model,) = fit(data, network)
    largest = sorted(range(30), key=lambda j: -abs(model[-1].coefs_[1][j, 0]))[:N_SHOWN]
    shown = texts(draw_report([model], data))
    assert [text for text in shown if text.startswith("unit ")] == [f"unit {j}" for j in sorted(largest)]
    assert "What 12 of its 30 hidden units look for" in shown


def test_report_of_many_mistakes_shows_the_most_confident():
    data = dataset((4, 4), m=80)
    data = data._replace(test_set_y=1 - data.test_set_y)
    (model,) = fit(data, LogisticRegressionGD(max_iter=50))
    n = round(40 * (1 - model.score(data.test_set_x, data.test_set_y)))
    assert n > N_SHOWN
    shown = texts(draw_report([model], data))
    assert f"The {N_SHOWN} most confident of its {n} mistakes in 40 test images" in shown
    assert sum("(is " in text for text in shown) == N_SHOWN


def test_report_of_one_mistake():
    data = dataset((4, 4), noise=10)
    (model,) = fit(data, LogisticRegressionGD(max_iter=200))
    data.test_set_y[0] = 1 - data.test_set_y[0]
    assert "Its 1 mistake in 30 test images" in texts(draw_report([model], data))


def test_report_where_the_first_class_is_not_trained_on():
    """Names go by label, not by the place of the label among those of the model."""
    data = dataset((4, 4))
    data = data._replace(
        train_set_y=data.train_set_y + 1,
        test_set_y=2 - data.test_set_y,
        classes=np.array(["none", "dark", "light"]),
    )
    shown = texts(draw_report(fit(data, LogisticRegressionGD(max_iter=50)), data))
    assert "light against dark" in shown
    assert any(text.startswith("dark, ") and text.endswith("(is light)") for text in shown)
    assert not any("none" in text for text in shown)


def test_report_without_mistakes_and_without_images():
    data = dataset((4, 4), noise=10)
    (model,) = fit(data, LogisticRegressionGD(max_iter=200))
    assert "All 30 test images are classified correctly." in texts(draw_report([model], data))
    rows = dataset((16,))
    (model,) = fit(rows, LogisticRegressionGD(max_iter=20))
    assert "Samples of shape (16,) cannot be drawn as images." in texts(draw_report([model], rows))


@pytest.mark.parametrize("names", [["a" * 10**5, "b" * 10**5], ["\x1b[2J\n", "\u202e$\\frac{$"]])
@pytest.mark.parametrize("n_classes", [2, 1000])
def test_long_and_odd_names_are_drawn_short_and_on_their_line(names, n_classes, tmp_path):
    """No text of the report is longer, or has more lines, than if the classes were called a and b."""
    data = dataset((4, 4))
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
    odd.savefig(tmp_path / "report.png")


def test_names_are_no_formulas(tmp_path):
    data = dataset((4, 4))._replace(classes=np.array(["$5 bill", "c$\\frac{"]))
    write_report(fit(data, LogisticRegressionGD(max_iter=5)), data, tmp_path / "report.png")


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("PDF", b"%PDF"), ("svg", b"<?xml")])
def test_report_is_written_in_the_kind_of_its_suffix(suffix, start, tmp_path):
    data = dataset((4, 4))
    path = tmp_path / f"report.{suffix}"
    check_report(path)
    path.write_bytes(b"old")
    write_report(fit(data, LogisticRegressionGD(max_iter=5)), data, path)
    assert path.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [path]


def test_paths_that_cannot_be_written_are_told_before(tmp_path):
    for name in ("report.txt", "report.pgf"):
        with pytest.raises(ValueError, match=rf"{name} should end in one of .*\.png"):
            check_report(tmp_path / name)
    for path in (tmp_path / "none" / "report.png", tmp_path):
        with pytest.raises((OSError, ValueError)):
            check_report(path)
    (tmp_path / "folder.png").mkdir()
    if Path("/proc/self").exists():
        with pytest.raises(OSError, match=r"report\.png cannot be written"):
            check_report("/proc/report.png")
    with pytest.raises(OSError, match="it is a folder"):
        check_report(tmp_path / "folder.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    with pytest.raises(OSError, match=r"loop\.png cannot be written: .*symbolic link"):
        check_report(tmp_path / "loop.png")
