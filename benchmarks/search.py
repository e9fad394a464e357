"""Choosing the learning rate: ten rates, five folds."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from sknn_basic import (
    LogisticRegressionGD,
    ShallowNNClassifier,
    VectorizedGridSearchCV,
)
from tests.longhand import logistic_descent

from .data import Data, images
from .report import Section, dot_chart, ratio, seconds, table, verdict
from .timing import in_turn

CHECKPOINTS = np.arange(100, 2001, 100)


class Notes(ClassifierMixin, BaseEstimator):
    """The notes' code as an estimator, so that GridSearchCV can run it."""

    def __init__(self, learning_rate=0.005, max_iter=2000):
        self.learning_rate = learning_rate
        self.max_iter = max_iter

    def fit(self, X, y):
        self.classes_ = np.array([0, 1])
        self.w_, self.b_, _ = logistic_descent(X.T, y, self.learning_rate, self.max_iter)
        return self

    def predict(self, X):
        return (X @ self.w_ + self.b_ > 0).ravel().astype(int)


def run(quick=False):
    data = images()
    steps, repeats = (100, 1) if quick else (2000, 3)
    rates = {"learning_rate": np.geomspace(1e-4, 5e-3, 10)}
    model = LogisticRegressionGD(max_iter=steps)
    checkpoints = rates | {"max_iter": CHECKPOINTS * steps // 2000}
    jobs = {
        "VectorizedGridSearchCV": searching(VectorizedGridSearchCV, model, rates, data),
        "GridSearchCV": searching(GridSearchCV, model, rates, data),
        "GridSearchCV, n_jobs=2": searching(GridSearchCV, model, rates, data, n_jobs=2),
        "VectorizedGridSearchCV, and 20 values of max_iter": searching(
            VectorizedGridSearchCV, model, checkpoints, data
        ),
        "GridSearchCV over the notes' code": searching(GridSearchCV, Notes(max_iter=steps), rates, data),
    }
    jobs["GridSearchCV, n_jobs=2"]()  # starts its processes
    times, results = in_turn(jobs, repeats)
    stable = 2 * LogisticRegressionGD(max_iter=1).fit(data.X, data.y).learning_rate_  # 2/L
    names = "VectorizedGridSearchCV", "GridSearchCV", "GridSearchCV, n_jobs=2"
    scores = np.array([results[name].cv_results_["mean_test_score"] for name in names])
    assert np.all(np.ptp(scores[:, rates["learning_rate"] < 0.9 * stable], axis=0) == 0)
    lines = [f"Logistic regression on {data.name}, 10 rates x 5 folds x {steps:,} steps, accuracy:", ""]
    ours = times["VectorizedGridSearchCV"]
    lines += table(["", "time", "times ours"], [(n, seconds(t), ratio(t / ours)) for n, t in times.items()])
    title = f"10 rates x 5 folds x {steps:,} steps"
    dot_chart(
        "search-times.png", {title: times}, lambda name: name.startswith("Vectorized"), "time of a search"
    )
    more = times["VectorizedGridSearchCV, and 20 values of max_iter"]
    lines += [
        verdict("times faster than GridSearchCV", times["GridSearchCV"] / ours, 4),
        verdict(
            "times faster than GridSearchCV with two processes", times["GridSearchCV, n_jobs=2"] / ours, 2.5
        ),
        verdict(
            "times faster than GridSearchCV over the notes' code",
            times["GridSearchCV over the notes' code"] / ours,
            120,
        ),
        verdict("times as long with 20 values of max_iter (1,000 fits)", more / ours, 3, at_least=False),
        "",
        "![Time of each search, on a logarithmic axis](images/search-times.png)",
        "",
    ]
    network = ShallowNNClassifier(7, max_iter=50 if quick else 500, random_state=0)
    X, y = load_digits(return_X_y=True)
    digits = Data("digits", X / 16, y)
    ten_rates = {"learning_rate": np.geomspace(0.01, 0.5, 10)}
    rest = {
        "network of 7 units on the images": (network, rates, data, 2),
        "ten classes of digits (1,797 x 64)": (
            LogisticRegressionGD(max_iter=50 if quick else 500),
            ten_rates,
            digits,
            1,
        ),
    }
    for name, (estimator, grid, some, bound) in rest.items():
        both = {
            kind.__name__: searching(kind, estimator, grid, some)
            for kind in (GridSearchCV, VectorizedGridSearchCV)
        }
        times, _ = in_turn(both, repeats)
        one_by_one, stacked = times["GridSearchCV"], times["VectorizedGridSearchCV"]
        lines += [
            f"{name}, 10 rates x 5 folds x {estimator.max_iter} steps: GridSearchCV {seconds(one_by_one)}, "
            f"VectorizedGridSearchCV {seconds(stacked)}.",
            "",
            verdict(f"{name}: times faster than GridSearchCV", one_by_one / stacked, bound),
            "",
        ]
    return Section("Search: ten learning rates, five folds", lines)


def searching(kind, estimator, grid, data, **options):
    def job():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return kind(estimator, grid, cv=5, **options).fit(data.X, data.y)

    return job
