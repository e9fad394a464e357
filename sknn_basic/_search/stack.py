"""Several settings of a classifier trained on the same samples, in one descent."""

from copy import copy
from functools import partial
from typing import NamedTuple

from sklearn.base import clone

from .._descent.run import Descent, recorded_steps, train_stack
from .._descent.samples import BLOCK_BYTES
from .._descent.stacking import column, repeat, stack
from .._fitting.base import OF_DATA
from .._fitting.callbacks import n_tasks
from .._fitting.inputs import make_problem
from .._fitting.messages import FitWarning, find_warning

# Members of a stack are trained together as long as their weights and their temporaries for a block of rows
# stay below this. A larger stack is trained in several descents, one after another.
STACK_BYTES = 2**28
STACKED = "learning_rate", "l2_regularization", "max_iter"  # parameters that may differ within a stack


class Remembered(NamedTuple):
    """A classifier trained in a stack: all that its `fit` sets or says."""

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
    for name, value in zip(STACKED, setting, strict=True):
        setattr(classifier, name, value)
    return classifier


class Stack:
    """Settings of one classifier, to train on the same samples.

    Raises whatever its `fit` would for invalid samples. `gram` is X X' in float64, if already known.
    """

    def __init__(self, classifier, settings, X, y, sample_weight, gram=None):
        self.classifier, self.settings = clone(classifier), settings
        n_steps = len(settings) * max(n for *_, n in settings)
        self.problem = make_problem(self.classifier, X, y, sample_weight, n_steps=n_steps, gram=gram)
        attributes = vars(self.classifier)
        self.before_descent = {name: attributes[name] for name in OF_DATA if name in attributes}
        self.trained = {}

    def train(self, task):
        """Return {setting: Remembered}; steps are reported as subtasks of a task.

        Settings that cannot be trained are left out: their own `fit` raises the error.
        """
        descents = self._descents()
        if descents:
            n_steps = sum(max(set().union(*members.values())) for members in descents)
            with task.within("stack", n_tasks(n_steps)) as stack_task:
                observer = stack_task.step_reporter(n_steps)
                try:
                    for members in descents:
                        self._train_together(members, observer)
                except Exception:
                    observer.close()
                    raise
        return self.trained

    def _descents(self):
        """Return what one descent trains, {(rate, l2): {max_iter: settings}}, for each descent."""
        members = {}
        for setting in self.settings:
            rate, l2, n_steps = setting
            try:
                rate = self.problem.learning_rate(rate, l2)
            except ValueError:  # "auto" overflows
                continue
            members.setdefault((rate, l2), {}).setdefault(n_steps, []).append(setting)
        size, items = n_members_at_once(self.problem), list(members.items())
        return [dict(items[first : first + size]) for first in range(0, len(items), size)]

    def _train_together(self, members, observer):
        dtype = self.problem.samples.dtype
        rates, penalties = zip(*members, strict=True)
        l2 = column(penalties, dtype)
        layers = repeat(self.problem.layers, len(members))
        checkpoints = {step for settings in members.values() for step in settings}
        train_stack(
            self.problem.objective(l2 if l2.any() else 0.0, layers),
            layers,
            column(rates, dtype),
            checkpoints,
            recorded_steps(self.classifier.record_every, max(checkpoints)),
            on_checkpoint=partial(self._collect_finished, list(zip(rates, members.values(), strict=True))),
            observer=observer,
        )

    def _collect_finished(self, members, step, descents):
        """Add the settings that end at a step; `members` are (rate, {max_iter: settings}).

        A member whose initial cost is not finite is left out.
        """
        ending = [
            (descent, rate, settings[step])
            for descent, (rate, settings) in zip(descents, members, strict=True)
            if descent is not None and step in settings
        ]
        if not ending:
            return
        weights = self.problem.weights_of(stack([descent.layers for descent, *_ in ending]))
        for position, (descent, rate, settings) in enumerate(ending):
            kept = descent._replace(layers=[(W[position].copy(), b[position]) for W, b in weights])
            for setting in settings:
                classifier = with_setting(self.classifier, setting)
                warning = find_warning(classifier, self.problem, rate, descent)
                self.trained[setting] = Remembered(self.before_descent, rate, kept, warning)


def n_members_at_once(problem):
    """Return how many members fit in memory at once, with their weights and temporaries for a block."""
    n_samples, n_features = problem.samples.shape
    width = sum(b.shape[1] for _, b in problem.layers)
    rows = min(n_samples, max(BLOCK_BYTES // (8 * n_features), 8 * width))
    (W, _), *deeper = problem.layers
    weights = n_features * W.shape[1] + sum(W.size for W, _ in deeper)
    return max(STACK_BYTES // (8 * (5 * rows * width + 4 * weights)), 1)
