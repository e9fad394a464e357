#!/usr/bin/env bash
# scikit-learn 1.9 validates any input through narwhals: `check_array` of a plain NumPy array of 100 x 4 first asks whether it is a
# data frame or a series of any library, by looking up modules and attributes that no array has. That takes more than
# half of the call, longer than the check for NaN and all the rest together, is paid once for X and several times for the
# labels, and does not depend on whether a library of data frames is installed (none is here). So a prediction of one row, or
# a fit of some steps, is mostly this: whoever serves single rows should batch them.
# Seen with scikit-learn 1.9.1, narwhals 2.29.0 and NumPy 2.4.6 on CPython 3.11: the calls of Python functions and the time of
# `check_array`, as it is and with the question answered by "no".
#     more than half of the calls: True; at least 1.5 times as long: True
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet "numpy==2.4.6" "scipy==1.17.1" "scikit-learn==1.9.1" "narwhals==2.29.0"
cat >"$work/seen.py" <<'PYTHON'
import sys
from time import perf_counter
from unittest.mock import patch

import numpy as np
from sklearn.utils import check_array, validation

X = np.ones((100, 4))


def calls():
    n = 0

    def count(frame, event, argument):
        nonlocal n
        n += event == "call"

    sys.setprofile(count)
    check_array(X)
    sys.setprofile(None)
    return n


def seconds():
    best = 1.0
    for _ in range(20):
        start = perf_counter()
        for _ in range(200):
            check_array(X)
        best = min(best, (perf_counter() - start) / 200)
    return best


check_array(X)
asked = calls(), seconds()
with patch.object(validation, "_nw_into_df_or_series", lambda x: False):
    told = calls(), seconds()
print(f"{asked[0]} calls, {asked[1] * 1e6:.0f} us; told: {told[0]} calls, {told[1] * 1e6:.0f} us", file=sys.stderr)
print(f"more than half of the calls: {told[0] < asked[0] / 2}; at least 1.5 times as long: {asked[1] > 1.5 * told[1]}")
PYTHON
seen=$("$work/venv/bin/python" "$work/seen.py")
echo "$seen"
test "$seen" = "more than half of the calls: True; at least 1.5 times as long: True"
