"""The network on wide images: 7 and 64 hidden units, 500 steps."""

import numpy as np

from sknn_basic import ShallowNNClassifier
from sknn_basic._descent.network import init_layers

from .data import images
from .ours import OURS, is_ours, our_jobs
from .peers import labels, network_jobs
from .report import Section, dot_chart, times_table, verdict
from .timing import in_turn
from .wide import PEERS, RATE, check


def run(quick=False):
    data = images()
    steps, repeats = (50, 1) if quick else (500, 3)
    lines = [f"{steps:,} steps at {RATE} on {data.name}, tanh, whole fit, medians of {repeats} turns.", ""]
    panels = {}
    for dtype in (np.float64,) if quick else (np.float64, np.float32):
        X = data.X.astype(dtype)
        for h in (7,) if quick else (7, 64):
            title = f"{h} units, {np.dtype(dtype).name}"
            start = init_layers((X.shape[1], h, 1), np.float64, np.random.RandomState(0), [0.01, 0.01])
            model = ShallowNNClassifier(
                h, learning_rate=RATE, max_iter=steps, init_scale=0.01, random_state=0
            )
            jobs = our_jobs(model, X, data.y) | network_jobs(X, data.y, start, RATE, steps)
            times, results = in_turn(jobs, repeats)
            check(results, X, data.y, 1e-8 if dtype == np.float64 else 1e-3)
            ours = times[OURS]
            panels[title] = times
            lines += [f"### {title}", "", *times_table(times, labels(jobs), ours)]
            if dtype == np.float64:
                fastest = min(times[name] for name in PEERS if name in times)
                lines += [
                    verdict("times faster than the notes' code", times["notes"] / ours, 20),
                    verdict("times faster than the fastest peer", fastest / ours, 20),
                    "",
                ]
    dot_chart("hidden.png", panels, is_ours, f"{steps:,} steps on 209 images of 64 x 64 x 3, whole fit")
    lines += ["![Times of all, on a logarithmic axis](images/hidden.png)", ""]
    return Section("Hidden layer: the network on images", lines)
