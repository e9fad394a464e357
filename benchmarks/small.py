"""A network on a small problem: 400 points in the plane, 4 units, 10,000 steps. Here it is all overhead."""

import numpy as np
from sklearn.datasets import make_moons

from sknn_basic import ShallowNNClassifier
from sknn_basic._descent.network import init_layers

from .ours import NUMPY, OURS, in_numpy, is_ours, our_jobs
from .peers import fastest, labels, network_jobs
from .peers_numpy import small_forms
from .report import Section, dot_chart, seconds, times_table, verdict
from .timing import in_turn
from .wide import check

RATE, UNITS = 0.5, 4


def run(quick=False):
    steps, repeats = (1000, 3) if quick else (10_000, 5)
    X, y = make_moons(400, noise=0.1, random_state=0)
    start = init_layers((2, UNITS, 1), np.float64, np.random.RandomState(0), [0.5, 0.5])
    model = ShallowNNClassifier(UNITS, learning_rate=RATE, max_iter=steps, init_scale=0.5, random_state=0)
    jobs = {**our_jobs(model, X, y), **network_jobs(X, y, start, RATE, steps)}
    jobs["NumPy by hand, into buffers"] = fastest(small_forms(X, y, start, RATE, steps), 200, "NumPy by hand")
    times, results = in_turn(jobs, repeats)
    check(results, X, y, 1e-6)
    ours, by_hand = times[OURS], times["NumPy by hand, into buffers"]
    lines = [f"{steps:,} steps on 400 x 2, {UNITS} units, whole fit, medians of {repeats} turns.", ""]
    lines += times_table(times, labels(jobs), ours, ("a step", lambda time: seconds(time / steps)))
    lines += [verdict("times faster than MLPClassifier", times["MLPClassifier"] / ours, 2)]
    if "torch" in times:
        lines += [
            verdict("times faster than PyTorch with autograd", times["torch, autograd"] / ours, 4),
            f"* for the record: {times['torch'] / ours:.2f} times faster than the formulas by hand on tensors",
        ]
    if "jax" in times and NUMPY in times:
        lines += [verdict("relative to compiled JAX", ours / times["jax"], 0.6, at_least=False)]
    lines += [
        verdict("NumPy alone, relative to NumPy by hand", in_numpy(times) / by_hand, 1.1, at_least=False),
        "",
        "*NumPy by hand, into buffers* is about as little as NumPy can do: this network and no other, every "
        "result written into memory allocated once, no cost, no check.",
        "",
        "![Time of each, on a logarithmic axis](images/small.png)",
        "",
    ]
    title = f"{steps:,} steps on 400 x 2, {UNITS} units"
    dot_chart("small.png", {title: times}, is_ours, "time of a whole fit")
    return Section("Small: all overhead", lines)
