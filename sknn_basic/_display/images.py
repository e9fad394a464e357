"""Images in displays: the shape of samples, the value of white, and axes for several images."""

from math import ceil, prod, sqrt

import numpy as np

from .._preprocessing import FlattenScaler
from .axes import divide, lay_out

SMALLEST_TITLE = 4  # points; what is smaller, nobody reads


def is_image_shape(image_shape):
    """Whether samples of the shape are images: grey, grey with an axis of one channel, or RGB."""
    return len(image_shape) == 2 or (len(image_shape) == 3 and image_shape[2] in (1, 3))


def check_image_shape(image_shape, n_values):
    """Return the shape as a tuple; raise ValueError if samples of so many values are no images of it."""
    if image_shape is None or len(image_shape) == 1:
        raise ValueError(
            f"This display needs images, but the samples are rows of {n_values} values. If they are "
            "flattened images, pass image_shape=(height, width) or (height, width, 3), or a pipeline whose "
            "FlattenScaler was fitted on images."
        )
    if not is_image_shape(image_shape):
        raise ValueError(
            "Images have the shape (height, width), (height, width, 1) or (height, width, 3), "
            f"got image_shape={image_shape}."
        )
    if prod(image_shape) != n_values:
        raise ValueError(
            f"There are {n_values} values per sample, but images of shape {tuple(image_shape)} have "
            f"{prod(image_shape)}: pass another image_shape, or leave out the step of the pipeline that "
            "changes the number of features."
        )
    return tuple(image_shape)


def fitted_images(steps):
    """Return the shape of the samples that the last FlattenScaler was fitted on, and its divisor: white."""
    scalers = [step for step in steps if isinstance(step, FlattenScaler)]
    return (scalers[-1].image_shape_, scalers[-1].divisor) if scalers else (None, None)


def axes_for_images(ax, n_images):
    """Return a sequence of axes: those given, those that divide one into a grid, or those of a new figure."""
    if np.ndim(ax) > 0:
        if np.size(ax) == 0:
            raise ValueError("Images need axes to draw in, but ax is empty.")
        return np.ravel(ax)
    if ax is not None and n_images == 1:
        return [ax]
    n_rows, n_columns = grid_for_images(n_images)
    figure, place = divide(ax, (1 + 1.6 * n_columns, 1 + 1.7 * n_rows))
    grid = place.subgridspec(n_rows, n_columns)
    return [figure.add_subplot(panel) for panel in list(grid)[:n_images]]


def grid_for_images(n_images):
    """Return the rows and columns of a grid that is wide rather than tall, with few empty places."""
    widths = range(ceil(sqrt(n_images)), ceil(sqrt(2.5 * n_images)) + 1)
    n_columns = min(widths, key=lambda n: (-n_images % n, abs(n - sqrt(1.5 * n_images))))
    return ceil(n_images / n_columns), n_columns


def fit_titles(axes):
    """Draw titles of images that are wider than their places in two lines, and in smaller letters."""
    if _narrowest(axes) < 1:
        lay_out(axes[0].figure)
    if _narrowest(axes) < 1:
        for title in (ax.title for ax in axes if "\n" not in ax.get_title()):
            title.set_text(title.get_text().replace(", ", "\n", 1))
    size = max(axes[0].title.get_fontsize() * min(1, _narrowest(axes)), SMALLEST_TITLE)
    for ax in axes:
        ax.title.set_fontsize(size)


def _narrowest(axes):
    """Return the width of the narrowest place as a multiple of that of the title that it is for."""
    widths = (ax.get_position(original=True).width * ax.figure.bbox.width for ax in axes)
    titles = (max(ax.title.get_window_extent().width, 1) for ax in axes)
    return min(width / title for width, title in zip(widths, titles, strict=True))
