"""The shape of samples as images, and axes for several of them."""

import pytest

from sknn_basic import FlattenScaler
from sknn_basic._display.images import axes_for_images, check_image_shape, fitted_images, grid_for_images

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
