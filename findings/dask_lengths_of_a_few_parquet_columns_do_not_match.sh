#!/usr/bin/env bash
# Dask cannot make an array with known lengths of a few columns of a folder of small Parquet files: to_dask_array(lengths=True)
# raises a ValueError about its own numbers. The lengths are counted on the optimised expression, in which Dask reads several
# files as one partition, the more the fewer columns are taken, but they are compared with the partitions of the table as it
# was given. All columns work, and so does an array of unknown lengths whose sizes are computed afterwards.
# Seen with Dask 2026.8.0, pandas 2.3.3 and PyArrow 26.0.1 on CPython 3.11: eight files of 31 columns.
#     all columns: (40, 31); two columns: ValueError; sizes computed afterwards: (40, 2)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet "dask[dataframe]==2026.8.0" "pandas==2.3.3" "pyarrow==26.0.1" "numpy==2.4.6"
cat >"$work/seen.py" <<'PYTHON'
import sys

import dask.dataframe as dd
import numpy as np
import pandas as pd

folder = sys.argv[1]
table = pd.DataFrame(np.arange(40.0 * 31).reshape(40, 31), columns=[f"c{j}" for j in range(31)])
dd.from_pandas(table, npartitions=8).to_parquet(folder)
lazy = dd.read_parquet(folder)
every = lazy.to_dask_array(lengths=True).shape
few = lazy[["c0", "c1"]]
try:
    seen = few.to_dask_array(lengths=True).shape
except ValueError as error:
    print(error, file=sys.stderr)
    seen = type(error).__name__
print(f"all columns: {every}; two columns: {seen}; sizes computed afterwards: {few.to_dask_array().compute_chunk_sizes().shape}")
PYTHON
seen=$("$work/venv/bin/python" "$work/seen.py" "$work/files")
echo "$seen"
test "$seen" = "all columns: (40, 31); two columns: ValueError; sizes computed afterwards: (40, 2)"
