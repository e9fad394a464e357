"""cleanlab: labels that are wrong."""

import numpy as np
from cleanlab.classification import CleanLearning
from cleanlab.filter import find_label_issues
from sklearn.model_selection import cross_val_predict

from .models import LOGISTIC, NETWORK, close, two_classes


def _mislabelled():
    """X, labels with every twentieth wrong, and which these are."""
    X, names = two_classes()
    wrong = np.arange(len(X)) % 20 == 0
    return X, (names == "benign").astype(int) ^ wrong, wrong


def found():
    """`find_label_issues` of out-of-fold probabilities: those of scikit-learn's models, and most of the wrong labels"""
    X, labels, wrong = _mislabelled()
    for pair in (LOGISTIC, NETWORK):
        options = {"cv": 5, "method": "predict_proba"}
        ours, control = (
            find_label_issues(labels, cross_val_predict(model, X, labels, **options), n_jobs=1)
            for model in pair
        )
        close(ours, control)
        assert ours[wrong].mean() > 0.7, ours[wrong].mean()


def cleaned():
    """`CleanLearning`: issues and predictions are those around scikit-learn's logistic regression"""
    X, labels, _ = _mislabelled()
    found = []
    for model in LOGISTIC:
        cleaner = CleanLearning(model, seed=0, find_label_issues_kwargs={"n_jobs": 1}).fit(X, labels)
        found.append((cleaner.get_label_issues()["is_label_issue"], cleaner.predict(X)))
    return close(*found)
