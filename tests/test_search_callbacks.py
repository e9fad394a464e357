"""Callbacks of scikit-learn 1.9 in a search: what GridSearchCV tells and finds, and the steps of stacks."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn_basic import LogisticRegressionGD, VectorizedGridSearchCV
from sknn_basic._descent.objective import Objective
from watchers import (
    TALL,
    Everywhere,
    LookerEverywhere,
    Recorder,
    assert_identical,
    data,
    raise_once,
)

callback = pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")

GRID = {"learning_rate": [0.01, 0.1], "max_iter": [5, 8]}


def both_searches(callback_class, *args, estimator=None, **options):
    X, y = data(TALL)
    X = X + np.random.RandomState(0).standard_normal(X.shape)  # so that candidates differ
    found = []
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        watcher = callback_class(*args)
        search = kind(estimator or LogisticRegressionGD(), GRID, cv=3, scoring="neg_log_loss", **options)
        found += [(search.set_callbacks(watcher).fit(X, y), watcher)]
    return found


def assert_same_search(one_by_one, stacked):
    for name in ("mean_test_score", "rank_test_score"):
        np.testing.assert_allclose(stacked.cv_results_[name], one_by_one.cv_results_[name], rtol=1e-12)
    assert stacked.best_params_ == one_by_one.best_params_


# Callbacks that stay with the search


@pytest.mark.parametrize("refit", [True, False])
def test_a_search_tells_what_grid_search_tells(refit):
    """Task by task, to a callback that stays with the search; whatever it returns stops no fit."""
    (one_by_one, reference), (stacked, recorder) = both_searches(Recorder, 2, refit=refit)
    assert_same_search(one_by_one, stacked)
    calls = [(when, name.replace("Vectorized", "")) for when, name in recorder.calls]
    assert calls == reference.calls
    assert calls.count(("begin", "candidate-split-evaluation")) == 3 * 4


def test_a_progress_bar_counts_the_steps_of_a_stack(capsys, alone):
    """Those of the candidate that is fitted first, with which the others of its fold are trained."""
    pytest.importorskip("rich")
    (one_by_one, _), (stacked, _) = both_searches(callback.ProgressBar)
    assert_same_search(one_by_one, stacked)
    assert alone == []
    assert "stack" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("depth", "verbose"), [("no", False), ("no", True), (0, False), (1, False), (None, False)]
)
def test_tasks_of_candidates_hold_the_rows_of_their_fold(depth, verbose):
    """X, y and weights of candidates and of the search are those GridSearchCV tells."""

    class Data(Recorder):
        def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None):
            weights = None if metadata is None else metadata["sample_weight"]
            if context.task_name in ("candidate-split-evaluation", "search", "fit"):
                self.calls.append((context.task_name, X, y, weights))

    class DataEverywhere(Data):
        max_propagation_depth = depth

    X, y = data(TALL)
    weights = np.arange(1.0, 41)
    told = []
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        watcher = Data() if depth == "no" else DataEverywhere()
        model = LogisticRegressionGD(max_iter=4, verbose=verbose)
        search = kind(model, {"learning_rate": [0.1, 0.2]}, cv=2)
        search.set_callbacks(watcher).fit(X, y, sample_weight=weights)
        told.append([call for call in watcher.calls if len(call) == 4])
    assert len(told[0]) == len(told[1]) >= 4 + 2
    for one, other in zip(*told, strict=True):
        assert one[0] == other[0]
        for a, b in zip(one[1:], other[1:], strict=True):
            np.testing.assert_array_equal(a, b)


# Callbacks that are passed on, or set on what is fitted


class Shallow(Recorder):
    max_propagation_depth = 1


def test_scoring_monitor_in_searches():
    """Set on the classifier, it logs every step of every candidate and fold."""
    X, y = data(TALL)
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        monitor = callback.ScoringMonitor(scoring="accuracy")
        model = LogisticRegressionGD(max_iter=4).set_callbacks(monitor)
        kind(model, GRID, cv=3).fit(X, y)
        rows = [row for row in monitor.get_logs().data if row["task_name"] == "iteration"]
        assert (
            len(rows) == 3 * 2 * (5 + 8) + 5
        )  # folds, rates, steps; and the refit of the first, all being equal
        assert all(0.3 < row["accuracy"] <= 1 for row in rows)


def test_search_hands_models_to_callbacks_that_ask():
    """Then candidates are fitted one by one: the tasks and the models are those of GridSearchCV."""
    (one_by_one, reference), (stacked, looker) = both_searches(LookerEverywhere)
    assert_same_search(one_by_one, stacked)
    assert looker.tasks == reference.tasks
    assert len(looker.models) == len(reference.models) > 0
    for (model, step), (other, other_step) in zip(looker.models, reference.models, strict=True):
        assert step == other_step
        assert_identical(model, other)


@pytest.mark.parametrize("stop_after", [None, 1, 5, 6])
def test_search_with_a_callback_that_is_passed_on(stop_after):
    """What is told, stopped and found is what GridSearchCV tells, stops and finds."""
    (one_by_one, reference), (stacked, recorder) = both_searches(Everywhere, stop_after)
    assert_same_search(one_by_one, stacked)
    assert stacked.best_estimator_.n_iter_ == one_by_one.best_estimator_.n_iter_
    calls = [(when, name.replace("Vectorized", "")) for when, name in recorder.calls]
    assert calls == reference.calls
    n_iter = stop_after or 8
    assert calls.count(("end", "iteration")) >= 3 * 2 * (min(n_iter, 5) + n_iter)


def test_search_with_a_progress_bar_of_the_users_own():
    """A class made from ProgressBar may do more than count: it stops the fits as in GridSearchCV."""
    pytest.importorskip("rich")

    class Stopping(callback.ProgressBar):
        def on_fit_task_end(self, estimator, context):
            super().on_fit_task_end(estimator, context)
            return context.task_name == "iteration" and context.task_id == 3

    (one_by_one, _), (stacked, _) = both_searches(Stopping, None)
    assert_same_search(one_by_one, stacked)
    assert stacked.best_estimator_.n_iter_ == one_by_one.best_estimator_.n_iter_ == 4


@pytest.mark.parametrize("depth", [1, 2, None])
def test_search_within_a_pipeline(depth):
    """A callback of the pipeline reaches the classifier, or not, as through GridSearchCV."""

    class Passed(Recorder):
        max_propagation_depth = depth

    X, y = data(TALL)
    found, told = [], []
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        recorder = Passed(4)
        search = kind(LogisticRegressionGD(0.05), {"max_iter": [5, 80]}, cv=3, scoring="neg_log_loss")
        found.append(make_pipeline(StandardScaler(), search).set_callbacks(recorder).fit(X, y)[-1])
        told.append([(when, name.replace("Vectorized", "")) for when, name in recorder.calls])
    assert_same_search(*found)
    assert told[0] == told[1]
    assert found[1].best_estimator_.n_iter_ == (80 if depth == 1 else 4)


@pytest.mark.parametrize(("kind", "in_pipeline"), [(Recorder, False), (Shallow, True)])
def test_callbacks_that_do_not_reach_the_classifier_stop_nothing(kind, in_pipeline):
    """As in GridSearchCV, which does not pass them on to it: scores, the best and its steps are the same."""
    X, y = data(TALL)
    prefix = "logisticregressiongd__" if in_pipeline else ""
    estimator = LogisticRegressionGD(0.05)
    estimator = make_pipeline(StandardScaler(), estimator) if in_pipeline else estimator
    found = [
        search(estimator, {f"{prefix}max_iter": [5, 80]}, cv=3, scoring="neg_log_loss")
        .set_callbacks(kind(4))
        .fit(X, y)
        for search in (GridSearchCV, VectorizedGridSearchCV)
    ]
    assert_same_search(*found)
    best = [search.best_estimator_[-1] if in_pipeline else search.best_estimator_ for search in found]
    assert best[0].n_iter_ == best[1].n_iter_ == 80


@pytest.mark.parametrize("where", ["estimator", "pipeline", "step"])
def test_search_over_a_watched_estimator(where):
    """Callbacks of the estimator itself see every fit: none is trained in a stack."""
    X, y = data(TALL)
    recorder = Recorder()
    model = LogisticRegressionGD(max_iter=4)
    estimator = model if where == "estimator" else make_pipeline(StandardScaler(), model)
    watched = {"estimator": estimator, "pipeline": estimator, "step": model}[where]
    watched.set_callbacks(recorder)
    prefix = "" if where == "estimator" else "logisticregressiongd__"
    VectorizedGridSearchCV(estimator, {f"{prefix}learning_rate": [0.1, 0.2]}, cv=2).fit(X, y)
    assert recorder.calls.count(("setup", type(watched).__name__)) == 2 * 2 + 1


# Errors and interruptions


@pytest.mark.parametrize("verbose", [False, True])
def test_an_error_in_the_task_of_a_candidate_ends_the_search(verbose):
    """At once, whether in a stack or in an ordinary fit: nothing is told after it but the teardown."""

    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            super().on_fit_task_end(estimator, context)
            if context.task_name == "candidate-split-evaluation":
                raise ZeroDivisionError from KeyError("cause")

    X, y = data(TALL)
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        recorder = Failing()
        model = LogisticRegressionGD(max_iter=4, verbose=verbose)
        search = kind(model, {"learning_rate": [0.1, 0.2]}, cv=2).set_callbacks(recorder)
        with pytest.raises(ZeroDivisionError) as caught:
            search.fit(X, y)
        assert isinstance(caught.value.__cause__, KeyError)
        end = ("end", "candidate-split-evaluation")
        assert recorder.calls[-2:] == [end, ("teardown", kind.__name__)]
        assert recorder.calls.count(end) == 1
        assert not hasattr(search, "cv_results_")


@pytest.mark.filterwarnings("ignore")  # of fits that have failed
def test_a_candidate_that_fails_ends_its_task():
    X, y = data(TALL)
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        recorder = Recorder()
        search = kind(LogisticRegressionGD(), {"max_iter": [-1, 4]}, cv=2).set_callbacks(recorder).fit(X, y)
        assert np.isnan(search.cv_results_["mean_test_score"]).tolist() == [True, False]
        for when in ("begin", "end"):
            assert recorder.calls.count((when, "candidate-split-evaluation")) == 4


@pytest.mark.interrupts
def test_a_stack_that_the_user_interrupts_ends_the_search(monkeypatch):
    """At once: nothing is told after it but the teardown."""
    X, y = data(TALL)
    recorder = Recorder()
    search = VectorizedGridSearchCV(LogisticRegressionGD(), GRID, cv=3).set_callbacks(recorder)
    raise_once(monkeypatch, KeyboardInterrupt, Objective, "__call__", 5)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    assert not hasattr(search, "cv_results_")
    assert recorder.calls[-1] == ("teardown", "VectorizedGridSearchCV")


def test_a_stack_without_enough_memory_is_done_without(monkeypatch, alone):
    """Ordinary fits take over, in that fold only."""
    X, y = data(TALL)
    expected = GridSearchCV(LogisticRegressionGD(), GRID, cv=3).fit(X, y)
    raise_once(monkeypatch, MemoryError, Objective, "__call__", 5)
    assert_same_search(expected, VectorizedGridSearchCV(LogisticRegressionGD(), GRID, cv=3).fit(X, y))
    assert len(alone) == 4
