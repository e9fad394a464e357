"""mlxtend: votes, stacks, subsets of features and bootstraps."""

import numpy as np
from mlxtend.classifier import EnsembleVoteClassifier, StackingCVClassifier
from mlxtend.evaluate import bias_variance_decomp
from mlxtend.feature_selection import SequentialFeatureSelector
from sklearn.naive_bayes import GaussianNB

from .models import LOGISTIC, NETWORK, close, three_classes


def _data():
    X, names = three_classes()
    return X, np.unique(names, return_inverse=True)[1]


def votes():
    """`EnsembleVoteClassifier`, soft, of fitted models: the mean of their probabilities"""
    X, y = _data()
    models = [pair[0].fit(X, y) for pair in (LOGISTIC, NETWORK)]
    ensemble = EnsembleVoteClassifier(models, voting="soft", fit_base_estimators=False).fit(X, y)
    return close(ensemble.predict_proba(X), np.mean([m.predict_proba(X) for m in models], axis=0), 1e-12)


def stacked():
    """`StackingCVClassifier`, beside naive Bayes: the probabilities are those around scikit-learn's models"""
    X, y = _data()
    apart = []
    for pair in (LOGISTIC, NETWORK):
        found = [
            StackingCVClassifier([model, GaussianNB()], model, use_probas=True, cv=3, random_state=0).fit(
                X, y
            )
            for model in pair
        ]
        apart.append(close(*(stack.predict_proba(X) for stack in found), 1e-6))
    return max(apart)


def features():
    """`SequentialFeatureSelector`: the features and scores are those with scikit-learn's models"""
    X, y = _data()
    for pair in (LOGISTIC, NETWORK):
        ours, control = (SequentialFeatureSelector(model, k_features=2, cv=3).fit(X, y) for model in pair)
        assert ours.k_feature_idx_ == control.k_feature_idx_
        close(ours.k_score_, control.k_score_)


def bootstraps():
    """`bias_variance_decomp`: loss, bias and variance are those with scikit-learn's models"""
    X, y = _data()
    options = {"loss": "0-1_loss", "num_rounds": 5, "random_seed": 0}
    split = X[:100], y[:100], X[100:], y[100:]
    return max(
        close(*(bias_variance_decomp(model, *split, **options) for model in pair))
        for pair in (LOGISTIC, NETWORK)
    )
