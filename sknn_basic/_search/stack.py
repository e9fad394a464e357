"""Several settings of a classifier, trained on the same samples as a stack: in one descent."""

from contextlib import suppress
from copy import copy
from functools import partial
from typing import NamedTuple

from sklearn.base import clone

from .._descent.run import Descent, recorded_steps, train_stack
from .._descent.stacking import column, n_members_at_once, repeat, stack
from .._fitting.callbacks import n_tasks
from .._fitting.inputs import DATA_ATTRIBUTES, make_problem
from .._fitting.messages import FitWarning, find_warning

STACKED = "learning_rate", "l2_regularization", "max_iter"  # parameters that differ within a stack


class Remembered(NamedTuple):
    """What the `fit` of a classifier in a stack sets and says."""

    before_descent: dict  # fitted attributes that are known before the descent
    rate: float
    descent: Descent  # which holds weights
    warning: FitWarning | None


def setting_of(classifier):
    """Return the rate ("auto" or a number), l2 and max_iter of a classifier with valid parameters."""
    rate = classifier.learning_rate
    rate = rate if isinstance(rate, str) else float(rate)
    return rate, float(classifier.l2_regularization), int(classifier.max_iter)


def with_setting(classifier, setting):
    """Return a copy of a classifier with the parameters of a setting."""
    classifier = copy(classifier)
    vars(classifier).update(zip(STACKED, setting, strict=True))
    return classifier


class Stack:
    """Settings of one classifier on the same samples; raises what its `fit` does if these are invalid."""

    def __init__(self, classifier, settings, X, y, sample_weight, gram=None):
        self.classifier, self.settings = clone(classifier), settings
        n_steps = len(settings) * max(n for *_, n in settings)
        self.problem = make_problem(self.classifier, X, y, sample_weight, n_steps=n_steps, gram=gram)
        attributes = vars(self.classifier)
        self.before_descent = {name: attributes[name] for name in DATA_ATTRIBUTES if name in attributes}
        self.trained = {}

    def train(self, task):
        """Return {setting: Remembered}, and report the steps as subtasks of a task.

        Settings that cannot be trained are left out: their own `fit` raises the error.
        """
        members = {}  # (rate, l2): settings
        for setting in self.settings:
            rate, l2, _ = setting
            with suppress(ValueError):  # "auto" overflows
                members.setdefault((self.problem.learning_rate(rate, l2), l2), []).append(setting)
        if not members:
            return self.trained
        members, size = list(members.items()), n_members_at_once(self.problem)
        stacks = [members[first : first + size] for first in range(0, len(members), size)]
        n_steps = sum(max(checkpoints_of(members)) for members in stacks)
        with task.within("stack", n_tasks(n_steps)) as stack_task:
            observer = stack_task.step_reporter(n_steps)
            try:
                for members in stacks:
                    self._train_together(members, observer)
            except Exception:
                observer.close()
                raise
        return self.trained

    def _train_together(self, members, observer):
        dtype, checkpoints = self.problem.samples.dtype, checkpoints_of(members)
        rates, penalties = zip(*(member for member, _ in members), strict=True)
        l2, layers = column(penalties, dtype), repeat(self.problem.layers, len(members))
        train_stack(
            self.problem.objective(l2 if l2.any() else 0.0, layers),
            layers,
            column(rates, dtype),
            checkpoints,
            recorded_steps(self.classifier.record_every, max(checkpoints)),
            on_checkpoint=partial(self._collect, members),
            observer=observer,
        )

    def _collect(self, members, step, descents):
        """Add the settings that end at a step, but not those whose initial cost is not finite."""
        ending = [
            (descent, rate, setting)
            for descent, ((rate, _), settings) in zip(descents, members, strict=True)
            for setting in settings
            if descent is not None and setting[-1] == step
        ]
        if not ending:
            return
        weights = self.problem.weights_of(stack([descent.layers for descent, *_ in ending]))
        for i, (descent, rate, setting) in enumerate(ending):
            warning = find_warning(with_setting(self.classifier, setting), self.problem, rate, descent)
            descent = descent._replace(layers=[(W[i].copy(), b[i].copy()) for W, b in weights])
            self.trained[setting] = Remembered(self.before_descent, rate, descent, warning)


def checkpoints_of(members):
    return {n for _, settings in members for *_, n in settings}
