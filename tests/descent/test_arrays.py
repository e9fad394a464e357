"""Functions of arrays of any library: NumPy's own for ndarrays, and the same values for others."""

import numpy as np
import pytest
from scipy import sparse

from libraries import (
    CPU,
    DEVICE,
    NO_X64,
    PLACES,
    TORCH,
    dispatching,
    host,
    needs_dispatch,
    places,
)
from sknn_basic._descent import arrays
from sknn_basic._lazy import sources  # which says how other libraries are found

assert sources


def test_numpy_is_found_for_all_that_numpy_takes():
    """By type, without a question to scikit-learn: subclasses, numbers and sparse matrices too."""
    X = np.eye(3)
    for array in (X, X.view(np.memmap), np.float64(1), 1.0, sparse.csr_array(X), [1.0]):
        assert arrays.namespace(array) is np
        assert not arrays.is_foreign(array)
        assert arrays.on_host(array) is array


@needs_dispatch
@places
def test_other_libraries_are_found_with_and_without_dispatch(place):
    """A namespace of the standard's names; the way to the host keeps values and type."""
    array = place.put([[1.5, -2.0]])
    assert arrays.is_foreign(array)
    found = arrays.namespace(array)
    with dispatching():
        assert arrays.namespace(array) is found
    assert {"concat", "permute_dims", "astype", "isdtype"} <= set(dir(found))
    on_host = arrays.on_host(array)
    assert type(on_host) is np.ndarray
    assert (on_host.dtype, on_host.tolist()) == (place.dtype, [[1.5, -2.0]])


@needs_dispatch
def test_placed_changes_no_integer():
    """What needs 64 bits keeps them, in PyTorch that names no uint64 too, or is refused."""
    values = np.array([5, 2**40], np.uint64)
    found = arrays.placed(values, arrays.namespace(TORCH.put([0.0])), TORCH.device)
    assert found.tolist() == values.tolist()
    for wide in (values, values.astype(np.int64)):
        with pytest.raises(ValueError, match=f"does not support dtype=array_api_strict.{wide.dtype}"):
            arrays.placed(wide, NO_X64.xp, NO_X64.device)


@needs_dispatch
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint8", "bool"])
@places
def test_placed_is_a_copy_in_the_type_or_32_bits(place, dtype):
    """Of an array of any library or memory order; only where there are no 64 bits it has 32."""
    narrow = dtype.replace("64", "32") if dtype in place.missing else dtype
    values = np.asfortranarray(np.arange(6).reshape(2, 3) % 2, dtype)
    xp, device = arrays.namespace(place.put([0.0])), place.put([0.0]).device
    for given in (values, CPU.put(values), DEVICE.put(values), place.put(values)):
        found = arrays.placed(given, xp, device)
        assert place.holds(found)
        assert host(found).dtype == narrow
        np.testing.assert_array_equal(host(found), values)
        found = arrays.placed(given, xp, device, np.float64)
        assert host(found).dtype == place.dtype
    given = place.put(values)
    found = arrays.placed(given, xp, device)
    found[0, 0] = 1 - found[0, 0] if dtype != "bool" else True
    np.testing.assert_array_equal(host(given), values)


@needs_dispatch
@pytest.mark.parametrize("place", [None, *PLACES], ids=repr)
def test_functions_are_those_of_numpy(place):
    """Each on ndarrays and on others: the same values, types and largest numbers."""
    put = np.asarray if place is None else place.put
    Z = np.array([[0.5, -3, 2], [-1, -1, -2], [0, 4, 4], [-0.0, 0, -0.5]], np.float32)
    there = put(Z)
    assert host(arrays.argmax(there)).tolist() == [2, 0, 1, 0]
    np.testing.assert_array_equal(host(arrays.at_least(0.25, there)), np.maximum(0.25, Z))
    np.testing.assert_array_equal(host(arrays.row_max(there)), [[2], [-1], [4], [0]])
    np.testing.assert_array_equal(host(arrays.row_sum(there)), [[-0.5], [-4], [8], [-0.5]])
    assert arrays.largest(there) == 4.0
    assert type(arrays.largest(there)) is float
    assert arrays.are_finite(there) is True
    for odd in (np.nan, np.inf, -np.inf):
        assert arrays.are_finite(put(np.where(Z == 2, odd, Z))) is False
    for dtype in (np.int32, np.float32):
        found = arrays.astype(there, dtype)
        np.testing.assert_array_equal(host(found), Z.astype(dtype))
        assert host(found).dtype == dtype
    assert arrays.astype(there, np.float32) is there
    copy = arrays.copied(there)
    copy[0, 0] = 9.0
    np.testing.assert_array_equal(host(there), Z)
