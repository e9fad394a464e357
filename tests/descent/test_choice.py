"""The rule that chooses the representation of the samples."""

import sys

import numpy as np
import pytest
from scipy import sparse

from sknn_basic import LogisticRegressionGD
from sknn_basic._descent import choice
from sknn_basic._descent.choice import choose_samples, memory
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
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.loss_)


@pytest.mark.parametrize("dtype", [np.float64, np.uint8])
def test_stored_samples(dtype, monkeypatch):
    """By the same rule; and only where they are read by this process, and a share of its memory suffices."""
    values = np.ones((10, 100), dtype)
    X = Stored((10, 100), dtype, [Block(slice(0, 10), lambda: values, np.dtype(float))])
    W = np.zeros((100, 1))
    assert isinstance(choose_samples(X, W, 1000), StoredGram)
    assert isinstance(choose_samples(X, W, 5), StoredSamples)
    assert isinstance(choose_samples(X), StoredSamples)
    monkeypatch.setattr(choice, "memory", lambda: 4 * 799)
    assert isinstance(choose_samples(X, W, 1000), StoredSamples)
    monkeypatch.undo()
    monkeypatch.setattr(X, "is_local", False, raising=False)
    assert isinstance(choose_samples(X, W, 1000), StoredSamples)
    assert 2**26 < memory() < 2**50


def test_a_computer_that_does_not_tell_its_memory(monkeypatch):
    """A limit of the process is one of it too."""
    known = memory()
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr("os.sysconf")
        patch.setattr("pathlib.Path.read_text", lambda path: "max")
        patch.setitem(sys.modules, "resource", None)
        assert memory() == 2**33
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda limit: (2**20, 2**30))
    assert memory() == 2**20 < known
