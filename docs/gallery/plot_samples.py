r"""
Many samples, wide samples: what a step costs
=============================================

A step of logistic regression multiplies the matrix X twice: once for the predictions, once for the gradient.
So its time should grow with the number of samples m times the number of features n. But a descent need not
touch X at every step. This page measures it, beside the formulas of the notes as a plain NumPy loop, and
explains two shortcuts that change nothing in the result.

The times are measured while the page is built, on small data, so that it takes some seconds only.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

from sknn_basic import LogisticRegressionGD

BLUE, ORANGE = "#0072B2", "#E66100"

# %%
# The notes' loop
# ---------------
#
# In the notes a sample is a column: X has the shape (n, m) and Y the shape (1, m).


def notes_loop(X, Y, n_steps, rate):
    """Return w and b after steps of the notes' formulas."""
    m = X.shape[1]
    w, b = np.zeros((X.shape[0], 1)), 0.0
    for _ in range(n_steps):
        A = 1 / (1 + np.exp(-(w.T @ X + b)))
        dZ = A - Y
        dw = X @ dZ.T / m
        db = dZ.sum() / m
        w = w - rate * dw
        b = b - rate * db
    return w, b


# %%
# Wide samples
# ------------
#
# Images have more features than there are samples: the notes' have n = 12,288 and m = 209. Each gradient is
# :math:`X^T dZ`, a sum of samples. As descent starts at zero, the weights are always a sum of samples too:
#
# .. math:: w = X^T c, \qquad Z = X w + b = (X X^T) c + b.
#
# So it is enough to know the Gram matrix :math:`X X^T`, of m rows and m columns. It is computed once, and
# each step then takes a product with a matrix of 209 x 209 instead of two with one of 209 x 12,288. The
# weights are computed once, at the end. They are the same to rounding:


def make_data(m, n, seed=0):
    """Return m samples of n features, rows, and labels that depend on the first ten features."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((m, n))
    return X, (X[:, :10].sum(axis=1) > 0).astype(int)


X, y = make_data(209, 12_288)
model = LogisticRegressionGD(learning_rate=0.001, max_iter=200).fit(X, y)
w, b = notes_loop(X.T, y.reshape(1, -1), 200, 0.001)
print(f"largest weight {np.abs(w).max():.3g}, largest difference {np.abs(model.coef_ - w.T).max():.1g}")

# %%
# Many samples
# ------------
#
# Where samples are many and features few, the Gram matrix would be larger than X, and there is nothing to
# gain from it. Here the time goes into memory: X is read twice at every step, from far away, since it does
# not fit into the cache of the processor. So X is taken in blocks of rows that do fit. Each block is read
# once, gives its predictions and at once its share of the gradient. A step adds up the shares.
#
# The numbers of samples and features decide which of both ways is taken. Nothing has to be set.

# %%
# What verbose says
# -----------------
#
# Samples need not be in memory. Of a file, ``verbose=True`` says how it is read, and how often: here the same
# numbers as 200 rows of 20,000 features and as 80,000 rows of 50 features.

with TemporaryDirectory() as folder:
    path = Path(folder) / "numbers.dat"
    np.random.default_rng(0).standard_normal(4_000_000).tofile(path)
    for shape in (200, 20_000), (80_000, 50):
        print(f"{shape[0]:,} samples of {shape[1]:,} features")
        X_file = np.memmap(path, mode="r", shape=shape)
        LogisticRegressionGD(max_iter=200, verbose=True).fit(X_file, X_file[:, 0] > 0)
        del X_file  # closes the file

# %%
# Measured
# --------
#
# The time of a step is that of a whole fit by its number of steps, so it includes the checks of X and the
# Gram matrix. The best of five runs counts. First the width grows, with 209 samples and the 2,000 steps of
# the notes; then the number of samples, with 50 features and fewer steps. Both sides use one thread: this is
# slower, but other programs on the computer then disturb less.


def best_time(function, *arguments):
    """Return the shortest time of five runs in seconds."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        function(*arguments)
        times.append(time.perf_counter() - start)
    return min(times)


def microseconds_per_step(m, n, n_fit):
    """Return those of the notes' loop and of a fit of `n_fit` steps."""
    X, y = make_data(m, n)
    columns, Y = np.ascontiguousarray(X.T), y.reshape(1, -1)
    n_loop = int(np.clip(1e7 / X.size, 3, 20))
    model = LogisticRegressionGD(0.001, max_iter=n_fit, record_every=100)
    LogisticRegressionGD(0.001, max_iter=2).fit(X, y)  # prepares what is prepared once in a process
    loop = best_time(notes_loop, columns, Y, n_loop, 0.001) / n_loop
    return loop * 1e6, best_time(model.fit, X, y) / n_fit * 1e6


widths = 50, 200, 800, 3200, 12_800
heights = 1000, 4000, 16_000, 64_000, 256_000
with threadpool_limits(1):
    wide = np.array([microseconds_per_step(209, n, 2000) for n in widths])
    tall = np.array([microseconds_per_step(m, 50, max(20, 2_000_000 // m)) for m in heights])

print("samples   features   notes' loop   sknn_basic   (microseconds per step)")
shapes = [(209, n) for n in widths] + [(m, 50) for m in heights]
for (m, n), (loop, fit) in zip(shapes, [*wide, *tall], strict=True):
    print(f"{m:7,} {n:10,} {loop:13,.0f} {fit:12,.0f}   {loop / fit:5.1f} times as long")

figure, axes = plt.subplots(1, 2, figsize=(9.6, 5.4), layout="constrained", sharey=True)
panels = {
    ("209 samples", "number of features"): (widths, wide),
    ("50 features", "number of samples"): (heights, tall),
}
for ax, ((title, label), (sizes, values)) in zip(axes, panels.items(), strict=True):
    for column, name, colour, marker in ((0, "the notes' loop", ORANGE, "s"), (1, "sknn_basic", BLUE, "o")):
        ax.loglog(sizes, values[:, column], color=colour, marker=marker, ms=8, lw=2.5, label=name)
    ax.set(title=title, xlabel=label, xticks=sizes, xticklabels=[f"{size:,}" for size in sizes])
    ax.minorticks_off()
    ax.grid(alpha=0.4)
axes[0].set_ylabel("microseconds per step")
axes[0].legend(loc="upper left")
figure.suptitle("Time of a step on this computer")
plt.show()

# %%
# On the left, the time of the loop grows with the number of features, and all the more once X no longer fits
# into the cache. With the Gram matrix a step takes the same time whatever the width; only the preparation
# grows, and the steps of a fit share it.
#
# On the right both grow with the number of samples, since all of them must be read. Few samples are in the
# cache anyway, so to read them once instead of twice gains little. With many it may gain up to half of the
# time, and several threads gain more, since each takes blocks of its own.
