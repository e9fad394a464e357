"""How time grows with features at 209 samples, and with samples at 100 features."""

from sknn_basic import LogisticRegressionGD

from .data import noise
from .ours import OURS, in_numpy, our_jobs
from .peers import library_jobs, rows_job, zeros
from .report import BLUE, Section, figure, save, seconds, table, verdict
from .timing import in_turn
from .wide import check

RATE = 1e-4
STYLES = (  # ours first; told apart by marker too
    {"color": BLUE, "marker": "o", "lw": 2.5},
    {"color": BLUE, "marker": "o", "ls": "--", "mfc": "white"},
    {"color": "#555555", "marker": "s"},
    {"color": "#d55e00", "marker": "^"},
    {"color": "#009e73", "marker": "D"},
)
MIDDLE = 30_000  # samples up to which a fit should take no longer than the notes' loop


def run(quick=False):
    features = [1000] if quick else [1000, 3000, 10_000, 30_000, 100_000]
    samples = [1000] if quick else [1000, 3000, 10_000, 30_000, 100_000, 300_000]
    wide = {n: measure(noise(209, n), 200, 1 if quick else 3) for n in features}
    tall = {m: measure(noise(m, 100), 100, 9 if m <= MIDDLE and not quick else 3) for m in samples}
    lines = ["Logistic regression, float64, whole fit, 200 steps at 209 samples:", ""]
    lines += rows_of("features", wide)
    lines += ["100 steps at 100 features:", "", *rows_of("samples", tall), *verdicts(tall), ""]
    draw(wide, tall)
    lines += ["![Time over features and over samples](images/growth.png)", ""]
    return Section("Growth", lines)


def measure(data, steps, repeats):
    X, y = data.X, data.y
    jobs = our_jobs(LogisticRegressionGD(RATE, steps), X, y)
    jobs["notes, as rows"] = rows_job(X, y, RATE, steps)
    jobs |= library_jobs(X, y, zeros(X), RATE, steps, ("torch", "jax"))
    times, results = in_turn(jobs, repeats)
    check(results, X, y, 1e-8)
    return times


def verdicts(tall):
    return [
        line
        for m, times in tall.items()
        if m <= MIDDLE
        for line in (
            verdict(
                f"{m:,} x 100: NumPy alone, relative to the notes' loop",
                in_numpy(times) / times["notes, as rows"],
                1.0,
                at_least=False,
            ),
            f"* for the record: {m:,} x 100: ours relative to the notes' loop "
            f"{times[OURS] / times['notes, as rows']:.2f}",
        )
    ]


def rows_of(what, measured):
    names = list(next(iter(measured.values())))
    rows = [[f"{size:,}", *(seconds(times[name]) for name in names)] for size, times in measured.items()]
    return table([what, *names], rows)


def draw(wide, tall):
    fig, axes = figure(ncols=2, figsize=(13, 4.6), layout="constrained")
    for ax, measured, label in zip(
        axes, (wide, tall), ("features (209 samples)", "samples (100 features)"), strict=True
    ):
        for name, style in zip(next(iter(measured.values())), STYLES, strict=False):
            times = [times[name] for times in measured.values()]
            ax.plot(list(measured), times, label=name, **style)
        ax.set(xscale="log", yscale="log")
        ax.set_xlabel(label, fontsize=12)
        ax.tick_params(labelsize=11)
        ax.yaxis.set_major_formatter(lambda value, _: seconds(value))
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("time of a whole fit", fontsize=12)
    axes[1].legend(fontsize=11, frameon=False)
    save(fig, "growth.png")
