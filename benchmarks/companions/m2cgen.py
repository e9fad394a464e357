"""m2cgen: models as source code."""

import m2cgen
import numpy as np
from sklearn.linear_model import LogisticRegression

from sknn_basic import LogisticRegressionGD

from .models import close, fitted, refused, three_classes, two_classes


class Foreign(LogisticRegression):
    """A class that m2cgen does not know, though it adds nothing to one that it does."""


def limit_export():
    """Exports know a list of classes, and refuse all others: a subclass of `LogisticRegression` that adds nothing too"""
    for model, X, y in fitted():
        for refused_too in (model, Foreign().fit(X, y)):
            with refused("NotImplementedError", type(refused_too).__name__):
                m2cgen.export_to_python(refused_too)


def by_its_weights():
    """A `LogisticRegression` that is given `classes_`, `coef_` and `intercept_` of ours: the logits"""
    apart = []
    for X, y in (two_classes(), three_classes()):
        model, known = LogisticRegressionGD(max_iter=300).fit(X, y), LogisticRegression()
        known.classes_, known.coef_, known.intercept_ = model.classes_, model.coef_, model.intercept_
        code = {}
        exec(m2cgen.export_to_python(known), code)
        apart.append(close(np.array([code["score"](row) for row in X]), model.decision_function(X), 1e-12))
    return max(apart)
