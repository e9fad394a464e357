#!/usr/bin/env bash
# A function of Numba with cache=True gives other last bits in the process that compiles it than in all later ones, which load it
# from the cache: on the same machine, with the same data and one thread. The function is called by a second one, and may add up
# in any order ("reassoc"). The process that compiles both links the second to the first as it was compiled by itself; the cache
# of the second holds a copy of the first that was optimised once more together with it, and later processes run that copy. So
# numbers that a first run has written down are not those of any other run. forceinline=True, an option of njit that leaves only
# one copy, makes them equal.
# Seen with numba 0.68.1, llvmlite 0.50.0 and NumPy 2.4.6 on CPython 3.11:
#     by calls: the run that compiles and the next: differ; two that load: equal
#     forceinline: the run that compiles and the next: equal; two that load: equal
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet "numba==0.68.1" "llvmlite==0.50.0" "numpy==2.4.6"
mkdir "$work/calls" "$work/inline"
cat >"$work/calls/seen.py" <<'PYTHON'
import numpy as np
from numba import njit


@njit(cache=True, fastmath={"reassoc", "nsz"})
def add_sums(X, start, m, d, w, b):
    for u in range(len(b)):
        s = t = 0.0
        if len(X) % 2:
            for i in range(m):
                s += X[0, start + i] * d[u, i]
                t += d[u, i]
        else:
            for i in range(m):
                t += d[u, i]
        b[u] += t
        w[u] += s


@njit(cache=True)
def all_sums(X, d, w, b):
    for start in range(0, X.shape[1], 50):
        add_sums(X, start, 50, d, w, b)
        add_sums(X, start, 50, d, b, w)


rng = np.random.default_rng(0)
X, d = rng.standard_normal((5, 150)), rng.standard_normal((4, 50))
w, b = np.zeros((2, 4))
all_sums(X, d, w, b)
print([value.hex() for value in (*w, *b)])
PYTHON
sed 's/"nsz"}/"nsz"}, forceinline=True/' "$work/calls/seen.py" >"$work/inline/seen.py"
compare() {
  first=$("$work/venv/bin/python" "$work/$2/seen.py")
  second=$("$work/venv/bin/python" "$work/$2/seen.py")
  third=$("$work/venv/bin/python" "$work/$2/seen.py")
  [ "$first" = "$second" ] && next=equal || next=differ
  [ "$second" = "$third" ] && loads=equal || loads=differ
  echo "$1: the run that compiles and the next: $next; two that load: $loads"
}
seen=$(compare "by calls" calls; compare forceinline inline)
echo "$seen"
test "$seen" = "by calls: the run that compiles and the next: differ; two that load: equal
forceinline: the run that compiles and the next: equal; two that load: equal"
