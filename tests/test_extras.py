"""What needs a package that is not installed says which extra to install."""

import subprocess
import sys

import numpy as np
import pytest

from sknn_basic import (
    ConfusionImagesDisplay,
    DescentDisplay,
    HiddenUnitsDisplay,
    LossContourDisplay,
    LossCurveDisplay,
    ShallowNNClassifier,
    WeightsDisplay,
    draw_report,
    read_image,
    read_image_folder,
)
from sknn_basic._extras import import_extra


@pytest.fixture
def missing(monkeypatch):
    """A function that makes a package seem not installed."""

    def hide(package):
        for name in [n for n in sys.modules if n.split(".")[0] == package]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, package, None)

    return hide


def test_message_names_package_and_extra():
    with pytest.raises(ImportError, match=r"^flying needs no_such_package.part, .*'sknn-basic\[wings\]'$"):
        import_extra("no_such_package.part", "wings", "flying")


X, Y = np.eye(4)[:, :2] + np.eye(4)[:, 2:], np.array([0, 1, 0, 1])
DRAWN = {  # with what besides the model
    ConfusionImagesDisplay.from_estimator: ((X, Y), {"image_shape": (1, 2)}),
    DescentDisplay.from_estimator: ((X, Y), {}),
    HiddenUnitsDisplay.from_estimator: ((X, Y), {}),
    LossContourDisplay.from_estimator: ((X, Y), {}),
    LossCurveDisplay.from_estimator: ((), {}),
    WeightsDisplay.from_estimator: ((), {"image_shape": (1, 2)}),
    draw_report: (((X, Y, X, Y, None),), {}),
}


@pytest.mark.parametrize("draw", DRAWN, ids=lambda draw: draw.__qualname__)
def test_figures_name_their_extra(draw, missing):
    missing("matplotlib")
    model = ShallowNNClassifier(max_iter=2).fit(X, Y)
    data, options = DRAWN[draw]
    with pytest.raises(ImportError, match=r"A figure needs matplotlib.*sknn-basic\[plots\]"):
        draw([model] if draw is draw_report else model, *data, **options)


@pytest.mark.parametrize("reader", [read_image, read_image_folder])
def test_readers_of_images_name_their_extra(reader, missing, tmp_path):
    missing("PIL")
    with pytest.raises(ImportError, match=rf"{reader.__name__} needs PIL.*sknn-basic\[images\]"):
        reader(tmp_path)


def test_importing_the_package_imports_no_extra():
    extras = "matplotlib", "PIL", "skops"  # rich is imported by scikit-learn
    code = f"import sys, sknn_basic; print([m for m in {extras} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
