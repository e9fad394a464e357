"""One descent from start to end: recorded, and stopped where it stops making sense."""

from typing import NamedTuple

import numpy as np

from ._network import descend


class Descent(NamedTuple):
    """What a descent leaves: the layers to keep and their cost, and where it broke down, if it did."""

    layers: list
    n_iter: int  # updates that led to `layers`
    loss: float  # cost of `layers`
    loss_curve: list  # cost before update 0, record_every, 2 record_every, ...
    broke_down_at: int | None  # first recorded step whose cost or weights were not finite


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
