"""The package itself, with the compiled steps of the extra `fast` and without."""

from unittest.mock import patch

from sklearn.base import clone

from sknn_basic._descent import engine

OURS, NUMPY = "sknn_basic", "sknn_basic, NumPy alone"


def our_jobs(model, X, y):
    """Return {name: job} of a whole fit, or one of other steps; compiled before. Without Numba only one."""

    def fit(*steps):
        return clone(model).set_params(max_iter=steps[0] if steps else model.max_iter).fit(X, y)

    def fit_in_numpy(*steps):
        with numpy_alone():
            return fit(*steps)

    if not engine.has_numba():
        return {OURS: fit}
    fit()  # compiles
    return {OURS: fit, NUMPY: fit_in_numpy}


def numpy_alone():
    """Return a context in which fits use NumPy alone."""
    return patch.object(engine, "has_numba", lambda: False)


def in_numpy(times):
    """Return our time without the extra: that of NumPy alone, or the only one."""
    return times.get(NUMPY, times[OURS])


def is_ours(name):
    return name.startswith(OURS)
