"""
How many hidden units?
======================

Each hidden unit draws one straight line across the plane: on one side it is positive, on the other negative.
The output adds up the units. So one unit can only cut the plane along a line, two can take a strip out of it,
and with a few more the boundary can close around a class. How many it takes depends on the data.

This page trains networks of 1, 2, 4 and 16 hidden units, their ``hidden_layer_size``, on two sets that no line
separates.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from sklearn.datasets import make_circles
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.model_selection import train_test_split

from sknn_basic import HiddenUnitsDisplay, LogisticRegressionGD, ShallowNNClassifier

INK = plt.rcParams["text.color"]  # black, or white in a dark style
BLUE, ORANGE = "#0072B2", "#E66100"
PALE = LinearSegmentedColormap.from_list("classes", ["#80B8D8", plt.rcParams["axes.facecolor"], "#F2B080"])

# %%
# Two sets
# --------
#
# A disc inside a ring, and a flower with four petals of alternating classes. Half of the samples are kept for
# the test.


def make_flower(n_samples, seed):
    """Return samples on the four petals of a flower; opposite petals are of different classes."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, n_samples)
    radius = 2 * np.abs(np.sin(2 * angle)) + rng.normal(0, 0.15, n_samples)
    X = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return X, (angle // (np.pi / 2) % 2).astype(int)


sets = {
    "disc and ring": make_circles(800, noise=0.12, factor=0.4, random_state=0),
    "flower": make_flower(800, seed=0),
}
split = {
    name: train_test_split(X, y, test_size=0.5, stratify=y, random_state=0) for name, (X, y) in sets.items()
}
for name, (X, X_test, y, y_test) in split.items():
    line = LogisticRegressionGD().fit(X, y)
    print(f"{name}: the best line is right on {line.score(X_test, y_test):.1%} of the test samples")

# %%
# Four networks
# -------------
#
# All units are tanh, and descent takes 5,000 steps at the rate 1.2. The colour is the probability of the orange
# class, the black line is where it is 50 %.


def draw_boundary(ax, model, X, y):
    """Draw the probability of class 1 over the plane, the line of 50 % and the samples."""
    options = {"ax": ax, "response_method": "predict_proba", "grid_resolution": 200, "eps": 0.3}
    DecisionBoundaryDisplay.from_estimator(
        model, X, **options, plot_method="pcolormesh", cmap=PALE, vmin=0, vmax=1
    )
    DecisionBoundaryDisplay.from_estimator(
        model, X, **options, plot_method="contour", levels=[0.5], colors=INK, linewidths=2
    )
    ax.scatter(*X.T, c=np.array([BLUE, ORANGE])[y], s=10, edgecolors=INK, linewidths=0.4)
    ax.set(xticks=[], yticks=[], xlabel="", ylabel="")


sizes = 1, 2, 4, 16
networks = {}
figure, axes = plt.subplots(2, 4, figsize=(9.6, 5.4), layout="constrained")
for row, (name, (X, X_test, y, y_test)) in zip(axes, split.items(), strict=True):
    for ax, h in zip(row, sizes, strict=True):
        network = ShallowNNClassifier(h, learning_rate=1.2, random_state=0).fit(X, y)
        accuracy = network.score(X_test, y_test)
        print(f"{name}, {h:2} hidden units: cost {network.loss_:.3f}, test accuracy {accuracy:.1%}")
        draw_boundary(ax, network, X, y)
        ax.set_title(f"{h} unit{'s' * (h > 1)}: {accuracy:.1%}", fontsize=12)
        networks[name, h] = network
    row[0].set_ylabel(name, fontsize=12)
figure.suptitle("Boundaries and test accuracies by the number of hidden units")

# %%
# With one unit the boundary is a line, as that of logistic regression. It lies better all the same: a tanh is
# flat on both sides, so the samples far beyond it do not count more than others, and the network can cut off
# a part of the ring. Two units take out a strip. Four close around the disc, and bend around each petal.
#
# Sixteen units change little where four were enough.

# %%
# What the four units do
# ----------------------
#
# Each small panel is one unit: coloured as the class that it speaks for, with a black line where the unit is
# 0. The number is its weight in the output.

X, _, y, _ = split["flower"]
HiddenUnitsDisplay.from_estimator(networks["flower", 4], X, y)

# %%
# Luck of the start
# -----------------
#
# The cost of a network has many valleys, and the start decides which one descent ends in. With two units some
# starts end at 85 % and others below 75 %. With four or more all starts are good. This is one reason to take
# some more units than the data seem to need.

starts = range(20)
X, X_test, y, y_test = split["flower"]
figure, ax = plt.subplots(figsize=(9.6, 5.4), layout="constrained")
for h in range(1, 9):
    accuracies = [
        ShallowNNClassifier(h, learning_rate=1.2, random_state=seed).fit(X, y).score(X_test, y_test)
        for seed in starts
    ]
    print(f"{h} units, 20 starts: test accuracy {min(accuracies):.1%} to {max(accuracies):.1%}")
    jitter = np.linspace(-0.2, 0.2, len(accuracies))
    ax.plot(h + jitter, accuracies, "o", color=ORANGE, markeredgecolor="black", markeredgewidth=0.5)
ax.set(
    xlabel="hidden units",
    ylabel="test accuracy",
    title="The flower, 20 random starts for each number of units",
)
ax.yaxis.set_major_formatter("{x:.0%}")
ax.grid(axis="y", alpha=0.4)
plt.show()
# sphinx_gallery_thumbnail_number = 1
