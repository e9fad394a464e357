"""Grids over both classifiers, and how to compare a search with scikit-learn's own."""

import re
import warnings
from collections import Counter

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

from longhand import distance
from models import weights_of
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier, VectorizedGridSearchCV

LOGISTIC = LogisticRegressionGD(max_iter=40, record_every=15)
NETWORK = ShallowNNClassifier(3, max_iter=40, random_state=0, init_scale=0.3)
LOGISTIC_GRID = {
    "learning_rate": ["auto", 1e-3, 4e-3],
    "l2_regularization": [0, 0.1],
    "max_iter": [20, 40],
}
NETWORK_GRID = {"learning_rate": [0.01, 0.03], "hidden_layer_size": [2, 3], "max_iter": [20, 40]}
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


def run(kind, estimator, grid, options, X, y, params):
    """Return the search and the exception or None, and the warnings."""
    search = kind(clone(estimator), grid, **options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            search.fit(X, y, **params)
        except Exception as error:
            return search, error, caught
    return search, None, caught


def plain_text(message):
    """Return a message on one line, of any search, and of tracebacks only the last lines."""
    text = str(message).replace("VectorizedGridSearchCV", "GridSearchCV")
    text = re.sub(r"Traceback \(most recent call last\):\n(?:  .*\n|\s*\n)*", "", text)
    text = re.sub(r"(?s)(?<=non-finite: \[).*(?=\])", lambda scores: rounded(scores[0]), text)
    text = re.sub(r"(?s)(?<=fitting GridSearchCV).*(?= with sample_weight)", "", text)
    return re.sub(r"\s+", " ", text)


def rounded(scores):
    return " ".join(f"{float(score):.6f}" for score in scores.split()).replace("-0.000000", "0.000000")


def told(caught):
    """Return {warning: count}, but 1 for those not of scorers: a stack warns once of what fits repeat."""
    counts = Counter(
        (type(w.message).__name__, plain_text(w.message)) for w in caught if not is_documented(w)
    )
    return {
        key: n if "Scoring failed" in key[1] or key[0] == "UndefinedMetricWarning" else 1
        for key, n in counts.items()
    }


def is_documented(warning):
    return issubclass(warning.category, ConvergenceWarning)


def assert_same_outcome(found, expected):
    """Assert that two searches ended alike."""
    (search, error, caught), (reference, reference_error, reference_caught) = found, expected
    assert type(error) is type(reference_error), f"{error!r} for {reference_error!r}"
    if not isinstance(error, IndexError):  # which the container words
        assert plain_text(error) == plain_text(reference_error)
    if error is None:
        assert told(caught) == told(reference_caught)
    else:  # which may come before the warnings
        assert told(caught).items() <= told(reference_caught).items()
    converged = [any(map(is_documented, warned)) for warned in (caught, reference_caught)]
    assert converged[0] == converged[1]
    fitted = {name for name in vars(reference) if name.endswith("_") and not name.startswith("_")}
    if error is not None:
        assert not any(name.endswith("_") for name in vars(search))
        return
    assert {name for name in vars(search) if name.endswith("_")} == fitted
    results, reference_results = search.cv_results_, reference.cv_results_
    assert list(results) == list(reference_results)
    assert [repr(p) for p in results["params"]] == [repr(p) for p in reference_results["params"]]
    decided = True
    for key, values in reference_results.items():
        if "score" in key and not key.startswith("rank") and "time" not in key:
            np.testing.assert_allclose(results[key], values, rtol=0, atol=1e-9, err_msg=key)
        if key.startswith("mean_test"):
            gaps = np.diff(np.sort([values, results[key]]))
            decided &= not np.any((gaps > 0) & (gaps < 1e-8))
    if not decided:  # rounding decides
        return
    for key in results:
        if key.startswith("rank"):
            np.testing.assert_array_equal(results[key], reference_results[key])
    for name in fitted & {"best_index_", "n_splits_", "multimetric_"}:
        assert getattr(search, name) == getattr(reference, name), name
    if "best_estimator_" in fitted:
        assert type(search.best_estimator_) is type(reference.best_estimator_)
        models = [s.best_estimator_ for s in (search, reference)]
        models = [model[-1] if isinstance(model, Pipeline) else model for model in models]
        if not isinstance(models[0], SVC):
            for a, b in zip(*map(weights_of, models), strict=True):
                np.testing.assert_array_equal(a, b)
