"""The public function `descent_path`: the models after given steps of one descent."""

import warnings
from copy import copy
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from .._descent.run import recorded_steps, train
from .._descent.threads import threads
from .base import GradientDescentClassifier, set_fitted_attributes
from .inputs import make_problem
from .messages import find_warning
from .pipelines import defining_class, fit_transformers, last_step, prefix_of, with_last_step


def descent_path(estimator, X, y, steps=None, *, every=None, sample_weight=None):
    """Return the models after given steps of one descent.

    Each model equals that of `fit` with this `max_iter`, and all together take the time of the longest fit.
    They are equal to the last bit, except on wide samples, where a fit of few steps would do without the Gram
    matrix that a long descent uses.

    Parameters
    ----------
    estimator : LogisticRegressionGD, ShallowNNClassifier or Pipeline
        A classifier of this package, or a pipeline that ends in one. A clone is fitted; `max_iter`
        (but for `every`), `verbose` and callbacks are not used. A fitted classifier with ``warm_start=True``
        starts from its weights, as its `fit` does; in a pipeline it starts afresh, since the transformers are
        fitted anew.
    X : {array-like, sparse matrix} of shape (n_samples, ...)
        What `fit` of the estimator takes.
    y : array-like of shape (n_samples,)
        The class of each sample.
    steps : array-like of shape (n_models,), default=None
        The numbers of steps, in increasing order: whole numbers, of type int or float; 0 is the start. A
        logarithmic scale, such as ``np.unique(np.geomspace(1, 1e6, 60).round())``, shows the phases of a long
        descent.
    every : int, default=None
        In place of `steps`: 0, every, 2 every, ..., up to `max_iter` of the estimator.
    sample_weight : array-like of shape (n_samples,), default=None
        The weights of the samples.

    Returns
    -------
    models : list of estimators of shape (n_models,)
        Fitted classifiers whose `n_iter_` is the step, or pipelines that end in one and share their fitted
        transformers. From where the descent has diverged on, they are what a fit keeps: `n_iter_` is then
        below the step.

    Raises
    ------
    TypeError
        If the estimator is of another class.
    ValueError
        If `steps` is empty, negative, not increasing or not of whole numbers; if both `steps` and `every`
        are given, or neither; if `every` is not an int of at least 1; or for what `fit` refuses.
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
    Models share arrays where they are equal. A subclass that defines `fit` is fitted once for each number of
    steps, since its `fit` may do more than descend.

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
    ['0.73', '0.85', '0.93', '0.98']
    """
    if not isinstance(last_step(estimator), GradientDescentClassifier):
        raise TypeError(
            "descent_path takes LogisticRegressionGD, ShallowNNClassifier or a Pipeline that ends in one, "
            f"such as the best_estimator_ of a search, got {estimator!r}."
        )
    steps = _steps_of(steps, every, last_step(estimator).max_iter)
    if not _defines_fit(estimator):
        return _models_of_one_descent(estimator, X, y, steps, sample_weight)
    start = _models_of_one_descent(estimator, X, y, [0], sample_weight) if steps[0] == 0 else []
    return start + [_fit_alone(estimator, X, y, n, sample_weight, n == steps[-1]) for n in steps if n > 0]


def _steps_of(steps, every, max_iter):
    """Return the steps as a list of int, or raise ValueError."""
    if (steps is None) == (every is None):
        raise ValueError(
            "Pass either steps, a list of numbers of steps, or every, the distance between them."
        )
    if every is not None:
        if isinstance(every, bool) or not isinstance(every, Integral) or every < 1:
            raise ValueError(f"every should be an integer of at least 1, got {every!r}.")
        return list(range(0, int(max_iter) + 1, int(every)))
    found = np.asarray(steps)
    is_list = found.ndim == 1 and len(found) > 0 and found.dtype.kind in "iuf" and np.isfinite(found).all()
    if not (is_list and found[0] >= 0 and (found[1:] > found[:-1]).all() and (found == found.round()).all()):
        raise ValueError(
            f"steps should be a list of whole numbers in increasing order, from 0 on, got {steps!r}. Pass "
            "[n] for one model; round a scale, as in np.unique(np.geomspace(1, 1000, 20).round())."
        )
    return [int(step) for step in found]


def _defines_fit(estimator):
    """Whether a subclass defines `fit`, which may do anything besides the descent."""
    kinds = type(estimator), type(last_step(estimator))
    return not {defining_class(kind, "fit") for kind in kinds} <= {Pipeline, GradientDescentClassifier}


def unfitted(estimator, n_steps):
    """Return a clone that takes so many steps from the start, silently and without callbacks."""
    estimator = clone(estimator)
    classifier = last_step(estimator)
    for watched in (estimator, classifier):
        vars(watched).pop("_skl_callbacks", None)
    # Not set_params: a subclass may have fewer parameters.
    classifier.max_iter, classifier.warm_start, classifier.verbose = max(n_steps, 1), False, False
    return estimator


def _at_start(estimator, n_steps):
    """Return a clone as `unfitted`, but with the weights that `fit` would continue from."""
    fresh = unfitted(estimator, n_steps)
    if not isinstance(estimator, Pipeline) and estimator.warm_start and hasattr(estimator, "classes_"):
        fitted = vars(estimator).keys() - vars(fresh) - {"_skl_callbacks"}
        fitted -= {"validation_loss_", "validation_loss_curve_"}
        vars(fresh).update({name: vars(estimator)[name] for name in fitted}, warm_start=True)
    return fresh


def _fit_alone(estimator, X, y, n_steps, sample_weight, is_last):
    """Return the model of a fit of its own; only the last of all fits may warn."""
    model = _at_start(estimator, n_steps)
    weights = {} if sample_weight is None else {f"{prefix_of(model)}sample_weight": sample_weight}
    with warnings.catch_warnings():
        if not is_last:
            warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y, **weights)


def _models_of_one_descent(estimator, X, y, steps, sample_weight):
    """Fit the transformers once and descend once; return the model after each of the steps."""
    estimator, X, y = fit_transformers(_at_start(estimator, steps[-1]), X, y)
    classifier = last_step(estimator)
    classifier._validate_params()
    with threads.shared_out():
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
    if warning:
        warnings.warn(warning.message, ConvergenceWarning, stacklevel=3)
    return [with_last_step(estimator, model) for model in models]


def _add_model(models, classifier, problem, rate, step, descent):
    model = copy(classifier)
    model.max_iter = max(step, 1)
    set_fitted_attributes(model, problem.with_weights(descent), rate)
    models.append(model)


def models_reached(models, steps):
    """Return the models of a path, and their steps, without those after its descent has diverged."""
    reached = [(m, step) for m, step in zip(models, steps, strict=True) if last_step(m).n_iter_ == step]
    return [model for model, _ in reached], [step for _, step in reached]


def geometric_steps(end, n):
    """Return about `n` steps from 0 to `end`: every one at first, then in a geometric progression."""
    return np.unique([0, *np.geomspace(1, end, n - 1).round().astype(int)]).tolist()
