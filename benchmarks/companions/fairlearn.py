"""fairlearn: metrics by group, thresholds by group and reductions."""

import numpy as np
from fairlearn.metrics import MetricFrame
from fairlearn.postprocessing import ThresholdOptimizer
from fairlearn.reductions import DemographicParity, ExponentiatedGradient
from sklearn.metrics import accuracy_score

from .models import LOGISTIC, classifiers, close, two_classes


def _data():
    """X, y of 0 and 1, and two groups that differ in how frequent 1 is."""
    X, names = two_classes()
    return X, (names == "benign").astype(int), np.where(X[:, 1] > 0, "high", "low")


def metrics():
    """`MetricFrame`: the accuracy of each group is `score` of its rows"""
    X, y, groups = _data()
    apart = []
    for model in classifiers():
        model.fit(X, y)
        frame = MetricFrame(
            metrics=accuracy_score, y_true=y, y_pred=model.predict(X), sensitive_features=groups
        )
        expected = [model.score(X[groups == name], y[groups == name]) for name in ("high", "low")]
        apart.append(close(frame.by_group, expected))
    return max(apart)


def thresholds():
    """`ThresholdOptimizer`: the decisions are those around scikit-learn's logistic regression"""
    X, y, groups = _data()
    decisions = []
    for model in LOGISTIC:
        optimizer = ThresholdOptimizer(estimator=model, predict_method="predict_proba").fit(
            X, y, sensitive_features=groups
        )
        decisions.append(optimizer.predict(X, sensitive_features=groups, random_state=0))
    return close(*decisions)


def reductions():
    """`ExponentiatedGradient` with `DemographicParity`, by sample weights: the probabilities are those around scikit-learn's"""
    X, y, groups = _data()
    found = []
    for model in LOGISTIC:
        reduction = ExponentiatedGradient(model, DemographicParity(), max_iter=5)
        reduction.fit(X, y, sensitive_features=groups)
        found.append(reduction._pmf_predict(X))
    return close(*found, 1e-6)
