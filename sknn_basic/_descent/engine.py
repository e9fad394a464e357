"""What takes the steps: the formulas of `network.py` in NumPy, or their compiled form where it fits.

Both take the same step, to rounding. The compiled one needs Numba (extra `fast`), dense samples in C order
and one output; a network must be small besides, since BLAS multiplies large matrices faster.
"""

from importlib.util import find_spec

import numpy as np

from .activations import ACTIVATIONS
from .logits import width_of
from .network import propagate
from .outputs import logistic
from .samples import GramSamples, Samples
from .threads import threads

CODES = [ACTIVATIONS[name] for name in ("sigmoid", "tanh", "relu", "leaky_relu")]  # as the kernels count them
# Products of the first layer up to which the compiled network is faster: there NumPy's calls take most of
# the time of a step.
MAX_PRODUCTS = 2**19
# Products in one call, about 30 ms: an interruption waits for its end, and loses its steps. An activation or
# an error takes as long as some 8 of them.
CALL_PRODUCTS, ACTIVATION = 2**25, 8
# Threads share the blocks of X from this number on: 64 MiB, or 128 MiB of one column (`WHOLE_BYTES`). Fewer,
# which may stay in the cache, are faster one after another with the threads of BLAS.
MIN_SHARED = 8
# The compiled steps, which have only these threads, from this number of values on: a step takes 0.4 ms.
MIN_SHARED_VALUES = 2**20
# They share them in groups, whatever their number: the sums have the same bits.
N_GROUPS = 12  # a multiple of the likely numbers of threads


def choose_engine(network, samples, layers):
    """Return the fastest engine for these samples and layers."""
    (W, _), *deeper = layers
    if not (has_numba() and _is_compilable(network, samples, W)):
        return Formulas(network)
    if not deeper and (type(samples) is GramSamples or samples.shape[1] <= samples.shape[0]):
        return CompiledLogistic(network, samples)
    is_small = samples.shape[0] * W.size <= MAX_PRODUCTS and W.dtype == np.float64
    if deeper and is_small and network.activation in CODES:
        return CompiledNetwork(network, samples)
    return Formulas(network)


def has_numba():
    return find_spec("numba") is not None


def _is_compilable(network, samples, W):
    if network.output is not logistic or W.ndim != 2 or min(samples.shape) == 0:
        return False
    if type(samples) is GramSamples:
        return True
    X = samples.X
    return (
        type(samples) is Samples
        and isinstance(X, np.ndarray)
        and X.flags.c_contiguous
        and X.flags.aligned
        and X.dtype in (np.float32, np.float64)
        and X.dtype.isnative
    )


class Formulas:
    """The formulas as `network.py` has them, for samples and layers of any kind."""

    def __init__(self, network):
        self.network = network

    def is_ready(self, X):
        """Whether the first step on samples such as X can start at once."""
        return True

    def prepare(self, X):
        """Do what must be done before the first step on samples such as X."""

    def groups(self, samples, layers):
        """Return groups of blocks of rows [[(rows, samples), ...], ...], which threads share."""
        blocks = samples.blocks(width_of(layers))
        size = -(-len(blocks) // N_GROUPS) if len(blocks) >= MIN_SHARED else len(blocks)
        return [blocks[start : start + size] for start in range(0, len(blocks), size)]

    def propagate(self, X, layers, targets, s, want_cost):
        return propagate(self.network, X, layers, targets, s, want_cost)


class Compiled:
    """What the compiled engines have in common: a kernel takes steps with copies of the layers.

    The layers of an interrupted call are lost with it, so that nothing is left half done.
    """

    def __init__(self, network, samples):
        self.network = network
        self.is_gram = type(samples) is GramSamples
        self.dtype = samples.dtype

    def is_ready(self, X):
        return self._key(X) in _ready

    def prepare(self, X):
        """Compile, or load what was compiled: in a thread, which an interruption does not reach."""
        if not self.is_ready(X):
            threads.wait_for(_warm_up, *self._key(X))

    def _key(self, X):
        """Return what the machine code depends on: whether X is writable is a part of its type to Numba."""
        return type(self), self.network, self.is_gram, self.dtype, self._matrix(X).flags.writeable

    def propagate(self, X, layers, targets, s, want_cost):
        J, _, gradients = self._call(X, layers, targets, s, (0.0, 0.0), 0, want_cost)
        return J if want_cost else None, gradients

    def advance(self, X, layers, targets, s, learning_rate, l2, n_steps):
        """Take steps; yield (number of steps taken, layers) after each call of the kernel."""
        W, b = layers[0]
        per_call = max(CALL_PRODUCTS // (X.shape[0] * (W.size + ACTIVATION * b.size)), 1)
        for start in range(0, n_steps, per_call):
            end = min(start + per_call, n_steps)
            _, layers, _ = self._call(X, layers, targets, s, (learning_rate, l2), end - start, False)
            yield end, layers

    def groups(self, samples, layers):
        return [[(slice(None), samples)]]

    def _call(self, X, layers, targets, s, rates, n_steps, want_cost):
        """Return J, the layers after `n_steps` steps and the gradients of the last."""
        layers = [(np.array(W, order="C"), np.array(b, order="C")) for W, b in layers]
        gradients = [(np.empty_like(W), np.empty_like(b)) for W, b in layers]
        J = np.zeros(1)
        self._kernel(
            self._matrix(X), targets.ravel(), s.ravel(), layers, gradients, J, np.array(rates, self.dtype),
            n_steps, self.network.fit_intercept, want_cost,
        )  # fmt: skip
        return J[0], layers, gradients

    def _matrix(self, X):
        return X.gram[: X.shape[0]] if self.is_gram else X.X


class CompiledLogistic(Compiled):
    """Logistic regression, on rows of X or on their Gram matrix."""

    def groups(self, samples, layers):
        m, n = samples.shape
        if self.is_gram or m * n < MIN_SHARED_VALUES:
            return super().groups(samples, layers)
        size = -(-m // N_GROUPS)
        slices = [slice(start, min(start + size, m)) for start in range(0, m, size)]
        return [[(rows, Samples(samples.X[rows]))] for rows in slices]

    def _kernel(self, X, T, s, layers, gradients, *rest):
        from . import compiled

        kernel = compiled.gram_steps if self.is_gram else compiled.logistic_steps
        ((W, b),), ((dW, db),) = layers, gradients
        kernel(X, T, s, W.ravel(), b.ravel(), dW.ravel(), db.ravel(), *rest)


class CompiledNetwork(Compiled):
    """A small network, on columns of X' or on the Gram matrix."""

    def _matrix(self, X):
        return np.ascontiguousarray(X.gram[: X.shape[0]].T if self.is_gram else X.X.T)

    def _kernel(self, XT, T, s, layers, gradients, *rest):
        from . import compiled

        (W1, b1), (W2, b2) = layers
        (dW1, db1), (dW2, db2) = gradients
        compiled.network_steps(
            XT, self.is_gram, T, s, CODES.index(self.network.activation),
            W1, b1.ravel(), W2, b2.ravel(), dW1, db1.ravel(), dW2, db2.ravel(), *rest,
        )  # fmt: skip


_ready = set()  # arguments of `_warm_up`


def _warm_up(engine, network, is_gram, dtype, is_writable):
    """Call a kernel once, which compiles it."""
    X = GramSamples(np.zeros((1, 2))) if is_gram else Samples(np.zeros((1, 1), dtype))
    (X.gram if is_gram else X.X).flags.writeable = is_writable
    one = np.ones((1, 1), dtype)
    layers = [(one, one)] if network.activation is None else [(one, one), (one, one)]
    engine(network, X).propagate(X, layers, one, one, True)
    _ready.add((engine, network, is_gram, dtype, is_writable))
