"""Several settings of a classifier, trained on the same samples as a stack: in one descent."""

from contextlib import suppress
from copy import copy
from functools import partial
from typing import NamedTuple

from sklearn.base import clone

from .._descent.run import Descent, recorded_steps, train, train_stack
from .._descent.stacking import column, member, n_members_at_once, repeat, stack
from .._fitting.base import finite_logits
from .._fitting.callbacks import n_tasks
from .._fitting.inputs import DATA_ATTRIBUTES, make_problem, validate_new_samples
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
        self.ended = []  # (setting, rate, Descent with parameters)
        self.layers = []  # with weights, of all that have ended

    def train(self, task):
        """Return {setting: Remembered}, and report the steps as subtasks of a task.

        Settings that cannot be trained are left out: their own `fit` raises the error.
        """
        members = {}  # (rate, l2): settings
        for setting in dict.fromkeys(self.settings):  # some may be equal
            rate, l2, _ = setting
            with suppress(ValueError):  # "auto" overflows
                members.setdefault((self.problem.learning_rate(rate, l2), l2), []).append(setting)
        if not members:
            return {}
        members, size = list(members.items()), n_members_at_once(self.problem)
        stacks = [members[first : first + size] for first in range(0, len(members), size)]
        n_steps = sum(checkpoints_of(members)[-1] for members in stacks)
        with task.within("stack", n_tasks(n_steps)) as stack_task:
            observer = stack_task.step_reporter(n_steps)
            try:
                for members in stacks:
                    descend = self._train_together if len(members) > 1 else self._train_alone
                    descend(members, observer)
            except Exception:
                observer.close()
                raise
        return self._remembered()

    def _train_together(self, members, observer):
        dtype, checkpoints = self.problem.samples.dtype, checkpoints_of(members)
        rates, penalties = zip(*(member for member, _ in members), strict=True)
        l2, layers = column(penalties, dtype), repeat(self.problem.layers, len(members))
        train_stack(
            self.problem.objective(l2 if l2.any() else 0.0, layers),
            layers,
            column(rates, dtype),
            checkpoints,
            recorded_steps(self.classifier.record_every, checkpoints[-1]),
            on_checkpoint=partial(self._collect_all, members),
            observer=observer,
        )

    def _train_alone(self, members, observer):
        """Descend as a `fit` does, but once for all numbers of steps."""
        (own,), (*checkpoints, last) = members, checkpoints_of(members)
        (rate, l2), _ = own
        descent = train(
            self.problem.objective(l2),
            self.problem.layers,
            rate,
            last,
            recorded_steps(self.classifier.record_every, last),
            observer=observer,
            checkpoints=checkpoints,
            on_checkpoint=partial(self._collect, own),
        )
        if descent.interrupted:
            raise KeyboardInterrupt
        self._collect(own, last, descent)

    def _collect_all(self, members, step, descents):
        for own, descent in zip(members, descents, strict=True):
            if descent is not None:  # its initial cost is finite
                self._collect(own, step, descent)

    def _collect(self, own, step, descent):
        """Add the settings of a member that end at a step."""
        (rate, _), settings = own
        self.ended += [(setting, rate, descent) for setting in settings if setting[-1] == step]

    def _remembered(self):
        """Return {setting: Remembered}. One product computes all weights, of which each model has a view."""
        problem, remembered = self.problem, {}
        del self.problem  # and the samples with it
        if self.ended:
            self.layers = problem.weights_of(stack([descent.layers for *_, descent in self.ended]))
        for i, (setting, rate, descent) in enumerate(self.ended):
            warning = find_warning(with_setting(self.classifier, setting), problem, rate, descent)
            descent = descent._replace(layers=member(self.layers, i))
            remembered[setting] = Remembered(self.before_descent, rate, descent, warning)
        return remembered

    def logits(self, X):
        """Return {setting: logits of the rows of X}."""
        Z = finite_logits(self.classifier._network, validate_new_samples(self.classifier, X), self.layers)
        return {setting: Z[i] for i, (setting, *_) in enumerate(self.ended)}


def checkpoints_of(members):
    return sorted({n for _, settings in members for *_, n in settings})
