"""Work shared out to threads, while BLAS uses one thread in each.

BLAS's own threads add in an order that depends on their number, and wait for each other at each product, for
long where the machine is busy. Here each thread takes whole blocks of rows, which depend on the sizes of the
data alone, and the caller adds their results in a fixed order.
"""

import os
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ContextDecorator, contextmanager
from functools import cache
from threading import Lock, current_thread
from weakref import WeakSet

import numpy as np
from threadpoolctl import ThreadpoolController

_lock = Lock()
NAME = "sknn_basic descent"  # of the threads of the pool
LONG = 2.0  # seconds: machine code is loaded in less, and compiled in 5 to 30


class locked(ContextDecorator):
    """Holds the lock while a function runs, by no line of this file: an interruption there could leave it."""

    __enter__, __exit__ = _lock.__enter__, _lock.__exit__


class User:
    """One that needs BLAS to be limited, until it is deleted."""


class Threads:
    """The threads of this process: as many as BLAS has, unless it is limited."""

    def __init__(self):
        self.users = WeakSet()
        self.limited = []  # [(BLAS library, its number of threads), ...]
        self.pool = None

    @contextmanager
    def shared_out(self):
        """Limit BLAS to one thread in a block, and let `map` use the threads that it had.

        Fits may run in several threads: the first limits BLAS, and the last restores it. It takes 9 us.
        """
        user = User()
        try:
            self._limit(user)
            yield
        finally:
            self._restore(user)

    @locked()
    def _limit(self, user):
        self.users.add(user)
        if not self.limited:
            self.limited = [(library, n) for library in _blas() if (n := library.num_threads) > 1]
        for library, _ in self.limited:
            _set(library, 1)

    @locked()
    def _restore(self, user):
        self.users.discard(user)
        if not self.users:
            for library, n in self.limited:
                if library.num_threads == 1:  # else others have set it meanwhile
                    _set(library, n)
            self.limited = []

    def forget(self):
        """Begin anew in a forked process, which has none of the threads; BLAS has its own again."""
        for library, n in self.limited:
            _set(library, n)
        self.__init__()

    def map(self, function, items):
        """Return [function(item), ...], shared out to the threads; in `shared_out` only.

        Fits in several threads have a part of them each: more threads than processors wait for each other.
        """
        n_threads = max((n for _, n in self.limited), default=1) // max(len(self.users), 1)
        n = min(n_threads, len(items))
        if n <= 1 or current_thread().name.startswith(NAME):  # a thread of the pool that waited could stop it
            return [function(item) for item in items]
        others = [self._start(_apply, function, items[i::n]) for i in range(1, n)]
        results = [None] * len(items)
        results[::n] = _apply(function, items[::n])
        for i, other in enumerate(others, 1):
            results[i::n] = other.result()
        return results

    def wait_for(self, function, *arguments, if_long=None):
        """Return function(*arguments) from another thread, since an interruption does not reach it there.

        `if_long()` is called if it takes long.
        """
        future = self._start(function, *arguments)
        if if_long is not None and not wait([future], LONG).done:
            if_long()
        return future.result()

    def _start(self, function, *arguments):
        """Return the future of a call; made by this thread if there can be no others."""
        try:
            if self.pool is None:
                self.pool = ThreadPoolExecutor(os.cpu_count(), NAME)
            return self.pool.submit(function, *arguments)
        except RuntimeError:  # the main thread has ended, or the system has no more threads
            done = Future()
            done.set_result(function(*arguments))
            return done


@cache
def _blas():
    return ThreadpoolController().select(user_api="blas").lib_controllers


def _set(library, n):
    """Set the number of threads, from any thread: threadpoolctl 3.8 lets one alone set that of OpenBLAS."""
    clear = getattr(library, "clear_controlling_thread", lambda force: None)
    clear(force=True)
    library.set_num_threads(n)
    clear(force=True)


def _apply(function, items):
    with np.errstate(all="ignore"):  # threads do not inherit it
        return [function(item) for item in items]


threads = Threads()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
    os.register_at_fork(after_in_child=threads.forget)
