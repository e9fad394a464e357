"""Arrays of any library that follows the array API standard: their functions, and the ways to the host.

A formula takes `xp = namespace(Z)` where it needs a function, and calls it by the name of the standard. Of an
ndarray that is NumPy itself. Whoever lets other arrays in says how to find their functions (`foreign`).
"""

import numpy as np

_namespaces = {np.ndarray: np}  # by the type of an array
foreign = {}  # find(array), its functions, and to_host(array, xp), an ndarray


def is_foreign(array):
    """Whether an object is an array of another library. Those of PyArrow, which have no device, are not."""
    is_array = hasattr(array, "__dlpack__") and hasattr(array, "device")
    return is_array and not isinstance(array, np.ndarray | np.generic)


def namespace(array):
    """Return the module with the functions of an array; of anything else it is NumPy."""
    kind = type(array)
    if kind not in _namespaces:
        _namespaces[kind] = foreign["find"](array) if is_foreign(array) else np
    return _namespaces[kind]


def on_host(array):
    """Return an ndarray of the values, or what NumPy has already."""
    xp = namespace(array)
    return array if xp is np else foreign["to_host"](array, xp)


def placed(array, xp, device, dtype=None):
    """Return a copy of an array, of any library, on a device; in 32 bits if no more are there and suffice."""
    array = on_host(array)
    dtype = np.dtype(array.dtype if dtype is None else dtype)
    if dtype.name not in xp.__array_namespace_info__().dtypes(device=device):
        narrow = np.dtype(dtype.name.replace("64", "32"))
        dtype = narrow if dtype.kind == "f" or np.array_equal(array.astype(narrow), array) else dtype
    return xp.asarray(np.ascontiguousarray(array, dtype), device=device, copy=True)


def astype(array, dtype):
    """Return the values in a type of NumPy, which has the same name in other libraries."""
    xp = namespace(array)
    if xp is np:
        return array.astype(dtype, copy=False)
    return xp.astype(array, getattr(xp, np.dtype(dtype).name), copy=False)


def copied(array):
    return array.copy() if isinstance(array, np.ndarray) else namespace(array).asarray(array, copy=True)


def at_least(number, Z):
    """max(number, z), which the standard has for a number as a bound alone."""
    return np.maximum(Z, number) if isinstance(Z, np.ndarray) else namespace(Z).clip(Z, min=number)


def argmax(Z):
    """Return the column of the largest z in each row; in 32 bits, which all devices have."""
    if isinstance(Z, np.ndarray):
        return Z.argmax(axis=1)
    xp, k = namespace(Z), Z.shape[1]
    columns = xp.arange(k, dtype=xp.int32, device=Z.device)
    return xp.min(xp.where(xp.max(Z, axis=1, keepdims=True) == Z, columns, k), axis=1)


def row_max(Z):
    if isinstance(Z, np.ndarray):  # the method takes half of the time of the function
        return Z.max(axis=-1, keepdims=True)
    return namespace(Z).max(Z, axis=-1, keepdims=True)


def row_sum(Z):
    if isinstance(Z, np.ndarray):
        return Z.sum(axis=-1, keepdims=True)
    return namespace(Z).sum(Z, axis=-1, keepdims=True)


def are_finite(array):
    xp = namespace(array)
    is_finite = xp.isfinite(array)
    return bool(is_finite.all() if xp is np else xp.all(is_finite))


def largest(array):
    """Return the largest |value|, as a float."""
    xp = namespace(array)
    values = xp.abs(array)
    return float(values.max() if xp is np else xp.max(values))
