"""The Gram matrix of rows, in memory or stored, against products of the whole matrix."""

import numpy as np
import pytest
from scipy import sparse

from longhand import distance
from models import stored
from sknn_basic._descent import gram as gram_module
from sknn_basic._descent.gram import GramSamples, StoredGram
from sknn_basic._descent.samples import Samples
from sknn_basic._descent.stored import StoredSamples

RNG = np.random.RandomState(0)
X = RNG.randint(0, 255, (20, 300)).astype(np.uint8)
X_VAL = RNG.randint(0, 255, (50, 300)).astype(np.uint8)
W0 = RNG.standard_normal((300, 4))
FLOATS = {np.uint8: X / 5.0, np.float32: (X / 5.0).astype(np.float32).astype(float), np.float64: X / 5.0}


def read(stored_dtype):
    """X / 5 in blocks of three rows: as bytes with a divisor, or as floats."""
    if stored_dtype == np.uint8:
        return stored(X, divisor=5.0, n_rows=3)
    return stored((X / 5.0).astype(stored_dtype), stored_dtype, n_rows=3)


@pytest.fixture(params=[(30, 2000), (7 * 300, 10_000), (10**9, 10**9)], ids=["a row", "some rows", "whole"])
def large_blocks(request, monkeypatch):
    """Blocks of a row, of some and of all; a few columns at a time."""
    monkeypatch.setattr(gram_module, "LARGE_BLOCK_BYTES", request.param[0])
    monkeypatch.setattr(gram_module, "COLUMN_BYTES", request.param[1])


@pytest.mark.parametrize("stored_dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("start", [None, W0])
def test_products_of_stored_rows(stored_dtype, start, large_blocks):
    """The matrix, the weights of coefficients and of a stack of them, the moments."""
    floats = FLOATS[stored_dtype]
    W = None if start is None else start.astype(np.float32 if stored_dtype == np.float32 else float)
    samples = StoredGram(read(stored_dtype), W)
    B = floats if start is None else np.vstack([floats, W.T])
    assert distance(samples.gram, B @ B.T) < 1e-12
    assert (samples.gram == samples.gram.T).all()
    for shape in ((len(B), 2), (3, len(B), 2)):
        C = RNG.standard_normal(shape)
        assert distance(samples.weights_of(C), B.T @ C) < 1e-12
    s = RNG.random_sample((20, 1))
    s /= s.sum()
    mean, variance = samples.moments(None, s)
    assert distance(mean, s.T[0] @ floats) < 1e-12
    assert distance(variance, s.T[0] @ (floats - s.T[0] @ floats) ** 2) < 1e-10


@pytest.mark.parametrize("trained", ["in memory", "stored"])
@pytest.mark.parametrize("held", ["in memory", "csr", "stored"])
@pytest.mark.parametrize("start", [None, W0])
def test_other_rows_multiply_the_same_coefficients(trained, held, start, large_blocks):
    floats, validation = X / 5.0, X_VAL / 5.0
    samples = GramSamples(floats, start) if trained == "in memory" else StoredGram(read(np.uint8), start)
    others = {
        "in memory": lambda: Samples(validation),
        "csr": lambda: Samples(sparse.csr_array(validation)),
        "stored": lambda: StoredSamples(stored(X_VAL, divisor=5.0)),
    }[held]()
    B = floats if start is None else np.vstack([floats, start.T])
    C = RNG.standard_normal((len(B), 2))
    assert distance(samples.with_rows(others) @ C, validation @ (B.T @ C)) < 1e-12
