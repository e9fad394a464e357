"""Choosing the learning rate: ten rates, five folds."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from sknn_basic import (
    LogisticRegressionGD,
    ShallowNNClassifier,
    VectorizedGridSearchCV,
)
from tests.longhand import logistic_descent

from .data import Data, images, noise
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
        verdict("times faster than GridSearchCV", times["GridSearchCV"] / ours, 4.5),
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
    return Section("Search: ten learning rates, five folds", lines + more_lines(data, quick))


def more_lines(data, quick):
    """Other models and shapes, beside GridSearchCV in one process and in two."""
    repeats, network = 1 if quick else 3, ShallowNNClassifier(random_state=0)
    few, some = (20, 50) if quick else (500, 2000)
    X, y = load_digits(return_X_y=True)
    rates, slow = (
        {"learning_rate": np.geomspace(0.01, 0.5, 10)},
        {"learning_rate": np.geomspace(1e-4, 5e-3, 10)},
    )
    numbers = np.unique(np.geomspace(1, some, 33).astype(int))[-30:]
    most = {"learning_rate": np.geomspace(1e-4, 5e-3, 9), "max_iter": numbers}
    four = {"learning_rate": np.geomspace(0.01, 0.5, 4)}
    plane, tall = noise(400, 2), noise(15_000, 13, n_classes=3)
    rest = {  # name: (model, grid, data, folds, bounds of the times faster than one process and two)
        "network of 7 on the images": (clone(network).set_params(hidden_layer_size=7, max_iter=few), slow, data, 5, 3.5, 2.5),
        "2,000 x 50": (LogisticRegressionGD(max_iter=some), rates, noise(2000, 50), 5, 3, 1.7),
        "network of 4 on 400 x 2": (clone(network).set_params(hidden_layer_size=4, max_iter=few), rates, plane, 5, 2.5, 1.5),
        "digits, ten classes": (LogisticRegressionGD(max_iter=few), rates, Data("digits", X / 16, y), 5, 1, 1),
        "network of 8 on 15,000 x 13, three classes": (
            clone(network).set_params(hidden_layer_size=8, max_iter=60), four, tall, 3, 1.2, 1,
        ),
        "9 rates and 30 numbers of steps on the images": (LogisticRegressionGD(), most, data, 5, 20, 1),
    }  # fmt: skip
    rows, verdicts = [], []
    for name, (model, grid, some_data, folds, bound, bound_of_two) in rest.items():
        jobs = {
            "VectorizedGridSearchCV": searching(VectorizedGridSearchCV, model, grid, some_data, cv=folds),
            "GridSearchCV": searching(GridSearchCV, model, grid, some_data, cv=folds),
            "two processes": searching(GridSearchCV, model, grid, some_data, cv=folds, n_jobs=2),
        }
        times, _ = in_turn(jobs, 1 if "30 numbers" in name else repeats)
        ours = times["VectorizedGridSearchCV"]
        rows.append([name, *(seconds(time) for time in times.values())])
        verdicts += [
            verdict(f"{name}: times faster than GridSearchCV", times["GridSearchCV"] / ours, bound),
            verdict(f"{name}: than with two processes", times["two processes"] / ours, bound_of_two),
        ]
    header = ["", "VectorizedGridSearchCV", "GridSearchCV", "GridSearchCV, n_jobs=2"]
    return ["### Other models and shapes", "", *table(header, rows), *verdicts, ""]


def searching(kind, estimator, grid, data, cv=5, **options):
    def job():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return kind(estimator, grid, cv=cv, **options).fit(data.X, data.y)

    return job
