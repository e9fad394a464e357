"""Arrays of other libraries than NumPy, on every kind of device that this machine has, and the way back."""

from functools import cached_property, partial

import numpy as np
import pytest
from sklearn import config_context

from longhand import distance
from sknn_basic._sklearn import DISPATCHES

dispatching = partial(config_context, array_api_dispatch=True)
needs_dispatch = pytest.mark.skipif(not DISPATCHES, reason="before scikit-learn 1.9")


class Place:
    """A library and one of its devices: what its arrays are made of, and how to come back from there."""

    def __init__(self, library, device=None, missing=()):
        self.library, self.device_name, self.missing = library, device, missing
        self.dtype = np.dtype(np.float32 if "float64" in missing else np.float64)
        self.tolerance = 1e-5 if "float64" in missing else 1e-12

    def __repr__(self):
        return self.device_name or self.library

    @cached_property
    def xp(self):
        return pytest.importorskip(self.library)

    @property
    def device(self):
        return self.xp.Device(self.device_name) if self.device_name else "cpu"

    def put(self, values, dtype=None):
        """Return an array of the values there, in the widest type there is; text stays NumPy's."""
        values = np.asarray(values, dtype)
        if values.dtype.kind not in "biuf":
            return values
        if values.dtype.name in self.missing:
            values = values.astype(values.dtype.name.replace("64", "32"))
        return self.xp.asarray(values, device=self.device)

    def holds(self, array):
        """Whether it is an array of this library on this device."""
        return type(array) is type(self.put([0.0])) and str(array.device) == str(self.put([0.0]).device)


def host(array):
    """Return the values as NumPy's, of any place, by the library's own words for it."""
    if "array_api_strict" in type(array).__module__:
        array = array.to_device(type(array.device)("CPU_DEVICE"))
    return np.asarray(array)


class NumPy(Place):
    """The host itself."""

    xp, device = np, "cpu"


HOST = NumPy("numpy")
CPU = Place("array_api_strict", "CPU_DEVICE")
DEVICE = Place("array_api_strict", "device1")  # refuses to become NumPy's unless asked
NO_FLOAT64 = Place("array_api_strict", "no_float64", {"float64"})
NO_X64 = Place("array_api_strict", "no_x64", {"float64", "int64", "uint64"})
TORCH = Place("torch")
PLACES = [DEVICE, NO_FLOAT64, NO_X64, TORCH]
places = pytest.mark.parametrize("place", PLACES, ids=repr)


def assert_near(found, expected, tolerance):
    """Each array, of any place, in the shape of the other and near it, relative to its largest value."""
    for a, b in zip(found, expected, strict=True):
        a, b = host(a), host(b)
        assert a.dtype == b.dtype
        assert distance(a, b) <= tolerance if b.any() else not a.any()
