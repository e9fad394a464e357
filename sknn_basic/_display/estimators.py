"""What displays take: a classifier of this package, alone, at the end of a pipeline or in a search."""

from sklearn.utils.validation import check_is_fitted

from .._fitting.fitted_weights import model_in
from .._fitting.pipelines import last_step, transformers_of


def unwrap(display, estimator):
    """Return the steps before the classifier and the classifier; `display` is the name for messages."""
    model = model_in(display, estimator)
    check_is_fitted(last_step(model))
    return transformers_of(model), last_step(model)
