"""An estimator takes a new state as a whole, or keeps the one it had."""

import pytest
from sklearn.base import BaseEstimator

from sknn_basic._fitting.state import replacing_state


class Thing(BaseEstimator):
    def __init__(self, size=1):
        self.size = size


def test_the_state_is_replaced_at_the_end():
    """New, changed and removed attributes; none before the block ends. What others set meanwhile remains."""
    thing = Thing()
    thing.old_, thing.both_ = 1, 1
    with replacing_state(thing) as new:
        assert type(new) is Thing
        new.both_, new.new_ = 2, 3
        del new.old_
        assert vars(thing) == {"size": 1, "old_": 1, "both_": 1}
        thing.size, thing.history = 7, [1]  # as callbacks may, which are given the estimator itself
    assert vars(thing) == {"size": 7, "both_": 2, "new_": 3, "history": [1]}


@pytest.mark.interrupts
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_state_of_before(error):
    thing = Thing()
    thing.old_ = 1

    def fit():
        with replacing_state(thing) as new:
            new.new_ = 3
            del new.old_
            raise error

    with pytest.raises(error):
        fit()
    assert vars(thing) == {"size": 1, "old_": 1}
