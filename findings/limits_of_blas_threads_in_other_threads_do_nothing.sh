#!/usr/bin/env bash
# `with threadpool_limits(limits=1)` does nothing in a thread, in silence, once another thread has set a limit that holds until
# further notice: from threadpoolctl 3.8 on one Python thread alone controls OpenBLAS, which counts its threads for the whole
# process. threadpool_limits(limits=2) in the main thread, as a plain call, takes this control for as long as that thread lives,
# so each worker of a pool that limits BLAS to one thread multiplies with two: as many threads as workers times two, and sums
# whose last bits differ. threadpoolctl 3.7 let any thread set the number.
# Seen with threadpoolctl 3.8.0 and NumPy 2.4.6 on CPython 3.11:
#     3.7.0: a worker's limit of 1: [1] before, [1] after the main thread has set 2
#     3.8.0: a worker's limit of 1: [1] before, [2] after the main thread has set 2
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
cat >"$work/seen.py" <<'PYTHON'
from concurrent.futures import ThreadPoolExecutor

import numpy as np  # loads OpenBLAS
import threadpoolctl
from threadpoolctl import threadpool_info, threadpool_limits

assert np.ones((2, 2)) @ np.ones(2) is not None


def threads_within_a_limit():
    with threadpool_limits(limits=1, user_api="blas"):
        return [library["num_threads"] for library in threadpool_info() if library["internal_api"] == "openblas"]


with ThreadPoolExecutor(1) as worker:
    before = worker.submit(threads_within_a_limit).result()
    threadpool_limits(limits=2, user_api="blas")
    after = worker.submit(threads_within_a_limit).result()
print(f"{threadpoolctl.__version__}: a worker's limit of 1: {before} before, {after} after the main thread has set 2")
PYTHON
seen=$(for version in 3.7.0 3.8.0; do
  "$work/venv/bin/python" -m pip install --quiet "numpy==2.4.6" "threadpoolctl==$version"
  "$work/venv/bin/python" "$work/seen.py"
done)
echo "$seen"
test "$seen" = "3.7.0: a worker's limit of 1: [1] before, [1] after the main thread has set 2
3.8.0: a worker's limit of 1: [1] before, [2] after the main thread has set 2"
