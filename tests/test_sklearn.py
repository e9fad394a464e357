"""What the package needs of scikit-learn's private names does what it is needed for."""

from numbers import Integral

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from sknn_basic import _sklearn
from sknn_basic._sklearn import (
    Interval,
    StrOptions,
    check_sample_weight,
    fit_context,
)


def test_parameters_are_checked_before_fit():
    """`fit` with its context refuses what the constraints exclude, and names the parameter."""

    class Model(BaseEstimator):
        _parameter_constraints = {"size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})]}

        def __init__(self, size):
            self.size = size

        @fit_context(prefer_skip_nested_validation=True)
        def fit(self):
            return self

    for size in (1, 7, "auto"):
        assert Model(size).fit().size == size
    for size in (0, 1.5, "other"):
        with pytest.raises(ValueError, match="'size' parameter of Model"):
            Model(size).fit()


def test_weights_are_checked_against_X():
    X = np.arange(6.0).reshape(3, 2)
    assert check_sample_weight([1, 2, 3], X, dtype=np.float64).tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match=r"sample_weight\.shape"):
        check_sample_weight([1, 2], X)


def test_all_lists_what_the_module_offers():
    offered = {name for name in vars(_sklearn) if not name.startswith("_")}
    assert sorted(offered) == sorted(_sklearn.__all__)
