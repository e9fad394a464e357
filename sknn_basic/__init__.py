"""Logistic regression and the one-hidden-layer network by gradient descent, for scikit-learn."""

from ._classifiers import LogisticRegressionGD, ShallowNNClassifier

__version__ = "0.1.0"
__all__ = ["LogisticRegressionGD", "ShallowNNClassifier"]
