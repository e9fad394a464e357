"""Several settings of a classifier, trained on the same samples as a stack: in one descent."""

from contextlib import suppress
from copy import copy
from time import perf_counter
from typing import NamedTuple

from sklearn.base import clone

from .._descent.run import Descent
from .._descent.several import Member, pieces_of, steps_of, train_pieces
from .._descent.stacking import member, stack
from .._fitting.base import finite_logits
from .._fitting.inputs import DATA_ATTRIBUTES, make_problem, validate_new_samples
from .._fitting.messages import FitWarning, find_warning, prepare

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
        self.rows, self.layers = {}, []  # {setting: row of the layers}, the stack of all weights

    def prepare(self, is_printed):
        """Compile the steps, if they have to be; return how many seconds that took."""
        began = perf_counter()
        prepare(self.problem.objective(0.0), is_printed)
        return perf_counter() - began

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
            return {}
        descents = [Member(*own, {n for *_, n in settings}) for own, settings in members.items()]
        pieces = pieces_of(self.problem, descents, is_observed=task.is_reported)
        n_steps = sum(steps_of(piece)[-1] for piece in pieces)
        with task.within("stack", n_steps) as stack_task:
            observer = stack_task.step_reporter(n_steps)
            try:
                ended = train_pieces(self.problem, pieces, self.classifier.record_every, observer)
            except Exception:
                observer.close()
                raise
        return self._remembered(members, ended)

    def _remembered(self, members, ended):
        """Return {setting: Remembered}. One product computes all weights, of which each model has a view."""
        problem, remembered = self.problem, {}
        del self.problem  # and the samples with it
        if ended:
            self.layers = problem.weights_of(stack([descent.layers for *_, descent in ended]))
        for i, ((rate, l2, _), step, descent) in enumerate(ended):
            weighted = descent._replace(layers=member(self.layers, i))
            for setting in members[rate, l2]:
                if setting[-1] == step:
                    warning = find_warning(with_setting(self.classifier, setting), problem, rate, descent)
                    remembered[setting] = Remembered(self.before_descent, rate, weighted, warning)
                    self.rows[setting] = i
        return remembered

    def logits(self, X):
        """Return {setting: logits of the rows of X}."""
        Z = finite_logits(self.classifier._network, validate_new_samples(self.classifier, X), self.layers)
        return {setting: Z[i] for setting, i in self.rows.items()}
