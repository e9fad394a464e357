"""Many samples, few features: the time of a step, and how large a block of rows should be."""

from unittest.mock import patch

import numpy as np

from sknn_basic import LogisticRegressionGD
from sknn_basic._descent import samples

from .data import noise
from .ours import NUMPY, OURS, in_numpy, is_ours, numpy_alone, our_jobs
from .peers import labels, library_jobs, rows_job, zeros
from .reads import read_job
from .report import Section, dot_chart, table, times_table, verdict
from .timing import steps_in_turn
from .wide import check

SHAPES = {  # shape: most reads a step, and most of PyTorch's time, with the extra and without
    (60_000, 784, np.float64): (1.6, 0.8, 1.05),
    (60_000, 784, np.float32): (1.6, 0.8, 1.05),
    (1_000_000, 50, np.float64): (1.6, 0.8, 0.95),
    (2_000_000, 10, np.float64): (2.2, 0.8, 0.95),
}
STEPS = 4, 24
RATE = 1e-3
READ = "one read of X"
ON_COPY = ", on a transposed copy"
LIBRARIES = "torch", "jax"


def run(quick=False):
    repeats = 3 if quick else 5
    lines = [
        f"One step, from fits of {STEPS[0]} and {STEPS[1]} steps, medians of {repeats} turns. A read is all of X "
        "read once by all processors. The notes' loop has its samples as rows here and computes no cost. A "
        "transposed copy, of the size of X, is made before the clock starts.",
        "",
    ]
    panels, bounds = {}, {}
    for (m, n, dtype), goals in list(SHAPES.items())[: 1 if quick else None]:
        data = noise(m // 10 if quick else m, n, dtype)
        times, names = step_times(data, repeats)
        read = times.pop(READ)
        lines += [
            f"### {data.name}",
            "",
            f"{READ}: {read * 1e3:.3g} ms, {data.X.nbytes / read / 1e9:.1f} GB/s{names[READ].removeprefix(READ)}.",
            "",
            *times_table(times, names, times[OURS], ("reads", lambda time, read=read: f"{time / read:.2f}")),
            *verdicts(data.name, times, read, *goals),
            "",
        ]
        panels[data.name] = times
        bounds[data.name] = read
    dot_chart("tall.png", panels, is_ours, "time of a step", bounds, READ)
    lines += ["![Time of a step, on logarithmic axes](images/tall.png)", ""]
    return Section("Tall: a step of logistic regression on many samples", lines + block_lines(quick))


def step_times(data, repeats, trial=STEPS[0]):
    """Return ({name: seconds a step}, {name: label}), one read of X among them."""
    X, y = data.X, data.y
    jobs = our_jobs(LogisticRegressionGD(RATE, STEPS[1], record_every=1000), X, y)
    for suffix, copies in (("", False), (ON_COPY, True)):
        jobs["notes" + suffix] = rows_job(X, y, RATE, STEPS[1], trial, copies)
        libraries = library_jobs(X, y, zeros(X), RATE, STEPS[1], LIBRARIES, trial, copies)
        jobs |= {name + suffix: job for name, job in libraries.items()}
    jobs[READ] = read_job(X)
    times, results = steps_in_turn(jobs, STEPS, repeats)
    for ends in results.values():
        check(ends, X, y, 1e-8 if X.dtype == np.float64 else 1e-3)
    names = {name: label.replace(ON_COPY, "") for name, label in labels(jobs).items()}  # the form says it
    return times, names


def verdicts(name, times, read, most_reads, most, most_in_numpy):
    others = {other: time for other, time in times.items() if not is_ours(other)}
    fastest = min(others, key=others.get)
    ours, numpy = times[OURS], in_numpy(times)
    lines = [
        verdict(
            f"a step of {name}, relative to that of {fastest}", ours / others[fastest], 1.0, at_least=False
        )
    ]
    if NUMPY in times:
        lines += [verdict(f"a step of {name}, in reads", ours / read, most_reads, at_least=False)]
    if "torch" in times:
        torch, on_copy = times["torch"], times["torch" + ON_COPY]
        best = min(torch, on_copy)
        if NUMPY in times:
            claim = f"a step of {name}, relative to PyTorch at its best"
            lines += [verdict(claim, ours / best, most, at_least=False)]
        claim = f"a step of {name}, NumPy alone, relative to PyTorch at its best"
        lines += [
            verdict(claim, numpy / best, most_in_numpy, at_least=False),
            f"* for the record: relative to PyTorch on X as it is {ours / torch:.2f}, NumPy alone {numpy / torch:.2f}",
        ]
    return lines


def block_lines(quick):
    sizes = [2**18, 2**20, 2**22, 2**23, 2**24]
    rows = []
    for m, n, dtype in list(SHAPES)[: 1 if quick else None]:
        data = noise(m // 10 if quick else m, n, dtype)
        rows.append([data.name, *block_times(data, sizes, 1 if quick else 3)])
    return [
        "### The size of a block",
        "",
        "One step of NumPy alone, in the time that it takes on the whole of X:",
        "",
        *table(["", *(f"{size / 2**20:g} MiB" for size in sizes)], rows),
    ]


def block_times(data, sizes, repeats):
    """Return the time of a step for each size of a block, relative to one block."""
    model = LogisticRegressionGD(RATE, record_every=1000)

    def fit(size, steps):
        with numpy_alone(), patch.multiple(samples, BLOCK_BYTES=size, BLOCK_WORK=2**60):
            model.set_params(max_iter=steps).fit(data.X, data.y)

    whole = 2**60
    jobs = {size: (lambda steps, size=size: fit(size, steps)) for size in [*sizes, whole]}
    times, _ = steps_in_turn(jobs, STEPS, repeats)
    return [f"{times[size] / times[whole]:.2f}" for size in sizes]
