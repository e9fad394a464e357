"""shap: what each feature adds to a prediction."""

import shap
from scipy.special import logit

from sknn_basic import LogisticRegressionGD

from .models import close, fitted, two_classes


def permutation():
    """`Explainer` (by permutations) of `predict_proba`: the values sum to the probability"""
    apart = []
    for model, X, _ in fitted():
        found = shap.Explainer(model.predict_proba, X[:50], seed=0)(X[:10])
        apart.append(close(found.values.sum(axis=1) + found.base_values, model.predict_proba(X[:10]), 1e-9))
    return max(apart)


def kernel():
    """`KernelExplainer` with the link "logit": the values sum to the log-odds"""
    apart = []
    for model, X, _ in fitted():
        explainer = shap.KernelExplainer(model.predict_proba, X[:20], link="logit", seed=0)
        found = explainer(X[:5], silent=True)
        expected = logit(model.predict_proba(X[:5]))
        apart.append(close(found.values.sum(axis=1) + found.base_values, expected, 1e-6))
    return max(apart)


def linear():
    """`LinearExplainer`: the values are coef * (x - mean), and sum to the log-odds"""
    X, y = two_classes()
    model = LogisticRegressionGD(max_iter=300).fit(X, y)
    found = shap.LinearExplainer(model, shap.maskers.Independent(X, max_samples=len(X)))(X)
    close(found.values, model.coef_ * (X - X.mean(axis=0)), 1e-9)
    return close(found.values.sum(axis=1) + found.base_values, model.decision_function(X), 1e-9)


def exact():
    """`ExactExplainer` of `decision_function` on four features: the values sum to the logits"""
    apart = []
    for model, X, _ in fitted()[2:]:
        found = shap.ExactExplainer(model.decision_function, X[:20])(X[:10])
        apart.append(
            close(found.values.sum(axis=1) + found.base_values, model.decision_function(X[:10]), 1e-9)
        )
    return max(apart)
