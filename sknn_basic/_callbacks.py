"""Callbacks of scikit-learn 1.9 and newer: what they are told of a fit. Older versions have none.

A fit is a task, and each of its steps is a task within it, or several steps where they are many. Where no
callbacks are set, `NULL_TASK` stands in the place of all, so that a fit takes what it takes without them
(benchmarks/callbacks.py).
"""

from contextlib import contextmanager, nullcontext
from math import ceil

import numpy as np

from ._descent.run import NULL_OBSERVER
from ._extras import import_extra

try:
    from sklearn.callback import AutoPropagatedCallback, CallbackSupportMixin, ProgressBar
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:
        """Stands for scikit-learn's class, which gives an estimator its `set_callbacks`."""


NO_DATA = None, None, None  # X, y and weights of tasks that have none of their own

# The default number of steps of a network. The time of scikit-learn's progress bar grows with the square of
# the number of tasks: 2 s for 5,000, 22 s for 20,000 (benchmarks/callbacks.py).
MAX_TASKS = 5000


def callbacks_of(estimator):
    return getattr(estimator, "_skl_callbacks", [])


def propagates_to_fits(callbacks):
    """Whether one of a search's callbacks may be passed on to what it fits, to look at a fit or to end it.

    scikit-learn's progress bar, which counts the steps of any task, does neither.
    """
    return any(isinstance(c, AutoPropagatedCallback) and type(c) is not ProgressBar for c in callbacks)


def has_callbacks(estimator):
    """Whether callbacks are set on an estimator or on one that is a part of it."""
    return any(callbacks_of(one) for one in (estimator, *estimator.get_params().values()))


def make_progress_bar():
    """Return scikit-learn's progress bar for a pipeline and what it fits, or say what it needs."""
    callback = import_extra("sklearn.callback", "progress", "A progress bar")
    import_extra("rich", "progress", "A progress bar")
    return callback.ProgressBar()


def begin_fit(estimator, n_subtasks, X, y, sample_weight=None):
    """Return the task of the fit of `estimator`, begun; its class must have the `fit_context`."""
    if not callbacks_of(estimator):
        return NULL_TASK
    context = estimator._init_callback_context(max_subtasks=n_subtasks)
    return Task(estimator, context, _data(X, y, sample_weight), np.geterr(), []).begin()


def _data(X, y, sample_weight=None):
    return {"X": X, "y": y, "metadata": None if sample_weight is None else {"sample_weight": sample_weight}}


class Task:
    """A part of a fit that callbacks are told of when it begins and when it ends.

    `attributes`, a dict or a function that returns one, are the fitted attributes with which a copy of the
    estimator predicts as if the fit had ended here. The function is called only if a callback asks.
    """

    def __init__(self, estimator, context, data, errstate, errors):
        self.estimator, self.context, self.data = estimator, context, data
        self.errstate = errstate  # that of the caller of `fit`: a descent is silent, callbacks need not be
        self.errors = errors  # what callbacks have raised, in all tasks of the fit

    def begin(self, attributes=None):
        self._call(self.context.call_on_fit_task_begin, attributes)
        return self

    def end(self, attributes=None):
        """Return whether a callback asks to stop."""
        return self._call(self.context.call_on_fit_task_end, attributes)

    def _call(self, hooks, attributes):
        try:
            with np.errstate(**self.errstate):
                return hooks(estimator=self.estimator, reconstruction_attributes=attributes, **self.data)
        except Exception as error:
            self.errors.append(error)
            raise

    def subtask(self, name, n_subtasks=0, data=None):
        """Return a task within this one, not begun; of the same data unless (X, y, weights) are given."""
        context = self.context.subcontext(task_name=name, max_subtasks=n_subtasks)
        data = self.data if data is None else _data(*data)
        return Task(self.estimator, context, data, self.errstate, self.errors)

    @contextmanager
    def within(self, name, n_subtasks=0, data=None):
        """Begin a subtask, and end it also where the work fails that is its own."""
        task = self.subtask(name, n_subtasks, data).begin()
        with task._ending():
            yield task

    @contextmanager
    def fitting(self, estimator, name, X, y, sample_weight=None):
        """Do the same with a subtask that is the fit of another estimator; X may be a function of none."""
        task = self.subtask(name, data=(X, y, sample_weight))
        with task._ending(), task.context.propagate_callback_context(estimator):
            task.begin()
            yield

    def step_reporter(self, n_steps, attributes_of=None):
        """Return what reports each step of a descent within this task."""
        return StepReporter(self, n_steps, attributes_of)

    @contextmanager
    def _ending(self):
        """End the task, but call no hook after one that has failed, nor when the user interrupts."""
        try:
            yield
        except Exception:
            if not self.errors:
                self.end()
            raise
        self.end()


class _NullTask:
    """Stands for every task where no callbacks are set."""

    errors = ()

    def __bool__(self):
        return False

    def begin(self):
        return self

    def end(self, attributes=None):
        return False

    def subtask(self, name, n_subtasks=0, data=None):
        return self

    def within(self, name, n_subtasks=0, data=None):
        return nullcontext(self)

    def fitting(self, estimator, name, X, y, sample_weight=None):
        return nullcontext()

    def step_reporter(self, n_steps, attributes_of=None):
        return NULL_OBSERVER


NULL_TASK = _NullTask()


class StepReporter:
    """Reports each step of a descent to the callbacks, as a task: `begin` before it and `end` after it.

    `attributes_of` makes fitted attributes of the Descent that `outcome()` returns, if a callback asks.
    """

    def __init__(self, task, n_steps, attributes_of=None):
        self.task, self.n_steps, self.attributes_of = task, n_steps, attributes_of
        self.steps_per_task = _steps_per_task(n_steps)
        self.n_begun = self.n_ended = 0
        self.current = None  # the task that is begun

    def begin(self, outcome=None):
        if self.n_begun % self.steps_per_task == 0:
            name = "iteration" if self.steps_per_task == 1 else f"{self.steps_per_task} iterations"
            self.current = self.task.subtask(name).begin(self._attributes(outcome))
        self.n_begun += 1

    def end(self, outcome=None):
        """Return whether a callback asks to stop."""
        self.n_ended += 1
        if self.n_ended % self.steps_per_task == 0 or self.n_ended == self.n_steps:
            return self.close(outcome)
        return False

    def close(self, outcome=None):
        """End the task that is begun, if one is; return whether a callback asks to stop."""
        if self.current is None:
            return False
        ended, self.current = self.current, None
        return ended.end(self._attributes(outcome))

    def _attributes(self, outcome):
        """Return a function that makes the attributes, as silently as the descent itself."""
        if outcome is None or self.attributes_of is None:
            return None
        return np.errstate(all="ignore")(lambda: self.attributes_of(outcome()))


def n_tasks(n_steps):
    """Return how many tasks a `StepReporter` makes of the steps."""
    return ceil(n_steps / _steps_per_task(n_steps))


def _steps_per_task(n_steps):
    return ceil(n_steps / MAX_TASKS)
