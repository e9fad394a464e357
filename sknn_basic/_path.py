"""The models on the way of one descent."""

import warnings
from copy import copy
from functools import partial

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.utils import column_or_1d

from ._base import GradientDescentClassifier, find_warning, last_step, set_fitted_attributes
from ._descent.run import recorded_steps, train
from ._inputs import make_problem


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
        of these. After the descent has diverged, they are those that a fit keeps.

    Raises
    ------
    TypeError
        If the estimator is of another class.
    ValueError
        If `steps` is empty, negative or not increasing, or for what `fit` refuses.
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
    Callbacks are not called.

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
            f"got {estimator!r}."
        )
    estimator = clone(estimator)
    transformers = estimator[:-1] if isinstance(estimator, Pipeline) else ()
    if len(transformers):
        X = transformers.fit_transform(X, y)
    models = _path(last_step(estimator), X, y, steps, sample_weight)
    if isinstance(estimator, Pipeline):
        models = [_with_last_step(estimator, model) for model in models]
    return models


def geometric_steps(end, n):
    """Return about `n` steps from 0 to `end`: every one at first, then in a geometric progression."""
    return np.unique([0, *np.geomspace(1, end, n - 1).round().astype(int)]).tolist()


def _check_steps(steps):
    steps = column_or_1d(steps)
    if len(steps) == 0 or steps.dtype.kind not in "iu" or steps[0] < 0 or (steps[1:] <= steps[:-1]).any():
        raise ValueError(f"steps should be numbers of steps in increasing order, from 0 on, got {steps}.")
    return steps.tolist()


def _with_last_step(pipeline, model):
    """Return a pipeline of the same transformers that ends in a model."""
    pipeline = copy(pipeline)
    pipeline.steps = [*pipeline.steps[:-1], (pipeline.steps[-1][0], model)]
    return pipeline


def _path(classifier, X, y, steps, sample_weight):
    classifier.set_params(warm_start=False, max_iter=max(steps[-1], 1))
    if type(classifier).fit is not GradientDescentClassifier.fit:  # which may do anything
        return [clone(classifier).set_params(max_iter=step).fit(X, y, sample_weight) for step in steps]
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
        warnings.warn(warning.message, ConvergenceWarning, stacklevel=3)
    return models


def _add_model(models, classifier, problem, rate, step, descent):
    model = copy(classifier).set_params(max_iter=max(step, 1))
    set_fitted_attributes(model, problem.with_weights(descent), rate)
    models.append(model)
