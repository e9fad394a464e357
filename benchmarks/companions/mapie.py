"""MAPIE: sets of labels that hold the right one with a given probability."""

import numpy as np
from mapie.classification import CrossConformalClassifier, SplitConformalClassifier

from .models import LOGISTIC, classifiers, close, three_classes


def split():
    """`SplitConformalClassifier`: the sets are those of the quantile of 1 - p, by hand"""
    X, y = three_classes()
    y = np.unique(y, return_inverse=True)[1]
    X_fit, y_fit, X_held, y_held, X_new = X[:60], y[:60], X[60:100], y[60:100], X[100:]
    for model in classifiers():
        model.fit(X_fit, y_fit)
        conformal = SplitConformalClassifier(model, confidence_level=0.9, prefit=True)
        _, sets = conformal.conformalize(X_held, y_held).predict_set(X_new)
        scores = 1 - model.predict_proba(X_held)[np.arange(40), y_held]
        bound = np.sort(scores)[int(np.ceil(0.9 * 41)) - 1]
        close(sets[:, :, 0], 1 - model.predict_proba(X_new) <= bound)


def crossed():
    """`CrossConformalClassifier`: the sets are those around scikit-learn's logistic regression"""
    X, y = three_classes()
    y = np.unique(y, return_inverse=True)[1]
    found = []
    for model in LOGISTIC:
        conformal = CrossConformalClassifier(model, confidence_level=0.9, cv=3, random_state=0)
        _, sets = conformal.fit_conformalize(X[:100], y[:100]).predict_set(X[100:])
        found.append(sets)
    return close(*found)
