"""Samples in an array of another library: the contract of samples, by the values of those in memory."""

from unittest.mock import patch

import numpy as np
import pytest
from sklearn.base import clone

from libraries import DEVICE, TORCH, assert_near, dispatching, host, needs_dispatch, places
from models import blobs, both, weights_of
from sknn_basic import LogisticRegressionGD
from sknn_basic._descent import device
from sknn_basic._descent.choice import choose_samples
from sknn_basic._descent.device import DeviceSamples, OnDevice
from sknn_basic._descent.samples import Samples
from sknn_basic._lazy import sources  # which says how other libraries are found

assert sources
pytestmark = needs_dispatch


@places
def test_the_contract_of_samples(place):
    """Products, bounds, parameters and moments are those of `Samples`, in the precision of the place."""
    rng = np.random.RandomState(0)
    X, W = rng.standard_normal((30, 4)).astype(place.dtype), rng.standard_normal((4, 3))
    dZ, s = rng.standard_normal((30, 3)), rng.random_sample((30, 1))
    there, here = choose_samples(OnDevice(place.put(X))), Samples(X)
    assert type(there) is DeviceSamples
    assert (there.shape, there.dtype, there.weight_dtype) == (here.shape, here.dtype, here.weight_dtype)
    assert not there.fits_kernels
    assert there.gram is None
    assert there.largest == here.largest
    near = 10 * place.tolerance
    P, Q = there.asarray(W), here.asarray(W)
    assert place.holds(P)
    s_there, s_here = there.asarray(s / s.sum()), here.asarray(s / s.sum())
    assert_near([there @ P, there.mT @ there.asarray(dZ)], [here @ Q, here.mT @ here.asarray(dZ)], near)
    assert_near(*([samples @ samples.asarray(np.stack([W, 2 * W]))] for samples in (there, here)), near)
    assert there.bound(P) == pytest.approx(here.bound(Q), rel=near)
    assert float(there.inner_product(P, P)) == pytest.approx(float(here.inner_product(Q, Q)), rel=near)
    assert there.are_finite(P)
    assert not there.are_finite(there.asarray(np.full((4, 3), np.nan)))
    for moments in zip(there.moments(None, s_there), here.moments(None, s_here), strict=True):
        assert_near(*[[np.asarray(array, float)] for array in moments], 100 * place.tolerance)
    np.testing.assert_array_equal(there.on_host().X, X)


@places
def test_a_constant_feature_has_no_variance(place):
    """Far from 0 too, where rounding could show one."""
    X = np.column_stack([np.full(50, 12345.678), np.linspace(0, 1, 50)]).astype(place.dtype)
    s = np.full((50, 1), 1 / 50)
    samples = DeviceSamples(OnDevice(place.put(X)))
    for n_rows in (None, 7):
        mean, variance = samples.moments(None, samples.asarray(s), n_rows)
        assert mean[0] == pytest.approx(12345.678, rel=1e-6)
        assert variance[0] == 0
        assert variance[1] == pytest.approx(1 / 12, rel=0.3 if n_rows else 0.05)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("place", [DEVICE, TORCH], ids=repr)
@both
def test_blocks_of_rows_add_up(model, place, n_classes):
    """Fits and answers whose temporaries would be too large go block by block: the same to rounding."""
    X, y = blobs(n_classes, m=50)
    model = clone(model).set_params(max_iter=20, learning_rate="auto", l2_regularization=0.1)
    with dispatching():
        there = place.put(X), place.put(y)
        whole = clone(model).fit(*there, X_val=there[0], y_val=there[1])
        answers = whole.predict_log_proba(there[0])
        with patch.object(device, "BLOCK_BYTES", 500):
            samples = choose_samples(OnDevice(there[0]))
            blocks = samples.blocks(4)
            assert len(blocks) == 4
            assert np.vstack([host(block.X.array) for _, block in blocks]).tolist() == X.tolist()
            parts = clone(model).fit(*there, X_val=there[0], y_val=there[1])
            assert_near(weights_of(parts), weights_of(whole), 1e-12)
            assert_near([parts.validation_loss_curve_], [whole.validation_loss_curve_], 1e-12)
            assert_near([whole.predict_log_proba(there[0])], [answers], 1e-12)


@places
def test_the_warning_about_poorly_scaled_features_is_that_of_numpy(place):
    """On a device too a fit that could not finish says which feature held it up."""
    X, y = blobs(m=60)
    X = (X * [1, 1, 100, 1, 1]).astype(place.dtype)
    told = []
    for put in (np.asarray, place.put):
        with dispatching(), pytest.warns(match="Gradient descent has not finished") as caught:
            LogisticRegressionGD(max_iter=30).fit(put(X), put(y))
        told.append(str(caught[0].message).partition("would lower")[0])
    assert told[0] == told[1]


@pytest.mark.parametrize("place", [DEVICE, TORCH], ids=repr)
@both
def test_a_descent_that_diverges_keeps_what_numpy_keeps(model, place):
    """The last finite weights, with the same warning."""
    X, y = blobs(3)
    model = clone(model).set_params(learning_rate=1e308, max_iter=60, record_every=7)
    kept = []
    for put in (np.asarray, place.put):
        with dispatching(), pytest.warns(match="diverged") as caught:
            kept.append(clone(model).fit(put(X * 1e150), put(y)))
        kept[-1].told = str(caught[0].message)
    assert kept[0].n_iter_ == kept[1].n_iter_
    assert kept[0].told == kept[1].told
    assert_near(weights_of(kept[1]), weights_of(kept[0]), 1e-12)
