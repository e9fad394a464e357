"""What an estimator consists of: the steps, if it is a pipeline, and the class that defines a method."""

from copy import copy

from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import Pipeline


def last_step(estimator):
    """Return the last step of a pipeline, or the estimator itself."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def transformers_of(estimator):
    """Return the steps of a pipeline before the last (some may be None or "passthrough"), else []."""
    return [step for _, step in estimator.steps[:-1]] if isinstance(estimator, Pipeline) else []


def prefix_of(estimator):
    """Return the prefix of the last step's parameters: "logisticregressiongd__", or "" if it is alone."""
    return f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) else ""


def with_last_step(estimator, step):
    """Return `step`, behind the same transformers (not copies of them) if the estimator is a pipeline."""
    if not isinstance(estimator, Pipeline):
        return step
    pipeline = copy(estimator)
    pipeline.steps = [*pipeline.steps[:-1], (pipeline.steps[-1][0], step)]
    return pipeline


class Probe(ClassifierMixin, BaseEstimator):
    """Takes the place of a pipeline's last step, to see what reaches it.

    The pipeline itself is asked: steps of another package's may change y too, or act in `fit` only.
    """

    def fit(self, X, y):
        self.X_, self.y_ = X, y
        return self

    def decision_function(self, X):
        return X

    def get_feature_names_out(self, input_features=None):
        return input_features

    def __sklearn_is_fitted__(self):
        return True


def fit_transformers(estimator, X, y):
    """Fit the steps before the last; return the estimator with these, and X and y as they reach the last."""
    probed = with_last_step(estimator, Probe())
    probed.fit(X, y)
    probe = last_step(probed)
    return with_last_step(probed, last_step(estimator)), probe.X_, probe.y_


def transformed(estimator, X):
    """Return X as it reaches the last step of a fitted estimator that predicts."""
    return with_last_step(estimator, Probe()).decision_function(X)


def feature_names(estimator, names):
    """Return the names of the features that reach the last step, or None if a step names no output."""
    try:
        found = with_last_step(estimator, Probe()).get_feature_names_out()
    except AttributeError:
        return None
    return names if found is None else found  # None: no step has changed them


def defining_class(kind, name):
    """Return the class that defines an attribute of `kind`: itself, or one that it inherits from."""
    return next(parent for parent in kind.__mro__ if name in vars(parent))
