"""The loop of gradient descent: recording, observers, early stopping and divergence."""

import sys
from bisect import bisect_left, bisect_right
from contextlib import suppress
from math import isfinite
from typing import NamedTuple

import numpy as np

from .arrays import on_host
from .rows import OutOfReach
from .stacking import member


class Descent(NamedTuple):
    """The result of a descent: the final layers, their cost, and why it ended early, if it did."""

    layers: list
    n_iter: int  # updates that led to `layers`
    loss: float  # cost of `layers`; NaN if it could not be computed
    loss_curve: list  # cost before each recorded step
    validation_loss: float | None = None  # cost of the validation samples, if any
    validation_loss_curve: list | None = None
    diverged_at: int | None = None  # first step found with a cost or weights that are not finite
    interrupted: bool = False  # by the user (Ctrl-C)
    last: "Descent | None" = None  # where it has ended, if an observer keeps these layers instead


class NullObserver:
    """An observer is notified of every step and may stop the descent after it; this one does nothing."""

    def begin(self, outcome=None):
        """Begin a step; `outcome()` returns the Descent that would end here."""

    def n_unseen(self):
        """Return how many steps may be taken between `begin` and `end`."""
        return sys.maxsize

    def end(self, outcome=None, n_steps=1):
        """End so many steps; return whether to stop the descent."""
        return False

    def close(self, outcome=None):
        """Abandon the step that has begun."""

    def result(self, descent):
        """Return the Descent to keep of one that has ended, not by an interruption."""
        return descent


NULL_OBSERVER = NullObserver()

# With record_every="auto" the number of steps grows by this share from record to record: 82 records in 2,000
# steps, 133 in 100,000. They do not depend on the length of a fit, so that curves can be compared.
GROWTH = 0.08


def recorded_steps(record_every, end):
    """Return the steps below `end` before which the cost is recorded, sorted."""
    if record_every != "auto":
        return range(0, end, int(record_every))  # of small types of NumPy too
    steps = [0]
    while steps[-1] < end:
        # By an odd distance: odd and even steps alternate, to show a cost that is high at every other one.
        steps.append(steps[-1] + 2 * int(GROWTH / 2 * steps[-1]) + 1)
    return steps[:-1]


def first_from(step, steps, end):
    """Return the first of the sorted `steps` from `step` on, or `end` if that is sooner."""
    i = bisect_left(steps, step)
    return min(steps[i], end) if i < len(steps) else end


def is_in(step, steps):
    return first_from(step, steps, step + 1) == step


class BaseRun:
    """The state of a running descent: the layers reached, and the steps before which costs are recorded."""

    has_ended = False  # diverged, or stopped by an observer
    outcome = None

    def __init__(self, objective, layers, records):
        self.objective, self.records = objective, records
        self.reached = 0, layers  # one assignment: an interruption never separates the two
        self.start = self.reached  # of the last leap that began with a record
        self.n_at_once = None  # steps of a leap; 0 if somebody looks at each record
        self.looks = records  # steps before which the cost is computed

    def leap(self, learning_rate, end):
        """Take the steps until a record, or the end, in one call that records on its way; say if it can.

        Where it meets numbers that are not far from overflow, the last records are made again, one by one.
        """
        step, layers = self.reached
        if self.n_at_once is None:
            self.n_at_once = self.objective.n_at_once(layers)
        until = min(end, step + self.n_at_once)
        last = bisect_right(self.records, until) - 1
        if until < end or self.records[last] > step:  # a leap to the end begins at the last record
            until = self.records[last]
        if until <= step:
            return False
        first, last = bisect_left(self.records, step), bisect_left(self.records, until)
        offsets = np.array(self.records[first:last], np.intp) - step
        if first < last and offsets[0] == 0:
            self.start = self.reached
        found = self.objective.leap(layers, learning_rate, until - step, offsets)
        if found is None:
            self.n_at_once, self.reached = 0, self.start
            self.keep(bisect_left(self.records, self.start[0]))
        else:
            layers, costs = found
            self.extend(costs)
            self.reached = until, layers
            self.note_record(self.start)
        return True


class Run(BaseRun):
    """A descent of one member; all options are those of `train`."""

    def __init__(
        self, objective, layers, records,
        validation=None, on_record=None, reports=None, record_listener=None,
    ):  # fmt: skip
        super().__init__(objective, layers, records)
        self.validation, self.on_record = validation, on_record
        self.reports = records if reports is None else reports
        self.recorded = None  # `reached` at the last record
        self.costs = []  # (cost, cost of the validation samples or None) of each record
        self.record_listener, self.n_told = record_listener, 0  # of the records
        if on_record is not None or validation is not None:
            self.n_at_once = 0
        if on_record is not None and self.reports is not records:
            self.looks = sorted({*records, *reports})

    def record(self, cost, are_finite=False):
        """Record the cost of the layers reached; end if it, or they, are not finite, unless that is known."""
        step, layers = self.reached
        is_record, cost = is_in(step, self.records), float(cost)
        if is_record and not (are_finite or self._is_finite(cost, layers)):
            self.has_ended = True
            return
        costs = self._with_validation(cost, layers)
        if is_record:
            self.costs.append(costs)
            self.recorded = self.reached
            self._tell()
        if self.on_record is not None and is_in(step, self.reports):
            self.on_record(step, *costs)

    def extend(self, costs):
        self.costs += [(cost, None) for cost in costs.tolist()]
        self._tell()

    def _tell(self):
        """Tell the listener the records that it has not heard of: some may be made twice."""
        if self.record_listener is not None:
            for step, costs in zip(self.records[self.n_told :], self.costs[self.n_told :], strict=False):
                self.n_told += 1
                self.record_listener(step, *costs)

    def keep(self, n):
        del self.costs[n:]

    def note_record(self, start):
        self.recorded = start

    def outcome(self, cost=None):
        """Return the Descent that ends here, with the layers reached if finite, else the last recorded."""
        n_iter, layers = self.reached  # `cost` is that of these layers, if known
        if cost is None:
            cost = float(self.objective(layers, want_cost=True)[0])
        if self._is_finite(cost, layers):
            costs = self._with_validation(cost, layers)
            return self._describe(layers, n_iter, costs, bisect_left(self.records, n_iter))
        if self.recorded is None:
            raise ValueError(
                "The cost of the initial weights is not finite: the features (or the weights that a warm "
                "start continues from) are so large that sums overflow. Scale X, as StandardScaler does."
            )
        step, layers = self.recorded
        n_records = bisect_right(self.records, step)
        return self._describe(layers, step, self.costs[n_records - 1], n_records)._replace(diverged_at=n_iter)

    def outcome_of(self, interruption):
        """Return the Descent that an interruption ends: without a cost where the rows are out of reach."""
        if not isinstance(interruption, OutOfReach):
            with suppress(OutOfReach):
                return self.outcome()
        n_iter, layers = self.reached
        if not self.objective.are_finite(layers):
            return self.outcome(np.nan)  # the last recorded
        costs = np.nan, None if self.validation is None else np.nan
        return self._describe(layers, n_iter, costs, bisect_left(self.records, n_iter))

    def _is_finite(self, cost, layers):
        return isfinite(cost) and self.objective.are_finite(layers)

    def _with_validation(self, cost, layers):
        return cost, None if self.validation is None else float(self.validation.data_cost(layers))

    def _describe(self, layers, n_iter, costs, n_records):
        loss, validation_loss = costs
        records = self.costs[:n_records]
        curve = [cost for cost, _ in records]
        validation_curve = None if self.validation is None else [cost for _, cost in records]
        return Descent(layers, n_iter, loss, curve, validation_loss, validation_curve)


def train(
    objective,
    layers,
    learning_rate,
    max_iter,
    records,
    *,
    validation=None,
    on_record=None,
    reports=None,
    record_listener=None,
    observer=NULL_OBSERVER,
    checkpoints=(),
    on_checkpoint=None,
    stopped=None,
):
    """Take `max_iter` steps, recording the cost before those in `records`; return the Descent.

    A cost or weight that is not finite at a record ends the descent: the layers last recorded are then kept.
    Steps between two records are not checked, unless an observer asks for their outcome. `validation` is the
    objective of the validation samples; `on_record(step, cost, validation_cost)` is called before the steps
    `reports`, or each record; `record_listener`, with the same arguments, soon after each record: steps with
    several of them may be taken in one call. `observer`, the user (Ctrl-C) and `stopped`, an Event, may end
    the descent after any step: the layers reached are then kept, or the observer's result. At each of the
    sorted `checkpoints` `on_checkpoint(step, descent)` is called.
    """
    run = Run(objective, layers, records, validation, on_record, reports, record_listener)
    objective.prepare()
    with np.errstate(all="ignore"):
        try:
            for checkpoint in checkpoints:
                _descend(run, learning_rate, checkpoint, observer, stopped)
                on_checkpoint(checkpoint, run.outcome())
            _descend(run, learning_rate, max_iter, observer, stopped)
            return observer.result(run.outcome())
        except KeyboardInterrupt as interruption:
            return run.outcome_of(interruption)._replace(interrupted=True)


def _descend(run, learning_rate, end, observer, stopped):
    """Continue a run to step `end`, unless it has ended or ends before."""
    while run.reached[0] < end and not run.has_ended:
        if stopped is not None and stopped.is_set():
            raise KeyboardInterrupt
        if observer is NULL_OBSERVER and run.leap(learning_rate, end):
            continue
        step, layers = run.reached
        # All steps until the next record in one call, unless somebody looks before.
        until = first_from(step + 1, run.looks, min(step + observer.n_unseen(), end))
        observer.begin(run.outcome)
        steps = run.objective.advance(layers, learning_rate, until - step, want_cost=is_in(step, run.looks))
        for n_taken, reached, cost in steps:
            if cost is not None:  # that of the layers before these steps
                run.record(cost)
            if run.has_ended:
                observer.close(run.outcome)
                return
            run.reached = step + n_taken, reached
        run.has_ended = observer.end(run.outcome, until - step)


class StackRun(BaseRun):
    """The runs of the members of a stack: each is recorded, and ends, as if it were alone."""

    def __init__(self, objective, layers, records):
        super().__init__(objective, layers, records)
        self.runs = [Run(objective, None, records) for _ in range(layers[0][0].shape[0])]

    def record(self, costs):
        (step, layers), costs = self.reached, on_host(costs)
        are_finite = bool(np.isfinite(costs).all()) and self.objective.are_bounded(layers)
        for i, run in enumerate(self.runs):
            if not run.has_ended:
                run.reached = step, member(layers, i)
                run.record(costs[i], are_finite)

    def extend(self, costs):
        for i, run in enumerate(self.runs):
            run.extend(costs[:, i])

    def keep(self, n):
        for run in self.runs:
            run.keep(n)

    def note_record(self, start):
        step, layers = start
        for i, run in enumerate(self.runs):
            run.recorded = step, member(layers, i)

    def outcomes(self):
        """Return the Descent of each member if it ends here; None if its initial cost is not finite."""
        costs = on_host(self.objective(self.reached[1], want_cost=True)[0]).tolist()
        return [self._outcome(run, i, costs[i]) for i, run in enumerate(self.runs)]

    def _outcome(self, run, i, cost):
        if run.has_ended:
            return run.outcome(np.nan) if run.recorded else None
        step, layers = self.reached
        run.reached = step, member(layers, i)
        return run.outcome(cost)


def train_stack(
    objective, layers, learning_rate, checkpoints, records, *,
    on_checkpoint, observer=NULL_OBSERVER, stopped=None,
):  # fmt: skip
    """Descend with stacked layers; at each of the sorted `checkpoints` call `on_checkpoint(step, descents)`.

    The Descent of a member is that of `train` with `max_iter` equal to the step, or None if its initial cost
    is not finite. A member that diverges does not affect the others. `observer` is notified of every step.
    """
    run = StackRun(objective, layers, records)
    objective.prepare()
    with np.errstate(all="ignore"):
        for checkpoint in checkpoints:
            _descend(run, learning_rate, checkpoint, observer, stopped)
            on_checkpoint(checkpoint, run.outcomes())
