"""Names by which models and classes are told apart in figures."""

import numpy as np
import pytest
from sklearn.base import clone

from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._display.names import counted, distinguishing_names, legend_name, name_classes

L, N = LogisticRegressionGD, ShallowNNClassifier


@pytest.mark.parametrize(
    ("models", "names"),
    [
        ([L(0.1), N()], ["LogisticRegressionGD", "ShallowNNClassifier"]),
        ([L(np.float64(1e-3)), L(0.5)], ["learning_rate=0.001", "learning_rate=0.5"]),
        (
            [L("auto"), L("auto", 5), L(0.5, 5)],
            [f"learning_rate={rate}, max_iter={n}" for rate, n in (("auto", 2000), ("auto", 5), (0.5, 5))],
        ),
        (
            [L(0.1), N(4), N(64)],
            ["LogisticRegressionGD"] + [f"ShallowNNClassifier, hidden_layer_size={n}" for n in (4, 64)],
        ),
        ([L(), L()], ["LogisticRegressionGD (1)", "LogisticRegressionGD (2)"]),
        ([L()], ["LogisticRegressionGD"]),
    ],
)
def test_names_tell_models_apart(models, names):
    """By class, by the parameters in which models of one class differ, or else by number."""
    assert distinguishing_names(models) == names


@pytest.mark.parametrize("model", [L(max_iter=5), N(4, max_iter=5, random_state=0)])
def test_auto_is_named_with_the_rate_that_it_found(model):
    """It tells no models apart that have the same parameters otherwise."""
    X, y = np.arange(12.0).reshape(6, 2), [0, 0, 0, 1, 1, 1]
    given, auto, longer = (
        clone(model).set_params(**parameters).fit(X, y)
        for parameters in ({"learning_rate": 0.01}, {}, {"max_iter": 6})
    )
    assert distinguishing_names([given, auto]) == [
        "learning_rate=0.01",
        f"learning_rate=auto ({auto.learning_rate_:.3g})",
    ]
    assert distinguishing_names([auto, longer]) == ["max_iter=5", "max_iter=6"]


def test_numbers_of_things():
    assert [counted(n, "image") for n in (0, 1, 2)] == ["No images", "1 image", "2 images"]


def test_names_go_by_label():
    """A list names 0, 1, ..., a dict any labels; without names they are shown themselves."""
    assert name_classes([1, 2], np.array(["none", "dark", "light"])) == {0: "none", 1: "dark", 2: "light"}
    assert name_classes(["d"], {"d": "dark"}) == {"d": "dark"}
    assert name_classes(["d"], None) == {"d": "d"}
    for names in (["beach", "forest", "sea"], np.array(["forest", "beach"])):
        found = name_classes(["forest", "beach"], names)
        assert [found[label] for label in ("forest", "beach")] == ["forest", "beach"]
    for labels, names, nameless in (([0, 1], ["dark"], r"\[1\]"), (["d"], ["dark", "light"], r"\['d'\]")):
        with pytest.raises(ValueError, match=rf"no name for the classes {nameless}.*dict from labels"):
            name_classes(labels, names)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a", "a"),
        (r"5$ and $", r"5\$ and \$"),
        ("_Mine", " _Mine"),
        ("two\nlines", r"two\nlines"),
        ("a" * 10**5, "a" * 77 + "..."),
    ],
)
def test_names_in_a_legend(name, shown):
    """Letter by letter: no formulas, none left out for its first letter, and not for a minute."""
    assert legend_name(name) == shown
