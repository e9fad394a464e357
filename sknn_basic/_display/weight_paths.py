"""The paths of descents through the space of weights, from one start."""

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from .._files.text import short_name
from .._fitting.descent_path import descent_path, models_reached, unfitted
from .._fitting.pipelines import feature_names, fit_transformers, last_step
from .weight_space import WeightSpace

HIGHEST = 4  # times the first cost: what is below is seen, since other parts of paths may diverge
PATH_BYTES = 64 * 2**20  # of the models of one descent: beyond, a path leaves out steps
MODEL_BYTES = 4 * 2**10  # of a model, without its weights
FIRST_STEPS, N_STEPS = 100, 100  # always on a path: all of the first, and so many further ones


class Descent:
    """A classifier behind its transformers: its samples, its space of weights and its paths."""

    def __init__(self, model, X, y):
        self.names, self.X, self.y = _transform(model, X, y)
        self.classifier = _with_fixed_start(last_step(model))
        self.space = WeightSpace(self.classifier, self.X, self.y)

    def path(self, rate):
        """Return the path of the descent at a learning rate."""
        return Path(self.space, clone(self.classifier).set_params(learning_rate=rate), self.X, self.y)


class Path:
    """The weight vectors and costs of one descent, their steps, and its learning rate as a number."""

    def __init__(self, space, classifier, X, y):
        steps = steps_of_path(int(classifier.max_iter), space.n_parameters)
        models, self.steps = models_reached(descent_path(classifier, X, y, steps), steps)
        self.vectors = np.array([space.vector(model._get_layers()) for model in models])
        self.losses = np.array([model.loss_ for model in models])
        self.rate = space.learning_rate(classifier.learning_rate)


def steps_of_path(end, n_parameters):
    """Return all steps from 0 to the end or, of many large models, some of them.

    These are the first, and then steps at an odd distance: odd and even ones by turns, between which a
    descent beyond 2/L jumps.
    """
    n_later = max(PATH_BYTES // (8 * n_parameters + MODEL_BYTES) - FIRST_STEPS, N_STEPS)
    distance = max(-(-(end - FIRST_STEPS) // n_later), 1) | 1
    return np.unique([*range(min(end, FIRST_STEPS)), *range(FIRST_STEPS, end, distance), end])


def low_vectors(paths):
    """Return the vector of the lowest cost and all vectors whose cost is not far above that of their start.

    Of equal costs on one path the last is the lowest.
    """
    best = min(paths, key=lambda path: path.losses.min())
    lowest = best.vectors[::-1][np.argmin(best.losses[::-1])]
    near = [path.vectors[path.losses <= HIGHEST * path.losses[0]] for path in paths]
    return lowest, np.concatenate([[lowest], *near])  # two or more, although one path may only diverge


def _transform(model, X, y):
    """Return what reaches the classifier behind transformers fitted anew: the features' names, X and y."""
    given = getattr(X, "columns", None)
    fitted, X, y = fit_transformers(unfitted(model, 1), X, y)
    names = None if given is None else feature_names(fitted, given)
    if names is None:
        names = [f"feature {j}" for j in range(np.shape(X)[1])]
    return [short_name(name) for name in names], X, y


def _with_fixed_start(classifier):
    """Return a clone that starts afresh, and from the same random weights in every fit."""
    classifier = clone(classifier)
    classifier.warm_start = False  # not set_params: a subclass may have fewer parameters
    if "random_state" in classifier.get_params() and classifier.random_state is None:
        classifier.set_params(random_state=check_random_state(None).randint(2**31 - 1))
    return classifier
