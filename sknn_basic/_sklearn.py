"""The private names of scikit-learn that this package needs: no other module imports any."""

from inspect import signature

from sklearn.base import _fit_context as fit_context
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "Interval",
    "StrOptions",
    "accepts_sample_weight",
    "check_sample_weight",
    "fit_context",
    "safe_indexing",
]


def accepts_sample_weight(scorer):
    """Whether a scorer accepts sample weights; a search asks before it passes them on."""
    if hasattr(scorer, "_accept_sample_weight"):
        return scorer._accept_sample_weight()
    return "sample_weight" in signature(scorer).parameters
