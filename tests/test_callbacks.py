"""Callbacks of scikit-learn 1.9: told of every step, handed models that predict, able to end a fit."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from models import BOTH, blobs, both, weights_of
from sknn_basic import FlattenScaler, LogisticRegressionGD, VectorizedGridSearchCV
from sknn_basic._base import FitInterruptedWarning
from sknn_basic._objective import Objective
from sknn_basic._samples import GramSamples

callback = pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")

TALL, WIDE = (40, 5), (30, 200)
GRID = {"learning_rate": [0.01, 0.1], "max_iter": [5, 8]}


class Recorder:
    """Notes the hooks that are called, and asks to stop after the iteration `stop_after`."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.calls = []

    def setup(self, estimator, context):
        self.calls.append(("setup", type(estimator).__name__))

    def teardown(self, estimator, context):
        self.calls.append(("teardown", type(estimator).__name__))

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator, context):
        self.calls.append(("end", context.task_name))
        return context.task_name == "iteration" and context.task_id + 1 == self.stop_after


class Everywhere(Recorder):
    """Is propagated from a search or a pipeline to what it fits."""

    max_propagation_depth = None


class Looker:
    """Keeps the fitted estimators that it is handed."""

    def __init__(self):
        self.models, self.tasks, self.metadata = [], [], []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, *, fitted_estimator=None):
        if fitted_estimator is not None:
            self.models.append((fitted_estimator, context.task_id))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None, metadata=None):
        self.tasks.append(context.task_name)
        self.metadata.append(metadata)
        if fitted_estimator is not None and context.task_name == "iteration":
            self.models.append((fitted_estimator, context.task_id + 1))


class LookerEverywhere(Looker):
    max_propagation_depth = None


def data(shape, n_classes=2, dtype=np.float64, container=np.asarray):
    X, y = blobs(n_classes, *shape)
    return container(X.astype(dtype)), y


def raise_once(monkeypatch, error, owner, name, n):
    """Raise the error in the n-th call of a method, counted from 1."""
    calls = []
    ordinary = getattr(owner, name)

    def method(*args, **kwargs):
        calls.append(1)
        if len(calls) == n:
            raise error
        return ordinary(*args, **kwargs)

    monkeypatch.setattr(owner, name, method)


def assert_identical(model, other):
    for a, b in zip(weights_of(model), weights_of(other), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype
    assert model.loss_ == other.loss_
    assert model.loss_curve_ == other.loss_curve_
    assert model.n_iter_ == other.n_iter_


# A fit that is watched


@both
@pytest.mark.parametrize("shape", [TALL, WIDE])
def test_every_step_is_a_task(model, shape):
    """Setup, the fit, each of its steps in turn, teardown; and the model is the one of an unwatched fit."""
    X, y = data(shape)
    recorder = Recorder()
    model = clone(model).set_params(max_iter=12)
    watched = clone(model).set_callbacks(recorder).fit(X, y)
    steps = [(when, "iteration") for _ in range(12) for when in ("begin", "end")]
    name = type(model).__name__
    assert recorder.calls == [
        *[("setup", name), ("begin", "fit")],
        *steps,
        *[("end", "fit"), ("teardown", name)],
    ]
    assert_identical(watched, model.fit(X, y))


@both
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("shape", "container"), [(TALL, np.asarray), (WIDE, np.asarray), (TALL, sparse.csr_array)]
)
def test_estimators_handed_out_are_fits_that_ended_there(model, n_classes, dtype, shape, container):
    """Each is, bit for bit, the fit of as many steps; for wide data too, which descends without weights."""
    X, y = data(shape, n_classes, dtype, container)
    looker = Looker()
    # Enough steps that a shorter fit, which alone would not pay for the Gram form, takes another way.
    model = clone(model).set_params(max_iter=40, record_every=3, l2_regularization=0.01)
    clone(model).set_callbacks(looker).fit(X, y, sample_weight=np.linspace(1, 2, len(y)))
    assert [step for _, step in looker.models] == [s for step in range(40) for s in (step, step + 1)]
    for handed, step in looker.models:
        assert handed.n_iter_ == step
        assert len(handed.loss_curve_) == -(-step // 3)
        proba = handed.predict_proba(X)
        assert proba.dtype == dtype
        penalty = 0.005 * sum(np.sum(W**2) for W in weights_of(handed) if W.ndim == 2)
        cost = log_loss(y, proba, sample_weight=np.linspace(1, 2, len(y))) + penalty
        assert handed.loss_ == pytest.approx(cost, rel=1e-12 if dtype == np.float64 else 1e-4)
    for steps in (20, 40):
        alone = clone(model).set_params(max_iter=steps).fit(X, y, sample_weight=np.linspace(1, 2, len(y)))
        assert_identical(looker.models[2 * steps - 1][0], alone)


def test_weights_are_made_only_if_a_callback_asks(monkeypatch):
    """In the Gram form: once for a fit that is only counted, once a step for one that is scored."""
    made = []
    weights_of = GramSamples.weights_of
    monkeypatch.setattr(
        GramSamples, "weights_of", lambda samples, C: made.append(1) or weights_of(samples, C)
    )
    X, y = data(WIDE)
    model = LogisticRegressionGD(max_iter=50)
    clone(model).set_callbacks(Recorder()).fit(X, y)
    assert len(made) == 1
    clone(model).set_callbacks(callback.ScoringMonitor(scoring="accuracy")).fit(X, y)
    assert len(made) == 1 + 50 + 1


def test_without_callbacks_no_task_is_made(monkeypatch):
    def forbidden(*args, **kwargs):
        raise AssertionError

    monkeypatch.setattr(callback.CallbackSupportMixin, "_init_callback_context", forbidden)
    X, y = data(TALL)
    for model in BOTH:
        clone(model).set_params(max_iter=3).fit(X, y)
    FlattenScaler().fit(X)


@pytest.mark.parametrize("stop_after", [None, 2])
def test_many_steps_are_a_task(monkeypatch, stop_after):
    """A fit has a limited number of tasks: of several steps each, where these are many, the last of fewer."""
    monkeypatch.setattr("sknn_basic._callbacks.MAX_TASKS", 5)
    X, y = data(TALL)
    looker = Looker()
    looker_stops = looker.on_fit_task_end

    def stop(estimator, context, *, fitted_estimator=None):
        looker_stops(estimator, context, fitted_estimator=fitted_estimator)
        return context.task_id + 1 == stop_after

    looker.on_fit_task_end = stop
    model = LogisticRegressionGD(0.1, 13).set_callbacks(looker).fit(X, y)
    names = ["3 iterations"] * (stop_after or 5)
    assert looker.tasks == [*names, "fit"]
    assert model.n_iter_ == (6 if stop_after else 13)
    assert_identical(model, LogisticRegressionGD(0.1, model.n_iter_).fit(X, y))
    recorder = Recorder()
    search = VectorizedGridSearchCV(LogisticRegressionGD(max_iter=13), {"learning_rate": [0.1]}, cv=2)
    search.set_callbacks(recorder).fit(X, y)
    for when in ("begin", "end"):
        assert recorder.calls.count((when, "3 iterations")) == 2 * 5


def test_callbacks_are_not_silenced():
    """The descent ignores overflow, a callback's own overflow still warns."""

    class Overflowing(Recorder):
        def on_fit_task_end(self, estimator, context):
            np.float64(1e300) * np.float64(1e300)

    X, y = data(TALL)
    model = LogisticRegressionGD(max_iter=3).set_callbacks(Overflowing())
    with pytest.raises(RuntimeWarning, match="overflow"):
        model.fit(X, y)


@both
def test_a_fit_that_fails_ends_its_callbacks_and_leaves_the_model(model):
    """Whether the data or a callback is bad: teardown is called, fitted attributes are those of before."""

    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            if context.task_id == 3:
                raise ZeroDivisionError

    X, y = data(TALL)
    fitted = clone(model).set_params(max_iter=10).fit(X, y)
    for recorder, some, error in (
        (Recorder(), np.full_like(X, np.nan), ValueError),
        (Failing(), X, ZeroDivisionError),
    ):
        fitted.set_callbacks(recorder)
        before = dict(vars(fitted))
        with pytest.raises(error):
            fitted.fit(some, y)
        assert vars(fitted) == before
        assert recorder.calls[-1] == ("teardown", type(model).__name__)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [TALL, WIDE])
def test_a_diverging_fit_hands_out_what_it_would_keep(shape, dtype):
    """Never NaN: the monitored fit warns as the other one does, and every log is finite."""
    X, y = data(shape, 2, dtype)
    y = np.random.RandomState(0).permutation(y)
    rate = 1e308 if dtype == np.float64 else 1e38
    model = LogisticRegressionGD(rate, max_iter=40, record_every=7)
    monitor, looker = callback.ScoringMonitor(scoring="neg_log_loss"), Looker()
    fits = [clone(model), clone(model).set_callbacks(monitor, looker)]
    for fit in fits:
        with pytest.warns(ConvergenceWarning):
            fit.fit(X * 100, y)
    assert_identical(*fits)
    assert np.isfinite([row["neg_log_loss"] for row in monitor.get_logs().data]).all()
    for handed, step in looker.models:
        assert all(np.isfinite(array).all() for array in weights_of(handed))
        assert handed.n_iter_ <= step
    assert len(looker.models) == 2 * looker.tasks.count("iteration")


# Stopping


@both
@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize("stop_after", [1, 6, 7, 39, 40])
def test_a_stopped_fit_is_a_fit_of_fewer_steps(model, shape, stop_after):
    """The same weights, costs and number of steps, bit for bit; no warning."""
    X, y = data(shape)
    model = clone(model).set_params(max_iter=40, record_every=3)
    if shape == WIDE:  # a number of steps at which both fits take the Gram form
        stop_after = max(stop_after, 20)
    stopped = clone(model).set_callbacks(Recorder(stop_after)).fit(X, y)
    assert stopped.n_iter_ == stop_after
    assert_identical(stopped, clone(model).set_params(max_iter=stop_after).fit(X, y))


def test_stopping_by_the_score():
    """What callbacks are for: stop when the model is good enough, and find it in the logs."""

    class Enough:
        def setup(self, estimator, context):
            pass

        teardown = on_fit_task_begin = setup

        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            return context.task_name == "iteration" and fitted_estimator.loss_ < 0.5

    X, y = data(TALL)
    model = LogisticRegressionGD(0.1, 1000).set_callbacks(Enough()).fit(X, y)
    assert model.loss_ < 0.5
    assert LogisticRegressionGD(0.1, model.n_iter_ - 1).fit(X, y).loss_ >= 0.5


# scikit-learn's own callbacks


@both
@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_scoring_monitor_logs_every_step(model, shape, n_classes):
    """Each score is that of a model fitted for as many steps by itself."""
    X, y = data(shape, n_classes)
    weights = np.linspace(1, 3, len(y))
    model = clone(model).set_params(max_iter=20)
    monitor = callback.ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    clone(model).set_callbacks(monitor).fit(X, y, sample_weight=weights)
    log = monitor.get_logs().data
    steps = [row for row in log if row["task_name"] == "iteration"]
    assert len(steps) == 20
    for row in steps:
        alone = clone(model).set_params(max_iter=row["task_id"] + 1).fit(X, y, weights)
        assert row["neg_log_loss"] == pytest.approx(
            -log_loss(y, alone.predict_proba(X), sample_weight=weights), rel=1e-11
        )
        assert row["accuracy"] == accuracy_score(y, alone.predict(X), sample_weight=weights)
    assert next(row for row in log if row["task_name"] == "fit")["accuracy"] == steps[-1]["accuracy"]


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_scoring_monitor_in_grid_search(n_jobs):
    """Set on the classifier, it logs every step of every candidate and fold, across processes too."""
    X, y = data(TALL)
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        if n_jobs and kind is VectorizedGridSearchCV:
            continue
        monitor = callback.ScoringMonitor(scoring="accuracy")
        model = LogisticRegressionGD(max_iter=4).set_callbacks(monitor)
        options = {"n_jobs": n_jobs} if kind is GridSearchCV else {}
        kind(model, GRID, cv=3, **options).fit(X, y)
        rows = [row for row in monitor.get_logs().data if row["task_name"] == "iteration"]
        assert (
            len(rows) == 3 * 2 * (5 + 8) + 5
        )  # folds, rates, steps; and the refit of the first, all being equal
        assert all(0.3 < row["accuracy"] <= 1 for row in rows)


@both
def test_progress_bar_shows_iterations(model, capsys, monkeypatch):
    """Alone, in a pipeline, in both searches: a bar each, which advances with every iteration."""
    pytest.importorskip("rich")
    from sklearn.callback import _progressbar

    X, y = data(TALL)
    monkeypatch.setenv("COLUMNS", "200")  # one line a bar
    model = clone(model).set_params(max_iter=7)
    name = type(model).__name__
    grid = {"learning_rate": [0.01, 0.1]}
    pipeline = make_pipeline(StandardScaler(), model)
    sent = []
    send = _progressbar.send
    monkeypatch.setattr(_progressbar, "send", lambda to, event: sent.append(dict(event)) or send(to, event))
    for estimator, iterations, bars in (
        (clone(model), {(0,): 7}, [f"{name} - fit"]),
        (pipeline, {(0, 1): 7}, ["Pipeline - fit", f"fit-final-estimator | {name} - fit"]),
        (GridSearchCV(model, grid, cv=2), {**{(0, 0, i): 7 for i in range(4)}, (0, 1): 7},
         ["search", *[f"evaluation | {name} - fit"] * 4]),
        (VectorizedGridSearchCV(model, grid, cv=2), {(0, 0, 0): 7, (0, 0, 1): 7, (0, 2): 7},
         ["stacks", "stack #0", "stack #1", "refit"]),
    ):  # fmt: skip
        sent.clear()
        estimator.set_callbacks(callback.ProgressBar(max_propagation_depth=None)).fit(X, y)
        for path, n in iterations.items():  # each bar is told its length, and then of every iteration
            (begun,) = [e for e in sent if e["event"] == "begin" and tuple(e["path"]) == path]
            assert begun["max_subtasks"] == n
            ended = [e["path"][-1] for e in sent if e["event"] == "end" and tuple(e["path"][:-1]) == path]
            assert ended == list(range(n))
        lines = capsys.readouterr().out.splitlines()
        for bar in bars:
            assert any(bar in line for line in lines), bar
        assert sum(name in line for line in lines) >= sum(name in bar for bar in bars)
        assert all("100%" in line for line in lines if line.strip())


@both
def test_callbacks_in_a_pipeline(model):
    """Of the pipeline or of the classifier in it: each step is told, scored, and may be the last."""
    X, y = data(TALL)
    model = clone(model).set_params(max_iter=9)
    stopped = make_pipeline(StandardScaler(), clone(model)).set_callbacks(Everywhere(4)).fit(X, y)
    alone = clone(model).set_params(max_iter=4)
    assert_identical(stopped[-1], make_pipeline(StandardScaler(), alone).fit(X, y)[-1])
    monitor = callback.ScoringMonitor(scoring="neg_log_loss")
    pipeline = make_pipeline(StandardScaler(), clone(model).set_callbacks(monitor)).fit(X, y)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "iteration"]
    assert [row["task_id_path"] for row in rows] == [(0, 1, step) for step in range(9)]
    assert rows[-1]["neg_log_loss"] == pytest.approx(-pipeline[-1].loss_, rel=1e-12)
    assert rows[3]["neg_log_loss"] == pytest.approx(-stopped[-1].loss_, rel=1e-12)


def test_pipeline_with_flatten_scaler_takes_progress_bar(capsys):
    """No warning that the transformer does not support callbacks."""
    pytest.importorskip("rich")
    X, y = data(TALL)
    pipeline = make_pipeline(FlattenScaler(), LogisticRegressionGD(max_iter=5))
    pipeline.set_callbacks(callback.ProgressBar()).fit(X, y)
    assert "FlattenScaler" in capsys.readouterr().out


def test_flatten_scaler_hands_out_what_it_has_become():
    handed = []

    class Last(Recorder):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            super().on_fit_task_end(estimator, context)
            handed.append(fitted_estimator)

    X, _ = data(TALL)
    recorder = Last()
    scaler = FlattenScaler(2).set_callbacks(recorder).fit(X)
    name = ("setup", "FlattenScaler"), ("teardown", "FlattenScaler")
    assert recorder.calls == [name[0], ("begin", "fit"), ("end", "fit"), name[1]]
    (handed,) = handed
    np.testing.assert_array_equal(handed.transform(X), X / 2)
    np.testing.assert_array_equal(scaler.transform(X), X / 2)


# The search


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


@pytest.mark.parametrize("refit", [True, False])
def test_search_tells_of_every_step_of_a_stack(refit):
    """A callback that stays with the search sees stacks, then what GridSearchCV tells, and stops none."""
    (one_by_one, _), (stacked, recorder) = both_searches(Recorder, 2, refit=refit)
    assert_same_search(one_by_one, stacked)
    assert recorder.calls[0] == ("setup", "VectorizedGridSearchCV")
    assert recorder.calls[-2:] == [("end", "fit"), ("teardown", "VectorizedGridSearchCV")]
    begun = [name for when, name in recorder.calls if when == "begin"]
    ended = [name for when, name in recorder.calls if when == "end"]
    assert sorted(begun) == sorted(ended)
    assert begun.count("stack") == 3
    assert begun.count("iteration") == 3 * 8
    assert begun.count("candidate-split-evaluation") == 3 * 4
    assert begun.count("refit-with-best-params") == refit
    assert begun.count("fit") == begun.count("search") == 1
    assert begun.index("stacks") < begun.index("stack") < begun.index("iteration") < begun.index("search")


def test_search_hands_models_to_callbacks_that_ask():
    """Then candidates are fitted one by one: the tasks and the models are those of GridSearchCV."""
    (one_by_one, reference), (stacked, looker) = both_searches(LookerEverywhere)
    assert_same_search(one_by_one, stacked)
    assert looker.tasks == reference.tasks
    assert len(looker.models) == len(reference.models) > 0
    for (model, step), (other, other_step) in zip(looker.models, reference.models, strict=True):
        assert step == other_step
        assert_identical(model, other)


class Shallow(Recorder):
    max_propagation_depth = 1


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


def test_search_with_several_callbacks():
    """One that reaches the classifier may end its fits, another that does not may not."""
    X, y = data(TALL)
    found = [
        kind(LogisticRegressionGD(), GRID, cv=3, scoring="neg_log_loss")
        .set_callbacks(Everywhere(4), Recorder(2))
        .fit(X, y)
        for kind in (GridSearchCV, VectorizedGridSearchCV)
    ]
    assert_same_search(*found)
    assert found[0].best_estimator_.n_iter_ == found[1].best_estimator_.n_iter_ == 4


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


def test_steps_of_a_stack_in_pieces(monkeypatch):
    """A stack that is cut for its memory tells of the steps of one piece after the other."""

    class Length(Recorder):
        def on_fit_task_begin(self, estimator, context):
            super().on_fit_task_begin(estimator, context)
            self.calls.append((context.task_name, context.max_subtasks))

    monkeypatch.setattr("sknn_basic._stacks.STACK_BYTES", 1)
    X, y = data(TALL)
    recorder = Length()
    grid = [{"learning_rate": [0.1], "max_iter": [3, 5]}, {"learning_rate": [0.2], "max_iter": [8]}]
    search = VectorizedGridSearchCV(LogisticRegressionGD(), grid, cv=3).set_callbacks(recorder).fit(X, y)
    assert_same_search(GridSearchCV(LogisticRegressionGD(), grid, cv=3).fit(X, y), search)
    assert recorder.calls.count(("stack", 5 + 8)) == 3
    for when in ("begin", "end"):
        assert recorder.calls.count((when, "iteration")) == 3 * (5 + 8)


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


@pytest.mark.parametrize(
    ("depth", "verbose"), [("no", False), ("no", True), (0, False), (1, False), (None, False)]
)
def test_tasks_of_candidates_hold_the_rows_of_their_fold(depth, verbose):
    """X, y and weights of candidates and of the search are those GridSearchCV tells; stacks have none."""

    class Data(Recorder):
        def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None):
            weights = None if metadata is None else metadata["sample_weight"]
            if context.task_name in ("candidate-split-evaluation", "search", "fit"):
                self.calls.append((context.task_name, X, y, weights))
            elif context.parent.task_name in ("fit", "stacks", "stack") and not passed_on:
                assert X is y is weights is None or context.task_name == "refit-with-best-params"

    class DataEverywhere(Data):
        max_propagation_depth = depth

    passed_on = depth != "no"
    X, y = data(TALL)
    weights = np.arange(1.0, 41)
    told = []
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        watcher = Data() if depth == "no" else DataEverywhere()
        model = LogisticRegressionGD(max_iter=4, verbose=verbose)
        search = kind(model, {"learning_rate": [0.1, 0.2]}, cv=2)
        search.set_callbacks(watcher).fit(X, y, sample_weight=weights)
        told.append([call for call in watcher.calls if len(call) == 4])
        tasks = [name for when, name, *_ in watcher.calls if when == "begin"]
        is_stacked = kind is VectorizedGridSearchCV and not passed_on and not verbose
        assert ("stack" in tasks) == is_stacked
    assert len(told[0]) == len(told[1]) >= 4 + 2
    for one, other in zip(*told, strict=True):
        assert one[0] == other[0]
        for a, b in zip(one[1:], other[1:], strict=True):
            np.testing.assert_array_equal(a, b)


def test_callbacks_in_nested_pipelines_keep_candidates_out_of_stacks():
    X, y = data(TALL)
    recorder = Recorder()
    inner = make_pipeline(StandardScaler().set_callbacks(recorder))
    search = VectorizedGridSearchCV(
        make_pipeline(inner, LogisticRegressionGD(max_iter=3)),
        {"logisticregressiongd__learning_rate": [0.1, 0.2, 0.3]},
        cv=2,
    )
    search.fit(X, y)
    assert recorder.calls.count(("setup", "StandardScaler")) == 3 * 2 + 1


@both
def test_models_handed_out_are_copies(model):
    """What a callback does to one, at a step or at the end, changes nothing in the fit."""

    class Spoiling(Looker):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            for array in weights_of(fitted_estimator):
                array[...] = 0

    X, y = data(TALL)
    spoilt = clone(model).set_callbacks(Spoiling()).fit(X, y)
    assert_identical(spoilt, clone(model).fit(X, y))


def begun_and_ended(recorder):
    return [sorted(name for when, name in recorder.calls if when == which) for which in ("begin", "end")]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("owner", "method", "n_steps"), [(Objective, "__call__", 12), (GramSamples, "weights_of", 40)]
)
def test_an_interrupted_fit_ends_its_task(owner, method, n_steps, monkeypatch):
    """In the 13th step, which does not end, or where the weights are made of the Gram form."""
    X, y = data(WIDE)
    recorder = Recorder()
    raise_once(monkeypatch, KeyboardInterrupt, owner, method, 13 if owner is Objective else 1)
    model = LogisticRegressionGD(max_iter=40).set_callbacks(recorder).fit(X, y)
    assert model.n_iter_ == n_steps
    begun, ended = begun_and_ended(recorder)
    assert ended == ["fit", *["iteration"] * n_steps]
    assert len(begun) == len(ended) + (owner is Objective)


@pytest.mark.parametrize(
    ("when", "rate", "n_iter"),
    [(("iteration", 3), 0.1, 4), (("iteration", 7), 1e308, 0), (("fit", 0), 0.1, 40)],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_callbacks_that_are_interrupted_lose_no_model(when, rate, n_iter):
    """By Ctrl-C in a hook: of a step, of the step that has broken down, of the whole fit."""

    class Interrupted(Recorder):
        def on_fit_task_end(self, estimator, context):
            if (context.task_name, context.task_id) == when:
                raise KeyboardInterrupt

    X, y = data(TALL)
    model = LogisticRegressionGD(rate, 40, record_every=7).set_callbacks(Interrupted())
    with pytest.warns(FitInterruptedWarning):
        model.fit(X * 100, y)
    assert model.n_iter_ == n_iter
    assert np.isfinite(model.coef_).all()


def test_a_stack_that_the_user_interrupts_ends_the_search(monkeypatch):
    """At once: nothing is told after it but the teardown."""
    X, y = data(TALL)
    recorder = Recorder()
    search = VectorizedGridSearchCV(LogisticRegressionGD(), GRID, cv=3).set_callbacks(recorder)
    raise_once(monkeypatch, KeyboardInterrupt, Objective, "__call__", 5)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    assert not hasattr(search, "cv_results_")
    assert recorder.calls[-2:] == [("begin", "iteration"), ("teardown", "VectorizedGridSearchCV")]


def test_a_stack_that_fails_ends_its_tasks(monkeypatch):
    """Ordinary fits take over."""
    X, y = data(TALL)
    expected = GridSearchCV(LogisticRegressionGD(), GRID, cv=3).fit(X, y)
    recorder = Recorder()
    search = VectorizedGridSearchCV(LogisticRegressionGD(), GRID, cv=3).set_callbacks(recorder)
    raise_once(monkeypatch, MemoryError, Objective, "__call__", 5)
    assert_same_search(expected, search.fit(X, y))
    begun, ended = begun_and_ended(recorder)
    assert begun.count("iteration") == 5 + 2 * 8
    assert begun == ended


def test_a_descent_that_breaks_down_ends_its_tasks():
    X, y = data(TALL)
    recorder = Recorder()
    with pytest.warns(ConvergenceWarning):
        LogisticRegressionGD(1e308, 40, record_every=7).set_callbacks(recorder).fit(X * 100, y)
    whens = [when for when, _ in recorder.calls]
    assert whens.count("begin") == whens.count("end")


def test_scoring_monitor_of_a_search_logs_the_best_model():
    X, y = data(TALL)
    monitor = callback.ScoringMonitor(scoring="neg_log_loss")
    search = VectorizedGridSearchCV(LogisticRegressionGD(), GRID, cv=3, scoring="neg_log_loss")
    search.set_callbacks(monitor).fit(X, y)
    (row,) = monitor.get_logs().data
    assert row["neg_log_loss"] == pytest.approx(search.score(X, y))
    VectorizedGridSearchCV(LogisticRegressionGD(), GRID, cv=3, refit=False).set_callbacks(monitor).fit(X, y)
    assert len(monitor.get_logs(select="all")) == 1


def test_search_is_fitted_when_it_ends():
    """The last hook finds the results, as in GridSearchCV."""

    class Last(Recorder):
        def on_fit_task_end(self, estimator, context):
            if context.parent is None:
                self.found = estimator.best_estimator_, estimator.cv_results_["mean_test_score"]

    for _, watcher in both_searches(Last):
        assert watcher.found[1].shape == (4,)


@pytest.mark.parametrize("grid", [lambda step: {"s": [step]}, lambda step: {"steps": [[("s", step)]]}])
def test_search_over_watched_steps(grid):
    """Those that the grid puts into a pipeline too: what is told of them is what GridSearchCV tells."""
    X, y = data(TALL)
    told = []
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        recorder = Recorder()
        watched = LogisticRegressionGD(max_iter=2).set_callbacks(recorder)
        kind(Pipeline([("s", LogisticRegressionGD())]), grid(watched), cv=2).fit(X, y)
        told.append(recorder.calls)
    assert told[0] == told[1]
    assert told[0].count(("end", "iteration")) == 3 * 2


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


def test_search_over_watched_candidates():
    """Those of an estimator that the grid puts in are part of the search, as in GridSearchCV."""
    X, y = data(TALL)
    found = []
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        monitor = callback.ScoringMonitor(scoring="accuracy")
        watched = LogisticRegressionGD(max_iter=2).set_callbacks(monitor)
        pipeline = make_pipeline(StandardScaler(), LogisticRegressionGD())
        kind(pipeline, {"logisticregressiongd": [watched]}, cv=2).fit(X, y)
        (log,) = monitor.get_logs(select="all")
        found.append([(row["task_id_path"], row["task_name"], row["accuracy"]) for row in log.data])
    assert found[0] == found[1]


def test_search_with_a_callback_that_fails():
    """Its error in a stack ends the search at once: nothing is told after it but the teardown."""

    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            super().on_fit_task_end(estimator, context)
            if context.task_name == "iteration":
                raise ZeroDivisionError("callback failed")

    X, y = data(TALL)
    recorder = Failing()
    search = VectorizedGridSearchCV(LogisticRegressionGD(max_iter=4), {"learning_rate": [0.1]}, cv=2)
    search.set_callbacks(recorder)
    with pytest.raises(ZeroDivisionError, match="callback failed"):
        search.fit(X, y)
    assert recorder.calls[-2:] == [("end", "iteration"), ("teardown", "VectorizedGridSearchCV")]
    assert recorder.calls.count(("end", "iteration")) == 1


@pytest.mark.filterwarnings("ignore")  # of fits that have failed
def test_a_candidate_that_fails_ends_its_task():
    X, y = data(TALL)
    for kind in (GridSearchCV, VectorizedGridSearchCV):
        recorder = Recorder()
        search = kind(LogisticRegressionGD(), {"max_iter": [-1, 4]}, cv=2).set_callbacks(recorder).fit(X, y)
        assert np.isnan(search.cv_results_["mean_test_score"]).tolist() == [True, False]
        for when in ("begin", "end"):
            assert recorder.calls.count((when, "candidate-split-evaluation")) == 4


def test_search_passes_weights_to_callbacks():
    X, y = data(TALL)
    looker = LookerEverywhere()
    weights = np.arange(1.0, 41)
    search = VectorizedGridSearchCV(LogisticRegressionGD(max_iter=2), {"learning_rate": [0.1]}, cv=2)
    search.set_callbacks(looker).fit(X, y, sample_weight=weights)
    sizes = [len(m["sample_weight"]) for m in looker.metadata if m is not None]
    assert sizes.count(40) >= 3
    assert sizes.count(20) >= 4
