"""Logistic regression on wide images, as in the notes' assignment: 209 rows of 12,288 values, 2,000 steps."""

import numpy as np

from sknn_basic import LogisticRegressionGD

from .data import cost, images
from .peers import MAKERS, logistic_jobs
from .report import Section, figure, ratio, save, seconds, table, verdict
from .timing import in_turn, installed

RATE = 0.005  # the notes'
PEERS = tuple(MAKERS)
WHY = """What decides a miss here is the processor: where the images (20 MB, 10 MB in float32) fit in its last cache, a step of the notes' code or of MLPClassifier takes half a millisecond. Forty times faster than that would be less than the same trick by hand in NumPy takes."""


def run(quick=False):
    data = images()
    steps, repeats = (200, 1) if quick else (2000, 3)
    lines = [f"{steps:,} steps at {RATE} on {data.name}, whole fit, medians of {repeats} turns.", ""]
    everything = {}
    for dtype in (np.float64, np.float32):
        X = data.X.astype(dtype)
        jobs = {"sknn_basic": lambda X=X: LogisticRegressionGD(RATE, steps).fit(X, data.y)}
        jobs |= logistic_jobs(X, data.y, RATE, steps)
        if dtype == np.float32:
            del jobs["notes"]  # whose zeros make float64 of everything, at every step anew
        jobs |= {f"Gram matrix by hand, {name}": job for name, job in by_hand(X, data.y, steps).items()}
        if dtype == np.float64:
            jobs["lower bound: one Gram matrix and its products"] = lower_bound(X, steps)
        times, results = in_turn(jobs, repeats)
        check(results, X, data.y, 1e-8 if dtype == np.float64 else 1e-3)
        ours = times["sknn_basic"]
        lines += [f"### {np.dtype(dtype).name}", ""]
        lines += table(
            ["", "time", "times ours"],
            [
                (name, seconds(time), ratio(time / ours))
                for name, time in sorted(times.items(), key=lambda t: t[1])
            ],
        )
        fastest = min(times[name] for name in PEERS if name in times)
        if dtype == np.float64:
            bound = times["lower bound: one Gram matrix and its products"]
            lines += [
                verdict("times faster than the notes' code", times["notes"] / ours, 40),
                verdict("times faster than the fastest peer, float64", fastest / ours, 12),
                verdict("times the lower bound", ours / bound, 2.5, at_least=False),
            ]
        else:
            lines += [verdict("times faster than the fastest peer, float32", fastest / ours, 10)]
        lines += [""]
        everything[np.dtype(dtype).name] = times
    lines += [WHY, ""]
    draw(everything, steps)
    lines += ["![Times of all, on a logarithmic axis](images/wide.png)", ""]
    return Section("Wide: logistic regression on images", lines)


def check(results, X, y, tolerance):
    """Every job must have reached our cost, or it did something else."""
    ours = results["sknn_basic"].loss_
    for name, layers in results.items():
        if isinstance(layers, list):
            assert abs(cost(layers, X, y) - ours) < tolerance * ours, (name, cost(layers, X, y), ours)


def lower_bound(X, steps):
    def job():
        gram, C = X @ X.T, np.full((len(X), 1), 1e-3)
        for _ in range(steps):
            gram @ C

    return job


def by_hand(X, y, steps):
    """Return {library: job} of the same trick, written by someone who knows it."""
    jobs = {"NumPy": numpy_by_hand(X, y, steps)}
    if installed("torch"):
        jobs["torch"] = torch_by_hand(X, y, steps)
    if installed("jax"):
        jobs["jax"] = jax_by_hand(X, y, steps)
    return jobs


def numpy_by_hand(X, y, steps):
    from scipy.special import expit

    def job():
        gram = (X @ X.T).astype(np.float64)
        m, Y = len(X), y.reshape(-1, 1)
        C, b = np.zeros((m, 1)), 0.0
        for _ in range(steps):
            dZ = (expit(gram @ C + b) - Y) * (RATE / m)
            C -= dZ
            b -= dZ.sum()
        return [(X.T @ C, np.full((1, 1), b))]

    return job


def torch_by_hand(X, y, steps):
    import torch

    X_, Y, m = torch.from_numpy(X), torch.from_numpy(y.reshape(-1, 1)).double(), len(X)

    def job():
        with torch.no_grad():
            gram = (X_ @ X_.T).double()
            C, b = torch.zeros((m, 1), dtype=torch.float64), torch.zeros((1, 1), dtype=torch.float64)
            for _ in range(steps):
                dZ = (torch.sigmoid(torch.addmm(b, gram, C)) - Y) * (RATE / m)
                C -= dZ
                b -= dZ.sum()
            return [((X_.T.double() @ C).numpy(), b.numpy())]

    return job


def jax_by_hand(X, y, steps):
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    m = len(X)

    @jax.jit
    def descent(X, Y, n):
        gram = (X @ X.T).astype(jnp.float64)

        def step(_, state):
            C, b = state
            dZ = (jax.nn.sigmoid(gram @ C + b) - Y) * (RATE / m)
            return C - dZ, b - dZ.sum(keepdims=True)

        C, b = jax.lax.fori_loop(0, n, step, (jnp.zeros((m, 1)), jnp.zeros((1, 1))))
        return X.T.astype(jnp.float64) @ C, b

    X_, Y = jnp.asarray(X), jnp.asarray(y.reshape(-1, 1), jnp.float64)

    def job(n=steps):
        W, b = jax.block_until_ready(descent(X_, Y, n))
        return [(np.asarray(W), np.asarray(b))]

    job(2)
    return job


def draw(everything, steps):
    """A logarithmic bar for each way to take the same steps, in both precisions."""
    times = everything["float64"]
    names = sorted((n for n in times if not n.startswith("lower")), key=lambda n: times[n])
    fig, ax = figure(figsize=(9, 4.2))
    for offset, (precision, colour) in zip((-0.2, 0.2), (("float64", "C0"), ("float32", "C1")), strict=True):
        values = [everything[precision].get(name, np.nan) for name in names]
        bars = ax.barh(np.arange(len(names)) + offset, values, 0.4, color=colour, label=precision)
        ax.bar_label(bars, [seconds(v) if v == v else "" for v in values], padding=3, fontsize=8)
    ax.axvline(times["lower bound: one Gram matrix and its products"], color="grey", ls="--", lw=1)
    ax.text(
        times["lower bound: one Gram matrix and its products"], len(names) - 0.45, " lower bound", fontsize=8
    )
    ax.set(xscale="log", xlabel=f"seconds for {steps:,} steps on 209 images of 64 x 64 x 3, whole fit")
    ax.set_yticks(np.arange(len(names)), names)
    ax.invert_yaxis()
    ax.set_xlim(right=ax.get_xlim()[1] * 3)
    ax.legend(loc="upper right")
    ax.spines[["top", "right"]].set_visible(False)
    save(fig, "wide.png")
