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

from engines import ENGINES, blocks_of, engine_of
from models import BOTH, blobs, both, weights_of
from sknn_basic import (
    LogisticRegressionGD,
    ShallowNNClassifier,
    VectorizedGridSearchCV,
    descent_path,
    propagate,
)
from sknn_basic._descent import engine, gram
from sknn_basic._descent.threads import Threads, threads
from watchers import assert_identical


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


# Samples, features, classes and steps: of a step that is not shared out, one that is, a Gram matrix, wide
# samples without one, and one column.
SHAPES = [
    (150, 4, 3, 9),
    (5000, 20, 2, 9),
    (9000, 40, 5, 4),
    (209, 3000, 3, 9),
    (400, 3000, 2, 3),
    (2**18, 1, 2, 2),
]


def numbers_of(model, X):
    """All that a model has learnt, and says of some rows."""
    rate = getattr(model, "learning_rate_", None)
    return [*weights_of(model), model.loss_curve_, rate, model.decision_function(X[:3000])]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("by", ENGINES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", [np.asarray, np.float32, sparse.csr_array], ids=["double", "single", "csr"])
def test_any_number_of_threads_gives_the_same_bits(shape, kind, by):
    """Law 7: of both classifiers, at a given rate and at "auto", of predictions too."""
    m, n, n_classes, n_steps = shape
    X, y = blobs(n_classes, m, n)
    X, models = kind(X), [LogisticRegressionGD(max_iter=n_steps), LogisticRegressionGD(0.1, n_steps)]
    if m * n < 2**20:
        models.append(ShallowNNClassifier(9, learning_rate=0.1, max_iter=n_steps, random_state=0))
    for model in models:
        found = []
        with engine_of(by), patch.object(gram, "SHARED_VALUES", 2**14):
            for n_threads in (1, 3):
                with threadpool_limits(n_threads, user_api="blas"):
                    found.append(numbers_of(clone(model).fit(X, y), X))
        for numbers in found[1:]:
            for a, b in zip(numbers, found[0], strict=True):
                np.testing.assert_array_equal(a, b)


def propagated(X, y):
    W1, W2 = (np.random.RandomState(0).standard_normal(shape) / 9 for shape in [(X.shape[1], 9), (9, 5)])
    return propagate(X, y, W1, np.zeros(9), W2, np.zeros(5))


def of_path(X, y):
    models = descent_path(LogisticRegressionGD(), X, y, [2, 5])
    return [array for model in models for array in weights_of(model)]


def of_search(X, y):
    grid = {"learning_rate": [1e-4, 2e-4], "max_iter": [3, 5]}
    search = VectorizedGridSearchCV(LogisticRegressionGD(), grid, cv=2, scoring="neg_log_loss").fit(X, y)
    return [search.cv_results_["mean_test_score"], *weights_of(search.best_estimator_)]


def with_validation(X, y):
    model = LogisticRegressionGD(max_iter=4, record_every=1).fit(X, y, X_val=X[::2], y_val=y[::2])
    return [model.validation_loss_curve_, model.predict_log_proba(X)]


@pytest.mark.parametrize("shape", [(6000, 40), (209, 3000)])
@pytest.mark.parametrize("function", [propagated, of_path, of_search, with_validation])
def test_all_that_descends_has_the_same_bits(function, shape):
    """Law 7, of whatever multiplies the samples besides `fit`."""
    X, y = blobs(5, *shape)
    found = []
    for n_threads in (1, 2, 3):
        with threadpool_limits(n_threads, user_api="blas"):
            found.append(function(X, y))
    for numbers in found[1:]:
        for a, b in zip(numbers, found[0], strict=True):
            np.testing.assert_array_equal(a, b)


@both
@pytest.mark.parametrize("kind", [np.asarray, np.float32, sparse.csr_array])
@pytest.mark.parametrize(("by", "n_classes"), [("numpy", 2), ("numpy", 3), ("compiled", 2), ("compiled", 3)])
def test_any_number_of_threads_shares_any_blocks(model, kind, by, n_classes):
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


IN_THREADS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threadpoolctl import threadpool_info, threadpool_limits
from sknn_basic._descent.threads import threads

def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

if sys.argv[1] == "main":  # the thread that threadpoolctl lets set the number of OpenBLAS
    with threads.shared_out():
        pass
before, first, second = blas_threads(), threads.shared_out(), threads.shared_out()
with ThreadPoolExecutor(1) as a, ThreadPoolExecutor(1) as b:  # the threads live on
    a.submit(first.__enter__).result()
    assert blas_threads() == {1}
    b.submit(second.__enter__).result()
    a.submit(first.__exit__, None, None, None).result()
    assert blas_threads() == {1}
    b.submit(second.__exit__, None, None, None).result()
    assert blas_threads() == before, before

    other, own = threadpool_limits(1, user_api="blas"), threads.shared_out()
    a.submit(own.__enter__).result()
    other.restore_original_limits()
    a.submit(own.__exit__, None, None, None).result()
    assert blas_threads() == before, before

    own = threads.shared_out()
    a.submit(own.__enter__).result()
    with threadpool_limits(3, user_api="blas"):
        a.submit(own.__exit__, None, None, None).result()
        assert blas_threads() == {3}
"""


@pytest.mark.parametrize("first", ["main", "another"])
def test_blas_is_limited_by_any_thread_and_has_its_threads_again(first):
    """Whichever thread is first in a process; a limit that others have set or lifted meanwhile stays."""
    two = {f"{name}_NUM_THREADS": "2" for name in ("OMP", "OPENBLAS", "MKL")}
    command = [sys.executable, "-c", IN_THREADS, first]
    done = subprocess.run(command, env=os.environ | two, capture_output=True, timeout=120, text=True)
    assert (done.stdout, done.stderr) == ("", "")


@both
def test_fits_in_several_threads(model):
    """Each is what it is alone, and BLAS has its threads again."""
    X, y = blobs(2, 3000, 6)
    model = clone(model).set_params(max_iter=20)
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


FORKED_WITHIN = """
import os, sys, warnings
from threadpoolctl import threadpool_info, threadpool_limits
import numpy
from threads import threads
warnings.simplefilter("ignore", DeprecationWarning)  # that a process with threads forks
with threadpool_limits(2, user_api="blas"):
    with threads.shared_out():
        child = os.fork()
        if child == 0:
            numbers = {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
            os._exit(0 if numbers == {2} else 1)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


LATE = """
import sys, threading, warnings
import numpy as np
from sknn_basic import LogisticRegressionGD, ShallowNNClassifier, VectorizedGridSearchCV
from threadpoolctl import threadpool_limits
warnings.simplefilter("error")
rng = np.random.default_rng(0)
X, y = rng.standard_normal((9000, 40)), rng.integers(0, 3, 9000)

def fit():
    threading.main_thread().join()
    with threadpool_limits(2, user_api="blas"):
        grid = {"learning_rate": [0.01, 0.1]}
        LogisticRegressionGD(0.1, 5).fit(X, y).predict(X)
        LogisticRegressionGD(0.1, 5).fit(X, y > 0).predict(X)
        ShallowNNClassifier(4, learning_rate=0.1, max_iter=5).fit(X, y)
        VectorizedGridSearchCV(LogisticRegressionGD(max_iter=5), grid, cv=2).fit(X[:99], y[:99] > 0)
        VectorizedGridSearchCV(ShallowNNClassifier(4, max_iter=5), grid, cv=2).fit(X[:99], y[:99] > 0)
    print("done")

threading.Thread(target=fit).start()
"""


def test_a_fit_goes_on_after_the_main_thread_has_ended():
    """The interpreter starts no more threads then: the work is done by the thread that fits."""
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, timeout=120, text=True)
    assert (done.stdout, done.stderr) == ("done\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize("code", [FORKED, FORKED_WITHIN], ids=["outside", "within"])
def test_a_forked_process_makes_threads_of_its_own(code):
    """Those of its parent do not exist in it, and BLAS is not limited in it, even if it was in the parent."""
    environment = os.environ | {"PYTHONPATH": str(Path(inspect.getfile(Threads)).parent)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()


def test_small_problems_use_no_thread():
    """One block is computed where it is."""
    X, y = blobs()
    not_started = patch.object(Threads, "_start", side_effect=AssertionError)
    with engine_of("numpy"), not_started, threadpool_limits(2, user_api="blas"):
        for model in BOTH:
            clone(model).set_params(max_iter=3).fit(X, y)


def test_a_thread_of_the_pool_does_not_wait_for_others():
    """However many wait for each other's work: here as many as the pool has, and each shares out its own."""

    def nested(i):
        return sum(threads.map(abs, [-i, i, 1]))

    n = 2 * os.cpu_count() + 2
    with threads.shared_out(), patch.object(threads, "limited", [(None, n)]):
        assert threads.map(nested, range(n)) == [2 * i + 1 for i in range(n)]
