"""The state of an estimator, replaced as a whole."""

from contextlib import contextmanager


@contextmanager
def replacing_state(estimator):
    """Yield a copy to fit, whose state the estimator takes if the block ends without an error.

    It does so in one assignment: an error or an interruption (Ctrl-C), however many follow, leaves the
    estimator as it was before or makes it what the copy is. What others have set on the estimator in the
    meantime, such as callbacks, remains.
    """
    before, missing = vars(estimator).copy(), object()
    copy = object.__new__(type(estimator))
    vars(copy).update(before)
    yield copy
    removed = before.keys() - vars(copy).keys()
    kept = {name: value for name, value in vars(estimator).items() if name not in removed}
    changed = {name: value for name, value in vars(copy).items() if value is not before.get(name, missing)}
    estimator.__dict__ = kept | changed
