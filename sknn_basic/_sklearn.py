"""The private names of scikit-learn that this package needs: no other module imports any."""

import sklearn
from sklearn import config_context
from sklearn.base import _fit_context as fit_context
from sklearn.utils._array_api import _convert_to_numpy as to_host
from sklearn.utils._array_api import get_namespace, supported_float_dtypes
from sklearn.utils._param_validation import Interval, StrOptions, validate_parameter_constraints
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

DISPATCHES = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 9)  # older ones do so in parts


def find_namespace(array):
    """Return the functions of an array of another library, whether or not scikit-learn dispatches now."""
    with config_context(array_api_dispatch=True):
        return get_namespace(array)[0]


def float_dtypes(array):
    """Return the types of float64 and float32 that the library of an array has on its device."""
    xp = find_namespace(array)
    return [dtype for dtype in supported_float_dtypes(xp, array.device) if xp.finfo(dtype).bits >= 32]
