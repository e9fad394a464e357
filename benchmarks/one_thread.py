"""The steps on many samples again, in a process that may use one processor."""

import json
import os
import subprocess
import sys

from .ours import OURS
from .report import Section, seconds, table
from .tall import SHAPES

CODE = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before BLAS, PyTorch and XLA count processors
import json
import sys
from benchmarks.one_thread import measure
print(json.dumps(measure(*map(int, sys.argv[1:]))))
"""


def run(quick=False):
    title = "One thread: the same steps on many samples"
    if not hasattr(os, "sched_setaffinity"):
        return Section(title, ["Not measured: this system cannot bind a process to one processor.", ""])
    rows = []
    for i, (m, n, dtype) in enumerate(SHAPES):
        if not quick or i == 1:
            command = [sys.executable, "-W", "ignore", "-c", CODE, str(i), "1" if quick else "3"]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            times = json.loads(done.stdout.splitlines()[-1])
            ours = times[OURS]
            cells = [f"{seconds(time)} ({time / ours:.2f})" for time in times.values()]
            rows.append([f"{m:,} x {n:,} {dtype.__name__}", *cells])
    lines = [
        "One step, as above, in a process that sees one processor; in brackets relative to ours. Each peer in "
        "the form that is the fastest so.",
        "",
    ]
    return Section(title, lines + table(["", *times], rows))


def measure(i, repeats):
    from .data import noise
    from .tall import step_times

    times, _ = step_times(noise(*list(SHAPES)[i]), repeats)
    return times
