"""The steps of a pipeline."""

from sklearn.pipeline import Pipeline

from .base import last_step  # noqa: F401


def prefix_of(estimator):
    """Return the prefix of the classifier's parameters, such as "logisticregressiongd__" or ""."""
    return f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) else ""
