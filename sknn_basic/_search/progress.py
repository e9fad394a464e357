"""How far a search is: a line after each stack."""

from contextlib import suppress
from time import perf_counter

from sklearn.model_selection import check_cv

from .._fitting.messages import tell


class Progress:
    """Counts the fits of a search that are done, and says so.

    Parameters
    ----------
    n_fits : int
        Of all candidates and folds; 0 if it is not known.
    is_printed : bool
        Whether lines are printed; they are logged in any case.
    """

    def __init__(self, n_fits, is_printed):
        self.n_fits, self.is_printed = n_fits, is_printed
        self.n_done, self.began = 0, perf_counter()

    def add(self, n):
        self.n_done += n

    def add_stack(self, n_trained, seconds):
        """Count the candidates of a stack, and say how long they took."""
        self.add(n_trained)
        line = f"Trained {n_trained} candidates together in {duration(seconds)}: {self.n_done}"
        n_left = self.n_fits - self.n_done
        if self.n_fits:
            line += f" of {self.n_fits}"
        line += " fits"
        if n_left > 0:
            left = (perf_counter() - self.began) * n_left / self.n_done
            line += f", about {duration(left)} left"
        tell(f"{line}.", self.is_printed)


def duration(seconds):
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def count_folds(cv, X, y, groups, is_classifier):
    """Return the number of folds, or 0 where only the search itself can find it."""
    if hasattr(cv, "__next__"):  # its splits can be had once
        return 0
    with suppress(Exception):  # GridSearchCV says what is wrong
        return check_cv(cv, y, classifier=is_classifier).get_n_splits(X, y, groups)
    return 0
