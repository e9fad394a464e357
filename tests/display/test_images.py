"""The shape of samples as images, and axes for several of them."""

import pytest

from sknn_basic import FlattenScaler
from sknn_basic._display.images import (
    SMALLEST_TITLE,
    axes_for_images,
    check_image_shape,
    fit_titles,
    fitted_images,
    grid_for_images,
)

plt = pytest.importorskip("matplotlib.pyplot", reason="the extra plots is not installed")


def test_grids_are_no_strips():
    """A row is at least as long as there are rows, at most thrice, and no row is empty; many are full."""
    for n in range(1, 300):
        n_rows, n_columns = grid_for_images(n)
        assert n_rows <= n_columns <= max(3 * n_rows, 3)
        assert (n_rows - 1) * n_columns < n <= n_rows * n_columns
    grids = {1: (1, 1), 3: (1, 3), 4: (2, 2), 7: (2, 4), 10: (2, 5), 64: (8, 8)}
    assert {n: grid_for_images(n) for n in grids} == grids


@pytest.mark.parametrize(
    ("image_shape", "n_values", "message"),
    [
        (None, 60, r"needs images, but the samples are rows of 60 values.* pass .* FlattenScaler"),
        ((60,), 60, "rows of 60 values.* pass image_shape"),
        ((4, 5, 4), 80, r"\(height, width, 3\), got image_shape=\(4, 5, 4\)"),
        ((2, 2, 5, 3), 60, r"\(height, width, 3\), got image_shape=\(2, 2, 5, 3\)"),
        ((4, 4), 60, r"60 values per sample, but images of shape \(4, 4\) have 16"),
        ([4, 5, 3], 20, r"20 values per sample, but images of shape \(4, 5, 3\) have 60"),
    ],
)
def test_shapes_that_are_not_of_images_are_refused(image_shape, n_values, message):
    with pytest.raises(ValueError, match=message):
        check_image_shape(image_shape, n_values)


def test_the_last_flatten_scaler_knows_the_shape_and_white():
    images, rows = FlattenScaler(16).fit([[[0, 16]]]), FlattenScaler().fit([[0, 9]])
    assert fitted_images([]) == (None, None)
    assert fitted_images([rows, images]) == ((1, 2), 16)
    assert fitted_images([images, rows]) == ((2,), 255)


def test_axes_are_those_given_or_divide_the_place_of_one():
    _, (left, right) = plt.subplots(1, 2)
    assert list(axes_for_images([left, right], 1)) == [left, right]
    assert axes_for_images(left, 1) == [left]
    panels = axes_for_images(right, 6)
    place = right.get_position()
    assert len(panels) == 6
    assert all(place.x0 - 1e-9 <= ax.get_position().x0 < place.x1 for ax in panels)
    assert (left.axison, right.axison) == (True, False)
    with pytest.raises(ValueError, match="Images need axes to draw in, but ax is empty"):
        axes_for_images([], 2)


@pytest.mark.parametrize(
    ("size", "style"), [((3.3, 2.5), "default"), ((6.4, 3), "dark_background"), ((9.6, 5.4), "ggplot")]
)
@pytest.mark.parametrize(
    "title", ["unit 10, for flower", "unit 10\nfor a flower", "flower, 99.9%\n(is temple)"]
)
def test_titles_of_images_do_not_overlap(title, size, style):
    """Ten of them on an axes that is divided: neither each other nor images."""
    with plt.style.context(style):
        figure, ax = plt.subplots(figsize=size, layout="constrained")
        axes = axes_for_images(ax, 10)
        for panel in axes:
            panel.imshow([[0]])
            panel.set(xticks=[], yticks=[], title=title)
        fit_titles(axes)
        figure.draw_without_rendering()
    boxes = [box for panel in axes for box in (panel.title.get_window_extent(), panel.get_window_extent())]
    for i, box in enumerate(boxes):
        assert box.count_overlaps(boxes[:i]) == 0
    assert axes[0].get_title().count("\n") <= 1
    assert axes[0].title.get_fontsize() > SMALLEST_TITLE


def test_titles_that_have_room_stay_as_they_are():
    axes = axes_for_images(None, 2)
    axes[0].set_title("unit 0, for x", fontsize=11)
    axes[1].set_title("unit 1, for y", fontsize=11)
    fit_titles(axes)
    assert [(ax.get_title(), ax.title.get_fontsize()) for ax in axes] == [
        ("unit 0, for x", 11),
        ("unit 1, for y", 11),
    ]
