"""The memo of a search: what the fits and predictions of its candidates may take instead of computing it.

A search sets its memo while its candidates are fitted and scored. The variable belongs to the context
(`contextvars`), so a fit in another thread, or after the search, finds none.
"""

from contextlib import contextmanager
from contextvars import ContextVar

_active = ContextVar("sknn_basic_memo", default=None)


class NoMemo:
    """Remembers nothing: outside of a search."""

    def recall(self, classifier, X, y, sample_weight, task):
        """Return the `Remembered` fit of the classifier on these samples, or None."""

    def gram(self, classifier, X):
        """Return X X' in float64, with the bits that a fit would compute, or None."""

    def logits(self, classifier, X):
        """Return the logits of the rows of X by a classifier that `recall` has fitted, or None."""

    def transformed(self, transform, scaler, X):
        """Return transform(scaler, X), for a transform that treats each row by itself."""
        return transform(scaler, X)


NO_MEMO = NoMemo()


def active_memo():
    """Return the memo of the search that runs in this context."""
    return _active.get() or NO_MEMO


@contextmanager
def remembering(memo):
    """Make a memo the active one in a block."""
    token = _active.set(memo)
    try:
        yield
    finally:
        _active.reset(token)
