"""A place for panels: in a new figure, or that of the axes given."""

import numpy as np
import pytest

from sknn_basic._display.axes import divide, fitting, ink, n_letters, one_axes, paper, room

plt = pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")


def test_a_place_is_in_a_new_figure_or_that_of_axes_in_a_grid():
    """The figure has the size asked for. Axes are drawn no more; outside a grid they cannot be divided."""
    figure, place = divide(None, (4, 3))
    assert figure.get_size_inches().tolist() == [4, 3]
    assert place.get_gridspec().figure is figure
    figure, (left, right) = plt.subplots(1, 2)
    assert divide(left, (4, 3)) == (figure, left.get_subplotspec())
    assert (left.axison, right.axison) == (False, True)
    with pytest.raises(ValueError, match=r"axes outside a grid: create the axes by plt\.subplots"):
        divide(figure.add_axes((0, 0, 1, 1)), (4, 3))


def test_several_axes_are_not_one():
    _, axs = plt.subplots(1, 2)
    assert one_axes(axs[0]) is axs[0]
    for draw in (one_axes, lambda ax: divide(ax, (4, 3))):
        for several in (axs, list(axs)):
            with pytest.raises(TypeError, match=r"pass one Axes, such as axs\[0\]"):
                draw(several)


def test_room_is_the_size_in_inches():
    """Of an axes, in a figure or a subfigure, as it is without a layout."""
    figure = plt.figure(figsize=(8, 4))
    np.testing.assert_allclose(room(figure.add_axes((0, 0, 0.25, 0.5))), (2, 2))
    left, _ = figure.subfigures(1, 2, wspace=0)
    np.testing.assert_allclose(room(left.add_axes((0, 0, 0.5, 0.5))), (2, 2))
    figure, ax = plt.subplots(figsize=(10, 10), layout="constrained")
    before = room(ax)
    figure.draw_without_rendering()
    np.testing.assert_allclose(room(ax), before)


def test_the_longest_text_that_fits():
    """A line has as many letters as its width has room for, of 0.6 of their size each."""
    assert n_letters(1, 12) == 10
    texts = ["five words of some length", "two\nlines", "two"]
    assert [fitting(texts, n) for n in (25, 24, 5, 4, 2)] == [texts[0], "two\nlines", "two\nlines", "two", ""]


def test_colours_of_the_style():
    """A figure without a colour is transparent, over a white page."""
    for name, expected in (("none", [1, 1, 1]), ("black", [0, 0, 0]), ("#80808000", [128 / 255] * 3)):
        with plt.rc_context({"figure.facecolor": name, "text.color": "red"}):
            np.testing.assert_allclose(paper(), expected)
            np.testing.assert_array_equal(ink(), [1, 0, 0])
