"""The loop of gradient descent: recording, observers, early stopping and divergence."""

from math import ceil
from typing import NamedTuple

import numpy as np

from .network import update


class Descent(NamedTuple):
    """The result of a descent: the final layers, their cost, and why it ended early, if it did."""

    layers: list
    n_iter: int  # updates that led to `layers`
    loss: float  # cost of `layers`
    loss_curve: list  # cost before update 0, record_every, 2 record_every, ...
    validation_loss: float | None = None  # cost of the validation samples, if any
    validation_loss_curve: list | None = None
    diverged_at: int | None = None  # first step found with a cost or weights that are not finite
    interrupted: bool = False  # by the user (Ctrl-C)


class NullObserver:
    """Does nothing. An observer is notified of every step and may stop the descent after it."""

    def begin(self, outcome=None):
        """Begin a step; `outcome()` returns the Descent that would end here."""

    def end(self, outcome=None):
        """End a step; return whether to stop the descent."""
        return False

    def close(self, outcome=None):
        """Abandon the step that has begun."""


NULL_OBSERVER = NullObserver()


class Run:
    """The state of a running descent: the layers reached and the costs recorded."""

    def __init__(self, objective, layers, record_every, validation=None, on_record=None):
        self.objective, self.validation = objective, validation
        self.record_every, self.on_record = record_every, on_record
        self.reached = 0, layers  # one assignment: an interruption never separates the two
        self.recorded = None  # `reached` at the last record
        self.costs = []  # (cost, cost of the validation samples or None) of each record

    def record(self, cost):
        """Record the cost of the layers reached; return False if it, or they, are no longer finite."""
        step, layers = self.reached
        if not self._is_finite(cost, layers):
            return False
        self.costs.append(self._with_validation(cost, layers))
        self.recorded = self.reached
        if self.on_record is not None:
            self.on_record(step, *self.costs[-1])
        return True

    def outcome(self):
        """Return the Descent that ends here, with the layers reached if finite, else the last recorded."""
        n_iter, layers = self.reached
        cost, _ = self.objective(layers, want_cost=True)
        if self._is_finite(cost, layers):
            costs = self._with_validation(cost, layers)
            return self._describe(layers, n_iter, costs, ceil(n_iter / self.record_every))
        if self.recorded is None:
            raise ValueError(
                "The cost of the initial weights is not finite: the features (or the weights that a warm "
                "start continues from) are so large that sums overflow. Scale X, as StandardScaler does."
            )
        step, layers = self.recorded
        n_records = step // self.record_every + 1
        descent = self._describe(layers, step, self.costs[n_records - 1], n_records)
        return descent._replace(diverged_at=n_iter)

    def _is_finite(self, cost, layers):
        return bool(np.isfinite(cost)) and self.objective.are_finite(layers)

    def _with_validation(self, cost, layers):
        return float(cost), None if self.validation is None else float(self.validation.data_cost(layers))

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
    record_every,
    *,
    validation=None,
    on_record=None,
    observer=NULL_OBSERVER,
):
    """Take `max_iter` steps, recording the cost before step 0, record_every, ...; return the Descent.

    A cost or weight that is not finite at a record ends the descent; the layers last recorded are then kept.
    Steps between two records are not checked, unless an observer asks for their outcome.
    `validation` is the objective of the validation samples, whose cost is recorded too;
    `on_record(step, cost, validation_cost)` is called at each record. `observer` and the user (Ctrl-C) may
    end the descent after any step: the layers reached are then kept.
    """
    run = Run(objective, layers, record_every, validation, on_record)
    with objective.sharing(), np.errstate(all="ignore"):
        try:
            # Without an observer, all steps between two records are one call of `advance`.
            for step in range(0, max_iter, record_every if observer is NULL_OBSERVER else 1):
                observer.begin(run.outcome)
                is_record = step % record_every == 0
                cost, gradients = objective(layers, is_record)
                if is_record and not run.record(cost):
                    observer.close(run.outcome)
                    break
                layers = update(layers, gradients, learning_rate)
                run.reached = step + 1, layers
                if observer.end(run.outcome):
                    break
                if observer is NULL_OBSERVER:
                    n_steps = min(record_every, max_iter - step) - 1
                    for n_taken, reached in objective.advance(layers, learning_rate, n_steps):
                        run.reached = step + 1 + n_taken, reached
                    _, layers = run.reached
            return run.outcome()
        except KeyboardInterrupt:
            return run.outcome()._replace(interrupted=True)


class StackRun:
    """The state of a running stack: each member is recorded, and ends, as in a `Run` of its own."""

    def __init__(self, objective, n_members):
        self.objective = objective
        self.curves = [[] for _ in range(n_members)]
        self.recorded = [None] * n_members  # (layers, step, cost) of each at its last record
        self.diverged_at = [None] * n_members  # first record of each that was not finite

    def record(self, step, layers, costs):
        for i, cost in enumerate(costs.tolist()):
            if self.diverged_at[i] is not None:
                continue
            member = _member(layers, i)
            if self._is_finite(cost, member):
                self.recorded[i] = member, step, cost
                self.curves[i].append(cost)
            else:
                self.diverged_at[i] = step

    def outcomes(self, step, layers, costs):
        """Return the Descent of each member if it ends here; None if its initial cost is not finite."""
        return [self._outcome(i, step, _member(layers, i), cost) for i, cost in enumerate(costs.tolist())]

    def _outcome(self, i, step, member, cost):
        diverged_at, curve = self.diverged_at[i], self.curves[i].copy()
        if diverged_at is None:
            if self._is_finite(cost, member):
                return Descent(member, step, cost, curve)
            diverged_at = step
        if self.recorded[i] is None:
            return None
        return Descent(*self.recorded[i], curve, diverged_at=diverged_at)

    def _is_finite(self, cost, member):
        return bool(np.isfinite(cost)) and self.objective.are_finite(member)


def _member(layers, i):
    return [(W[i], b[i]) for W, b in layers]


def train_stack(
    objective, layers, learning_rate, checkpoints, record_every, *, on_checkpoint, observer=NULL_OBSERVER
):
    """Descend with stacked layers; at each step of `checkpoints` call `on_checkpoint(step, descents)`.

    The Descent of a member is that of `train` with `max_iter` equal to the step, or None if its initial cost
    is not finite. A member that diverges does not affect the others. `observer` is notified of every step.
    """
    run = StackRun(objective, len(layers[0][0]))
    last = max(checkpoints)
    with objective.sharing(), np.errstate(all="ignore"):
        step = 0
        while step < last:
            observer.begin()
            is_record, is_checkpoint = step % record_every == 0, step in checkpoints
            costs, gradients = objective(layers, is_record or is_checkpoint)
            if is_checkpoint:
                on_checkpoint(step, run.outcomes(step, layers, costs))
            if is_record:
                run.record(step, layers, costs)
            layers = update(layers, gradients, learning_rate)
            observer.end()
            step += 1
            if observer is NULL_OBSERVER:  # all steps until something is recorded or ends
                until = min(checkpoint for checkpoint in checkpoints if checkpoint >= step)
                n_steps = min(until, record_every * ceil(step / record_every)) - step
                for _, reached in objective.advance(layers, learning_rate, n_steps):
                    layers = reached
                step += n_steps
        costs, _ = objective(layers, want_cost=True)
        on_checkpoint(last, run.outcomes(last, layers, costs))
