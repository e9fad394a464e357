"""How time grows with features at 209 samples, and with samples at 100 features."""

import numpy as np

from sknn_basic import LogisticRegressionGD

from .data import noise
from .peers import library_jobs, rows_job
from .report import Section, figure, save, seconds, table
from .timing import in_turn
from .wide import check

RATE = 1e-4


def run(quick=False):
    features = [1000, 3000] if quick else [1000, 3000, 10_000, 30_000, 100_000]
    samples = [1000] if quick else [1000, 3000, 10_000, 30_000, 100_000, 300_000]
    wide = {n: measure(noise(209, n), 200, 1 if quick else 3) for n in features}
    tall = {m: measure(noise(m, 100), 100, 1 if quick else 3) for m in samples}
    lines = ["Logistic regression, float64, 200 steps at 209 samples:", ""]
    lines += rows_of("features", wide)
    lines += ["100 steps at 100 features:", "", *rows_of("samples", tall)]
    draw(wide, tall)
    lines += ["![Time over features and over samples](images/growth.png)", ""]
    return Section("Growth", lines)


def measure(data, steps, repeats):
    start = [(np.zeros((data.X.shape[1], 1)), np.zeros((1, 1)))]
    model = LogisticRegressionGD(RATE, steps)
    jobs = {
        "sknn_basic": lambda: model.fit(data.X, data.y),
        "notes, as rows": rows_job(data.X, data.y, RATE, steps),
        **library_jobs(data.X, data.y, start, RATE, steps, ("torch", "jax")),
    }
    times, results = in_turn(jobs, repeats)
    check(results, data.X, data.y, 1e-8)
    return times


def rows_of(what, measured):
    names = list(next(iter(measured.values())))
    rows = [[f"{size:,}", *(seconds(times[name]) for name in names)] for size, times in measured.items()]
    return table([what, *names], rows)


def draw(wide, tall):
    fig, axes = figure(ncols=2, figsize=(9, 3.6), layout="constrained")
    for ax, measured, label in zip(
        axes, (wide, tall), ("features (209 samples)", "samples (100 features)"), strict=True
    ):
        for name in next(iter(measured.values())):
            ax.plot(list(measured), [times[name] for times in measured.values()], "o-", ms=4, label=name)
        ax.set(xscale="log", yscale="log", xlabel=label, ylabel="seconds")
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].legend()
    save(fig, "growth.png")
