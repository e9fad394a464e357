"""Callbacks of scikit-learn 1.9 in a fit: told of every step, handed models that predict, able to end it."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models import BOTH, both, weights_of
from sknn_basic import FlattenScaler, LogisticRegressionGD, VectorizedGridSearchCV
from sknn_basic._descent.gram import GramSamples
from sknn_basic._descent.objective import Objective
from sknn_basic._fitting.messages import FitInterruptedWarning
from watchers import (
    TALL,
    WIDE,
    Everywhere,
    Looker,
    Recorder,
    assert_identical,
    begun_and_ended,
    data,
    raise_once,
)

callback = pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")


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
    before, after = [("setup", name), ("begin", "fit")], [("end", "fit"), ("teardown", name)]
    assert recorder.calls == [*before, *steps, *after]
    assert_identical(watched, model.fit(X, y))


@both
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("shape", "container"), [(TALL, np.asarray), (WIDE, np.asarray), (TALL, sparse.csr_array)]
)
def test_estimators_handed_out_are_fits_that_ended_there(model, n_classes, dtype, shape, container):
    """Each is, bit for bit, the fit of as many steps; for wide data too, which descends without weights.

    So a ScoringMonitor logs the scores of such fits, with the sample weights, which callbacks get too.
    """
    X, y = data(shape, n_classes, dtype, container)
    looker, weights = Looker(), np.linspace(1, 2, len(y))
    # Enough steps that a shorter fit, which alone would not pay for the Gram form, takes another way.
    model = clone(model).set_params(max_iter=40, record_every=3, l2_regularization=0.01)
    clone(model).set_callbacks(looker).fit(X, y, sample_weight=weights)
    assert {id(metadata["sample_weight"]) for metadata in looker.metadata} == {id(weights)}
    assert [step for _, step in looker.models] == [s for step in range(40) for s in (step, step + 1)]
    for handed, step in looker.models:
        assert handed.n_iter_ == step
        assert len(handed.loss_curve_) == -(-step // 3)
    for handed, _ in looker.models[::13]:
        proba = handed.predict_proba(X)
        assert proba.dtype == dtype
        penalty = 0.005 * sum(np.sum(W**2) for W in weights_of(handed) if W.ndim == 2)
        cost = log_loss(y, proba, sample_weight=weights) + penalty
        assert handed.loss_ == pytest.approx(cost, rel=1e-12 if dtype == np.float64 else 1e-4)
    for steps in (20, 40):
        alone = clone(model).set_params(max_iter=steps).fit(X, y, sample_weight=weights)
        assert_identical(looker.models[2 * steps - 1][0], alone)


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


def test_weights_are_made_only_if_a_callback_asks(monkeypatch):
    """In the Gram form: once for a fit that is only counted, once a step for one that is scored."""
    made, weights_of = [], GramSamples.weights_of
    monkeypatch.setattr(GramSamples, "weights_of", lambda X, C: made.append(1) or weights_of(X, C))
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
    monkeypatch.setattr("sknn_basic._fitting.callbacks.MAX_TASKS", 5)
    X, y = data(TALL)

    class Stopping(Looker):
        def on_fit_task_end(self, estimator, context):
            super().on_fit_task_end(estimator, context)
            return context.task_id + 1 == stop_after

    looker = Stopping()
    model = LogisticRegressionGD(0.1, 13).set_callbacks(looker).fit(X, y)
    assert looker.tasks == ["3 iterations"] * (stop_after or 5) + ["fit"]
    assert model.n_iter_ == (6 if stop_after else 13)
    assert_identical(model, LogisticRegressionGD(0.1, model.n_iter_).fit(X, y))


@both
@pytest.mark.parametrize("shape", [TALL, WIDE])
def test_a_bar_advances_by_half_percents_whose_steps_are_taken_at_once(model, shape, capsys, monkeypatch):
    """Where nothing but progress bars watches: the model is that of a fit alone, in few calls."""
    pytest.importorskip("rich")
    from sklearn.callback import _progressbar

    monkeypatch.setenv("COLUMNS", "200")  # rich makes its console once, for the next test too
    sent, send = [], _progressbar.send
    monkeypatch.setattr(_progressbar, "send", lambda to, event: sent.append(dict(event)) or send(to, event))
    calls, advance = [], Objective.advance

    def counting(objective, layers, learning_rate, n_steps, want_cost):
        calls.append(n_steps)
        return advance(objective, layers, learning_rate, n_steps, want_cost)

    X, y = data(shape)
    model = clone(model).set_params(max_iter=1001, record_every=300)
    ordinary = clone(model).fit(X, y)
    monkeypatch.setattr(Objective, "advance", counting)
    assert_identical(clone(model).set_callbacks(callback.ProgressBar()).fit(X, y), ordinary)
    assert [event["event"] for event in sent].count("end") == 167 + 1  # of 6 steps each, and the fit
    assert sum(calls) == 1001
    assert len(calls) <= 167 + 4  # tasks end where costs are recorded, or not
    sent.clear()
    clone(model).set_callbacks(callback.ProgressBar(), Recorder()).fit(X, y)
    assert [event["event"] for event in sent].count("end") == 1001 + 1


def test_callbacks_are_not_silenced():
    """The descent ignores overflow, a callback's own overflow still warns."""

    class Overflowing(Recorder):
        def on_fit_task_end(self, estimator, context):
            np.float64(1e300) * np.float64(1e300)

    X, y = data(TALL)
    model = LogisticRegressionGD(max_iter=3).set_callbacks(Overflowing())
    with pytest.raises(RuntimeWarning, match="overflow"):
        model.fit(X, y)


# A fit that ends early, or badly


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


@both
def test_a_fit_that_fails_ends_its_callbacks_and_leaves_the_model(model):
    """Whether the data or a callback is bad: teardown is called, fitted attributes are those of before."""

    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            if context.task_id == 3:
                raise ZeroDivisionError

    X, y = data(TALL)
    fitted = clone(model).set_params(max_iter=10).fit(X, y)
    for recorder, some, error in ((Recorder(), X * np.nan, ValueError), (Failing(), X, ZeroDivisionError)):
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
    assert len(looker.models) == 2 * looker.tasks.count("iteration")  # each step that begins ends


@pytest.mark.interrupts
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


@pytest.mark.interrupts
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


# scikit-learn's own callbacks, and pipelines


@both
def test_progress_bar_shows_iterations(model, capsys, monkeypatch):
    """Alone, in a pipeline, in both searches: a bar each, which advances with every iteration."""
    pytest.importorskip("rich")
    from sklearn.callback import _progressbar

    X, y = data(TALL)
    monkeypatch.setenv("COLUMNS", "200")  # one line a bar
    model = clone(model).set_params(max_iter=7)
    name, grid = type(model).__name__, {"learning_rate": [0.01, 0.1]}
    sent, send = [], _progressbar.send
    monkeypatch.setattr(_progressbar, "send", lambda to, event: sent.append(dict(event)) or send(to, event))
    pipeline_bars = ["Pipeline - fit", "FlattenScaler - fit", f"fit-final-estimator | {name} - fit"]
    for estimator, paths, bars in (
        (clone(model), [(0,)], [f"{name} - fit"]),
        (make_pipeline(FlattenScaler(1), model), [(0, 1)], pipeline_bars),
        (GridSearchCV(model, grid, cv=2), [*((0, 0, i) for i in range(4)), (0, 1)], ["search", "evaluation"]),
        (
            VectorizedGridSearchCV(model, grid, cv=2),
            [(0, 0, 0, 0), (0, 0, 1, 0), (0, 1)],
            ["stack #0", "refit"],
        ),
    ):
        sent.clear()
        estimator.set_callbacks(callback.ProgressBar(max_propagation_depth=None)).fit(X, y)
        for path in paths:  # each bar is told its length, and then of every iteration
            (begun,) = [e for e in sent if e["event"] == "begin" and tuple(e["path"]) == path]
            assert begun["max_subtasks"] == 7
            ended = [e["path"][-1] for e in sent if e["event"] == "end" and tuple(e["path"][:-1]) == path]
            assert ended == [*range(7)]
        lines = capsys.readouterr().out.splitlines()
        for bar in bars:
            assert any(bar in line for line in lines), bar
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


def test_flatten_scaler_hands_out_what_it_has_become():
    class Transforming(Recorder):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            super().on_fit_task_end(estimator, context)
            np.testing.assert_array_equal(fitted_estimator.transform(X), X / 2)

    X, _ = data(TALL)
    recorder = Transforming()
    FlattenScaler(2).set_callbacks(recorder).fit(X)
    assert [*zip(*recorder.calls, strict=True)] == [
        ("setup", "begin", "end", "teardown"),
        ("FlattenScaler", "fit", "fit", "FlattenScaler"),
    ]
