"""Many samples, several columns of weights: a network of 64 units, and the softmax of ten classes."""

import numpy as np

from sknn_basic import LogisticRegressionGD, ShallowNNClassifier
from sknn_basic._descent.network import init_layers

from .data import noise
from .ours import OURS, is_ours, our_jobs
from .peers import labels, library_jobs, zeros
from .report import Section, dot_chart, times_table, verdict
from .timing import steps_in_turn
from .wide import check

SHAPE = 60_000, 784
STEPS = 2, 10
RATE, UNITS, CLASSES = 1e-3, 64, 10
LIBRARIES = "torch", "jax"
PEERS = {"torch": "PyTorch", "jax": "compiled JAX"}


def run(quick=False):
    repeats, (m, n) = (3, (6000, 784)) if quick else (5, SHAPE)
    lines = [
        f"One step on {m:,} x {n}, from fits of {STEPS[0]} and {STEPS[1]} steps, medians of {repeats} turns.",
        "",
    ]
    panels = {}
    for dtype in (np.float32,) if quick else (np.float64, np.float32):
        for name, job, bounds in (
            (f"network of {UNITS} units", network_jobs, {"torch": 1.0}),
            (f"softmax of {CLASSES} classes", softmax_jobs, {"torch": 0.9, "jax": 0.6}),
        ):
            title = f"{name}, {np.dtype(dtype).name}"
            data, jobs = job(m, n, dtype)
            times, results = steps_in_turn(jobs, STEPS, repeats)
            for ends in results.values():
                check(ends, data.X, data.y, 1e-8 if dtype == np.float64 else 1e-3)
            lines += [f"### {title}", "", *times_table(times, labels(jobs), times[OURS])]
            for peer, bound in bounds.items():
                if peer in times:
                    claim = f"a step of the {title}, relative to {PEERS[peer]}"
                    lines += [verdict(claim, times[OURS] / times[peer], bound, at_least=False), ""]
            panels[title] = times
            del data, jobs
    dot_chart("units.png", panels, is_ours, "time of a step")
    lines += ["![Time of a step, on logarithmic axes](images/units.png)", ""]
    return Section("Tall: a step with several units or classes", lines)


def network_jobs(m, n, dtype):
    data = noise(m, n, dtype)
    start = init_layers((n, UNITS, 1), np.float64, np.random.RandomState(0), [0.01, 0.01])
    model = ShallowNNClassifier(
        UNITS, learning_rate=RATE, max_iter=STEPS[1], init_scale=0.01, random_state=0, record_every=1000
    )
    return data, our_jobs(model, data.X, data.y) | _libraries(data, start)


def softmax_jobs(m, n, dtype):
    data = noise(m, n, dtype, CLASSES)
    model = LogisticRegressionGD(RATE, STEPS[1], record_every=1000)
    return data, our_jobs(model, data.X, data.y) | _libraries(data, zeros(data.X, CLASSES))


def _libraries(data, start):
    return library_jobs(data.X, data.y, start, RATE, STEPS[1], LIBRARIES, trial=STEPS[0])
