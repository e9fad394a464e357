"""What takes the steps: the formulas of `network.py` in NumPy, or their compiled form where it fits.

Both take the same step, to rounding. The compiled one needs Numba (extra `fast`) and dense samples in C
order. Networks and small samples with several outputs need a copy of X besides, with samples as columns.
"""

import warnings
from contextlib import suppress
from importlib.util import find_spec

import numpy as np

from .gram import GramSamples
from .logits import width_of
from .network import propagate
from .rows import N_GROUPS, grouped, slices
from .samples import Samples
from .stacking import member
from .stored import ConvertedSamples
from .threads import threads

# Weights of the first layer, and outputs, up to which kernels multiply faster than BLAS: 500 x 100 weights
# take 0.93 of its time, 200 x 500 take 1.1; 64 classes on 20,000 x 100 take 0.81, 256 take 2.5.
MAX_WEIGHTS, MAX_OUTPUTS = 2**16, 64
# Values of X, or of its Gram matrix, of which a copy with samples as columns is made: 8 MiB.
MAX_COPIED = 2**20
# Products in one call, at most some 30 ms: an interruption waits for its end, and loses its steps. An
# activation or an error, with its cost, takes as long as some 16 of them, and a step besides as some 2,000.
CALL_PRODUCTS, ACTIVATION, STEP_PRODUCTS = 2**25, 16, 2000
# Threads share the rows of X in the compiled steps from this number of values, times outputs, on, which take
# 0.4 ms; as columns from twice this number, times outputs or units.
MIN_SHARED_VALUES = 2**20


def choose_engine(network, samples, layers):
    """Return the fastest engine for these samples and layers."""
    (W, _), *deeper = layers
    if W.ndim == 3:
        alone = member(layers, 0)
        engine = choose_engine(network, samples, alone)
        is_logistic = isinstance(engine, CompiledLogistic) and W.shape[-1] == 1 and samples.in_memory
        return engine if is_logistic and len(engine.groups(samples, alone)) == 1 else Formulas(network)
    if not samples.fits_kernels or not has_numba():
        return Formulas(network)
    if 0 in (*samples.shape, *(W.size for W, _ in layers)):
        return Formulas(network)
    m, n = samples.shape
    has_rows = samples.gram is not None or n <= m or samples.stored_dtype == np.uint8
    if not deeper and W.shape[1] == 1:
        return CompiledLogistic(network, samples) if has_rows else Formulas(network)
    if W.size > MAX_WEIGHTS or layers[-1][0].shape[1] > MAX_OUTPUTS:
        return Formulas(network)
    is_small = (m * n if samples.gram is None else samples.gram.size) <= MAX_COPIED
    may_be_columns = is_small and samples.in_memory and samples.dtype == np.float64
    if deeper:
        is_known = network.activation.kernel is not None
        return CompiledNetwork(network, samples) if may_be_columns and is_known else Formulas(network)
    if may_be_columns and samples.gram is None:
        return CompiledSoftmax(network, samples)
    has_rows = has_rows and (samples.gram is None or is_small)
    return CompiledLogistic(network, samples) if has_rows else Formulas(network)


def has_numba():
    return not _failed and find_spec("numba") is not None


class Formulas:
    """The formulas as `network.py` has them, for samples and layers of any kind."""

    takes_steps = False  # several in one call, on a single block

    def __init__(self, network):
        self.network = network

    def prepare(self, if_long=None):
        """Do what must be done before the first step; return whether this engine can take it.

        `if_long()` is called if that takes long.
        """
        return True

    def groups(self, samples, layers):
        """Return groups of blocks of rows [[(rows, samples), ...], ...]: threads share the groups."""
        return grouped(samples.blocks(width_of(layers)), samples.n_groups)

    def propagate(self, X, targets, s, layers, want_cost):
        return propagate(self.network, X, layers, targets, s, want_cost)


class Compiled:
    """What the compiled engines share: a kernel takes steps with copies of the layers.

    All arrays that a kernel gets are in C order: X (m, n) or X' (n, m), which is read-only, the targets
    (k, m) and s (m,). A kernel is compiled for these types alone, before the first step. The layers of an
    interrupted call are lost with it, so that nothing is left half done.
    """

    takes_steps = True

    def __init__(self, network, samples):
        self.network = network
        self.is_gram = samples.gram is not None
        self.dtype = samples.dtype
        # Of what is multiplied: bytes as they are, all else as floats.
        self.value_dtype = np.dtype(np.uint8) if samples.stored_dtype == np.uint8 else samples.dtype

    def prepare(self, if_long=None):
        """Compile, or load what was compiled; return whether that has worked.

        A thread does it, since an interruption does not reach it there.
        """
        if self._key() in _ready:
            return True
        try:
            threads.wait_for(_warm_up, *self._key(), if_long=if_long)
        except Exception as error:  # Numba is older than NumPy; its cache is damaged, or the disk is full
            _failed.append(error)
            warnings.warn(_failure_message(error), RuntimeWarning, stacklevel=2)
            return False
        return True

    def _key(self):
        """Return what the machine code depends on."""
        return type(self), self.network, self.is_gram, self.dtype, self.value_dtype

    def propagate(self, X, targets, s, layers, want_cost):
        if not self.prepare():  # on a worker of a cluster, where nobody has prepared it
            return Formulas(self.network).propagate(X, targets, s, layers, want_cost)
        costs, _, gradients, _ = self._call(X, targets, s, layers, (0.0, 0.0), 0, FIRST[: int(want_cost)])
        return costs[..., 0] if want_cost else None, gradients

    def advance(self, X, targets, s, layers, learning_rate, l2, n_steps, records):
        """Yield (number of steps taken, layers, costs before the steps `records`, peak) after each call."""
        n_at_once = self.n_at_once(X, layers)
        for steps in slices(n_steps, n_at_once):
            first, last = np.searchsorted(records, [steps.start, steps.stop])
            costs, layers, _, peak = self._call(
                X, targets, s, layers, (learning_rate, l2), steps.stop - steps.start,
                records[first:last] - steps.start,
            )  # fmt: skip
            yield steps.stop, layers, costs.T, peak

    def n_at_once(self, X, layers):
        """Return the number of steps that a call takes at most."""
        n_products = X.shape[0] * sum(W.size + ACTIVATION * b.size for W, b in layers)
        return max(CALL_PRODUCTS // (n_products + STEP_PRODUCTS), 1)

    def groups(self, samples, layers):
        return [[(slice(None), samples)]]

    def _values(self, X):
        """Return what the kernel multiplies, and the divisor that makes it X."""
        return X.for_kernels()

    def _call(self, X, targets, s, layers, rates, n_steps, records):
        """Return the costs (..., n_records), the layers reached, the gradients of the last step, the peak."""
        layers = [(np.array(W, order="C"), np.array(b, order="C")) for W, b in layers]
        is_stack = layers[0][0].ndim == 3
        own_rates = np.empty((len(layers[0][0]) if is_stack else 1, 2, 1), self.dtype)
        own_rates[:, :1], own_rates[:, 1:] = rates  # numbers, or (members, 1, 1)
        gradients = [(np.empty_like(W), np.empty_like(b)) for W, b in layers]
        J, peak = np.zeros((len(own_rates), len(records) + 1)), np.zeros(1)
        values, divisor = self._values(X)
        self._kernel(
            _read_only(values), divisor, np.ascontiguousarray(targets.T), s.ravel(), layers, gradients,
            J, peak, own_rates[..., 0], n_steps, self.network.fit_intercept, records,
        )  # fmt: skip
        J = J[:, :-1]  # the rest is 0, of steps without a record
        return J if is_stack else J[0], layers, gradients, peak[0]


def _read_only(values):
    """Return a view that is read-only, since arrays that are not are of another type to Numba."""
    view = values[:]
    view.flags.writeable = False
    return view


class CompiledLogistic(Compiled):
    """Logistic regression on rows of X, on bytes of which X is a multiple, or on the Gram matrix of rows.

    With one output also several members at once, which read X once.
    """

    def groups(self, samples, layers):
        m, W = samples.shape[0], layers[0][0]
        if not samples.in_memory:
            return grouped(samples.blocks(0))
        if self.is_gram or m * W.shape[-2] * W.shape[-1] < MIN_SHARED_VALUES:
            return super().groups(samples, layers)
        return [[(rows, Samples(_read_only(samples.X[rows])))] for rows in slices(m, -(-m // N_GROUPS))]

    def _kernel(self, values, divisor, targets, s, layers, gradients, *rest):
        from .compiled_rows import row_steps

        ((W, b),), ((dW, db),) = layers, gradients
        if divisor != 1:  # the weights are divided, not X
            W /= divisor
        own, slopes = np.array(W.mT, order="C"), np.empty(W.mT.shape, W.dtype)
        rows = -1, W.shape[-2]  # (members times outputs, n)
        row_steps(
            values, self.is_gram, targets, s,
            own.reshape(rows), b.ravel(), slopes.reshape(rows), db.ravel(), *rest,
        )  # fmt: skip
        W[:], dW[:] = own.mT, slopes.mT
        if divisor != 1:
            dW /= divisor


class CompiledColumns(Compiled):
    """What takes steps on samples as columns, of which a copy is made, or on the Gram matrix."""

    def groups(self, samples, layers):
        m, n_products = samples.shape[0], samples.shape[0] * layers[0][0].size
        # An even number, and large ones: to wake a thread takes some 30 us.
        n_groups = min(max(2 * (n_products // (2 * MIN_SHARED_VALUES)), 1), N_GROUPS)
        if self.is_gram or n_groups == 1:
            return super().groups(samples, layers)
        return [[(rows, Samples(samples.X[rows]))] for rows in slices(m, -(-m // n_groups))]

    def _values(self, X):
        return X.columns, 1.0


class CompiledSoftmax(CompiledColumns):
    """Logistic regression with several outputs."""

    def _kernel(self, columns, divisor, targets, s, layers, gradients, *rest):
        from .compiled_columns import softmax_steps

        ((W, b),), ((dW, db),) = layers, gradients
        softmax_steps(columns, targets, s, W, b.ravel(), dW, db.ravel(), *rest)


class CompiledNetwork(CompiledColumns):
    """One hidden layer."""

    def _kernel(self, columns, divisor, targets, s, layers, gradients, *rest):
        from . import compiled, compiled_columns

        (W1, b1), (W2, b2) = layers
        (dW1, db1), (dW2, db2) = gradients
        activation = getattr(compiled, self.network.activation.kernel)
        compiled_columns.network_steps(
            columns, self.is_gram, targets, s, activation,
            W1, b1.ravel(), W2, b2.ravel(), dW1, db1.ravel(), dW2, db2.ravel(), *rest,
        )  # fmt: skip


FIRST = np.zeros(1, np.intp)  # records: the first step
_ready = set()  # arguments of `_warm_up`
_failed = []  # what Numba has raised: this process uses it no more


def _warm_up(engine, network, is_gram, dtype, value_dtype):
    """Compile a kernel by a first call."""
    X = GramSamples(np.zeros((1, 2))) if is_gram else Samples(np.zeros((1, 1), dtype))
    if value_dtype != dtype:
        X = ConvertedSamples(np.zeros((1, 1), value_dtype), dtype, 1.0)
    one = np.ones((1, 1), dtype)
    layers = [(one, one)] if network.activation is None else [(one, one), (one, one)]
    engine(network, X)._call(X, one, one, layers, (0.0, 0.0), 0, FIRST)
    _ready.add((engine, network, is_gram, dtype, value_dtype))


def _failure_message(error):
    cache = "__pycache__ beside the modules of sknn_basic"
    with suppress(Exception):
        from . import compiled

        cache = compiled.sigmoid.stats.cache_path or cache
    return (
        f"Numba cannot compile the steps ({type(error).__name__}: {error}). NumPy takes them: the result is "
        "the same to rounding, but takes longer. Install a version of Numba that fits this NumPy; if its "
        f"cache is damaged or the disk full, make room and delete {cache}."
    )
