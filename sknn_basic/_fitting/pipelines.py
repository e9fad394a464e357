"""What an estimator consists of: the steps, if it is a pipeline, and the class that defines a method."""

from copy import copy

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


def defining_class(kind, name):
    """Return the class that defines an attribute of `kind`: itself, or one that it inherits from."""
    return next(parent for parent in kind.__mro__ if name in vars(parent))
