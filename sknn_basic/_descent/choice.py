"""The fastest representation of the samples: for training, validation and prediction."""

import numpy as np
from scipy import sparse

from .device import DeviceSamples, OnDevice
from .gram import GramSamples, StoredGram
from .samples import Samples
from .stored import Stored, StoredSamples


def choose_samples(X, W=None, n_steps=0, gram=None):
    """Return samples that hold their Gram matrix if it pays off within `n_steps` steps, else plain ones.

    X (m, n) is a dense or CSR matrix, `Stored` or `OnDevice`. W (n, k) are the initial weights, for training
    only; `gram` is X X' in float64, if already known.
    """
    if isinstance(X, OnDevice):
        return DeviceSamples(X)
    plain, with_gram = (StoredSamples, StoredGram) if isinstance(X, Stored) else (Samples, GramSamples)
    if n_steps and prefers_gram(X, W.shape[1], W.any(), n_steps):
        samples = with_gram(X, W if W.any() else None, gram)
        if np.isfinite(samples.gram).all():
            return samples
    return plain(X)


def prefers_gram(X, k, has_start, n_steps):
    """Whether X X' is small enough, and saves enough in `n_steps` steps, to be worth computing."""
    m, n = X.shape
    gram_bytes = 8 * (m + k * bool(has_start)) ** 2
    is_dense = not sparse.issparse(X)
    largest = min(m * n * X.dtype.itemsize / 2, getattr(X, "max_gram_bytes", np.inf))
    return is_dense and gram_bytes <= largest and n_steps * k * (2 * n - m) > m * n
