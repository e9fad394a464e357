"""The fastest representation of the samples: for training, validation and prediction."""

import os
from contextlib import suppress
from pathlib import Path

import numpy as np
from scipy import sparse

from .gram import GramSamples, StoredGram
from .samples import Samples
from .stored import Stored, StoredSamples

MEMORY_SHARE = 1 / 4  # of the computer's memory, that the Gram matrix of stored samples may take


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
    if isinstance(X, Stored) and not (X.is_local and gram_bytes <= MEMORY_SHARE * memory()):
        return False
    is_dense = not sparse.issparse(X)
    return is_dense and n_steps * k * (2 * n - m) > m * n and 2 * gram_bytes <= m * n * X.dtype.itemsize


def memory():
    """Return the bytes of memory of this computer, or less by a limit; 8 GiB if nothing tells."""
    found = []
    with suppress(AttributeError, OSError, ValueError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):  # "max" is no number
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    with suppress(ImportError):  # on Windows
        import resource

        limits = [resource.getrlimit(limit)[0] for limit in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
        found += [limit for limit in limits if limit != resource.RLIM_INFINITY]
    return min(found, default=2**33)
