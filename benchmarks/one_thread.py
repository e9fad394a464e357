"""The steps on many samples again, in a process that may use one processor."""

import json
import os
import subprocess
import sys

import numpy as np

from . import peers_torch
from .ours import OURS
from .report import Section, seconds, table
from .tall import SHAPES

CODE = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before BLAS, PyTorch and XLA count processors
import json
import sys
from benchmarks.one_thread import measure
print(json.dumps(measure(*sys.argv[1:])))
"""


def run(quick=False):
    title = "One thread: the same steps on many samples"
    if not hasattr(os, "sched_setaffinity"):
        return Section(title, ["Not measured: this system cannot bind a process to one processor.", ""])
    rows = []
    for m, n, dtype in list(SHAPES)[: 1 if quick else None]:
        shape = m // 10 if quick else m, n, dtype.__name__
        command = [sys.executable, "-W", "ignore", "-c", CODE, *map(str, shape), "1" if quick else "3"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        times = json.loads(done.stdout.splitlines()[-1])
        cells = [f"{seconds(time)} ({time / times[OURS]:.2f})" for time in times.values()]
        rows.append([f"{shape[0]:,} x {n:,} {shape[2]}", *cells])
    lines = [
        "One step, as above, in a process that sees one processor; in brackets relative to ours. Each peer in "
        "the form that is the fastest so.",
        "",
    ]
    return Section(title, lines + table(["", *times], rows))


def measure(m, n, dtype, repeats):
    from .data import noise
    from .tall import step_times

    peers_torch.compiling = False  # it compiles in processes of its own
    times, _ = step_times(noise(int(m), int(n), np.dtype(dtype)), int(repeats))
    return times
