"""The models on the way of one descent."""

import warnings
from copy import copy
from functools import partial

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from .._descent.run import recorded_steps, train
from .base import GradientDescentClassifier, last_step, set_fitted_attributes
from .inputs import make_problem
from .messages import find_warning


def descent_path(estimator, X, y, steps, *, sample_weight=None):
    """Return the models after given steps of one descent.

    They are what fits with these `max_iter` give, for the time of the longest: to the last bit, unless fits
    of few steps would do without the Gram matrix of wide samples. With it, weights are made for these steps
    only.

    Parameters
    ----------
    estimator : LogisticRegressionGD, ShallowNNClassifier or Pipeline
        A classifier of this package, or a pipeline that ends in one. It is cloned and not changed; whether it
        is fitted makes no difference, and `max_iter`, `warm_start` and `verbose` are not used.
    X : {array-like, sparse matrix} of shape (n_samples, ...)
        What `fit` of the estimator takes.
    y : array-like of shape (n_samples,)
        The class of each sample.
    steps : array-like of int of shape (n_models,)
        After how many steps to look, in increasing order, from 0, the start, on. On a logarithmic scale, such
        as ``np.unique(np.geomspace(1, 1e6, 60).astype(int))``, a long descent shows its phases.
    sample_weight : array-like of shape (n_samples,), default=None
        The weights of the samples.

    Returns
    -------
    models : list of estimators of shape (n_models,)
        Fitted classifiers whose `n_iter_` is the step, or pipelines of the same fitted transformers and one
        of these. After the descent has diverged, they are those that a fit keeps, whose `n_iter_` is below
        the step.

    Raises
    ------
    TypeError
        If the estimator is of another class.
    ValueError
        If `steps` is empty, negative, not increasing or not of integers, or for what `fit` refuses.
    KeyboardInterrupt
        If the user interrupts (Ctrl-C).

    Warns
    -----
    ConvergenceWarning
        If a fit of the last step would.

    See Also
    --------
    DescentDisplay : Draws and animates such models on two features.
    VectorizedGridSearchCV : Scores fits of many lengths and rates by cross-validation.

    Notes
    -----
    Callbacks are not called. Models share arrays where they are equal. Estimators whose class defines `fit`
    itself are fitted once for each step, since their `fit` may do more than descend.

    References
    ----------
    "Deep Learning in Python" (notes), section 1.2.2: the loop of `optimize`.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from sknn_basic import ShallowNNClassifier, descent_path
    >>> X, y = make_moons(300, noise=0.2, random_state=0)
    >>> models = descent_path(ShallowNNClassifier(random_state=0), X, y, [0, 10, 100, 1000])
    >>> [f"{model.score(X, y):.2f}" for model in models]
    ['0.73', '0.85', '0.94', '0.98']
    """
    steps = _check_steps(steps)
    if not isinstance(last_step(estimator), GradientDescentClassifier):
        raise TypeError(
            "descent_path takes LogisticRegressionGD, ShallowNNClassifier or a Pipeline that ends in one, "
            f"such as the best_estimator_ of a search, got {estimator!r}."
        )
    if not _has_own_fit(estimator):
        return _path(estimator, X, y, steps, sample_weight)
    models = _path(estimator, X, y, [0], sample_weight) if steps[0] == 0 else []
    return models + [_fit(estimator, X, y, step, steps[-1], sample_weight) for step in steps if step > 0]


def _check_steps(steps):
    steps = np.asarray(steps)
    if steps.ndim != 1 or len(steps) == 0 or steps.dtype.kind not in "iu":
        raise ValueError(
            f"steps should be a list of integers, got {steps!r}. Pass [n] for one model; round a scale, as "
            "in np.unique(np.geomspace(1, 1000, 20).astype(int))."
        )
    if steps[0] < 0 or (steps[1:] <= steps[:-1]).any():
        raise ValueError(f"steps should be numbers of steps in increasing order, from 0 on, got {steps}.")
    return steps.tolist()


def _has_own_fit(estimator):
    """Whether a subclass defines `fit`, which may do anything besides the descent."""
    is_pipeline = isinstance(estimator, Pipeline)
    return (is_pipeline and type(estimator).fit is not Pipeline.fit) or (
        type(last_step(estimator)).fit is not GradientDescentClassifier.fit
    )


def _unfitted(estimator, n_steps):
    """Return a clone that will take so many steps from the start, silently."""
    estimator = clone(estimator)
    classifier = last_step(estimator)
    vars(classifier).pop("_skl_callbacks", None)
    # Not set_params: a subclass may have fewer parameters.
    classifier.max_iter, classifier.warm_start, classifier.verbose = max(n_steps, 1), False, False
    return estimator


def _fit(estimator, X, y, step, last, sample_weight):
    model = _unfitted(estimator, step)
    prefix = f"{model.steps[-1][0]}__" if isinstance(model, Pipeline) else ""
    weights = {} if sample_weight is None else {f"{prefix}sample_weight": sample_weight}
    with warnings.catch_warnings():
        if step < last:
            warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y, **weights)


def _path(estimator, X, y, steps, sample_weight):
    estimator = _unfitted(estimator, steps[-1])
    if not isinstance(estimator, Pipeline):
        return _models(estimator, X, y, steps, sample_weight)
    if len(estimator) > 1:
        X = estimator[:-1].fit_transform(X, y)
    models = _models(estimator[-1], X, y, steps, sample_weight)
    return [_with_last_step(estimator, model) for model in models]


def _with_last_step(pipeline, model):
    """Return a pipeline of the same transformers that ends in a model."""
    pipeline = copy(pipeline)
    pipeline.steps = [*pipeline.steps[:-1], (pipeline.steps[-1][0], model)]
    return pipeline


def _models(classifier, X, y, steps, sample_weight):
    classifier._validate_params()
    problem = make_problem(classifier, X, y, sample_weight, n_steps=steps[-1])
    l2 = float(classifier.l2_regularization)
    rate = problem.learning_rate(classifier.learning_rate, l2)
    models = []
    descent = train(
        problem.objective(l2),
        problem.layers,
        rate,
        steps[-1],
        recorded_steps(classifier.record_every, steps[-1]),
        checkpoints=steps,
        on_checkpoint=partial(_add_model, models, classifier, problem, rate),
    )
    if descent.interrupted:
        raise KeyboardInterrupt
    warning = find_warning(classifier, problem, rate, descent)
    if warning and steps[-1] > 0:
        warnings.warn(warning.message, ConvergenceWarning, stacklevel=4)
    return models


def _add_model(models, classifier, problem, rate, step, descent):
    model = copy(classifier)
    model.max_iter = max(step, 1)
    set_fitted_attributes(model, problem.with_weights(descent), rate)
    models.append(model)


def reached(models, steps):
    """Return the models, and their steps, that a path has reached: all, unless it has diverged."""
    pairs = [(m, step) for m, step in zip(models, steps, strict=True) if last_step(m).n_iter_ == step]
    return tuple(map(list, zip(*pairs, strict=True)))


def geometric_steps(end, n):
    """Return about `n` steps from 0 to `end`: every one at first, then in a geometric progression."""
    return np.unique([0, *np.geomspace(1, end, n - 1).round().astype(int)]).tolist()
