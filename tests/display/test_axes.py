"""A place for panels: in a new figure, or that of the axes given."""

import pytest

from sknn_basic._display.axes import divide

plt = pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")


def test_a_new_figure_has_the_size_asked_for():
    figure, place = divide(None, (4, 3))
    assert figure.get_size_inches().tolist() == [4, 3]
    assert place.get_gridspec().figure is figure


def test_the_place_of_axes_in_a_grid():
    """They are drawn no more; outside a grid they have no place that could be divided."""
    figure, (left, right) = plt.subplots(1, 2)
    assert divide(left, (4, 3)) == (figure, left.get_subplotspec())
    assert (left.axison, right.axison) == (False, True)
    with pytest.raises(ValueError, match=r"axes outside a grid: create the axes by plt\.subplots"):
        divide(figure.add_axes((0, 0, 1, 1)), (4, 3))
