"""The fastest representation of the samples: for training, validation and prediction."""

import numpy as np
from scipy import sparse

from .gram import GramSamples, StoredGram
from .samples import Samples
from .stored import Stored, StoredSamples


def choose_samples(X, W=None, n_steps=0, gram=None):
    """Return `GramSamples` if its matrix pays off within `n_steps` steps, else `Samples`; or stored ones.

    Parameters
    ----------
    X : dense or CSR matrix (m, n), or Stored
        The samples.
    W : ndarray (n, k)
        The initial weights, for training only.
    n_steps : int
        How many steps will be taken.
    gram : ndarray (m, m)
        X X' in float64, if already known.
    """
    is_stored = isinstance(X, Stored)
    if n_steps and prefers_gram(X, W.shape[1], W.any(), n_steps):
        kind = StoredGram if is_stored else GramSamples
        samples = kind(X, W if W.any() else None, gram)
        if np.isfinite(samples.gram).all():
            return samples
    return StoredSamples(X) if is_stored else Samples(X)


def prefers_gram(X, k, has_start, n_steps):
    """Whether X X' is small enough, and saves enough in `n_steps` steps, to be worth computing."""
    m, n = X.shape
    gram_bytes = 8 * (m + k * bool(has_start)) ** 2
    if isinstance(X, Stored) and gram_bytes > X.max_gram_bytes:
        return False
    is_dense = not sparse.issparse(X)
    return is_dense and n_steps * k * (2 * n - m) > m * n and 2 * gram_bytes <= m * n * X.dtype.itemsize
