"""Grids over both classifiers, and how to compare a search with scikit-learn's own."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from longhand import distance
from models import weights_of
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier, VectorizedGridSearchCV

LOGISTIC = LogisticRegressionGD(max_iter=100, record_every=30)
NETWORK = ShallowNNClassifier(3, max_iter=60, random_state=0, init_scale=0.3)
LOGISTIC_GRID = {
    "learning_rate": ["auto", 1e-3, 4e-3],
    "l2_regularization": [0, 0.1],
    "max_iter": [45, 60, 100],
}
NETWORK_GRID = {"learning_rate": [0.01, 0.03], "hidden_layer_size": [2, 3], "max_iter": [30, 60]}
TALL, WIDE = (60, 5), (42, 150)


def search_both(estimator, grid, X, y, fit_params=None, **options):
    searches = [kind(estimator, grid, **options) for kind in (GridSearchCV, VectorizedGridSearchCV)]
    for search in searches:
        search.fit(X, y, **(fit_params or {}))
    return searches


def assert_same(one_by_one, stacked, best_weights=True):
    """Scores within 1e-9, same keys, parameters, ranks and best candidate with the same weights."""
    expected, found = one_by_one.cv_results_, stacked.cv_results_
    assert set(found) == set(expected)
    assert found["params"] == expected["params"]
    for key, values in expected.items():
        if key.startswith(("param_", "rank_")):
            assert list(found[key]) == list(values), key
        elif "score" in key and "time" not in key:
            np.testing.assert_allclose(found[key], values, rtol=0, atol=1e-9, err_msg=key)
        elif "time" in key:
            assert found[key].shape == values.shape
    assert stacked.n_splits_ == one_by_one.n_splits_
    assert stacked.multimetric_ == one_by_one.multimetric_
    assert type(stacked.scorer_) is type(one_by_one.scorer_)
    if best_weights:
        assert stacked.best_params_ == one_by_one.best_params_
        assert stacked.best_index_ == one_by_one.best_index_
        assert stacked.best_score_ == pytest.approx(one_by_one.best_score_, abs=1e-9)
        assert stacked.refit_time_ > 0
        models = [s.best_estimator_ for s in (stacked, one_by_one)]
        assert type(models[0]) is type(models[1])
        models = [model[-1] if hasattr(model, "steps") else model for model in models]
        for a, b in zip(*map(weights_of, models), strict=True):
            assert distance(a, b) < 1e-10
