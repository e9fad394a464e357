"""What displays take: a classifier of this package, alone, at the end of a pipeline or in a search."""

from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from .._fitting.base import GradientDescentClassifier
from .._fitting.pipelines import last_step, transformers_of


def unwrap(display, estimator):
    """Return the steps before the classifier and the classifier; `display` is the name for messages."""
    model = best_model(display, estimator)
    check_is_fitted(last_step(model))
    return transformers_of(model), last_step(model)


def best_model(display, estimator):
    """Return a classifier of this package or a pipeline that ends in one: that of a search, or as given."""
    if hasattr(estimator, "refit") and not hasattr(estimator, "best_estimator_"):
        raise NotFittedError(
            f"{display} draws the best_estimator_ of a search, but this {type(estimator).__name__} has none: "
            "fit it, with refit=True."
        )
    estimator = getattr(estimator, "best_estimator_", estimator)
    if not isinstance(last_step(estimator), GradientDescentClassifier):
        raise TypeError(
            f"{display} takes LogisticRegressionGD, ShallowNNClassifier, a Pipeline that ends in one or a "
            f"fitted search over either, got {estimator!r}."
        )
    return estimator
