"""A search says after each stack how many of its fits are done, and about how long the others will take."""

import logging
import re

import numpy as np
import pytest
from sklearn.model_selection import KFold, ParameterGrid

from models import blobs
from searches import LOGISTIC, NETWORK
from sknn_basic import VectorizedGridSearchCV
from sknn_basic._search import memo, progress, stack
from sknn_basic._search.progress import Progress, count_folds, duration

LINE = re.compile(
    r"Trained (\d+) candidates together in [\d.]+ s: (\d+)( of \d+)? fits(, about [\d.]+ s left)?\."
)
X, Y = blobs(2, 60)
GRID = {"learning_rate": [0.01, 0.1, "auto"], "max_iter": [3, 7]}


def lines_of(text):
    """Return (candidates, fits done, of how many, whether time is left) of each line."""
    found = [LINE.fullmatch(line) for line in text.splitlines() if line.startswith("Trained")]
    return [(int(f[1]), int(f[2]), f[3], f[4] is not None) for f in found]


@pytest.mark.parametrize(
    ("cv", "total"), [(3, " of {}"), (KFold(3), " of {}"), ([*KFold(3).split(X)], " of {}"), (iter, None)]
)
def test_each_stack_is_told(cv, total, capsys, caplog):
    """Their sizes add up to candidates times folds; the last line estimates nothing."""
    cv = iter([*KFold(3).split(X)]) if cv is iter else cv
    grid = GRID | {"hidden_layer_size": [2, 3]}
    with caplog.at_level(logging.INFO, logger="sknn_basic"):
        search = VectorizedGridSearchCV(NETWORK, grid, cv=cv, verbose=1).fit(X, Y)
    n = len(ParameterGrid(grid))
    assert n == 12
    lines = lines_of(capsys.readouterr().out)
    assert [size for size, *_ in lines] == [6] * 6
    assert [done for _, done, *_ in lines] == np.cumsum([6] * 6).tolist()
    assert {of for *_, of, _ in lines} == {total and total.format(3 * n)}
    assert [is_left for *_, is_left in lines] == [total is not None] * 5 + [False]
    assert search.n_splits_ == 3
    logged = [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]
    assert lines_of("\n".join(logged)) == lines


def test_nothing_is_printed_by_default(capsys):
    VectorizedGridSearchCV(LOGISTIC, GRID, cv=2).fit(X, Y)
    assert "Trained" not in capsys.readouterr().out


def test_fits_alone_count_too(capsys):
    """Those of a second grid with one setting each, which no stack trains."""
    grids = [{"max_iter": [4]}, {"learning_rate": [0.1, 0.2], "l2_regularization": [0.1]}]
    VectorizedGridSearchCV(LOGISTIC, grids, cv=2, verbose=1).fit(X, Y)
    assert lines_of(capsys.readouterr().out) == [(2, 4, " of 6", True), (2, 6, " of 6", False)]


def test_time_left_is_that_of_the_fits_so_far(monkeypatch, capsys):
    now = iter([100.0, 130.0, 1000.0])
    monkeypatch.setattr(progress, "perf_counter", lambda: next(now))
    told = Progress(50, True)
    for seconds in (30, 870):
        told.add_stack(10, seconds)
    assert capsys.readouterr().out.splitlines() == [
        "Trained 10 candidates together in 30.0 s: 10 of 50 fits, about 2 min left.",
        "Trained 10 candidates together in 14 min: 20 of 50 fits, about 22 min left.",
    ]
    assert [duration(seconds) for seconds in (0.04, 119.94, 120)] == ["0.0 s", "119.9 s", "2 min"]


def test_compilation_counts_neither_as_time_of_a_stack_nor_for_the_time_left(monkeypatch, capsys):
    """It happens once: the others would seem to take as long. Here it alone takes time, 50 s."""
    clock = [0.0]

    def prepare(objective, is_printed):
        clock[0] += 50 * (clock[0] == 0)

    monkeypatch.setattr(stack, "prepare", prepare)
    for module in (progress, memo, stack):
        monkeypatch.setattr(module, "perf_counter", lambda: clock[0])
    VectorizedGridSearchCV(LOGISTIC, GRID, cv=2, verbose=1).fit(X, Y)
    assert clock == [50.0]
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("Trained")] == [
        "Trained 6 candidates together in 0.0 s: 6 of 12 fits, about 0.0 s left.",
        "Trained 6 candidates together in 0.0 s: 12 of 12 fits.",
    ]


def test_folds_that_cannot_be_counted_are_left_to_the_search():
    assert count_folds("three", X, Y, None, True) == 0
    assert count_folds(None, X, Y, None, True) == 5
