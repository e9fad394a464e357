"""EarlyStopping: where a fit ends and which model it keeps, against fits of each length."""

import pickle
import sys
from copy import deepcopy
from functools import partial

import numpy as np
import pytest
from joblib import parallel_backend
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from longhand import distance
from models import assert_same_bits, blobs, weights_of
from sknn_basic import EarlyStopping, FlattenScaler, LogisticRegressionGD, ShallowNNClassifier, descent_path
from sknn_basic import VectorizedGridSearchCV as VectorizedSearch
from sknn_basic._descent.gram import GramSamples
from sknn_basic._descent.objective import Objective
from sknn_basic._fitting.callbacks import callbacks_of
from sknn_basic._fitting.messages import FitInterruptedWarning
from sknn_basic._fitting.pipelines import prefix_of
from watchers import Looker, Recorder, assert_identical, raise_once

callback = pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")

MODELS = [
    LogisticRegressionGD(0.5, max_iter=120),
    ShallowNNClassifier(8, learning_rate=0.8, max_iter=120, random_state=1),
]
each = pytest.mark.parametrize("model", MODELS, ids=["logistic", "shallow"])


def noisy(m=40, n=12, n_val=60, n_classes=2, seed=0):
    """Samples of which a long descent learns the noise, and validation samples."""
    rng = np.random.RandomState(seed)
    X, X_val = rng.standard_normal((m, n)), rng.standard_normal((n_val, n))
    labels = [(Z[:, :2].sum(axis=1) + rng.standard_normal(len(Z))) * 0.7 for Z in (X, X_val)]
    y, y_val = (np.clip(np.round(z + (n_classes - 1) / 2), 0, n_classes - 1).astype(int) for z in labels)
    return X, y, {"X_val": X_val, "y_val": y_val}


def costs_of(model, X, y, monitor="validation_loss", **validation):
    """The cost after 0, 1, ..., max_iter steps of an ordinary fit."""
    fitted = clone(model).set_callbacks() if callbacks_of(model) else clone(model)
    fitted.set_params(record_every=1).fit(X, y, **validation)
    curve = fitted.validation_loss_curve_ if monitor == "validation_loss" else fitted.loss_curve_
    return [*curve, getattr(fitted, f"{monitor}_")]


def ending(costs, patience, min_delta=0.0):
    """The first step with `patience` steps before it that did not lower the cost, or the last of all."""
    reference, improved = costs[0], 0
    for step, cost in enumerate(costs):
        if cost < reference - min_delta:
            reference, improved = cost, step
        if step - improved == patience:
            break
    return step


def stopping(model, *args, **options):
    return clone(model).set_callbacks(EarlyStopping(*args, **options))


# Where it stops, and what it keeps


@each
@pytest.mark.parametrize(("n_classes", "patience"), [(2, 1), (3, 7), (2, 30), (3, 1000)])
def test_best_of_the_steps_is_kept(model, n_classes, patience):
    """Bit for bit the fit of as many steps, with its curves and all other attributes."""
    X, y, validation = noisy(n_classes=n_classes)
    weights = np.linspace(1, 2, len(y))
    model = clone(model).set_params(record_every=4, l2_regularization=0.001)
    costs = costs_of(model, X, y, sample_weight=weights, **validation)
    last = ending(costs, patience)
    best = int(np.argmin(costs[: last + 1]))
    assert 0 < best < 120
    assert (last < 120) == (patience < 100)
    expected = clone(model).set_params(max_iter=best).fit(X, y, weights, **validation)
    found = stopping(model, patience=patience).fit(X, y, weights, **validation)
    assert found.n_iter_ == best
    assert_identical(found, expected)
    assert vars(found).keys() - {"_skl_callbacks"} == vars(expected).keys()
    assert found.validation_loss_ == expected.validation_loss_ == costs[best]
    assert found.validation_loss_curve_ == expected.validation_loss_curve_
    assert found.loss_curve_steps_.tolist() == expected.loss_curve_steps_.tolist() == [*range(0, best, 4)]
    last_model = stopping(model, patience=patience, restore_best=False).fit(X, y, weights, **validation)
    assert_identical(last_model, clone(model).set_params(max_iter=last).fit(X, y, weights, **validation))


@each
@pytest.mark.parametrize(
    ("monitor", "rate", "patience", "min_delta"),
    [
        ("validation_loss", 0.5, 4, 0.002),
        ("validation_loss", 0.5, 4, 0.05),
        ("loss", 0.1, 1, 0.002),  # a fit that hardly moves
        ("loss", 0.04, 5, 0.0085),  # no step improves by so much, but five together do
    ],
)
def test_small_improvements_add_up_and_are_kept(model, monitor, rate, patience, min_delta):
    """They count once they are more than `min_delta` together; the model is still that of the lowest cost."""
    X, y, validation = noisy()
    model = clone(model).set_params(learning_rate=rate)
    validation = {} if monitor == "loss" else validation
    costs = costs_of(model, X, y, monitor, **validation)
    last = ending(costs, patience, min_delta)
    assert patience < last < ending(costs, patience)
    for restore_best, n_iter in ((True, np.argmin(costs[: last + 1])), (False, last)):
        options = {"patience": patience, "min_delta": min_delta, "restore_best": restore_best}
        found = stopping(model, monitor, **options).fit(X, y, **validation)
        assert found.n_iter_ == n_iter
        assert_identical(found, clone(model).set_params(max_iter=n_iter).fit(X, y, **validation))


def test_start_counts_as_a_step():
    """Where every step makes it worse the start is the best, and the patience counts from it."""
    X, y, _ = noisy()
    validation = {"X_val": X, "y_val": 1 - y}
    model = LogisticRegressionGD(0.5, 50)
    assert np.argmin(costs_of(model, X, y, **validation)) == 0
    with pytest.warns(ConvergenceWarning, match="cost of the validation samples .* initial weights are kept"):
        found = stopping(model, patience=3).fit(X, y, **validation)
    assert found.n_iter_ == 0
    assert not found.coef_.any()
    assert found.validation_loss_ == pytest.approx(np.log(2))
    assert stopping(model, patience=3, restore_best=False).fit(X, y, **validation).n_iter_ == 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_wide_samples_make_weights_only_for_the_model(dtype, monkeypatch):
    """In the Gram form, where fits of each length give the same bits."""
    X, y, validation = noisy(30, 300)
    X, validation["X_val"] = (Z.astype(dtype) for Z in (X, validation["X_val"]))
    X[:, :2] *= 5
    validation["X_val"][:, :2] *= 5
    model = LogisticRegressionGD(0.01, max_iter=200)
    costs = costs_of(model, X, y, **validation)
    last = ending(costs, 5)
    best = int(np.argmin(costs))
    assert 20 < best < last < 200
    expected = clone(model).set_params(max_iter=best).fit(X, y, **validation)
    made, weights_of = [], GramSamples.weights_of
    monkeypatch.setattr(GramSamples, "weights_of", lambda self, C: made.append(1) or weights_of(self, C))
    found = stopping(model, patience=5).fit(X, y, **validation)
    assert len(made) == 1
    assert_identical(found, expected)
    assert found.coef_.dtype == dtype


def test_groups_of_steps_are_looked_into(monkeypatch):
    """In a fit of more steps than tasks the patience is exact too, and the task in progress ends."""
    monkeypatch.setattr("sknn_basic._fitting.callbacks.MAX_TASKS", 5)
    X, y, validation = noisy()
    model = MODELS[0]
    costs = costs_of(model, X, y, **validation)
    last = ending(costs, 6)
    assert last % 24
    recorder = Recorder()
    early = clone(model).set_callbacks(EarlyStopping(patience=6, restore_best=False), recorder)
    assert early.fit(X, y, **validation).n_iter_ == last
    tasks = [name for when, name in recorder.calls if when == "end"]
    assert tasks == ["24 iterations"] * (last // 24 + 1) + ["fit"]
    assert len([when for when, _ in recorder.calls if when == "begin"]) == len(tasks)


def test_descent_that_diverges_keeps_the_best():
    """The model before it, as a fit of as many steps: without a warning that the descent diverged."""
    X, y, validation = noisy()
    model = ShallowNNClassifier(4, "leaky_relu", learning_rate=3, l2_regularization=0.6, random_state=1)
    model.set_params(max_iter=600, record_every=10)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        clone(model).fit(X, y, **validation)
    found = stopping(model, patience=1000).fit(X, y, **validation)
    assert 0 < found.n_iter_ < 500
    assert np.isfinite(found.validation_loss_)
    assert all(np.isfinite(w).all() for w in weights_of(found))


# Where nothing improves

TOO_FAST = [
    LogisticRegressionGD(1e4, max_iter=60),
    ShallowNNClassifier(3, learning_rate=1e4, max_iter=60, random_state=1),
]
too_fast = pytest.mark.parametrize("model", TOO_FAST, ids=["logistic", "shallow"])


@too_fast
@pytest.mark.parametrize("monitor", ["loss", "validation_loss"])
@pytest.mark.parametrize("patience", [1, 7, 1000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_fit_that_lowers_no_cost_warns(model, monitor, patience, dtype):
    """As the fit of as many steps without the callback does; the start is kept, if the best is asked for."""
    X, y, validation = noisy(200, 3)
    X, validation["X_val"] = (10 * Z.astype(dtype) for Z in (X, validation["X_val"]))
    with pytest.warns(ConvergenceWarning):
        costs = costs_of(model, X, y, "loss", **validation)
    assert np.argmin(costs) == 0
    last = min(patience, 60)
    ended = f"ended at {costs[last]:g} after step {last}, above its start of {costs[0]:g}."
    with pytest.warns(ConvergenceWarning, match="did not lower the cost at") as caught:
        found = stopping(model, monitor, patience=patience).fit(X, y, **validation)
    assert f"{ended} The initial weights are kept. Pass a smaller learning_rate" in str(caught[0].message)
    assert (len(caught), caught[0].filename, found.n_iter_) == (1, __file__, 0)
    (start,) = descent_path(model, X, y, [0])
    assert_same_bits(weights_of(found), weights_of(start))
    with pytest.warns(ConvergenceWarning, match="did not lower the cost at") as caught:
        found = stopping(model, monitor, patience=patience, restore_best=False).fit(X, y, **validation)
    assert f"{ended} Pass a smaller learning_rate" in str(caught[0].message)
    assert (len(caught), found.n_iter_) == (1, last)


@too_fast
def test_they_warn_in_pipelines_and_searches(model):
    """Once for each fit, also beside a callback that stops; `descent_path` warns as the fit without any."""
    X, y, _ = noisy(200, 3)
    X = 10 * X
    model = stopping(model, "loss", patience=3)
    pipeline = make_pipeline("passthrough", model)
    estimators = [
        (pipeline, 1),
        (GridSearchCV(model, {"max_iter": [20, 40]}, cv=2), 5),
        (VectorizedSearch(pipeline, {f"{prefix_of(pipeline)}max_iter": [20, 40]}, cv=2), 5),
        (clone(model).set_callbacks(EarlyStopping("loss"), Recorder(stop_after=2)), 1),
        (clone(model).set_callbacks(Recorder(stop_after=2)), 1),
    ]
    for estimator, n_fits in estimators:
        with pytest.warns(ConvergenceWarning, match="did not lower the cost at") as caught:
            estimator.fit(X, y)
        assert len(caught) == n_fits
    with pytest.warns(ConvergenceWarning, match="did not lower the cost at") as caught:
        descent_path(model, X, y, [0, 1, 2])
    assert len(caught) == 1


def test_a_descent_that_diverges_at_once_warns():
    X, y, _ = noisy()
    model = ShallowNNClassifier(4, "relu", learning_rate=50, max_iter=9, record_every=1, random_state=0)
    with pytest.warns(ConvergenceWarning, match="diverged at .* weights of step 0 are kept"):
        found = stopping(model, "loss").fit(X * 1e150, y)
    assert found.n_iter_ == 0


def test_warm_starts_warn_likewise():
    """Of a rate that is too large, from any start; not at an optimum, where costs differ by rounding."""
    X, y, _ = noisy(200, 3)
    model = LogisticRegressionGD(max_iter=5, warm_start=True).fit(X, y)
    model.set_callbacks(EarlyStopping("loss", patience=20)).fit(X, y)
    before = weights_of(deepcopy(model))
    model.set_params(learning_rate=1e3, max_iter=5000)
    with pytest.warns(ConvergenceWarning, match="did not lower the cost at .* initial weights are kept"):
        model.fit(X, y)
    assert model.n_iter_ == 0
    assert distance(model.coef_, before[0]) == 0
    model.set_params(learning_rate=0.01).set_callbacks(EarlyStopping())
    with pytest.warns(ConvergenceWarning, match="did not lower the cost of the validation samples"):
        model.fit(X, 1 - y, X_val=X, y_val=y)
    assert model.n_iter_ == 0


# Several fits, and several callbacks


@each
def test_state_is_that_of_one_fit(model):
    """A callback that has seen a fit, shared with clones, gives later fits what a new one gives."""
    X, y, validation = noisy()
    used = stopping(model, patience=3).fit(X, y, **validation)
    (shared,) = callbacks_of(used)
    other = noisy(seed=5)
    for fits_again in (used, clone(used)):
        assert callbacks_of(fits_again) == [shared]
        found = fits_again.fit(other[0], other[1], **other[2])
        assert_identical(found, stopping(model, patience=3).fit(other[0], other[1], **other[2]))
    assert vars(shared) == vars(EarlyStopping(patience=3))


def test_warm_start_continues_from_the_best():
    X, y, validation = noisy()
    model = stopping(LogisticRegressionGD(0.5, 100, warm_start=True), patience=4).fit(X, y, **validation)
    best = model.n_iter_
    X, y, validation = noisy(seed=5)
    model.set_params(learning_rate=0.01).fit(X, y, **validation)
    expected = LogisticRegressionGD(0.5, best, warm_start=True).fit(*noisy()[:2])
    expected.set_params(learning_rate=0.01)
    further = deepcopy(expected).set_params(record_every=1, max_iter=100).fit(X, y, **validation)
    costs = [*further.validation_loss_curve_, further.validation_loss_]
    assert model.n_iter_ == np.argmin(costs[: ending(costs, 4) + 1]) > 0
    assert_identical(model, expected.set_params(max_iter=model.n_iter_).fit(X, y))


def test_pickling():
    """Of the callback and of a model that has it; the fit of a copy is the same, as in another process."""
    early = EarlyStopping("loss", patience=7, min_delta=0.1, restore_best=False)
    assert repr(pickle.loads(pickle.dumps(early))) == repr(early)
    assert repr(early) == "EarlyStopping(monitor='loss', patience=7, min_delta=0.1, restore_best=False)"
    X, y, validation = noisy()
    model = stopping(MODELS[0], patience=5).fit(X, y, **validation)
    copy = pickle.loads(pickle.dumps(model))
    assert_identical(copy, model)
    assert_identical(copy.fit(X, y, **validation), model)


def test_first_of_several_chooses():
    """Either may end the fit; the first that restores chooses the model."""
    X, y, validation = noisy()
    model = MODELS[0]
    costs = costs_of(model, X, y, **validation)
    by_validation, by_cost = EarlyStopping(patience=3), EarlyStopping("loss", patience=5)
    last = ending(costs, 3)
    for callbacks, n_iter in (((by_validation, by_cost), last - 3), ((by_cost, by_validation), last)):
        found = clone(model).set_callbacks(*callbacks).fit(X, y, **validation)
        assert found.n_iter_ == n_iter
    keeping = EarlyStopping(patience=3, restore_best=False)
    assert clone(model).set_callbacks(keeping, by_cost).fit(X, y, **validation).n_iter_ == last


def test_other_callbacks_are_told_of_the_model():
    """Steps are told as ever; the end of the fit hands out the model that is kept."""

    class Final(Looker):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            self.tasks.append((context.task_name, fitted_estimator.n_iter_))

    X, y, validation = noisy()
    final = Final()
    early = clone(MODELS[0]).set_callbacks(EarlyStopping(patience=3), final).fit(X, y, **validation)
    last = early.n_iter_ + 3
    assert final.tasks == [*(("iteration", step) for step in range(1, last + 1)), ("fit", early.n_iter_)]


# Searches


@pytest.mark.parametrize("search_class", [partial(GridSearchCV, n_jobs=2), VectorizedSearch])
@each
def test_searches(search_class, model):
    """Each candidate of each fold ends by itself: scores are those of fits by hand, as is the refit.

    Threads share the callback; what a process gets, `test_pickling` checks.
    """
    X, y, validation = noisy(m=48)
    grid = {"learning_rate": [0.1, 0.4], "max_iter": [60, 200]}
    search = search_class(stopping(model, patience=2), grid, cv=2, scoring="neg_log_loss")
    with parallel_backend("threading"):
        search.fit(X, y, **validation)
    splits, lengths, results = [*StratifiedKFold(2).split(X, y)], set(), search.cv_results_
    for params, found in zip(results["params"], results["mean_test_score"], strict=True):
        scores = []
        for train, test in splits:
            candidate = clone(model).set_params(**params).set_callbacks()
            costs = costs_of(candidate, X[train], y[train], **validation)
            best = int(np.argmin(costs[: ending(costs, 2) + 1]))
            lengths.add(best)
            fit = candidate.set_params(max_iter=best).fit(X[train], y[train])
            scores.append(-log_loss(y[test], fit.predict_proba(X[test])))
        assert found == pytest.approx(np.mean(scores), rel=1e-9)
    assert len(lengths) > 2
    best = stopping(model, patience=2).set_params(**search.best_params_).fit(X, y, **validation)
    assert_identical(search.best_estimator_, best)
    assert search.best_estimator_.n_iter_ < 200


# What it refuses


def test_validation_samples_must_be_passed():
    """Also to the second of two fits; the estimator is left as it was. In a search they are named too."""
    X, y, validation = noisy()
    message = r"looks at the cost of validation samples.*Pass X_val and y_val to fit"
    model = stopping(MODELS[0])
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert not hasattr(model, "coef_")
    model.fit(X, y, **validation)
    before = dict(vars(model))
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert vars(model) == before
    for search_class in (GridSearchCV, VectorizedSearch):
        search = search_class(stopping(MODELS[0]), {"learning_rate": [0.1]}, cv=2)
        with pytest.raises(ValueError, match=message):
            search.fit(X, y)


def test_it_is_set_on_the_classifier():
    """On anything else the error says where, before anything is fitted."""
    X, y, _validation = noisy()
    searches = [kind(MODELS[0], {"learning_rate": [0.1]}) for kind in (GridSearchCV, VectorizedSearch)]
    for estimator in (make_pipeline(StandardScaler(), MODELS[0]), *searches, FlattenScaler()):
        name = type(estimator).__name__
        estimator.set_callbacks(EarlyStopping())
        with pytest.raises(TypeError, match=f"set on {name}. Set it on the LogisticRegressionGD or Shallow"):
            estimator.fit(X, y)
        assert not hasattr(estimator, "n_features_in_")


@pytest.mark.parametrize(
    ("name", "value"),
    [("monitor", "accuracy"), ("patience", 0), ("patience", 2.5), ("min_delta", -0.1), ("restore_best", 3)],
)
def test_bad_parameters(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of EarlyStopping must be .* Got {value!r}"):
        EarlyStopping(**{name: value})


def test_older_versions_of_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.callback", None)
    with pytest.raises(ImportError, match=r"scikit-learn 1\.9\+, needs .*sknn-basic\[progress\]"):
        EarlyStopping()


@pytest.mark.interrupts
@each
def test_interruption_keeps_the_weights_reached(model, monkeypatch):
    """Not the best: the warning names the step, and a warm start goes on from there."""
    X, y, validation = noisy()
    best = stopping(model, patience=1000).fit(X, y, **validation).n_iter_
    advanced = []

    class Interrupting(Recorder):
        def on_fit_task_end(self, estimator, context):
            advanced.append(1)
            if len(advanced) == best + 5:
                raise KeyboardInterrupt

    interrupted = clone(model).set_callbacks(EarlyStopping(patience=1000), Interrupting())
    with pytest.warns(FitInterruptedWarning, match=f"weights of step {best + 5} of 120 are kept"):
        interrupted.fit(X, y, **validation)
    assert interrupted.n_iter_ == best + 5
    assert_identical(interrupted, clone(model).set_params(max_iter=best + 5).fit(X, y))


@pytest.mark.interrupts
def test_interruption_of_a_look(monkeypatch):
    """Within a step, and within the computation of a cost that is looked at: whole steps are kept."""
    X, y = blobs()
    model = stopping(LogisticRegressionGD(0.1, 50), patience=50)
    for n in (20, 21):
        with monkeypatch.context() as patch:
            raise_once(patch, KeyboardInterrupt, Objective, "__call__", n)
            with pytest.warns(FitInterruptedWarning):
                model.fit(X, y, X_val=X, y_val=y)
        assert 0 < model.n_iter_ < 20
        assert_identical(model, LogisticRegressionGD(0.1, model.n_iter_).fit(X, y))
