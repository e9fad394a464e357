"""A descent that breaks down or ends above its start leaves a usable model and one warning."""

from unittest.mock import patch

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from engines import ENGINES, engine_of
from models import ACTIVATIONS, assert_same_bits, blobs, both, flat, weights_of
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._descent.objective import Objective
from sknn_basic._descent.run import Run, recorded_steps, train
from sknn_basic._descent.threads import threads
from sknn_basic._fitting.inputs import make_problem
from watchers import TALL, WIDE


def test_divergence_keeps_the_last_finite_weights():
    """Overflow ends the descent at a recorded step: one warning, no RuntimeWarning, a finite model."""
    X, y = blobs()
    model = ShallowNNClassifier(4, "relu", learning_rate=50, max_iter=500, random_state=0, record_every=1)
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X * 1000, y)
    assert [warning.filename for warning in caught] == [__file__]
    n = model.n_iter_
    for words in ("learning_rate=50", f"step {n + 1} the cost", f"weights of step {n} are kept"):
        assert words in str(caught[0].message)
    assert all(np.isfinite(array).all() for array in weights_of(model))
    assert np.isfinite([*model.loss_curve_, model.loss_]).all()
    assert model.loss_ == model.loss_curve_[-1]
    same = clone(model).set_params(max_iter=max(model.n_iter_, 1))
    with pytest.warns(ConvergenceWarning):
        same.fit(X * 1000, y)
    assert_same_bits(weights_of(same), weights_of(model))


def test_a_cost_that_ends_above_its_start_is_told_with_the_stable_rate():
    """For logistic regression the warning names 2/L; below it, there is none."""
    X, y = blobs()
    y = np.random.RandomState(0).permutation(y)
    stable = 2 * LogisticRegressionGD(max_iter=1).fit(X, y).learning_rate_
    with pytest.warns(ConvergenceWarning, match=rf"step 50, above .* 2/L = {stable:g}") as caught:
        model = LogisticRegressionGD(1e4, 50).fit(X, y)
    assert len(caught) == 1
    assert model.loss_ > model.loss_curve_[0]
    LogisticRegressionGD(0.99 * stable, 50).fit(X, y)


def test_a_rising_cost_is_no_divergence():
    """A descent that rises on its way and ends below its start gives no warning."""
    X, y = blobs(m=200, seed=3)
    model = LogisticRegressionGD(6.0, 100, record_every=1).fit(X, y)
    assert np.diff(model.loss_curve_).max() > 0
    assert model.loss_ < model.loss_curve_[0]


def test_rounding_at_the_optimum_is_no_divergence():
    """A warm start at the optimum moves the cost by rounding only: no warning."""
    X, y = blobs()
    model = LogisticRegressionGD(max_iter=3000, l2_regularization=0.1, warm_start=True)
    for dtype in (np.float64, np.float32):
        for _ in range(4):
            model.fit(X.astype(dtype), y)


def test_features_that_overflow_at_the_start_are_refused():
    X, y = blobs()
    with pytest.raises(ValueError, match=r"initial weights is not finite.*Scale X"):
        ShallowNNClassifier(4, "relu", learning_rate=1, init_scale=1e10, random_state=0).fit(X * 1e307, y)
    with pytest.raises(ValueError, match=r'learning_rate="auto" needs.*Scale X'):
        ShallowNNClassifier(4, "relu", init_scale=1e10, random_state=0).fit(X * 1e307, y)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("rate", [1e-3, 1, 1e5, 1e300])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_no_rate_leaves_a_broken_model(activation, rate, dtype):
    """Whatever the rate: finite weights, finite costs, and no warning but ConvergenceWarning."""
    X, y = blobs(3)
    X = (X * 100).astype(dtype)
    steps = {"learning_rate": rate, "max_iter": 120, "record_every": 50}
    for model in LogisticRegressionGD(**steps), ShallowNNClassifier(4, activation, random_state=0, **steps):
        try:
            model.fit(X, y)
        except ConvergenceWarning:  # raised, since warnings are errors here: fit again to see the model
            with pytest.warns(ConvergenceWarning):
                model.fit(X, y)
        assert all(np.isfinite(array).all() for array in (*weights_of(model), model.predict_proba(X)))
        assert np.isfinite([*model.loss_curve_, model.loss_]).all()


@pytest.mark.parametrize("end", [1, 2, 13, 500, 2000, 100_000])
def test_automatic_records(end):
    """Every one of the first 26 steps, then fewer and fewer; those of a longer fit begin with them.

    Odd and even steps alternate, or the cost of a period of two steps would be recorded on one side alone.
    """
    steps = recorded_steps("auto", end)
    assert steps[:26] == [*range(min(end, 26))]
    assert steps == [step for step in recorded_steps("auto", 10**6) if step < end]
    gaps = np.diff(steps)
    assert (gaps[1:] >= gaps[:-1]).all()
    assert (gaps % 2 == 1).all()
    assert (abs(gaps - 0.08 * np.array(steps[:-1])) <= 1).all()
    assert len(steps) <= 140


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", [TALL, WIDE])
@both
def test_automatic_records_are_the_costs_of_those_steps(model, shape, engine):
    """To the last bit, whatever the engine takes in one call between two records."""
    X, y = blobs(2, *shape)
    with engine_of(engine):
        every = clone(model).set_params(record_every=1).fit(X, y)
        model = clone(model).set_params(record_every="auto").fit(X, y)
    np.testing.assert_array_equal(every.loss_curve_steps_, np.arange(300))
    assert len(model.loss_curve_) == len(model.loss_curve_steps_) == len(recorded_steps("auto", 300))
    assert model.loss_curve_ == [every.loss_curve_[step] for step in model.loss_curve_steps_]
    assert model.loss_ == every.loss_


def descents(problem, l2, rate, every, checkpoints=(13, 40)):
    """The descents that end at the checkpoints and after 300 steps, by the number of the step."""
    found = {}
    found[300] = train(
        problem.objective(l2), problem.layers, rate, 300, recorded_steps(every, 300),
        checkpoints=checkpoints, on_checkpoint=found.__setitem__,
    )  # fmt: skip
    return found


@pytest.mark.parametrize("every", [1, 7, "auto"])
@pytest.mark.parametrize("rate", [0.01, 30, 1e140, 1e300])
@pytest.mark.parametrize("model", [LogisticRegressionGD(), ShallowNNClassifier(3, "relu", random_state=0)])
@pytest.mark.parametrize(("n_classes", "scale"), [(2, 1), (3, 1), (2, 1e10)])
def test_records_on_the_way_change_no_bit(model, n_classes, scale, rate, every):
    """Where a descent diverges in a call with many records, it ends as if each had been looked at."""
    X, y = blobs(n_classes, 40, 5)
    problem = make_problem(model, scale * X, y, n_steps=300)
    with engine_of("compiled"), threads.shared_out():
        found = descents(problem, 0.0, rate, every)
        with patch.object(Objective, "n_at_once", lambda *_: 0):
            expected = descents(problem, 0.0, rate, every)
        with patch("sknn_basic._descent.engine.CALL_PRODUCTS", 5000):  # some 10 to 20 steps
            several = descents(problem, 0.0, rate, every)
    for other in (found, several):
        assert [*other] == [*expected]
        for step, descent in other.items():
            assert descent._replace(layers=None) == expected[step]._replace(layers=None)
            assert_same_bits(flat(descent.layers), flat(expected[step].layers))


def test_a_leap_is_taken_where_nobody_looks():
    """Or the test above compares nothing."""
    problem = make_problem(LogisticRegressionGD(), *blobs(2, 40, 5), n_steps=300)
    with engine_of("compiled"), threads.shared_out(), patch.object(Run, "record") as record:
        descents(problem, 0.0, 0.01, "auto")
        assert not record.called
        descents(problem, 0.1, 0.01, "auto")  # the penalty is not in the kernels
        assert record.called


def test_a_descent_may_diverge_between_a_checkpoint_and_a_far_record():
    """The records of a call that has ended at a checkpoint are kept, and the weights of the last of them."""
    X, y = blobs(2, 400, 5)
    problem = make_problem(ShallowNNClassifier(4, "relu", random_state=0), 1e8 * X, y, n_steps=300)
    with (
        engine_of("compiled"),
        threads.shared_out(),
        patch("sknn_basic._descent.engine.CALL_PRODUCTS", 10**5),
    ):
        found = descents(problem, 0.0, 1e60, 100, checkpoints=(1,))
        with patch.object(Objective, "n_at_once", lambda *_: 0):
            expected = descents(problem, 0.0, 1e60, 100, checkpoints=(1,))
    for step in (1, 300):
        assert found[step]._replace(layers=None) == expected[step]._replace(layers=None)
        assert_same_bits(flat(found[step].layers), flat(expected[step].layers))
    assert found[300].diverged_at is not None


@pytest.mark.parametrize(("n_classes", "n_units"), [(2, 0), (3, 0), (2, 1), (40, 1)])
def test_a_call_of_a_kernel_counts_all_of_a_step(n_classes, n_units):
    """On the smallest data too: an interruption waits for it."""
    model = ShallowNNClassifier(n_units, random_state=0) if n_units else LogisticRegressionGD()
    y = np.repeat(np.arange(n_classes), 3)
    problem = make_problem(model, np.ones((len(y), 1)), y, n_steps=300)
    with engine_of("compiled"):
        assert 300 < problem.objective(0.0).n_at_once(problem.layers) < 20_000
