"""imbalanced-learn: pipelines that resample, and ensembles of balanced members."""

import numpy as np
from imblearn.ensemble import BalancedBaggingClassifier, EasyEnsembleClassifier
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

from sknn_basic import VectorizedGridSearchCV

from .models import LOGISTIC, classifiers, close, two_classes


def _imbalanced():
    X, y = two_classes()
    kept = (y == "benign") | (np.arange(len(y)) % 8 == 0)
    return X[kept], y[kept]


def resampled():
    """A pipeline with `SMOTE`: the probabilities of a fit on the samples that it makes"""
    X, y = _imbalanced()
    apart = []
    for model in classifiers():
        pipeline = make_pipeline(StandardScaler(), SMOTE(random_state=0), model).fit(X, y)
        rows = StandardScaler().fit_transform(X)
        alone = clone(model).fit(*SMOTE(random_state=0).fit_resample(rows, y))
        apart.append(close(pipeline.predict_proba(X), alone.predict_proba(rows)))
    return max(apart)


def ensembles():
    """`BalancedBaggingClassifier` and `EasyEnsembleClassifier`: the probabilities of scikit-learn's own members"""
    X, y = _imbalanced()
    apart = []
    for kind in (BalancedBaggingClassifier, EasyEnsembleClassifier):
        ours, control = (
            kind(estimator=model, n_estimators=3, random_state=0).fit(X, y).predict_proba(X)
            for model in LOGISTIC
        )
        apart.append(close(ours, control, 1e-6))
    return max(apart)


def searched():
    """`VectorizedGridSearchCV` of such a pipeline: the scores are those of `GridSearchCV`"""
    X, y = _imbalanced()
    apart = []
    for model in classifiers():
        pipeline = make_pipeline(SMOTE(random_state=0), model)
        prefix = type(model).__name__.lower()
        grid = {f"{prefix}__learning_rate": [0.01, 0.1], f"{prefix}__max_iter": [20, 200]}
        kinds = VectorizedGridSearchCV, GridSearchCV
        scores = [
            kind(pipeline, grid, scoring="neg_log_loss", cv=3).fit(X, y).cv_results_["mean_test_score"]
            for kind in kinds
        ]
        apart.append(close(*scores, 1e-9))
    return max(apart)
