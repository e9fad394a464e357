"""A network on a small problem: 400 points in the plane, 4 units, 10,000 steps. Here it is all overhead."""

import numpy as np
from sklearn.datasets import make_moons

from sknn_basic import ShallowNNClassifier
from sknn_basic._descent.network import init_layers

from .peers import network_jobs
from .report import Section, ratio, seconds, table, verdict
from .timing import in_turn
from .wide import check

RATE, UNITS = 0.5, 4


def run(quick=False):
    steps, repeats = (1000, 3) if quick else (10_000, 5)
    X, y = make_moons(400, noise=0.1, random_state=0)
    start = init_layers((2, UNITS, 1), np.float64, np.random.RandomState(0), [0.5, 0.5])
    model = ShallowNNClassifier(UNITS, learning_rate=RATE, max_iter=steps, init_scale=0.5, random_state=0)
    jobs = {"sknn_basic": lambda: model.fit(X, y), **network_jobs(X, y, start, RATE, steps)}
    jobs["NumPy by hand, into buffers"] = into_buffers(X, y, start, steps)
    times, results = in_turn(jobs, repeats)
    check(results, X, y, 1e-6)
    ours = times["sknn_basic"]
    lines = [f"{steps:,} steps on 400 x 2, {UNITS} units, whole fit, medians of {repeats} turns.", ""]
    lines += table(
        ["", "time", "a step", "times ours"],
        [
            (n, seconds(t), seconds(t / steps), ratio(t / ours))
            for n, t in sorted(times.items(), key=lambda x: x[1])
        ],
    )
    lines += [verdict("times faster than MLPClassifier", times["MLPClassifier"] / ours, 2)]
    if "torch" in times:
        lines += [
            verdict("times faster than PyTorch with autograd", times["torch, autograd"] / ours, 4),
            f"* for the record: {times['torch'] / ours:.2f} times faster than the formulas by hand on tensors",
        ]
    if "jax" in times:
        lines += [f"* for the record: {ours / times['jax']:.2f} times slower than compiled JAX"]
    lines += [
        "",
        "*NumPy by hand, into buffers* is about as little as NumPy can do: this network and no other, every "
        "result written into memory allocated once, no cost, no check. What separates us from it is the "
        "price of formulas that read as in the notes.",
        "",
    ]
    return Section("Small: all overhead", lines)


def into_buffers(X, y, start, steps):
    from scipy.special import expit

    m, T = len(X), np.where(y == 1, -1.0, 1.0).reshape(-1, 1)
    T_over_m, ones = T / m, np.ones((1, m))

    def job():
        (W1, b1), (W2, b2) = [(W.copy(), b.copy()) for W, b in start]
        h = W1.shape[1]
        A1, slope, Z2 = np.empty((m, h)), np.empty((m, h)), np.empty((m, 1))
        dW1, db1, dW2, db2 = np.empty_like(W1), np.empty_like(b1), np.empty_like(W2), np.empty_like(b2)
        XT, A1T = X.T, A1.T
        for _ in range(steps):
            np.matmul(X, W1, out=A1)
            A1 += b1
            np.tanh(A1, out=A1)
            np.matmul(A1, W2, out=Z2)
            Z2 += b2
            Z2 *= T
            expit(Z2, out=Z2)
            Z2 *= T_over_m
            np.matmul(A1T, Z2, out=dW2)
            np.matmul(ones, Z2, out=db2)
            np.multiply(A1, A1, out=slope)
            np.subtract(1, slope, out=slope)
            slope *= Z2
            slope *= W2.T
            np.matmul(XT, slope, out=dW1)
            np.matmul(ones, slope, out=db1)
            for parameter, gradient in ((W1, dW1), (b1, db1), (W2, dW2), (b2, db2)):
                gradient *= RATE
                parameter -= gradient
        return [(W1, b1), (W2, b2)]

    return job
