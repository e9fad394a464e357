"""The logits Z of given layers, for predictions and costs: finite for all finite samples."""

from functools import partial
from math import prod

import numpy as np

from .arrays import are_finite, astype, on_host
from .device import DeviceSamples
from .threads import threads


def logits(network, samples, layers):
    """Return Z of the output (..., m, k) in the precision of the samples."""
    blocks = samples.loaded_blocks(width_of(layers))
    if samples.in_memory and len(blocks) == 1:
        return finite_forward(network, samples, layers)
    if type(samples) is DeviceSamples:
        return samples.X.xp.concat([finite_forward(network, X, layers) for _, X in blocks], axis=-2)
    *stack, _, k = layers[-1][1].shape
    Z = np.empty((*stack, samples.shape[0], k), samples.dtype)
    fill = partial(_fill, Z, network, layers)
    if samples.in_memory:
        threads.map(fill, blocks)
    else:  # one is in memory at a time
        for block in blocks:
            fill(block)
    return Z


def _fill(Z, network, layers, block):
    """Compute the rows of Z of one block (rows, X)."""
    rows, X = block
    Z[..., rows, :] = finite_forward(network, X, layers)


def finite_forward(network, X, layers):
    """Return Z of the output as `forward` does, but finite and with the true sign.

    If a sum of products overflows, or weights are beyond the range of X, Z is infinite or NaN. It is then
    computed again as Z 2^-e, from weights times 2^-e, since that does not round, and clipped at the largest
    float. With several outputs a row is divided by a power of 2 instead, which keeps their order.
    """
    if type(X) is DeviceSamples:
        Z = all_Z(network, X, [(astype(W, X.dtype), astype(b, X.dtype)) for W, b in layers])
        if all(map(are_finite, Z)):
            return Z[-1]
        layers = [(on_host(W), on_host(b)) for W, b in layers]  # NumPy makes them finite
        return X.asarray(finite_forward(network, X.on_host(), layers))
    Z, e = _affine(X, 0, *layers[0])  # Z of the layer is Z 2^e, with an exponent for each value
    for W, b in layers[1:]:
        A, e = _activate(network.activation, Z, e)
        Z, e = _affine(A, e, W, b)
    limits = np.finfo(Z.dtype)
    if Z.shape[-1] == 1:
        return np.clip(np.ldexp(Z, e), limits.min, limits.max)
    return _fitted(Z, e, limits.maxexp - 1)[0]


def overflows(X, targets, s, network, layers):
    """Return whether a sum of products overflows on the way to Z, even if g maps it to a finite value."""
    return not all(map(are_finite, all_Z(network, X, layers)))


def all_Z(network, X, layers):
    """Return Z of each layer."""
    found = []
    for W, b in layers:
        found.append((network.activation.g(found[-1]) if found else X) @ W + b)
    return found


def width_of(layers):
    """Return the number of columns of the first layer, over all members of a stack."""
    return prod(layers[0][1].shape)


def _affine(A, e, W, b):
    """Return Z and e for which A 2^e W + b is Z 2^e, in the precision of A."""
    Z = A @ W.astype(A.dtype, copy=False) + _scaled(b, -e, A.dtype)
    is_finite = np.isfinite(Z)
    if is_finite.all():
        return Z, e
    # Of n weights below 2^-(1 + log2 n), each times any float, the sum is below half of the largest float.
    largest = np.maximum(np.abs(W).max(axis=-2, keepdims=True), np.abs(b))
    more = np.frexp(largest)[1] + np.frexp(W.shape[-2])[1] + 1
    scaled = A @ _scaled(W, -more, A.dtype) + _scaled(b, -e - more, A.dtype)
    return np.where(is_finite, Z, scaled), np.where(is_finite, e, e + more)


def _activate(activation, Z, e):
    """Return A and e, with one exponent for each row, for which g(Z 2^e) is A 2^e.

    Beyond the largest float g is a line, since its slope there is that at infinity.
    """
    if not np.any(e):
        return activation.g(Z), 0
    limits = np.finfo(Z.dtype)
    all_Z = np.ldexp(Z, e)
    A = activation.g(np.clip(all_Z, limits.min, limits.max))
    slope = activation.slope(A)
    is_beyond = np.isinf(all_Z) & (slope != 0)
    if not is_beyond.any():
        return A, 0
    return _fitted(np.where(is_beyond, slope * Z, A), np.where(is_beyond, e, 0), limits.maxexp)


def _fitted(A, e, maxexp):
    """Return A and e with the smallest exponent, at least 0, for each row that keeps it below 2^maxexp."""
    if not np.any(e) and np.abs(A).max() < 2.0**maxexp:
        return A, 0
    exponents = np.where(A == 0, 0, np.frexp(A)[1] + e).max(axis=-1, keepdims=True)
    in_row = np.maximum(exponents - maxexp, 0)
    return np.ldexp(A, e - in_row), in_row


def _scaled(array, e, dtype):
    """Return the array times 2^e in a dtype: only the product must fit in it."""
    return np.ldexp(array.astype(np.float64, copy=False), e).astype(dtype, copy=False)
