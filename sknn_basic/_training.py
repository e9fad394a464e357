"""Descents from start to end: recorded, and stopped where they stop making sense."""

from typing import NamedTuple

import numpy as np

from ._network import descend
from ._samples import hold


class Descent(NamedTuple):
    """What a descent leaves: the layers to keep and their cost, and where it broke down, if it did."""

    layers: list
    n_iter: int  # updates that led to `layers`
    loss: float  # cost of `layers`
    loss_curve: list  # cost before update 0, record_every, 2 record_every, ...
    broke_down_at: int | None  # first recorded step whose cost or weights were not finite


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


def train(objective, layers, learning_rate, max_iter, record_every, on_record=None):
    """Take `max_iter` steps, calling `on_record(step, cost)` at step 0, record_every, ...

    A cost or a weight that is not finite ends the descent; the layers kept are then the last ones recorded.
    Overflow between two records is silent.
    """
    # The cost after the last update is the cost before one more, which is not kept.
    recorded = (step % record_every == 0 or step == max_iter for step in range(max_iter + 1))
    kept, curve = None, []
    with np.errstate(all="ignore"):
        for step, (cost, layers_after) in enumerate(descend(objective, layers, learning_rate, recorded)):
            if cost is not None:
                if not (np.isfinite(cost) and objective.are_finite(layers)):
                    break
                kept = layers, step, float(cost)
                if step < max_iter:
                    curve.append(float(cost))
                    if on_record is not None:
                        on_record(step, float(cost))
            layers = layers_after
        else:
            return Descent(*kept, curve, None)
    if kept is None:
        raise ValueError(
            "The cost of the initial weights is not finite: the features (or the weights that a warm "
            "start continues from) are so large that it overflows. Scale X, as StandardScaler does."
        )
    return Descent(*kept, curve, step)


def train_stack(objective, layers, learning_rate, checkpoints, record_every):
    """Descend with stacked layers; at each step of `checkpoints` yield (step, [Descent of each member]).

    A member's Descent is that of `train` with `max_iter` equal to the step, or None where `train` would
    refuse its start. A member that breaks down leaves the others untouched.
    """
    n_members = len(layers[0][0])
    curves = [[] for _ in range(n_members)]
    broken = {}  # member: what is left of it
    kept = None  # {member: Descent} of the last step that every fit records
    recorded = (step % record_every == 0 or step in checkpoints for step in range(max(checkpoints) + 1))
    with np.errstate(all="ignore"):
        for step, (costs, layers_after) in enumerate(descend(objective, layers, learning_rate, recorded)):
            if costs is not None:
                members = [[(W[i], b[i]) for W, b in layers] for i in range(n_members)]
                now = {}
                for i, (cost, member) in enumerate(zip(costs.tolist(), members, strict=True)):
                    if i in broken:
                        now[i] = broken[i]
                    elif np.isfinite(cost) and objective.are_finite(member):
                        now[i] = Descent(member, step, cost, curves[i].copy(), None)
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
