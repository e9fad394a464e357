"""What a fit prints, and what its warnings say. Tests of when it warns stand beside what it warns of."""

import numpy as np
from sklearn.base import clone

from models import assert_same_bits, blobs, both, weights_of
from sknn_basic import LogisticRegressionGD
from sknn_basic._descent.run import recorded_steps, train
from sknn_basic._fitting.inputs import make_problem
from sknn_basic._fitting.messages import find_warning


def lines_of(costs, every=100):
    return [f"Cost after iteration {step}: {cost:.6f}" for step, cost in enumerate(costs)][::every]


def test_verbose_prints_as_the_notes_do(capsys, caplog):
    """Before each recorded step, or every 100th with "auto"; with the costs of validation samples, if any."""
    X, y = blobs()
    validation = {"X_val": X[:9], "y_val": y[:9]}
    every = LogisticRegressionGD(0.1, 201, record_every=1).fit(X, y, **validation)  # which compiles
    model = LogisticRegressionGD(0.1, 201, verbose=True).fit(X, y)
    assert capsys.readouterr().out.splitlines() == lines_of(every.loss_curve_)
    assert len(model.loss_curve_) > 3  # not what is recorded
    assert [every.loss_curve_[step] for step in model.loss_curve_steps_] == model.loss_curve_
    LogisticRegressionGD(0.1, 201, record_every=30, verbose=True).fit(X, y)
    assert capsys.readouterr().out.splitlines() == lines_of(every.loss_curve_, 30)
    LogisticRegressionGD(0.1, 201, verbose=True).fit(X, y, **validation)
    pairs = zip(lines_of(every.loss_curve_), every.validation_loss_curve_[::100], strict=True)
    assert capsys.readouterr().out.splitlines() == [f"{line} (validation: {cost:f})" for line, cost in pairs]
    assert caplog.messages == []  # nobody listens at the level INFO


@both
def test_the_logger_is_told_what_verbose_prints(model, capsys, caplog):
    """Whether or not it is printed; then which model was fitted, where it ended. It changes no bit."""
    X, y = blobs()
    model = clone(model).set_params(max_iter=201)
    silent = clone(model).fit(X, y)
    told = []
    for verbose in (False, True):
        with caplog.at_level("INFO", "sknn_basic"):
            caplog.clear()
            heard = clone(model).set_params(verbose=verbose).fit(X, y)
        told.append(caplog.messages)
        assert capsys.readouterr().out.splitlines() == (caplog.messages[:-1] if verbose else [])
        assert heard.loss_curve_ == silent.loss_curve_
        assert_same_bits(weights_of(heard), weights_of(silent))
    assert told[0] == told[1]
    assert [line.split(":")[0] for line in told[0][:-1]] == [
        f"Cost after iteration {n}" for n in (0, 100, 200)
    ]
    assert told[0][-1] == (
        f"{type(model).__name__}: cost {silent.loss_:.6f} after 201 steps "
        f"at learning_rate={silent.learning_rate_:g}."
    )
    with caplog.at_level("INFO", "sknn_basic"):
        heard.fit(X, y, X_val=X, y_val=y)
    assert f"cost {heard.loss_:f} (validation: {heard.validation_loss_:f}) after" in caplog.messages[-1]
    assert {record.name for record in caplog.records} == {"sknn_basic"}


def test_the_stable_rate_is_told_where_it_is_known():
    """Of samples that are not in memory only once it has been computed, since that reads them many times."""
    X, y = blobs()
    told = []
    for samples in (X, X.astype(">f8").view(np.memmap)):
        model = LogisticRegressionGD(1e4, 5)
        problem = make_problem(clone(model), samples, y, n_steps=5)
        descent = train(problem.objective(0.0), problem.layers, 1e4, 5, recorded_steps(1, 5))
        told.append("2/L = " in find_warning(model, problem, 1e4, descent).message)
        problem.learning_rate("auto", 0.0)
        told.append("2/L = " in find_warning(model, problem, 1e4, descent).message)
    assert told == [True, True, False, True]
