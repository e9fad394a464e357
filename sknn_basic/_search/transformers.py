"""Transformers of a pipeline that are fitted once for each setting of theirs and each fold."""

import sys
from functools import partial

from .digest import digest

KEPT_BYTES = 2**28  # of training rows that are kept; further ones are transformed for each candidate


class TransformerMemory:
    """Keeps fitted transformers and what they make of training rows, as `memory` of a pipeline does.

    Transformers that change X in place are fitted for each candidate, as GridSearchCV does.

    Parameters
    ----------
    named : dict
        {id: (object, name)} of the rows that are kept: their names stand for their values.
    """

    def __init__(self, named):
        self.named = named
        self.kept = {}  # by transformer and rows: (rows made of them, fitted transformer)
        self.n_bytes = 0

    def __sklearn_clone__(self):
        return self

    def cache(self, function, ignore=()):
        """Return a function that remembers results of scikit-learn's function that fits a transformer."""
        return partial(self._call, function, ignore)

    def _call(self, fit_transform, ignore, transformer, X, y, **options):
        try:
            name = self.named[id(X)][1] if id(X) in self.named else digest(X)
            others = {option: value for option, value in options.items() if option not in ignore}
            key = type(transformer), digest(vars(transformer)), name, digest((y, others))
        except Exception:  # what cannot be pickled cannot be told from others
            return fit_transform(transformer, X, y, **options)
        if key in self.kept:
            return self.kept[key]
        before = digest(X)
        rows, fitted = fit_transform(transformer, X, y, **options)
        n_bytes = n_bytes_of(rows)
        if digest(X) != before:  # changed in place
            self._forget(X)
        elif self.n_bytes + n_bytes <= KEPT_BYTES:
            self.n_bytes += n_bytes
            self.kept[key] = rows, fitted
            self.named.setdefault(id(rows), (rows, key))  # a transformer may return what it was given
        return rows, fitted

    def _forget(self, X):
        """Forget rows that have been changed."""
        _, name = self.named.pop(id(X), (None, None))
        self.kept.pop(name, None)


def n_bytes_of(X):
    """Return about how many bytes an array, a sparse matrix or a table takes."""
    return max(sys.getsizeof(X), getattr(getattr(X, "data", None), "nbytes", 0))
