"""The rule that chooses the representation of the samples."""

import numpy as np
import pytest
from scipy import sparse

from sknn_basic import LogisticRegressionGD
from sknn_basic._descent.choice import choose_samples
from sknn_basic._descent.gram import GramSamples, StoredGram
from sknn_basic._descent.samples import Samples
from sknn_basic._descent.stored import Block, Stored, StoredSamples


def test_the_rule_that_chooses():
    """Gram only where it pays: dense, wide, steps enough, and a matrix of half of X's bytes at most."""
    wide, W = np.ones((10, 100)), np.zeros((100, 1))
    assert isinstance(choose_samples(wide, W, 1000), GramSamples)
    assert isinstance(choose_samples(wide, W, 5), Samples)  # 5 (200 - 10) < 1000
    assert isinstance(choose_samples(sparse.csr_array(wide), W, 1000), Samples)
    assert isinstance(choose_samples(wide.T.copy(), np.zeros((10, 1)), 1000), Samples)
    assert isinstance(choose_samples(np.ones((10, 20)), np.zeros((20, 1)), 1000), GramSamples)
    assert isinstance(choose_samples(np.ones((10, 19)), np.zeros((19, 1)), 1000), Samples)
    assert isinstance(choose_samples(np.ones((10, 39), np.float32), np.zeros((39, 1)), 1000), Samples)
    assert isinstance(choose_samples(np.ones((10, 40), np.float32), np.zeros((40, 1)), 1000), GramSamples)
    with_start = choose_samples(np.ones((10, 22)), np.ones((22, 1)), 1000)  # a matrix of 11 x 11
    assert isinstance(with_start, Samples)


def test_an_overflowing_matrix_falls_back():
    """Where squares overflow, the plain form takes over."""
    X = 1e200 * np.random.RandomState(0).standard_normal((80, 130))
    assert isinstance(choose_samples(X, np.zeros((130, 1)), 1000), Samples)
    model = LogisticRegressionGD(1e-300, 1000).fit(X, np.arange(80) % 2)
    assert np.isfinite([*model.coef_[0], model.loss_]).all()


@pytest.mark.parametrize("dtype", [np.float64, np.uint8])
def test_stored_samples(dtype):
    """By the same rule; and only where the Gram matrix is not larger than it may be."""
    values = np.ones((10, 100), dtype)
    blocks, W = [Block(slice(0, 10), lambda: values, np.dtype(float))], np.zeros((100, 1))
    X = Stored((10, 100), dtype, blocks, max_gram_bytes=800)
    assert isinstance(choose_samples(X, W, 1000), StoredGram)
    assert isinstance(choose_samples(X, W, 5), StoredSamples)
    assert isinstance(choose_samples(X), StoredSamples)
    for limit in ({"max_gram_bytes": 799}, {}):
        X = Stored((10, 100), dtype, blocks, **limit)
        assert isinstance(choose_samples(X, W, 1000), StoredSamples)
