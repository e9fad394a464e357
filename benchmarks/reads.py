"""One read of X: what a step of gradient descent on many samples cannot do without."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from .peers import fastest
from .timing import installed, processors

PARTS = 8  # for each thread: none waits long for the other


def read_job(X):
    """Return a job that reads all values of X `n` times, shared by all processors, in the fastest form."""
    forms = {"dot": lambda: shared(X, lambda x: x @ x), "max": lambda: shared(X, np.max)}
    if installed("numba"):
        forms["sum by Numba"] = lambda: shared(X, compiled_sum())
    return fastest(forms, 4, "one read of X")


def shared(X, read):
    parts = np.array_split(X.reshape(-1), PARTS * processors())

    def job(n):
        with threadpool_limits(1), ThreadPoolExecutor(processors()) as pool:
            for _ in range(n):
                list(pool.map(read, parts))

    job(1)
    return job


def compiled_sum():
    from numba import njit

    @njit(nogil=True, fastmath={"reassoc", "nsz"})
    def read(x):
        total = x[0]
        for i in range(1, len(x)):
            total += x[i]
        return total

    return read
