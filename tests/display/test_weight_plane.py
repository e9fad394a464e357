"""Planes among vectors of weights: their axes, their coordinates, and what of them is in view."""

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD

from models import noisy
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._display.weight_plane import axis_plane, choose_axes, principal_plane, view
from sknn_basic._display.weight_space import WeightSpace


def test_the_principal_plane_is_that_of_the_singular_vectors():
    """About the centre; the names have the shares of the sum of squares that lie along each axis."""
    rng = np.random.RandomState(0)
    centre = rng.standard_normal(6)
    vectors = centre + rng.standard_normal((30, 6)) * [9, 5, 1, 1, 0.5, 0.1]
    plane = principal_plane(vectors, centre)
    svd = TruncatedSVD(2, algorithm="arpack").fit(vectors - centre)
    for found, expected in zip(plane.directions, svd.components_, strict=True):
        assert abs(found @ expected) == pytest.approx(1)
    total = np.sum((vectors - centre) ** 2)
    for i, name in enumerate(plane.names):
        share = np.sum(((vectors - centre) @ svd.components_[i]) ** 2) / total
        assert name == f"direction {i + 1}: {share:.1%} of the variance"
    np.testing.assert_allclose(plane.project(centre), [0, 0], atol=1e-12)


def test_points_of_a_plane_are_projected_to_their_coordinates():
    rng = np.random.RandomState(0)
    a = rng.standard_normal(5)
    axes = axis_plane(np.array([1.0, 2.0, 3.0, 4.0]), (2, 0), ("a", "b"))
    for plane in (principal_plane(rng.standard_normal((9, 4)), rng.standard_normal(4)), axes):
        expected = np.column_stack([a, np.full(5, 1.5)])
        np.testing.assert_allclose(plane.project(plane.points(a, 1.5)), expected, atol=1e-12)
    # coordinates of an axis plane are the numbers themselves
    np.testing.assert_array_equal(axes.points([7, 8], 9), [[9, 2, 7, 4], [9, 2, 8, 4]])


def test_paths_that_do_not_move_have_a_plane():
    plane = principal_plane(np.ones((3, 4)), np.ones(4))
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-12)
    assert plane.names[0] == "direction 1: 0.0% of the variance"


def axes_of(model, n, weights=None):
    """The axes for samples of n features that are called a, b, ..."""
    return choose_axes(WeightSpace(model, *noisy(n=n)), weights, "abcdef"[:n])


def test_axes_are_two_weights_if_there_are_no_others_or_if_they_are_chosen():
    """The intercept is one of them; without any choice more than two have no axes of their own."""
    line, flat = LogisticRegressionGD(), LogisticRegressionGD(fit_intercept=False)
    assert axes_of(line, 1) == ((0, 1), ("weight of a", "intercept"))
    assert axes_of(flat, 2) == ((0, 1), ("weight of a", "weight of b"))
    assert axes_of(line, 4, (3, 1)) == ((3, 1), ("weight of d", "weight of b"))
    assert axes_of(line, 2) == axes_of(ShallowNNClassifier(), 2) == (None, None)


def test_axes_that_are_none_are_refused():
    for pair in [(0, 5), (1, 1), (0,), (-1, 0), (0, 1, 2)]:
        with pytest.raises(ValueError, match="two of the features 0 to 2, got "):
            axes_of(LogisticRegressionGD(), 3, pair)
    with pytest.raises(ValueError, match=r"two classes.*principal directions"):
        axes_of(ShallowNNClassifier(), 3, (0, 1))
    with pytest.raises(ValueError, match="of one weight, without an intercept, has no plane"):
        axes_of(LogisticRegressionGD(fit_intercept=False), 1)


def test_all_points_are_in_view():
    """Of points on a line too, whose view is not a line; of a single point as well."""
    for points in ([[0.0, 1.0], [3.0, 1.0]], [[2.0, 5.0]]):
        first, second = view(np.array(points), 11)
        assert len(first) == len(second) == 11
        assert 0.5 < np.ptp(second) / np.ptp(first) < 2
        for a, b in points:
            assert first[0] < a < first[-1]
            assert second[0] < b < second[-1]
