"""Work shared out to threads, while BLAS uses one thread in each.

BLAS's own threads add in an order that depends on their number, and wait for each other at each product. Here
each thread takes whole blocks of rows, and the caller adds their results in a fixed order.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import Lock

import numpy as np
from threadpoolctl import ThreadpoolController


class Threads:
    """The threads of this process: as many as BLAS has, unless it is limited."""

    def __init__(self):
        self.lock = Lock()
        self.n_users, self.n_threads = 0, 1
        self.limiter = self.pool = None

    @contextmanager
    def shared_out(self):
        """Limit BLAS to one thread in a block, and let `map` use the threads that it had."""
        with self.lock:  # fits may run in several threads: the first limits BLAS, the last restores it
            if self.n_users == 0:
                self.n_threads = max((library["num_threads"] for library in _blas().info()), default=1)
                self.limiter = _blas().limit(limits=1)
            self.n_users += 1
        try:
            yield
        finally:
            with self.lock:
                self.n_users -= 1
                if self.n_users == 0:
                    self.limiter.restore_original_limits()
                    self.limiter, self.n_threads = None, 1

    def map(self, function, items):
        """Return [function(item), ...], shared out to the threads; in `shared_out` only."""
        n = min(self.n_threads, len(items))
        if n == 1:
            return [function(item) for item in items]
        others = [self._start(_apply, function, items[i::n]) for i in range(1, n)]
        results = [None] * len(items)
        results[::n] = _apply(function, items[::n])
        for i, other in enumerate(others, 1):
            results[i::n] = other.result()
        return results

    def wait_for(self, function, *arguments):
        """Return function(*arguments) from another thread, since an interruption does not reach it there."""
        return self._start(function, *arguments).result()

    def _start(self, function, *arguments):
        if self.pool is None:
            self.pool = ThreadPoolExecutor(os.cpu_count(), "sknn_basic")
        return self.pool.submit(function, *arguments)


@cache
def _blas():
    return ThreadpoolController().select(user_api="blas")


def _apply(function, items):
    with np.errstate(all="ignore"):  # threads do not inherit it
        return [function(item) for item in items]


threads = Threads()
if hasattr(os, "register_at_fork"):  # a child has neither the threads nor, perhaps, the lock
    os.register_at_fork(after_in_child=threads.__init__)
