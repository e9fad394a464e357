"""yellowbrick: scores as pictures."""

import matplotlib
from sklearn.linear_model import LogisticRegression
from yellowbrick.classifier import ClassificationReport, ConfusionMatrix

from .models import classifiers, close, refused, two_classes

matplotlib.use("Agg")


def limit_classifiers():
    """Its visualizers take no classifier of scikit-learn 1.9, its own included: they ask for an attribute that is gone"""
    for model in (*classifiers(), LogisticRegression()):
        for visualizer in (ClassificationReport, ConfusionMatrix):
            with refused("YellowbrickTypeError", "not a classifier"):
                visualizer(model)


def forced():
    """With `force_model=True`: the score"""
    X, y = two_classes()
    for model in classifiers():
        for visualizer in (ClassificationReport, ConfusionMatrix):
            drawn = visualizer(model, force_model=True).fit(X, y)
            close(drawn.score(X, y), model.fit(X, y).score(X, y))
