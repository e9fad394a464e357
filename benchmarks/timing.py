"""Seconds and bytes, measured the same way for every question."""

import gc
import os
import platform
import subprocess
import sys
from functools import cache, partial
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np


def in_turn(jobs, repeats):
    """Run the jobs A B C A B C ... and return {name: median seconds}; what a job returns is kept as well.

    The machine's speed drifts: only times of the same turn compare. Each job has been warmed up by its maker.
    """
    seconds, results = {name: [] for name in jobs}, {}
    for _ in range(repeats):
        for name, job in jobs.items():
            gc.collect()
            start = perf_counter()
            results[name] = job()
            seconds[name].append(perf_counter() - start)
    return {name: median(times) for name, times in seconds.items()}, results


def steps_in_turn(jobs, steps, repeats):
    """Return ({name: seconds a step}, {steps: {name: result}}) of jobs that take a number of steps.

    A step is the difference of fits of few and of many steps: what a fit does once does not count.
    """
    few, many = steps
    for job in jobs.values():
        job(few)  # compiles what depends on the number of steps
    each = {(name, n): partial(job, n) for name, job in jobs.items() for n in steps}
    times, results = in_turn(each, repeats)
    # On a busy machine few steps may take longer than many; a logarithmic axis has no place for that.
    a_step = {name: max(times[name, many] - times[name, few], 1e-9) / (many - few) for name in jobs}
    return a_step, {n: {name: results[name, n] for name in jobs} for n in steps}


def processors():
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def added_bytes(code):
    """Run Python `code` in a new process and return by how many bytes its peak grew during `job()`.

    `code` defines `job`; what it holds before (the data) is not counted. The peak is of the resident set,
    so that memory of BLAS and of other libraries counts too.
    """
    script = f"""
import resource
{code}
def status(field):
    with open("/proc/self/status") as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith(field))
import gc
gc.collect()
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # sets the peak back to what is resident now
before = status("VmRSS")
job()
print(status("VmHWM") - before)
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1])


@cache
def installed(module):
    """Return the version of an optional peer, or None (said once) where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(module)
    except PackageNotFoundError:
        print(f"{module} is not installed: skipped. python -m pip install '.[bench]' installs the peers.")
        return None


def machine():
    """Return one line a fact: versions, processor, threads."""
    import h5py
    import scipy
    import sklearn
    from threadpoolctl import threadpool_info

    import sknn_basic

    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
        processor = names[0] if names else processor
    pools = sorted(
        {f"{p['internal_api']} {p.get('version') or ''}: {p['num_threads']}" for p in threadpool_info()}
    )
    peers = [f"{name} {installed(name)}" for name in ("numba", "torch", "jax", "mlxtend") if installed(name)]
    return [
        f"sknn_basic {sknn_basic.__version__}, Python {platform.python_version()}, NumPy {np.__version__}, "
        f"SciPy {scipy.__version__}, scikit-learn {sklearn.__version__}, h5py {h5py.__version__}"
        + "".join(f", {peer}" for peer in peers),
        f"{processor}, {os.cpu_count()} processors; threads of {'; '.join(pools)}",
    ]
