"""What a search remembers is of equal samples and parameters, in any order, and ends with the search."""

import inspect
import pickle
from collections import Counter
from contextlib import nullcontext
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from models import blobs
from searches import LOGISTIC, LOGISTIC_GRID, TALL, assert_same, search_both
from sknn_basic import FlattenScaler, LogisticRegressionGD, VectorizedGridSearchCV, load_photo_patches
from sknn_basic._fitting import inputs
from sknn_basic._fitting.base import GradientDescentClassifier
from sknn_basic._fitting.memo import NO_MEMO, active_memo
from sknn_basic._search.memo import overrides_nothing

KINDS = GridSearchCV, VectorizedGridSearchCV
SEARCH = VectorizedGridSearchCV(LogisticRegressionGD(max_iter=30), {"learning_rate": [0.01, "auto"]}, cv=2)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")  # of samples that no fit takes
@pytest.mark.filterwarnings("ignore:Scoring failed:UserWarning", "ignore:invalid value encountered in cast")
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite:UserWarning")
@pytest.mark.filterwarnings("ignore:Gradient descent:sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([SEARCH])
def test_check_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, pd.DataFrame, np.ndarray.tolist])
def test_a_fitted_search_holds_no_samples(container):
    X, y = blobs(2, 2000, 40)
    search = VectorizedGridSearchCV(LOGISTIC, {"learning_rate": [0.01, 0.02]}, cv=3).fit(container(X), y)
    assert len(pickle.dumps(search)) < 10_000 < X.nbytes
    assert active_memo() is NO_MEMO


def test_the_search_is_whole_when_the_fit_of_grid_search_ends(monkeypatch):
    """What wraps GridSearchCV.fit gets the search, all samples, and then the results and the best model."""
    data = load_photo_patches()
    model = make_pipeline(FlattenScaler(), LogisticRegressionGD(max_iter=20))
    grid = {"logisticregressiongd__learning_rate": [0.001, 0.005]}
    seen = []

    def fit(search, X, y, **params):
        ordinary(search, X, y, **params)
        seen.append((search, search.get_params(), pickle.dumps(search), search.score(X, y), len(X)))
        return search

    ordinary = GridSearchCV.fit
    monkeypatch.setattr(GridSearchCV, "fit", fit)
    search = VectorizedGridSearchCV(model, grid, cv=3)
    assert search.fit(data.train_set_x, data.train_set_y) is search
    ((found, parameters, saved, score, n),) = seen
    assert found is search
    assert parameters == search.get_params()
    assert len(saved) < 200_000 < data.train_set_x.nbytes
    assert score == search.score(data.train_set_x, data.train_set_y)
    assert n == len(data.train_set_x)
    assert type(search.best_estimator_) is type(model)


class Reversed(VectorizedGridSearchCV):
    """Evaluates the last candidate first."""

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        evaluate = partial(self._evaluate, evaluate_candidates)
        super()._run_search(evaluate, callback_ctx=callback_ctx)

    def _evaluate(self, evaluate_candidates, candidates, **options):
        return evaluate_candidates(list(candidates)[::-1], **options)


def test_candidates_in_any_order(alone):
    X, y = blobs(2, *TALL)
    options = {"cv": 3, "scoring": "neg_log_loss"}
    expected, found = (
        kind(LOGISTIC, LOGISTIC_GRID, **options).fit(X, y) for kind in (GridSearchCV, Reversed)
    )
    assert alone == []
    scores = [search.cv_results_["mean_test_score"] for search in (expected, found)]
    np.testing.assert_allclose(scores[1], scores[0][::-1], atol=1e-9)


RNG = np.random.default_rng(0)


def noisy(X):
    return X + RNG.random(X.shape)


def test_rows_that_differ_each_time_are_not_taken_for_the_same(alone):
    """A transformer without a seed: each candidate is fitted on rows of its own, the first in a stack."""
    X, y = blobs(2, *TALL)
    pipeline = make_pipeline(FunctionTransformer(noisy), LOGISTIC)
    grid = {"logisticregressiongd__learning_rate": [0.01, 0.02, 0.03]}
    VectorizedGridSearchCV(pipeline, grid, cv=3).fit(X, y)
    assert len(alone) == 2 * 3


def test_a_scorer_may_fit_others(alone):
    """On other rows, labels or weights: they are not those of the candidates."""
    X, y = blobs(2, *TALL)

    def scorer(estimator, X, y):
        other = clone(estimator).fit(X, 1 - y)
        weighted = clone(estimator).fit(X, y, np.arange(1.0, len(y) + 1))
        return estimator.coef_.sum() + 10 * other.coef_.sum() + 100 * weighted.coef_.sum()

    assert_same(*search_both(LOGISTIC, LOGISTIC_GRID, X, y, cv=3, scoring=scorer))


def test_fit_times_are_means_over_a_stack():
    X, y = blobs(2, *TALL)
    grid = {"learning_rate": [0.01, 0.02], "class_weight": [None, "balanced"]}
    times = VectorizedGridSearchCV(LOGISTIC, grid, cv=3).fit(X, y).cv_results_["mean_fit_time"]
    assert times[0] == times[1] != times[2] == times[3]


def test_nothing_is_looked_up_or_validated_for_each_candidate(monkeypatch):
    """The data are validated, and the parameters' names looked up, once for a fold or less."""

    def counted(name, function, *args, **options):
        calls.append(name)
        return function(*args, **options)

    X, y = blobs(2, *TALL)
    for module, name in ((inspect, "signature"), (inputs, "validate_data")):
        monkeypatch.setattr(module, name, partial(counted, name, getattr(module, name)))
    counts = []
    for n in (2, 9):
        calls = []
        grid = {"learning_rate": np.linspace(0.01, 0.02, n), "max_iter": range(1, n)}
        VectorizedGridSearchCV(LOGISTIC, grid, cv=3, return_train_score=True).fit(X, y)
        counts.append(Counter(calls))
    # Of a fold X, y, and the rows that are scored; of the refit X and y.
    assert [count["validate_data"] for count in counts] == [3 * 4 + 2] * 2
    assert counts[0]["signature"] == counts[1]["signature"]


class Direct(GradientDescentClassifier):
    """A classifier of another kind, of which the memo knows nothing."""


def test_only_known_classes_may_be_stacked():
    assert overrides_nothing(LOGISTIC)
    assert not overrides_nothing(Direct())


class WritesToX(LogisticRegressionGD):
    def fit(self, X, y, sample_weight=None):
        X *= 2
        return super().fit(X, y, sample_weight)


class CentredSplits:
    """A splitter that looks at X, and writes to what it takes from it."""

    def get_n_splits(self, X=None, y=None, groups=None):
        return 2

    def split(self, X, y=None, groups=None):
        assert type(X) is np.ndarray
        rows = X[np.argsort(y, kind="stable")]
        rows -= rows.mean(axis=0)
        half = np.arange(len(X)) % 4 < 2
        return [(np.flatnonzero(half), np.flatnonzero(~half)), (np.flatnonzero(~half), np.flatnonzero(half))]


@pytest.mark.parametrize(("model", "cv"), [(WritesToX(max_iter=9), 3), (LOGISTIC, CentredSplits())])
def test_others_get_arrays_that_they_may_write_to(model, cv):
    X, y = blobs(2, *TALL)
    searches = [kind(model, {"learning_rate": [0.01, 0.02]}, cv=cv) for kind in KINDS]
    assert_same(*(search.fit(X.copy(), y) for search in searches))


@pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning"
)  # of features that differ in scale
@pytest.mark.parametrize("case", ["NaN outside", "float in the test set", "overflow outside"])
def test_images_are_scaled_for_themselves(case):
    """What is wrong or odd in rows that a candidate does not get changes nothing for it."""
    X, y = np.random.default_rng(0).integers(0, 256, (40, 3, 3)).astype(float), np.arange(40) % 2
    scaler, cv = FlattenScaler(), [(np.arange(18), np.arange(18, 36))]
    if case == "NaN outside":
        X[38] = np.nan
    elif case == "overflow outside":
        X[38], scaler = 1e308, FlattenScaler(divisor=1e-3)
    else:
        X[18:] /= 255
    model = make_pipeline(scaler, LogisticRegressionGD(max_iter=5))
    grid = {"logisticregressiongd__learning_rate": [1e-9, 2e-9]}
    for kind in KINDS:
        search = kind(model, grid, cv=cv, refit=False, scoring="neg_log_loss")
        with pytest.warns(UserWarning, match="multiply X by 255") if "test" in case else nullcontext():
            scores = search.fit(X, y).cv_results_["mean_test_score"]
        assert np.isfinite(scores).all()
