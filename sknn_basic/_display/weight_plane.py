"""Planes in the space of weights: of two of them, or of the directions in which paths vary most."""

from typing import NamedTuple

import numpy as np

MARGIN = 0.15  # around the points in view, as a share of their range
NARROWEST = 0.6  # the shorter side of the view, as a share of the longer one


class WeightPlane(NamedTuple):
    """A plane of weight vectors, origin + a directions[0] + b directions[1], and the names of its axes."""

    origin: np.ndarray  # (n_parameters,)
    directions: np.ndarray  # (2, n_parameters), orthonormal
    names: tuple

    def project(self, vectors):
        """Return the coordinates a, b of the points of the plane that are closest to vectors, (n, 2)."""
        return (vectors - self.origin) @ self.directions.T

    def points(self, a, b):
        """Return the vectors of coordinates a (n,) and b (n,) or a number, (n, n_parameters)."""
        return self.origin + np.outer(a, self.directions[0]) + np.multiply.outer(b, self.directions[1])


def axis_plane(vector, axes, names):
    """Return the plane through a vector in which two of its numbers vary; they are the coordinates."""
    directions = np.eye(len(vector))[list(axes)]
    return WeightPlane(np.where(directions.any(axis=0), 0, vector), directions, names)


def principal_plane(vectors, centre):
    """Return the plane through the centre along which the vectors vary most about it.

    The names tell the share of the variance that lies along each axis.
    """
    _, sizes, directions = np.linalg.svd(vectors - centre, full_matrices=False)
    shares = sizes[:2] ** 2 / (np.sum(sizes**2) or 1)
    names = [f"direction {i}: {share:.1%} of the variance" for i, share in enumerate(shares, start=1)]
    return WeightPlane(centre, directions[:2], tuple(names))


def choose_axes(space, weights, names):
    """Return which two parameters are the axes and their names, or None and None for principal directions."""
    is_vector = len(space.problem.layers) == 1 and space.shapes[0][1] == 1
    if weights is not None:
        if not is_vector:
            raise ValueError(
                "weights=... is for logistic regression on two classes, where each feature has one weight. "
                "Leave it out, for the principal directions of the paths."
            )
        if len(weights) != 2 or len({*weights} & {*range(len(names))}) != 2:
            raise ValueError(f"weights should be two of the features 0 to {len(names) - 1}, got {weights}.")
        return tuple(weights), tuple(f"weight of {names[j]}" for j in weights)
    if space.n_parameters == 1:
        raise ValueError("A model of one weight, without an intercept, has no plane of weights.")
    if space.n_parameters > 2 or not is_vector:
        return None, None
    return (0, 1), tuple([f"weight of {name}" for name in names] + ["intercept"])[:2]


def view(points, resolution):
    """Return coordinates along both axes that cover the points."""
    low, high = points.min(axis=0), points.max(axis=0)
    sizes = high - low
    sizes = np.maximum(sizes, NARROWEST * (sizes.max() or 1))
    centre, half = (low + high) / 2, sizes * (0.5 + MARGIN)
    return tuple(np.linspace(c - h, c + h, resolution) for c, h in zip(centre, half, strict=True))


def n_apart(points, distance):
    """Return how many of the first points are at least so far from all points before them."""
    gaps = (np.hypot(*(points[:i] - points[i]).T).min() for i in range(1, len(points)))
    return next((i for i, gap in enumerate(gaps, start=1) if gap < distance), len(points))
