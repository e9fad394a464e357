"""Many samples, few features: the time of a step, and how large a block of rows should be."""

from unittest.mock import patch

import numpy as np

from sknn_basic import LogisticRegressionGD
from sknn_basic._descent import samples

from .data import noise
from .peers import library_jobs, rows_job
from .report import Section, seconds, table, verdict
from .timing import in_turn
from .wide import check

SHAPES = [
    (60_000, 784, np.float64),
    (60_000, 784, np.float32),
    (1_000_000, 50, np.float64),
    (2_000_000, 10, np.float64),
]
STEPS = 4, 24  # a step is a twentieth of the difference: what a fit does once does not count
RATE = 1e-3
WHY = """On ten features a step is mostly elementwise work, which the threads share block by block; how fast NumPy's exponential is depends on the processor (AVX-512)."""


def run(quick=False):
    repeats = 1 if quick else 5
    lines = [
        f"One step, from fits of {STEPS[0]} and {STEPS[1]} steps, medians of {repeats} turns; in brackets "
        "relative to ours. The notes' loop has its samples as rows here and computes no cost.",
        "",
    ]
    rows, verdicts = [], []
    for m, n, dtype in SHAPES[1:2] if quick else SHAPES:
        data = noise(m, n, dtype)
        times = step_times(data, repeats)
        ours = times["sknn_basic"]
        names = [name for name in ("sknn_basic", "notes", "torch", "jax") if name in times]
        rows.append([data.name, *(f"{seconds(times[name])} ({times[name] / ours:.2f})" for name in names)])
        others = {name: times[name] for name in names[1:]}
        fastest = min(others, key=others.get)
        claim = f"a step of {data.name}, relative to that of {fastest}"
        verdicts.append(verdict(claim, ours / others[fastest], 1.0, at_least=False))
    lines += table(["", *names], rows) + verdicts + ["", WHY, "", "### The size of a block", ""]
    lines += ["One step, in the time that it takes on the whole of X:", ""]
    sizes = [2**18, 2**20, 2**22, 2**23, 2**24]
    rows = [
        [d.name, *block_times(d, sizes)] for d in (noise(*shape) for shape in SHAPES[: 2 if quick else 4])
    ]
    lines += table(["", *(f"{size / 2**20:g} MiB" for size in sizes)], rows)
    return Section("Tall: a step of logistic regression on many samples", lines)


def step_times(data, repeats):
    jobs = {}
    for steps in STEPS:
        model = LogisticRegressionGD(RATE, steps, record_every=1000)
        jobs["sknn_basic", steps] = lambda model=model: model.fit(data.X, data.y)
        start = [(np.zeros((data.X.shape[1], 1)), np.zeros((1, 1)))]
        jobs["notes", steps] = rows_job(data.X, data.y, RATE, steps)
        for name, job in library_jobs(data.X, data.y, start, RATE, steps, ("torch", "jax")).items():
            jobs[name, steps] = job
    times, results = in_turn(jobs, repeats)
    few, many = STEPS
    for steps in STEPS:
        ends = {name: layers for (name, n_steps), layers in results.items() if n_steps == steps}
        check(ends, data.X, data.y, 1e-8 if data.X.dtype == np.float64 else 1e-3)
    return {
        name: (times[name, many] - times[name, few]) / (many - few) for name, steps in jobs if steps == few
    }


def block_times(data, sizes):
    """Return the time of a step for each size of a block, relative to one block."""
    jobs = {}
    for size in [*sizes, 2**60]:
        for steps in STEPS:
            model = LogisticRegressionGD(RATE, steps, record_every=1000)

            def job(model=model, size=size):
                with patch.object(samples, "BLOCK_BYTES", size):
                    model.fit(data.X, data.y)

            jobs[size, steps] = job
    times, _ = in_turn(jobs, 3)
    step = {size: times[size, STEPS[1]] - times[size, STEPS[0]] for size in [*sizes, 2**60]}
    return [f"{step[size] / step[2**60]:.2f}" for size in sizes]
