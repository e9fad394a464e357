"""scikit-learn's meta-estimators, each around our classifier and around scikit-learn's own that computes the same."""

import warnings
from itertools import product

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFECV, SelectFromModel, SequentialFeatureSelector
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    learning_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.semi_supervised import SelfTrainingClassifier

from sknn_basic import VectorizedGridSearchCV

from .models import LOGISTIC, NETWORK, close, three_classes, two_classes

warnings.simplefilter("ignore", ConvergenceWarning)  # of FullBatch, which ends at max_iter


def _same(results, *metas, data=None, pairs=(LOGISTIC, NETWORK), tolerance=1e-6):
    """Fit each `meta(model)` for both models of a pair, and require the same results; return how far they are apart."""
    X, y = data or two_classes()
    apart = []
    for meta, pair in product(metas, pairs):
        ours, control = (results(meta(model).fit(X, y), X, y) for model in pair)
        apart.append(close(ours, control, tolerance))
    return max(apart)


def _probabilities(model, X, y):
    return model.predict_proba(X)


def _decisions(model, X, y):
    return model.predict(X) == y


def calibrated():
    """`CalibratedClassifierCV`: sigmoid, isotonic, temperature, and of a `FrozenEstimator`: the probabilities"""
    X, y = two_classes()
    metas = (
        lambda model: CalibratedClassifierCV(model, cv=3),
        lambda model: CalibratedClassifierCV(model, method="isotonic", cv=3, ensemble=False),
        lambda model: CalibratedClassifierCV(model, method="temperature", cv=3),
        lambda model: CalibratedClassifierCV(FrozenEstimator(model.fit(X, y))),
    )
    of_three = _same(_probabilities, *metas[:3], data=three_classes(), pairs=[LOGISTIC])
    return max(of_three, _same(_probabilities, *metas))


def boosted_and_bagged():
    """`AdaBoostClassifier`, 10 rounds; `BaggingClassifier`, 5 members on half of the features: the probabilities"""
    options = {"n_estimators": 5, "max_features": 0.5, "random_state": 0}
    metas = (
        lambda model: AdaBoostClassifier(model, n_estimators=10, random_state=0),
        lambda model: BaggingClassifier(model, **options),
    )
    return _same(_probabilities, *metas, data=three_classes())


def voting_and_stacked():
    """`VotingClassifier` and `StackingClassifier`, beside naive Bayes: the probabilities"""

    def members(model):
        return [("model", model), ("bayes", GaussianNB())]

    metas = (
        lambda model: VotingClassifier(members(model), voting="soft"),
        lambda model: StackingClassifier(members(model), model, cv=3),
    )
    return _same(_probabilities, *metas, data=three_classes())


def one_against_others():
    """`OneVsRestClassifier`, `OneVsOneClassifier` and `OutputCodeClassifier`: the decisions"""
    metas = OneVsRestClassifier, OneVsOneClassifier, lambda model: OutputCodeClassifier(model, random_state=0)
    return _same(_decisions, *metas, data=three_classes(), tolerance=0)


def several_outputs():
    """`ClassifierChain` and `MultiOutputClassifier` on two targets: the probabilities"""
    X, y = three_classes()
    targets = np.column_stack([y == "setosa", y == "virginica"]).astype(int)
    return _same(_probabilities, ClassifierChain, MultiOutputClassifier, data=(X, targets))


def self_training():
    """`SelfTrainingClassifier`, four of five labels hidden: the probabilities"""
    X, y = three_classes()
    labels = np.unique(y, return_inverse=True)[1]
    labels[np.arange(len(y)) % 5 > 0] = -1
    return _same(_probabilities, SelfTrainingClassifier, data=(X, labels))


def thresholds():
    """`TunedThresholdClassifierCV`: the threshold; `FixedThresholdClassifier`: the decisions"""
    tuned = _same(lambda m, X, y: m.best_threshold_, lambda model: TunedThresholdClassifierCV(model, cv=3))
    fixed = _same(_decisions, lambda model: FixedThresholdClassifier(model, threshold=0.9))
    return max(tuned, fixed)


def searches():
    """`GridSearchCV`, `HalvingGridSearchCV` and `HalvingRandomSearchCV` over `max_iter`: the scores"""
    grid, options = {"max_iter": [5, 20, 100]}, {"cv": 3, "random_state": 0, "min_resources": 150}
    metas = (
        lambda model: GridSearchCV(model, grid, cv=3),
        lambda model: HalvingGridSearchCV(model, grid, **options),
        lambda model: HalvingRandomSearchCV(model, grid, n_candidates=3, **options),
    )
    return _same(
        lambda search, X, y: search.cv_results_["mean_test_score"], *metas, pairs=[NETWORK], tolerance=0
    )


def vectorized():
    """`VectorizedGridSearchCV` over rates, penalties and steps: the scores are those of `GridSearchCV`"""
    X, y = three_classes()
    grid = {"learning_rate": [0.01, 0.1], "max_iter": [20, 200], "l2_regularization": [0, 0.1]}
    kinds = GridSearchCV, VectorizedGridSearchCV
    scores = [kind(NETWORK[0], grid, cv=3).fit(X, y).cv_results_["mean_test_score"] for kind in kinds]
    return close(*scores)


def features():
    """`RFECV`, `SelectFromModel` and `SequentialFeatureSelector` of logistic regression: the features chosen"""
    metas = (
        lambda model: RFECV(model, step=5, cv=3),
        SelectFromModel,
        lambda model: SequentialFeatureSelector(model, n_features_to_select=2, cv=3),
    )
    return _same(lambda selector, X, y: selector.get_support(), *metas, pairs=[LOGISTIC], tolerance=0)


def inspected():
    """`permutation_importance`, `partial_dependence`, `cross_val_predict`, `learning_curve`: all numbers"""
    found = (
        lambda fitted, X, y: permutation_importance(fitted, X, y, n_repeats=2, random_state=0).importances,
        lambda fitted, X, y: partial_dependence(fitted, X, [0], response_method="predict_proba").average,
        lambda fitted, X, y: cross_val_predict(fitted, X, y, method="predict_proba", cv=3),
        lambda fitted, X, y: learning_curve(fitted, X, y, cv=3)[2],
    )
    return max(_same(numbers, lambda model: model) for numbers in found)
