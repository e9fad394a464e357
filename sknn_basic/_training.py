"""Descents from start to end: recorded, watched, and stopped where they stop making sense."""

from typing import NamedTuple

import numpy as np

from ._network import descend
from ._samples import hold


class Descent(NamedTuple):
    """What a descent leaves: the layers to keep and their cost, and why it ended early, if it did."""

    layers: list
    n_iter: int  # updates that led to `layers`
    loss: float  # cost of `layers`
    loss_curve: list  # cost before update 0, record_every, 2 record_every, ...
    validation_loss: float | None = None  # the same of other samples, where there are any
    validation_loss_curve: list | None = None
    broke_down_at: int | None = None  # first recorded step whose cost or weights were not finite
    interrupted: bool = False  # by the user


def start(X, layers, n_steps, gram=None):
    """Return the samples as they are best held, and the layers in their form and precision."""
    (W, b), *deeper = layers
    samples = hold(X, W, n_steps, gram)
    return samples, cast([(samples.parameters_of(W), b), *deeper], samples.dtype)


def finish(samples, layers, dtype):
    """Return the layers as weights again, in the precision of X."""
    (W, b), *deeper = layers
    return cast([(samples.weights_of(W), b), *deeper], dtype)


def cast(layers, dtype):
    return [(W.astype(dtype, copy=False), b.astype(dtype, copy=False)) for W, b in layers]


def train(
    objective, layers, learning_rate, max_iter, record_every, validation=None, on_record=None, watch=None
):
    """Take `max_iter` steps, recording the cost before step 0, record_every, ...

    A cost or a weight that is not finite ends the descent; the layers kept are then the last ones recorded.
    Overflow between two records is silent. `validation` is the objective of other samples, whose cost is
    recorded beside; `on_record(step, cost, validation_cost)` is called at each record. `watch` is told of
    every step and may end the descent after it, as may the user: the layers kept are then those reached.
    """
    records = []  # (cost, cost of the validation samples or None)
    kept = None  # the last record: layers, step, costs
    reached = 0, layers  # in one assignment: an interruption never finds one without the other
    broke_down_at, interrupted = None, False

    def costs_of(layers, cost):
        return float(cost), None if validation is None else float(validation.data_cost(layers))

    def describe(layers, n_iter, costs, n_records):
        curve, validation_curve = ([pair[which] for pair in records[:n_records]] for which in (0, 1))
        return Descent(layers, n_iter, costs[0], curve, costs[1], validation_curve)

    def so_far():
        """Return what the descent leaves if it ends here."""
        n_iter, layers = reached
        cost, _ = objective(layers, want_cost=True)
        return describe(layers, n_iter, costs_of(layers, cost), -(-n_iter // record_every))

    def usable():
        """Return what a fit keeps if it ends here: the last record where what was reached is not finite."""
        descent = so_far()
        if kept is None or (np.isfinite(descent.loss) and objective.are_finite(descent.layers)):
            return descent
        return describe(*kept, len(records))

    def recorded():
        for step in range(max_iter):
            if watch is not None:
                watch.begin(usable)
            yield step % record_every == 0

    with np.errstate(all="ignore"):
        try:
            steps = enumerate(descend(objective, layers, learning_rate, recorded()))
            for step, (cost, layers_after) in steps:
                if cost is not None:
                    if not (np.isfinite(cost) and objective.are_finite(layers)):
                        broke_down_at = step
                        if watch is not None:
                            watch.close(usable)
                        break
                    kept = layers, step, costs_of(layers, cost)
                    records.append(kept[-1])
                    if on_record is not None:
                        on_record(step, *kept[-1])
                layers = layers_after
                reached = step + 1, layers
                if watch is not None and watch.end(usable):
                    break
            ending = so_far() if broke_down_at is None else None
            is_finite = ending is not None and objective.are_finite(ending.layers)
        except KeyboardInterrupt:
            interrupted = True
            ending = so_far()
            is_finite = objective.are_finite(ending.layers)
        if ending is not None:
            if is_finite and np.isfinite(ending.loss):
                return ending._replace(interrupted=interrupted)
            broke_down_at = ending.n_iter
    if kept is None:
        raise ValueError(
            "The cost of the initial weights is not finite: the features (or the weights that a warm "
            "start continues from) are so large that it overflows. Scale X, as StandardScaler does."
        )
    return describe(*kept, len(records))._replace(broke_down_at=broke_down_at, interrupted=interrupted)


def train_stack(objective, layers, learning_rate, checkpoints, record_every, watch=None):
    """Descend with stacked layers; at each step of `checkpoints` yield (step, [Descent of each member]).

    A member's Descent is that of `train` with `max_iter` equal to the step, or None where `train` would
    refuse its start. A member that breaks down leaves the others untouched. `watch` is told of every step.
    """
    n_members = len(layers[0][0])
    curves = [[] for _ in range(n_members)]
    broken = {}  # member: what is left of it
    kept = None  # {member: Descent} of the last step that every fit records
    last = max(checkpoints)

    def recorded():
        for step in range(last + 1):
            if watch is not None and step < last:
                watch.begin()
            yield step % record_every == 0 or step in checkpoints

    with np.errstate(all="ignore"):
        for step, (costs, layers_after) in enumerate(descend(objective, layers, learning_rate, recorded())):
            if costs is not None:
                members = [[(W[i], b[i]) for W, b in layers] for i in range(n_members)]
                now = {}
                for i, (cost, member) in enumerate(zip(costs.tolist(), members, strict=True)):
                    if i in broken:
                        now[i] = broken[i]
                    elif np.isfinite(cost) and objective.are_finite(member):
                        now[i] = Descent(member, step, cost, curves[i].copy())
                    else:
                        now[i] = kept and kept[i]._replace(loss_curve=curves[i].copy(), broke_down_at=step)
                if step in checkpoints:
                    yield step, [now[i] for i in range(n_members)]
                if step % record_every == 0:
                    for i, descent in now.items():
                        if descent is None or descent.broke_down_at is not None:
                            broken[i] = descent
                        else:
                            curves[i].append(descent.loss)
                    kept = now
            layers = layers_after
            if watch is not None and step < last:
                watch.end()
