"""hummingbird: models as tensors."""

import hummingbird.ml
from sklearn.linear_model import LogisticRegression

from .models import fitted, refused


class Foreign(LogisticRegression):
    """A class that hummingbird does not know, though it adds nothing to one that it does."""


def limit_conversion():
    """`convert` knows a list of classes, and refuses all others: a subclass of `LogisticRegression` that adds nothing too"""
    for model, X, y in fitted():
        for refused_too in (model, Foreign().fit(X, y)):
            with refused("MissingConverter", type(refused_too).__name__):
                hummingbird.ml.convert(refused_too, "pytorch")
