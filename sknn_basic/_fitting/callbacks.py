"""Reports a fit to the callbacks of scikit-learn 1.9 and newer; older versions have none.

A fit is a task, and each step a subtask, or several steps if there are many (benchmarks/callbacks.py), or if
only progress bars count them.
"""

from contextlib import contextmanager, nullcontext
from functools import cache, partial
from math import ceil

import numpy as np

from .._descent.run import NULL_OBSERVER
from .._extras import import_extra

try:
    from sklearn.callback import CallbackSupportMixin, ProgressBar
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:
        """Stands in for scikit-learn's class, which provides `set_callbacks`."""


# As many as the default number of steps of a network.
MAX_TASKS = 5000
# Where only progress bars count them: each half a percent, and all of its steps in one call. The time of
# scikit-learn's bar grows with the square of the number: 2 s for 5,000, 22 s for 20,000.
MAX_TASKS_OF_BARS = 200


def callbacks_of(estimator):
    """Return the callbacks that are set on an estimator."""
    return getattr(estimator, "_skl_callbacks", [])


def only_progress_bars(estimator):
    """Whether no callback of an estimator looks at its fits: a progress bar only counts steps."""
    return all(type(callback) is ProgressBar for callback in callbacks_of(estimator))


def make_progress_bar():
    """Return scikit-learn's progress bar, or raise ImportError with the extra that it needs."""
    callback = import_extra("sklearn.callback", "progress", "A progress bar")
    import_extra("rich", "progress", "A progress bar")
    return callback.ProgressBar()


def begin_fit(estimator, n_steps, X, y, sample_weight=None):
    """Begin and return the task of a fit of `estimator`, whose `fit` must be decorated by `fit_context`."""
    if not callbacks_of(estimator):
        return NULL_TASK
    context = estimator._init_callback_context(max_subtasks=_n_tasks(estimator, n_steps))
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    return Task(estimator, context, {"X": X, "y": y, "metadata": metadata}, np.geterr(), []).begin()


class Task:
    """A part of a fit. Its beginning and end are reported to the callbacks.

    `attributes` are the fitted attributes with which a copy of the estimator predicts as if the fit had ended
    here: a dict, or a function that returns one and is called only if a callback needs them.
    """

    is_reported = True

    def __init__(self, estimator, context, data, errstate, errors):
        self.estimator, self.context, self.data = estimator, context, data
        self.errstate = errstate  # of the caller of `fit`, restored for callbacks: a descent ignores all
        self.errors = errors  # exceptions raised by callbacks; one list for all tasks of the fit

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

    def subtask(self, name, n_subtasks=0, attributes=None):
        """Begin and return a subtask with the same data."""
        context = self.context.subcontext(task_name=name, max_subtasks=n_subtasks)
        return Task(self.estimator, context, self.data, self.errstate, self.errors).begin(attributes)

    @contextmanager
    def within(self, name, n_steps):
        """Return a context that is a subtask. It also ends by an error, unless a callback has raised that."""
        task = self.subtask(name, _n_tasks(self.estimator, n_steps))
        try:
            yield task
        except Exception:
            if not self.errors:
                task.end()
            raise
        task.end()

    def step_reporter(self, n_steps, attributes_of=None):
        """Return an observer that reports each step of a descent as a subtask, if a callback sees steps."""
        if not any(getattr(callback, "sees_steps", True) for callback in callbacks_of(self.estimator)):
            return NULL_OBSERVER
        return StepReporter(self, n_steps, attributes_of)

    def record_listener(self):
        """Return a function of (step, cost, cost of the validation samples), or None if nobody listens."""
        listens = any(hasattr(callback, "on_record") for callback in callbacks_of(self.estimator))
        return self._tell_record if listens else None

    def _tell_record(self, *record):
        with np.errstate(**self.errstate):
            for callback in callbacks_of(self.estimator):
                if hasattr(callback, "on_record"):
                    callback.on_record(*record)


class _NullTask:
    """Replaces every task if no callbacks are set, so that a fit takes no longer than without this module."""

    errors, is_reported = (), False

    def end(self, attributes=None):
        return False

    def within(self, name, n_steps):
        return nullcontext(self)

    def step_reporter(self, n_steps, attributes_of=None):
        return NULL_OBSERVER

    def record_listener(self):
        return None


NULL_TASK = _NullTask()


class StepReporter:
    """An observer that reports each step of a descent to the callbacks, or several steps, as a task.

    `attributes_of` converts the Descent of `outcome()` to fitted attributes, if a callback needs them. One
    with `watch_descent` (EarlyStopping) looks at every step, and may choose the result, as no hook could.
    """

    def __init__(self, task, n_steps, attributes_of=None):
        self.task, self.n_steps, self.attributes_of = task, n_steps, attributes_of
        callbacks = callbacks_of(task.estimator)
        self.watchers = [c.watch_descent() for c in callbacks if hasattr(c, "watch_descent")]
        self.steps_per_task = _steps_per_task(task.estimator, n_steps)
        self.n_taken = 0
        self.current = None  # the task in progress

    def n_unseen(self):
        """Return how many steps may be taken before this observer looks again."""
        return 1 if self.watchers else self.steps_per_task - self.n_taken % self.steps_per_task

    def begin(self, outcome=None):
        if self.n_taken == 0:
            outcome, _ = self._look(outcome)
        if self.n_taken % self.steps_per_task == 0:
            name = "iteration" if self.steps_per_task == 1 else f"{self.steps_per_task} iterations"
            self.current = self.task.subtask(name, attributes=self._attributes(outcome))

    def end(self, outcome=None, n_steps=1):
        """Return whether a callback asks to stop."""
        self.n_taken += n_steps
        outcome, stop = self._look(outcome)
        if stop or self.n_taken % self.steps_per_task == 0 or self.n_taken == self.n_steps:
            stop |= self.close(outcome)
        return stop

    def close(self, outcome=None):
        """End the task in progress, if any; return whether a callback asks to stop."""
        if self.current is None:
            return False
        ended, self.current = self.current, None
        return ended.end(self._attributes(outcome))

    def result(self, descent):
        """Return the Descent that the first callback to choose one keeps, else this one."""
        best = next((watcher.best for watcher in self.watchers if watcher.best is not None), None)
        return descent if best is None else best._replace(last=descent)

    def _look(self, outcome):
        """Show the outcome to the watchers; return it, cached, and whether one of them asks to stop."""
        if not self.watchers:
            return outcome, False
        outcome = cache(outcome)
        stops = [watcher.look(outcome()) for watcher in self.watchers]  # a list, so that all of them look
        return outcome, any(stops)

    def _attributes(self, outcome):
        """Return a function that computes the fitted attributes, or None."""
        return None if outcome is None else partial(self._compute_attributes, outcome)

    def _compute_attributes(self, outcome):
        with np.errstate(all="ignore"):  # a diverging descent overflows
            return self.attributes_of(outcome())


def _n_tasks(estimator, n_steps):
    """Return the number of tasks as which a `StepReporter` reports the steps."""
    return ceil(n_steps / _steps_per_task(estimator, n_steps))


def _steps_per_task(estimator, n_steps):
    largest = MAX_TASKS_OF_BARS if only_progress_bars(estimator) else MAX_TASKS
    return max(ceil(n_steps / largest), 1)
