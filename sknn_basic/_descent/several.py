"""Several descents from one start that differ in rate and penalty: in stacks, or one after another."""

from functools import partial
from threading import Event
from typing import NamedTuple

from .run import NULL_OBSERVER, recorded_steps, train, train_stack
from .stacking import MEMBERS_OF_KERNEL, column, n_members_at_once, repeat
from .threads import threads


class Member(NamedTuple):
    """One of the descents, and the steps at which it ends: one or several, as if begun anew for each."""

    rate: float
    l2: float
    steps: set


def pieces_of(problem, members, is_observed=False):
    """Return the members in pieces [[member, ...], ...]: all of a piece descend at once."""
    size = n_members_at_once(problem, len(members), is_observed)
    pieces = [members[first : first + size] for first in range(0, len(members), size)]
    if size == MEMBERS_OF_KERNEL and not is_observed and len(pieces) % 2 and len(pieces[-1]) == size:
        pieces[-1:] = [[member] for member in pieces[-1]]  # an even number, for threads
    return pieces


def steps_of(piece):
    """Return the steps at which descents of a piece end, sorted."""
    return sorted(set().union(*(member.steps for member in piece)))


def train_pieces(problem, pieces, record_every, observer):
    """Return [(member, step, Descent with parameters), ...] of all descents that end.

    A member whose initial cost is not finite is left out; if its piece holds no other, that is a ValueError.
    Threads share the members where each takes many steps in one call and nobody looks at them.
    """
    objective, stopped = problem.objective(0.0), Event()  # an interruption does not reach other threads
    objective.prepare()
    descend = partial(_train_piece, problem, record_every, observer, stopped)
    is_shared = objective.takes_steps and observer is NULL_OBSERVER  # else threads share the rows
    try:
        ends = threads.map(descend, pieces) if is_shared else [descend(piece) for piece in pieces]
    except BaseException:
        stopped.set()
        raise
    return [end for some in ends for end in some]


def _train_piece(problem, record_every, observer, stopped, piece):
    ended, steps = [], steps_of(piece)
    descend = _train_alone if len(piece) == 1 else _train_together
    descend(problem, piece, steps, recorded_steps(record_every, steps[-1]), observer, stopped, ended)
    return ended


def _train_alone(problem, piece, steps, records, observer, stopped, ended):
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
        stopped=stopped,
    )
    if descent.interrupted:
        raise KeyboardInterrupt
    _add(ended, member, last, descent)


def _train_together(problem, piece, steps, records, observer, stopped, ended):
    rates, penalties, _ = zip(*piece, strict=True)
    dtype, layers = problem.samples.dtype, repeat(problem.layers, len(piece))
    train_stack(
        problem.objective(column(penalties, dtype) if any(penalties) else 0.0, layers),
        layers,
        problem.samples.asarray(column(rates, dtype)),
        steps,
        records,
        on_checkpoint=partial(_add_all, ended, piece),
        stopped=stopped,
        observer=observer,
    )


def _add_all(ended, piece, step, descents):
    for member, descent in zip(piece, descents, strict=True):
        if descent is not None and step in member.steps:
            _add(ended, member, step, descent)


def _add(ended, member, step, descent):
    ended.append((member, step, descent))
