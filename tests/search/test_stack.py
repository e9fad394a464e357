"""Candidates trained in stacks are those of fits of their own; what no stack can train is fitted as usual."""

import re
from decimal import Decimal
from fractions import Fraction
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from engines import engine_of
from longhand import distance
from models import blobs, weights_of
from searches import LOGISTIC, LOGISTIC_GRID, NETWORK, NETWORK_GRID, TALL, WIDE, assert_same, search_both
from sknn_basic import ShallowNNClassifier, VectorizedGridSearchCV
from sknn_basic._descent import stacking
from sknn_basic._descent.activations import ACTIVATIONS
from sknn_basic._descent.network import Network, init_layers
from sknn_basic._descent.objective import Objective
from sknn_basic._descent.outputs import softmax
from sknn_basic._descent.problem import Problem
from subclasses import (
    NOT_STACKED,
    OVERRIDING_PIPELINES,
    STACKED,
    FitInPlace,
    InPlaceThenCopy,
    PlainPipeline,
)
from watchers import raise_once


def rates_itself(estimator, X, y):
    """A scorer that looks at the model."""
    return -np.linalg.norm(estimator[-1].coef_) + estimator.predict_proba(X)[0, 0]


class Counting(StandardScaler):
    n_fits = 0

    def fit(self, X, y=None, sample_weight=None):
        Counting.n_fits += 1
        return super().fit(X, y, sample_weight)


def test_stacked_models_are_those_of_single_fits():
    """Weights, curves, losses, counts and rates of every fold and candidate, seen by a scorer: 1e-10."""

    def recording(seen):
        def scorer(estimator, X, y):
            last = estimator[-1]
            seen.append([*weights_of(last), [*last.loss_curve_, last.loss_], [last.n_iter_],
                         [getattr(last, "learning_rate_", 0.0) + 1]])  # fmt: skip
            return estimator.score(X, y)

        return scorer

    for n_classes in (2, 3):
        for container in (np.asarray, sparse.csr_array):
            for estimator, grid in ((LOGISTIC, LOGISTIC_GRID), (NETWORK, NETWORK_GRID)):
                X, y = blobs(n_classes, *(WIDE if container is np.asarray else TALL))
                pipeline = make_pipeline("passthrough", estimator)
                name = pipeline.steps[-1][0]
                grid = {f"{name}__{key}": values for key, values in grid.items()}
                weights = {f"{name}__sample_weight": np.random.RandomState(0).random_sample(len(y))}
                seen = [], []
                for kind, records in zip((GridSearchCV, VectorizedGridSearchCV), seen, strict=True):
                    kind(pipeline, grid, cv=3, scoring=recording(records)).fit(container(X), y, **weights)
                assert len(seen[0]) == len(seen[1]) > 20
                for one, other in zip(*seen, strict=True):
                    for a, b in zip(one, other, strict=True):
                        assert distance(b, a) < 1e-10


def test_a_pipeline_with_memory_fits_transformers_once_for_each_setting(tmp_path, alone):
    """Scikit-learn's own means, and stacks find the rows that it returns to be the same."""
    X, y = blobs(3, 61, 5)
    pipeline = make_pipeline(Counting(), LOGISTIC, memory=str(tmp_path))
    grid = {f"logisticregressiongd__{name}": values for name, values in LOGISTIC_GRID.items()}
    grid["counting__with_mean"] = [True, False]
    Counting.n_fits = 0
    stacked = VectorizedGridSearchCV(pipeline, grid, cv=3).fit(X, y)
    assert Counting.n_fits == 3 * 2 + 1  # folds, settings, and the refit
    assert alone == []
    assert_same(GridSearchCV(pipeline, grid, cv=3).fit(X, y), stacked)


def test_steps_whose_names_begin_alike(alone):
    """A transformer called model_scale is not a parameter of the classifier called model."""
    X, y = blobs(2, *TALL)
    pipeline = Pipeline([("model_scale", StandardScaler()), ("model", LOGISTIC)])
    grid = {"model__learning_rate": [0.005, 0.02], "model_scale__with_mean": [True, False]}
    searches = search_both(pipeline, grid, X + 5, y, cv=3, scoring="neg_log_loss")
    assert np.ptp(searches[0].cv_results_["mean_test_score"][:2]) > 1e-4  # the setting matters
    assert_same(*searches)
    assert alone == []


def test_candidates_that_replace_the_last_step(alone):
    """Each candidate is then a stack of one, which is fitted as any other."""
    X, y = blobs(2, *TALL)
    pipeline = Pipeline([("scale", StandardScaler()), ("model", LOGISTIC)])
    grid = {"model": [LOGISTIC, NETWORK, SVC(), clone(LOGISTIC).set_params(max_iter=7)]}
    assert_same(*search_both(pipeline, grid, X, y, cv=3), best_weights=False)
    assert len(alone) == 3 * 3


def test_several_grids_and_other_parameters(alone):
    """A list of grids, another activation and class weights: a stack for each setting."""
    X, y = blobs(2, *TALL)
    grid = [
        {"learning_rate": [0.01, 0.03], "activation": ["tanh", "relu"]},
        {"learning_rate": [0.02, 0.05], "class_weight": ["balanced", {0: 2, 1: 1}], "max_iter": [20, 40]},
    ]
    assert_same(*search_both(NETWORK, grid, X, y, cv=3, scoring="neg_log_loss"))
    assert alone == []


def test_a_fold_without_a_class_has_fewer_outputs():
    """As a clone fitted on its rows has; a fold with one class cannot be fitted, and says so."""
    X, y = blobs(3, *TALL)
    order = np.argsort(y, kind="stable")  # the last class is in the last 20 rows only
    X, y = X[order], y[order]
    rows = np.arange(60)
    cv = [(rows[:40], rows[40:]), (rows[20:], rows[:20])]
    assert_same(*search_both(LOGISTIC, {"learning_rate": [1e-3, 1e-2]}, X, y, cv=cv))
    with (
        pytest.warns(FitFailedWarning, match="at least 2 classes"),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        search = VectorizedGridSearchCV(
            LOGISTIC, {"learning_rate": [1e-3, 1e-2]}, cv=[*cv, (rows[:20], rows[20:])]
        ).fit(X, y)
    assert np.isnan(search.cv_results_["split2_test_score"]).all()


@pytest.mark.parametrize("shape", [TALL, WIDE])
def test_a_diverging_candidate_leaves_the_others_alone(shape):
    """Overflow in one row of the stack: the warning names it, the others are what they are without it."""
    X, y = blobs(3, *shape)
    network = clone(NETWORK).set_params(activation="relu", record_every=7)
    rates = [0.01, 1e30, 0.02]
    options = {"cv": 3, "scoring": "neg_log_loss"}
    with pytest.warns(ConvergenceWarning, match=r"diverged.*candidate \{'learning_rate': 1e\+30\}") as caught:
        with_it = VectorizedGridSearchCV(network, {"learning_rate": rates}, **options).fit(X, y)
    assert len(caught) == 3  # a fold each
    with pytest.warns(ConvergenceWarning):
        one_by_one = GridSearchCV(network, {"learning_rate": rates}, **options).fit(X, y)
    assert_same(one_by_one, with_it)
    without = VectorizedGridSearchCV(network, {"learning_rate": [0.01, 0.02]}, **options).fit(X, y)
    good = with_it.cv_results_["mean_test_score"][[0, 2]]
    np.testing.assert_allclose(good, without.cv_results_["mean_test_score"], rtol=1e-12)


@pytest.mark.parametrize("shape", [TALL, WIDE])
def test_a_large_stack_is_cut_into_pieces(shape, monkeypatch, alone):
    """A budget for one member at a time changes nothing."""
    X, y = blobs(3, *shape)
    monkeypatch.setattr(stacking, "STACK_BYTES", 1)
    assert_same(*search_both(LOGISTIC, LOGISTIC_GRID, X, y, cv=3, scoring="neg_log_loss"))
    assert alone == []


@pytest.mark.parametrize(("estimator", "rate"), [(LOGISTIC, 0.02), (NETWORK, 0.1)])
def test_numbers_of_steps_of_one_rate_have_the_bits_of_single_fits(estimator, rate, alone):
    """Candidates that differ in `max_iter` alone are checkpoints of one descent: that of a fit."""
    X, y = blobs(3, *TALL)
    seen = [], []
    for kind, models in zip((GridSearchCV, VectorizedGridSearchCV), seen, strict=True):
        scorer = partial(keep, models)
        kind(estimator, {"learning_rate": [rate], "max_iter": [35, 9, 35]}, cv=3, scoring=scorer).fit(X, y)
    assert alone == []
    for one, other in zip(*seen, strict=True):
        assert one.loss_curve_ == other.loss_curve_
        assert (one.loss_, one.n_iter_) == (other.loss_, other.n_iter_)
        for a, b in zip(weights_of(one), weights_of(other), strict=True):
            np.testing.assert_array_equal(a, b)


def keep(models, estimator, X, y):
    models.append(estimator)
    return estimator.n_iter_


@pytest.mark.interrupts
@pytest.mark.parametrize("size", [1, 2**28])
def test_an_interruption_of_any_descent_ends_the_search(size, monkeypatch):
    """Of a stack or of a member alone: no candidate of the search is half trained."""
    X, y = blobs(2, *TALL)
    monkeypatch.setattr(stacking, "STACK_BYTES", size)
    raise_once(monkeypatch, KeyboardInterrupt, Objective, "__call__", 5)
    search = VectorizedGridSearchCV(LOGISTIC, LOGISTIC_GRID, cv=3)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    assert not hasattr(search, "cv_results_")


def raise_zero_division(*args, **kwargs):
    raise ZeroDivisionError


class Fragile(StandardScaler):
    """A transformer with an error in `fit` of one of its settings."""

    def fit(self, X, y=None, sample_weight=None):
        return super().fit(X, y, sample_weight) if self.with_mean else raise_zero_division()


def test_an_error_of_a_transformer_is_a_failed_fit():
    """Of any type, it is what GridSearchCV makes of it: NaN, or the error itself."""
    X, y = blobs(2, *TALL)
    pipeline = Pipeline([("scale", Fragile()), ("model", LOGISTIC)])
    grid = {"scale__with_mean": [True, False], "model__learning_rate": [0.01, 0.1]}
    searches = [kind(pipeline, grid, cv=3) for kind in (GridSearchCV, VectorizedGridSearchCV)]
    for search in searches:
        with (
            pytest.warns(FitFailedWarning, match="6 fits failed out of a total of 12"),
            pytest.warns(UserWarning, match="non-finite"),
        ):
            search.fit(X, y)
        assert np.isnan(search.cv_results_["mean_test_score"]).tolist() == [False, True] * 2
    assert_same(*searches)
    for search in searches:
        with pytest.raises(ZeroDivisionError):
            search.set_params(error_score="raise").fit(X, y)


def problem_of(X, sizes):
    layers = init_layers(sizes, float, np.random.RandomState(0), [1, 1])
    Y, s = np.ones((X.shape[0], sizes[-1])), np.ones((X.shape[0], 1))
    return Problem(Network(ACTIVATIONS["tanh"] if layers[1:] else None, softmax), X, Y, s, layers, n_steps=0)


@pytest.mark.parametrize(
    ("m", "sizes", "n_members", "expected"),
    [
        (100, (4, 1), 2, "all"),  # NumPy's calls take most of the time
        (1000, (500, 1), 7, 1),  # in the cache: few columns make a slow product
        (1000, (500, 1), 8, "all"),
        (30_000, (50, 1), 3, 1),
        (30_000, (50, 1), 4, "all"),  # X is read once for all of them
        (1000, (500, 3), 2, "all"),
        (10_000, (13, 8, 3), 10, "all"),
        (10_000, (13, 64, 3), 10, 3),  # what they make of the rows stays in the cache
        (10_000, (13, 300, 3), 10, 1),
        (100, (13, 300, 3), 10, "all"),
    ],
)
def test_a_stack_is_not_slower_than_its_members(m, sizes, n_members, expected):
    """The rule of `stacking.py`, by the shapes that it was measured on."""
    with engine_of("numpy"):
        found = stacking.n_members_at_once(problem_of(np.ones((m, sizes[0])), sizes), n_members)
    assert found == expected or (expected == "all" and found >= n_members)


@pytest.mark.parametrize("n_members", [4, 10])
def test_few_members_descend_alone_on_sparse_samples(n_members):
    problem = problem_of(sparse.random_array((1000, 300), density=0.01, format="csr"), (300, 8, 3))
    assert (stacking.n_members_at_once(problem, n_members) > 1) == (n_members == 10)


@pytest.mark.parametrize(
    "sizes", [(5, 1), (5, 400), (5, 3, 1), (5, 3, 400), (5, 400, 3), (5, 400, 400), (400, 3, 3)]
)
@pytest.mark.parametrize("m", [20, 20_000])
def test_a_piece_is_as_large_as_its_budget(sizes, m, monkeypatch):
    """Weights and what they make of a block of rows, of all layers and members: not more, nor much less."""
    monkeypatch.setattr(stacking, "STACK_COLUMNS", np.inf)  # no limit but memory
    problem = problem_of(np.ones((m, sizes[0])), sizes)
    with engine_of("numpy"):
        rows = min(m, problem.objective(0.0).rows.groups[0][0][2].shape[0])
        made = sum(8 * rows * W.shape[1] for W, _ in problem.layers)
        weights = sum(W.nbytes for W, _ in problem.layers)
        n_members = stacking.n_members_at_once(problem, 10**9)
    assert n_members * (made + weights) <= stacking.STACK_BYTES < 20 * (n_members + 1) * (made + weights)


def test_a_shared_gram_matrix_that_does_not_fit_is_done_without(monkeypatch):
    """The matrix of all rows is larger than that of any fold: lack of memory for it ends no search."""

    def no_memory(X):
        raise MemoryError

    X, y = blobs(2, *WIDE)
    monkeypatch.setattr("sknn_basic._search.shared_rows.GramSamples", no_memory)
    search = VectorizedGridSearchCV(LOGISTIC, {"learning_rate": [0.001, 0.01]}, cv=3).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


# Subclasses: what a stack does not know it does not replace


def small(kind):
    """Return a classifier and a grid of its rates and penalties, for small data."""
    settings = {"learning_rate": [0.02, 0.05], "l2_regularization": [0.0, 0.2]}
    network = {"random_state": 0} if issubclass(kind, ShallowNNClassifier) else {}
    return kind(max_iter=20, **network), settings


@pytest.mark.parametrize(
    ("kind", "scoring"),
    [(kind, (None, ["accuracy", "neg_log_loss", "roc_auc"])[i % 2]) for i, kind in enumerate(NOT_STACKED)],
)
def test_subclasses_that_override_are_fitted_alone(kind, scoring, alone):
    """Methods, properties and hooks, of the class, a mixin, a decorator or the instance."""
    X, y = blobs(2, *TALL)
    estimator, grid = small(kind)
    refit = "accuracy" if isinstance(scoring, list) else True
    assert_same(
        *search_both(estimator, grid, X, y, cv=3, scoring=scoring, refit=refit, return_train_score=True)
    )
    assert len(alone) == 4 * 3


@pytest.mark.parametrize("kind", STACKED)
def test_subclasses_that_only_add_are_stacked(kind, alone):
    """Other defaults, more parameters and methods, another metaclass."""
    X, y = blobs(2, *TALL)
    estimator, grid = small(kind)
    pipeline = PlainPipeline([("scale", StandardScaler()), ("model", estimator)])
    assert_same(*search_both(estimator, grid, X, y, cv=3, scoring="neg_log_loss"))
    grid = {f"model__{name}": values for name, values in grid.items()}
    assert_same(*search_both(pipeline, grid, X, y, cv=3, scoring="neg_log_loss"))
    assert alone == []


@pytest.mark.parametrize("kind", OVERRIDING_PIPELINES)
def test_pipelines_may_override_anything(kind):
    """Their own methods are called, on fitted classifiers."""
    X, y = blobs(2, *TALL)
    pipeline = kind([("scale", StandardScaler()), ("model", LOGISTIC)])
    grid = {"model__learning_rate": [0.01, 0.1], "model__max_iter": [5, 9]}
    assert_same(*search_both(pipeline, grid, X, y, cv=3))


# Pipelines


def times_removed(text):
    """Return what is printed without times, and without the lines of stacks."""
    return re.sub(r"total= +\S+|total time= +\S+|Trained .* fits.*\n", "", text)


def test_a_verbose_pipeline_prints_what_it_prints_in_grid_search(capsys):
    X, y = blobs(2, *TALL)
    pipeline = Pipeline([("scale", StandardScaler()), ("model", LOGISTIC)], verbose=True)
    printed = []
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        kind(pipeline, {"model__learning_rate": [0.01, 0.1]}, cv=3, verbose=3).fit(X, y)
        printed.append(times_removed(capsys.readouterr().out))
    assert printed[1] == printed[0]
    assert printed[0].count("Processing model") == 2 * 3 + 1


def test_nested_pipelines_as_the_last_step(alone):
    """Refused as the estimator; a candidate that gets one is fitted alone."""
    X, y = blobs(2, *TALL)
    inner = make_pipeline(StandardScaler(), LOGISTIC)
    with pytest.raises(TypeError, match="a Pipeline that ends in one"):
        VectorizedGridSearchCV(Pipeline([("model", inner)]), {}).fit(X, y)
    pipeline = Pipeline([("scale", StandardScaler()), ("model", LOGISTIC)])
    searches = search_both(pipeline, {"model": [LOGISTIC, inner]}, X, y, cv=3)
    assert_same(*searches, best_weights=False)
    assert len(alone) == 2 * 3


@pytest.mark.parametrize("scoring", [["accuracy", "neg_log_loss", "roc_auc"], rates_itself])
@pytest.mark.parametrize("step", [StandardScaler(copy=False), InPlaceThenCopy(), FitInPlace()])
def test_transformers_that_change_X_in_place(step, scoring):
    """GridSearchCV scores what they have left of X: the training rows twice, the test rows once a metric."""
    X, y = blobs(2, *TALL)
    grid = {"model__learning_rate": [0.01, 0.1]}
    options = {"scoring": scoring, "refit": "accuracy" if isinstance(scoring, list) else True}
    for steps in ([("step", step)], [("same", "passthrough"), ("step", step)]):
        pipeline = Pipeline([*steps, ("model", LOGISTIC)])
        searches = [
            kind(pipeline, grid, cv=3, return_train_score=True, **options).fit(
                X + 2, y
            )  # the refit changes it
            for kind in (GridSearchCV, VectorizedGridSearchCV)
        ]
        assert_same(*searches)


@pytest.mark.parametrize("container", ["mixed", "pandas", "polars", "csr", "list", "objects"])
def test_transformers_of_any_container_are_seen_to_leave_it_alone(container, alone):
    """What a container notes about itself, such as that it is sorted, is no change."""
    X, y = blobs(2, *TALL)
    step = StandardScaler(with_mean=container != "csr")
    if container == "mixed":
        X = pd.DataFrame(X, columns=list("abcde")).assign(
            a=np.arange(60), b=y.astype(bool), c=np.float32(X[:, 2])
        )
    elif container == "pandas":
        X = pd.DataFrame(X, columns=list("abcde"))
    elif container == "polars":
        X = pl.DataFrame(X, schema=list("abcde"))
    elif container == "csr":
        X = sparse.csr_array(np.where(X > 0, X, 0))
    else:
        X = X.tolist() if container == "list" else X.astype(object)
    pipeline = make_pipeline(step, FunctionTransformer(), LOGISTIC)
    grid = {"logisticregressiongd__learning_rate": [0.01, 0.1]}
    assert_same(*search_both(pipeline, grid, X, y, cv=3, return_train_score=True))
    assert alone == []


# Parameters


ODD_NUMBERS = [
    Fraction(1, 3), Decimal("0.1"), np.float32(0.1), np.float16(0.01), np.longdouble(0.1), np.array(0.1),
    True, False, 10**400, Fraction(10**400), 1j, np.str_("auto"), b"auto", "fast", None, [0.1], np.nan, 0, -1,
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # of fits that fail
@pytest.mark.parametrize("name", ["learning_rate", "l2_regularization"])
def test_odd_numbers_are_those_of_grid_search(name, alone):
    """Numbers of every kind and what is none: the same scores, the same failures, and no others alone."""
    X, y = blobs(2, *TALL)
    searches = search_both(
        LOGISTIC, {name: ODD_NUMBERS, "record_every": [np.uint8(9)]}, X, y, cv=3, scoring="neg_log_loss"
    )
    assert_same(*searches)
    failed = np.isnan(searches[0].cv_results_["mean_test_score"])
    assert 8 < failed.sum() < len(ODD_NUMBERS) - 4
    assert not any(hasattr(model, "coef_") for model in alone)


@pytest.mark.filterwarnings("ignore")  # of features that differ in scale, and of fits that fail
def test_a_rate_that_overflows_is_the_only_one_that_fails(alone):
    """ "auto" needs the squares of the features, which float32 may not hold; a number needs none."""
    X, y = blobs(2, *TALL)
    X = (1e25 * X).astype(np.float32)
    searches = search_both(LOGISTIC, {"learning_rate": ["auto", 1e-30]}, X, y, cv=3)
    assert_same(*searches)
    assert np.isnan(searches[0].cv_results_["mean_test_score"]).tolist() == [True, False]
    assert len(alone) == 3
    assert not any(hasattr(model, "coef_") for model in alone)


@pytest.mark.filterwarnings("ignore")  # of features that differ in scale, and of fits that fail
def test_where_every_rate_overflows_the_search_ends_with_the_usual_error():
    X, y = blobs(2, *TALL)
    X = (1e25 * X).astype(np.float32)
    candidates = {"learning_rate": ["auto"], "max_iter": [5, 9]}
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        with pytest.raises(ValueError, match=r'^learning_rate="auto" needs the squares'):
            kind(LOGISTIC, candidates, cv=3, error_score="raise").fit(X, y)
