"""What ShallowNNClassifier learns at its defaults, and at the rate of 1.2 that was the default before."""

import os
import warnings
from collections import namedtuple
from functools import partial

from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_circles, make_moons
from sklearn.preprocessing import scale

from sknn_basic import ShallowNNClassifier

from .data import cats, patches, spirals, xor
from .report import Section, table, verdict

RATES, ACTIVATIONS = ("auto", 1.2), ("tanh", "sigmoid", "relu", "leaky_relu")
LEARNT = 0.9  # of raw features, which no rate suits: whoever ends below this accuracy should be warned
Fit = namedtuple("Fit", "accuracy warned")  # of the training samples


def run(quick=False):
    seeds = range(1 if quick else 5)
    rows, verdicts = [], []
    for name, (data, goal) in data_sets().items():
        fits = {(rate, g): [fit(*data, rate, g, s) for s in seeds] for rate in RATES for g in ACTIVATIONS}
        rows.append([name, *map(cell, fits.values())])
        own = [one for (rate, _), some in fits.items() if rate == "auto" for one in some]
        if goal is None:
            n_silent = sum(one.accuracy < LEARNT and not one.warned for one in own)
            claim = f"{name}: fits below {LEARNT} without a warning"
            verdicts.append(verdict(claim, n_silent, 0, at_least=False))
        else:
            verdicts.append(verdict(f"{name}: the worst fit", min(own).accuracy, goal))
    header = ["", *(f"{g}, {rate}" for rate in RATES for g in ACTIVATIONS)]
    lines = [
        f"The training accuracy of `ShallowNNClassifier` at its defaults, and at the rate of {RATES[1]}: the worst of "
        f"{len(seeds)} random starts. In brackets: how many of these fits warned.",
        "",
        *table(header, rows),
        *["At the defaults:", "", *verdicts, ""],
    ]
    return Section("What the defaults learn", lines)


def fit(X, y, rate, activation, seed):
    model = ShallowNNClassifier(activation=activation, learning_rate=rate, random_state=seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        accuracy = model.fit(X, y).score(X, y)
    return Fit(accuracy, bool(caught))


def cell(fits):
    warned = sum(one.warned for one in fits)
    return f"{min(fits).accuracy:.3f}" + f" ({warned})" * (warned > 0)


def data_sets():
    """Return {name: ((X, y), the accuracy that every fit should reach, None if none can be asked)}."""
    images = [patches(), *([cats()] if "SKNN_BASIC_CATS" in os.environ else [])]
    X, y = load_digits(return_X_y=True)
    iris, wine, cancer = (load(return_X_y=True) for load in (load_iris, load_wine, load_breast_cancer))
    circles = partial(make_circles, 400, factor=0.4, random_state=0)
    return {
        **{data.name: ((data.X, data.y), 0.95) for data in images},
        "digits / 16": ((X / 16, y), 0.97),
        "iris, raw": (iris, 0.95),
        "iris, standardised": (standardised(*iris), 0.98),
        "wine, standardised": (standardised(*wine), 0.98),
        "breast cancer, standardised": (standardised(*cancer), 0.98),
        "circles, noise 0.02": (circles(noise=0.02), 0.95),
        "circles, noise 0.1": (circles(noise=0.1), 0.95),
        "spirals": (spirals(), 0.95),
        "XOR": (xor(), 0.93),
        "moons, noise 0.1": (make_moons(400, noise=0.1, random_state=0), 0.97),
        "wine, raw": (wine, None),
        "breast cancer, raw": (cancer, None),
    }


def standardised(X, y):
    return scale(X), y
