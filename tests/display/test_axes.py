"""A place for panels: in a new figure, or that of the axes given."""

import pytest

from sknn_basic._display.axes import divide

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
