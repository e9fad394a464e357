"""Threads share the blocks of rows: in a fixed order, with BLAS limited as long as they do and no longer."""

import inspect
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import current_thread
from unittest.mock import patch

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits

from engines import blocks_of, engine_of
from models import BOTH, blobs, both
from sknn_basic import LogisticRegressionGD
from sknn_basic._descent import engine
from sknn_basic._descent.threads import Threads, threads
from watchers import assert_identical


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@both
@pytest.mark.parametrize("kind", [np.asarray, np.float32, sparse.csr_array])
@pytest.mark.parametrize(("by", "n_classes"), [("numpy", 2), ("numpy", 3), ("compiled", 2)])
def test_any_number_of_threads_gives_the_same_bits(model, kind, by, n_classes):
    """Law 7: of 1, 2, 3 or 5 threads, which share some 20 blocks."""
    X, y = blobs(n_classes, 3001, 6)
    model, fitted = clone(model).set_params(max_iter=6, record_every=4), []
    with engine_of(by), patch.object(engine, "MIN_SHARED_VALUES", 100), blocks_of(100 * 6 * 8):
        for n in (1, 2, 3, 5):
            with threadpool_limits(n, user_api="blas"):
                fitted.append(clone(model).fit(kind(X), y))
    for found in fitted[1:]:
        assert_identical(found, fitted[0])


def test_blas_is_limited_as_long_as_the_last_user_works():
    """Also where blocks overlap, as fits in several threads do, and after an error."""
    with threadpool_limits(2, user_api="blas"):
        first, second = threads.shared_out(), threads.shared_out()
        first.__enter__()
        second.__enter__()
        assert blas_threads() == {1}
        first.__exit__(None, None, None)
        assert blas_threads() == {1}
        second.__exit__(None, None, None)
        assert blas_threads() == {2}

        with pytest.raises(ZeroDivisionError), threads.shared_out():
            raise ZeroDivisionError
        assert blas_threads() == {2}


def test_fits_in_several_threads():
    """Each is what it is alone, and BLAS has its threads again."""
    X, y = blobs(2, 3000, 6)
    model = LogisticRegressionGD(max_iter=20)
    with engine_of("numpy"), threadpool_limits(2, user_api="blas"), blocks_of(100 * 6 * 8):
        expected = clone(model).fit(X, y)
        with ThreadPoolExecutor(4) as pool:
            for found in pool.map(lambda _: clone(model).fit(X, y), range(12)):
                assert_identical(found, expected)
        assert blas_threads() == {2}


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_map_keeps_the_order_and_uses_the_threads(n):
    """Results in the order of the items, from n threads at most; only in `shared_out`."""
    shared = Threads()
    assert shared.map(lambda i: (i, current_thread().name), range(5))[4] == (4, current_thread().name)
    with threadpool_limits(n, user_api="blas"), shared.shared_out():
        results = shared.map(lambda i: (i * i, current_thread().name), range(7))
    assert [square for square, _ in results] == [i * i for i in range(7)]
    assert 1 + (n > 1) <= len({name for _, name in results}) <= n


def test_an_error_in_a_thread_is_raised_and_warnings_of_numpy_are_not():
    shared = Threads()
    with threadpool_limits(2, user_api="blas"), shared.shared_out():
        with pytest.raises(ZeroDivisionError):
            shared.map(lambda i: 1 / (1 - i), range(4))
        huge = np.array([1e300])
        assert shared.map(lambda i: float((huge * huge)[0]), range(4)) == [np.inf] * 4


FORKED = """
import os, sys, warnings
from threading import current_thread
import numpy as np
from threadpoolctl import threadpool_limits
from threads import threads  # which imports nothing of the package
warnings.simplefilter("ignore", DeprecationWarning)  # that a process with threads forks
X = np.arange(3.0 * 64 * 64).reshape(3, 64, 64)

def squares():
    with threadpool_limits(2, user_api="blas"), threads.shared_out():
        return threads.map(lambda x: (x @ x, current_thread().name), X)

expected = squares()
child = os.fork()
found = squares()
are_equal = all(np.array_equal(a, b) for (a, _), (b, _) in zip(found, expected))
if child == 0:
    os._exit(0 if are_equal and len({name for _, name in found}) == 2 else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_process_makes_threads_of_its_own():
    """Those of its parent do not exist in it."""
    environment = os.environ | {"PYTHONPATH": str(Path(inspect.getfile(Threads)).parent)}
    done = subprocess.run([sys.executable, "-c", FORKED], env=environment, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()


def test_small_problems_use_no_thread():
    """One block is computed where it is."""
    X, y = blobs()
    not_started = patch.object(Threads, "_start", side_effect=AssertionError)
    with engine_of("numpy"), not_started, threadpool_limits(2, user_api="blas"):
        for model in BOTH:
            clone(model).set_params(max_iter=3).fit(X, y)
