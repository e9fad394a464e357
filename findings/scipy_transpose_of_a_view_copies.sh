#!/usr/bin/env bash
# X.T of a SciPy CSR matrix returns a CSC matrix of the very same arrays, in no time and no memory, as its documentation says of
# copy=False. But if `data` and `indices` are themselves views of arrays more than twice as large (some rows of a larger
# matrix, taken without copying), X.T copies both. The constructor trims arrays that are longer than the number of
# values, and the function that trims takes a view of a much larger array for one with room to spare. Code that transposes
# row blocks of one matrix, to multiply them in turn, therefore holds all of it a second time.
# Seen with scipy 1.17.0 and numpy 2.3.5:
#     all rows: shared; most rows: shared; few rows: copied
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet "scipy==1.17.0" "numpy==2.3.5"
cat >"$work/seen.py" <<'PYTHON'
import numpy as np
from scipy import sparse


def rows_of(X, n):
    """Return the first n rows as views of the arrays of X."""
    end = X.indptr[n]
    rows = sparse.csr_array((n, X.shape[1]), dtype=X.dtype)
    rows.data, rows.indices, rows.indptr = X.data[:end], X.indices[:end], X.indptr[: n + 1]
    return rows


X = sparse.csr_array(np.ones((100, 20)))
said = []
for name, n in [("all", 100), ("most", 60), ("few", 40)]:
    rows = rows_of(X, n)
    assert np.shares_memory(rows.data, X.data)
    shared = np.shares_memory(rows.T.data, X.data) and np.shares_memory(rows.T.indices, X.indices)
    said.append(f"{name} rows: {'shared' if shared else 'copied'}")
print("; ".join(said))
PYTHON
seen=$("$work/venv/bin/python" "$work/seen.py")
echo "$seen"
test "$seen" = "all rows: shared; most rows: shared; few rows: copied"
