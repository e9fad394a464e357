"""Several descents from one start that differ in rate and penalty: in stacks, or one after another."""

from functools import partial
from typing import NamedTuple

from .run import recorded_steps, train, train_stack
from .stacking import column, n_members_at_once, repeat


class Member(NamedTuple):
    """One of the descents, and the steps at which it ends: one or several, as if begun anew for each."""

    rate: float
    l2: float
    steps: set


def pieces_of(problem, members):
    """Return the members in pieces [[member, ...], ...]: all of a piece descend at once."""
    size = n_members_at_once(problem, len(members))
    return [members[first : first + size] for first in range(0, len(members), size)]


def steps_of(piece):
    """Return the steps at which descents of a piece end, sorted."""
    return sorted(set().union(*(member.steps for member in piece)))


def train_piece(problem, piece, record_every, observer):
    """Return [(member, step, Descent with parameters), ...] of all descents that end.

    A member whose initial cost is not finite is left out; if it is the only one, that is a ValueError.
    """
    ended, steps = [], steps_of(piece)
    descend = _train_alone if len(piece) == 1 else _train_together
    descend(problem, piece, steps, recorded_steps(record_every, steps[-1]), observer, ended)
    return ended


def _train_alone(problem, piece, steps, records, observer, ended):
    """Descend as a fit does, once for all steps."""
    (member,), (*earlier, last) = piece, steps
    descent = train(
        problem.objective(member.l2),
        problem.layers,
        member.rate,
        last,
        records,
        observer=observer,
        checkpoints=earlier,
        on_checkpoint=partial(_add, ended, member),
    )
    if descent.interrupted:
        raise KeyboardInterrupt
    _add(ended, member, last, descent)


def _train_together(problem, piece, steps, records, observer, ended):
    rates, penalties, _ = zip(*piece, strict=True)
    dtype, layers = problem.samples.dtype, repeat(problem.layers, len(piece))
    train_stack(
        problem.objective(column(penalties, dtype) if any(penalties) else 0.0, layers),
        layers,
        column(rates, dtype),
        steps,
        records,
        on_checkpoint=partial(_add_all, ended, piece),
        observer=observer,
    )


def _add_all(ended, piece, step, descents):
    for member, descent in zip(piece, descents, strict=True):
        if descent is not None and step in member.steps:
            _add(ended, member, step, descent)


def _add(ended, member, step, descent):
    ended.append((member, step, descent))
