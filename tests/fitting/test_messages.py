"""What a fit prints, and what its warnings say. Tests of when it warns stand beside what it warns of."""

import numpy as np
from sklearn.base import clone

from models import blobs
from sknn_basic import LogisticRegressionGD
from sknn_basic._descent.run import recorded_steps, train
from sknn_basic._fitting.inputs import make_problem
from sknn_basic._fitting.messages import find_warning


def test_verbose_prints_as_the_notes_do(capsys):
    """And the costs of validation samples, if there are any."""
    X, y = blobs()
    LogisticRegressionGD(0.1, 1).fit(X, y)  # which compiles
    model = LogisticRegressionGD(0.1, 201, verbose=True).fit(X, y)
    expected = [f"Cost after iteration {100 * i}: {cost:.6f}" for i, cost in enumerate(model.loss_curve_)]
    assert capsys.readouterr().out.splitlines() == expected
    assert len(expected) == 3
    model = LogisticRegressionGD(0.1, 201, verbose=True).fit(X, y, X_val=X[:9], y_val=y[:9])
    pairs = zip(expected, model.validation_loss_curve_, strict=True)
    printed = [f"{line} (validation: {cost:f})" for line, cost in pairs]
    assert capsys.readouterr().out.splitlines() == printed


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
