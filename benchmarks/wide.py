"""Logistic regression on wide images, as in the notes' assignment: 209 rows of 12,288 values, 2,000 steps."""

import numpy as np

from sknn_basic import LogisticRegressionGD

from . import peers_jax, peers_numpy, peers_torch
from .data import cost, images
from .ours import NUMPY, OURS, in_numpy, is_ours, our_jobs
from .peers import FORMS, fastest, labels, logistic_jobs
from .report import Section, dot_chart, times_table, verdict
from .timing import in_turn, installed

RATE = 0.005  # the notes'
PEERS = tuple(FORMS)
BOUND = "lower bound: one Gram matrix and its products"
WHY = """Where the images (20 MB, 10 MB in float32) fit in the processor's last cache, a step of the notes' code takes little more than its arithmetic. The Gram matrix by hand is the same trick, written by someone who knows it, for these data only and without a check."""


def run(quick=False):
    data = images()
    steps, repeats = (200, 1) if quick else (2000, 3)
    lines = [f"{steps:,} steps at {RATE} on {data.name}, whole fit, medians of {repeats} turns.", ""]
    panels, bounds = {}, {}
    for dtype in (np.float64,) if quick else (np.float64, np.float32):
        X, precision = data.X.astype(dtype), np.dtype(dtype).name
        jobs = our_jobs(LogisticRegressionGD(RATE, steps), X, data.y)
        jobs |= logistic_jobs(X, data.y, RATE, steps)
        if dtype == np.float32:
            del jobs["notes"]  # whose zeros make float64 of everything, at every step anew
            jobs.pop("mlxtend", None)  # the slowest by far, and no faster than in float64
        jobs |= {f"Gram matrix by hand, {name}": job for name, job in by_hand(X, data.y, steps).items()}
        if dtype == np.float64:
            jobs[BOUND] = lower_bound(X, steps)
        times, results = in_turn(jobs, repeats)
        check(results, X, data.y, 1e-8 if dtype == np.float64 else 1e-3)
        lines += [f"### {precision}", "", *times_table(times, labels(jobs), times[OURS])]
        lines += [*verdicts(times, precision), ""]
        panels[precision] = {name: time for name, time in times.items() if name != BOUND}
        bounds[precision] = times.get(BOUND)
    lines += [WHY, ""]
    dot_chart("wide.png", panels, is_ours, f"{steps:,} steps on 209 images of 64 x 64 x 3, whole fit", bounds)
    lines += ["![Times of all, on a logarithmic axis](images/wide.png)", ""]
    return Section("Wide: logistic regression on images", lines)


def verdicts(times, precision):
    ours = times[OURS]
    fastest_peer = min(times[name] for name in PEERS if name in times)
    if precision == "float32":
        return [verdict("times faster than the fastest peer, float32", fastest_peer / ours, 10)]
    bound, jax = times[BOUND], times.get("Gram matrix by hand, jax")
    lines = [
        verdict("times faster than the notes' code", times["notes"] / ours, 40),
        verdict("times faster than the fastest peer, float64", fastest_peer / ours, 12),
        verdict("NumPy alone, times the lower bound", in_numpy(times) / bound, 2.5, at_least=False),
    ]
    if NUMPY in times:
        lines += [verdict("times the lower bound", ours / bound, 1.3, at_least=False)]
        if jax:
            lines += [verdict("relative to JAX's Gram matrix by hand", ours / jax, 1.0, at_least=False)]
    return lines


def check(results, X, y, tolerance):
    """Every job must have reached our cost, or it did something else."""
    ours = results[OURS].loss_
    for name, layers in results.items():
        if is_ours(name):
            assert abs(layers.loss_ - ours) < tolerance * ours, (name, layers.loss_, ours)
        elif isinstance(layers, list):
            assert abs(cost(layers, X, y) - ours) < tolerance * ours, (name, cost(layers, X, y), ours)


def lower_bound(X, steps):
    def job():
        gram, C = X @ X.T, np.full((len(X), 1), 1e-3)
        for _ in range(steps):
            gram @ C

    return job


def by_hand(X, y, steps):
    """Return {library: job} of the same trick, written by someone who knows it."""
    libraries = {"NumPy": peers_numpy, "torch": peers_torch, "jax": peers_jax}
    return {
        name: fastest(library.gram_forms(X, y, RATE, steps), 200, f"Gram matrix by hand, {name}")
        for name, library in libraries.items()
        if name == "NumPy" or installed(name)
    }
