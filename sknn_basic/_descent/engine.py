"""What takes the steps: the formulas of `network.py` in NumPy, or their compiled form where it fits.

Both take the same step, to rounding. The compiled one needs Numba (extra `fast`), dense samples in C order
and one output; a network must be small besides, since BLAS multiplies large matrices faster.
"""

from functools import partial
from importlib.util import find_spec

import numpy as np

from .activations import ACTIVATIONS
from .gram import GramSamples
from .logits import width_of
from .network import propagate
from .outputs import logistic
from .rows import N_GROUPS, grouped
from .samples import Samples
from .stored import ConvertedSamples, StoredSamples
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


def choose_engine(network, samples, layers):
    """Return the fastest engine for these samples and layers."""
    (W, _), *deeper = layers
    if W.ndim == 3:
        member = choose_engine(network, samples, [(W[0], b[0]) for W, b in layers])
        is_one_block = samples.in_memory and member.takes_steps and len(member.groups(samples, layers)) == 1
        return CompiledStack(member) if is_one_block else Formulas(network)
    if not (has_numba() and _is_compilable(network, samples, W)):
        return Formulas(network)
    is_tall = samples.shape[1] <= samples.shape[0]
    if not deeper and (isinstance(samples, GramSamples) or is_tall or _is_of_bytes(samples)):
        return CompiledLogistic(network, samples)
    is_small = samples.shape[0] * W.size <= MAX_PRODUCTS and W.dtype == np.float64 and samples.in_memory
    if deeper and is_small and network.activation in CODES:
        return CompiledNetwork(network, samples)
    return Formulas(network)


def has_numba():
    return find_spec("numba") is not None


def _is_compilable(network, samples, W):
    if network.output is not logistic or min(samples.shape) == 0:
        return False
    if isinstance(samples, GramSamples | StoredSamples):  # what is read is in C order
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


def _is_of_bytes(samples):
    return getattr(samples, "kind", None) == np.uint8


class Formulas:
    """The formulas as `network.py` has them, for samples and layers of any kind."""

    takes_steps = False  # several in one call, on a single block

    def __init__(self, network):
        self.network = network

    def is_ready(self):
        """Whether the first step can start at once."""
        return True

    def prepare(self):
        """Do what must be done before the first step."""

    def groups(self, samples, layers):
        """Return groups of blocks of rows [[(rows, samples), ...], ...], which threads share."""
        blocks = samples.blocks(width_of(layers))
        is_shared = len(blocks) >= MIN_SHARED or not samples.in_memory
        return grouped(blocks) if is_shared else [blocks]

    def propagate(self, X, targets, s, layers, want_cost):
        return propagate(self.network, X, layers, targets, s, want_cost)


class Compiled:
    """What the compiled engines have in common: a kernel takes steps with copies of the layers.

    The layers of an interrupted call are lost with it, so that nothing is left half done.
    """

    takes_steps = True

    def __init__(self, network, samples):
        self.network = network
        self.is_gram = isinstance(samples, GramSamples)
        self.dtype = samples.dtype
        self.kind = np.dtype(np.uint8) if _is_of_bytes(samples) else samples.dtype  # of what is multiplied

    def is_ready(self):
        return self._key() in _ready

    def prepare(self):
        """Compile, or load what was compiled: in a thread, which an interruption does not reach."""
        if not self.is_ready():
            threads.wait_for(_warm_up, *self._key())

    def _key(self):
        """Return what the machine code depends on."""
        return type(self), self.network, self.is_gram, self.dtype, self.kind

    def propagate(self, X, targets, s, layers, want_cost):
        J, _, gradients = self._call(X, targets, s, layers, (0.0, 0.0), 0, want_cost)
        return J if want_cost else None, gradients

    def advance(self, X, targets, s, layers, learning_rate, l2, n_steps):
        """Take steps; yield (number of steps taken, layers) after each call of the kernel."""
        per_call = self.steps_of_call(X, layers)
        for start in range(0, n_steps, per_call):
            end = min(start + per_call, n_steps)
            _, layers, _ = self._call(X, targets, s, layers, (learning_rate, l2), end - start, False)
            yield end, layers

    def steps_of_call(self, X, layers):
        W, b = layers[0]
        return max(CALL_PRODUCTS // (X.shape[0] * (W.size + ACTIVATION * b.size)), 1)

    def groups(self, samples, layers):
        return [[(slice(None), samples)]]

    def _call(self, X, targets, s, layers, rates, n_steps, want_cost):
        """Return J, the layers after `n_steps` steps and the gradients of the last."""
        layers = [(np.array(W, order="C"), np.array(b, order="C")) for W, b in layers]
        gradients = [(np.empty_like(W), np.empty_like(b)) for W, b in layers]
        J = np.zeros(1)
        self._kernel(
            X, targets.ravel(), s.ravel(), layers, gradients, J, np.array(rates, self.dtype),
            n_steps, self.network.fit_intercept, want_cost,
        )  # fmt: skip
        return J[0], layers, gradients

    def _matrix(self, X):
        """Return what the kernel multiplies, and the divisor of these values.

        Read-only, since arrays that are not are of another type to Numba.
        """
        matrix, divisor = (X.gram[: X.shape[0]], 1.0) if self.is_gram else X.as_stored()
        return _read_only(matrix) if matrix.flags.writeable else matrix, divisor


def _read_only(matrix):
    view = matrix[:]
    view.flags.writeable = False
    return view


class CompiledLogistic(Compiled):
    """Logistic regression, on rows of X, on bytes of which X is a multiple, or on the Gram matrix of rows."""

    def groups(self, samples, layers):
        m, n = samples.shape
        if not samples.in_memory:
            return grouped(samples.blocks(0))
        if self.is_gram or m * n < MIN_SHARED_VALUES:
            return super().groups(samples, layers)
        size = -(-m // N_GROUPS)
        slices = [slice(start, min(start + size, m)) for start in range(0, m, size)]
        return [[(rows, Samples(_read_only(samples.X[rows])))] for rows in slices]

    def _kernel(self, X, T, s, layers, gradients, *rest):
        from . import compiled

        kernel = compiled.gram_steps if self.is_gram else compiled.logistic_steps
        ((W, b),), ((dW, db),) = layers, gradients
        matrix, divisor = self._matrix(X)
        if divisor != 1:  # the weights are divided, not X
            W /= divisor
        kernel(matrix, T, s, W.ravel(), b.ravel(), dW.ravel(), db.ravel(), *rest)
        if divisor != 1:
            dW /= divisor


class CompiledNetwork(Compiled):
    """A small network, on columns of X' or on the Gram matrix."""

    def _kernel(self, X, T, s, layers, gradients, *rest):
        from . import compiled

        matrix, _ = self._matrix(X)  # of samples in memory: the divisor is 1
        (W1, b1), (W2, b2) = layers
        (dW1, db1), (dW2, db2) = gradients
        compiled.network_steps(
            np.ascontiguousarray(matrix.T), self.is_gram, T, s, CODES.index(self.network.activation),
            W1, b1.ravel(), W2, b2.ravel(), dW1, db1.ravel(), dW2, db2.ravel(), *rest,
        )  # fmt: skip


class CompiledStack:
    """A stack of descents: a compiled one for each member, which threads share.

    On samples in one block, where reading them once for all members would save little.
    """

    takes_steps = True

    def __init__(self, member):
        self.member = member
        self.is_ready, self.prepare, self.groups = member.is_ready, member.prepare, member.groups

    def propagate(self, X, targets, s, layers, want_cost):
        steps = self._of_each(self._propagate, layers, (X, targets, s), want_cost)
        costs, gradients = zip(*steps, strict=True)
        return np.array(costs) if want_cost else None, _stacked(gradients)

    def advance(self, X, targets, s, layers, learning_rate, l2, n_steps):
        """Take steps; yield (number of steps taken, layers) after as many as one call of the kernel takes."""
        shape = len(layers[0][0]), 1, 1
        rates = [np.broadcast_to(values, shape).ravel() for values in (learning_rate, l2)]
        per_call = self.member.steps_of_call(X, _member(layers, 0))
        for start in range(0, n_steps, per_call):
            end = min(start + per_call, n_steps)
            layers = _stacked(self._of_each(self._descend, layers, (X, targets, s), *rates, end - start))
            yield end, layers

    def _propagate(self, layers, block, want_cost, i):
        return self.member.propagate(*block, _member(layers, i), want_cost)

    def _descend(self, layers, block, rates, l2s, n_steps, i):
        ((_, reached),) = self.member.advance(*block, _member(layers, i), rates[i], l2s[i], n_steps)
        return reached

    def _of_each(self, function, layers, *arguments):
        """Return [function(layers, *arguments, i), ...] for each member i."""
        with threads.shared_out():
            return threads.map(partial(function, layers, *arguments), range(len(layers[0][0])))


def _member(layers, i):
    return [(W[i], b[i]) for W, b in layers]


def _stacked(layers_of_members):
    return [
        tuple(np.stack(arrays) for arrays in zip(*layer, strict=True))
        for layer in zip(*layers_of_members, strict=True)
    ]


_ready = set()  # arguments of `_warm_up`


def _warm_up(engine, network, is_gram, dtype, kind):
    """Call a kernel once, which compiles it."""
    X = GramSamples(np.zeros((1, 2))) if is_gram else Samples(np.zeros((1, 1), dtype))
    if kind != dtype:
        X = ConvertedSamples(np.zeros((1, 1), kind), dtype, 1.0)
    one = np.ones((1, 1), dtype)
    layers = [(one, one)] if network.activation is None else [(one, one), (one, one)]
    engine(network, X).propagate(X, one, one, layers, True)
    _ready.add((engine, network, is_gram, dtype, kind))
