r"""
Four activations of the hidden layer
====================================

A hidden unit computes :math:`a = g(z)` of a weighted sum :math:`z` of the features. Without the activation
:math:`g` the network would be logistic regression again, since a sum of sums is a sum. Which :math:`g` is
best, nobody can say before trying. This page shows what each of the four does to the boundary and to the
cost, on the same data from the same random numbers.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from scipy.special import expit
from sklearn.datasets import make_moons
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.model_selection import train_test_split

from sknn_basic import LossCurveDisplay, ShallowNNClassifier, propagate

INK = plt.rcParams["text.color"]  # black, or white in a dark style
BLUE, ORANGE = "#0072B2", "#E66100"
PALE = LinearSegmentedColormap.from_list("classes", ["#80B8D8", plt.rcParams["axes.facecolor"], "#F2B080"])
COLOURS = {"sigmoid": "#0072B2", "tanh": "#56B4E9", "relu": "#D55E00", "leaky_relu": "#E69F00"}

# %%
# The functions and their slopes
# ------------------------------
#
# The way back needs :math:`g'(z)`, by which each error is multiplied. All four slopes can be had from
# :math:`a = g(z)`, which the way forward has left behind:
#
# ==========  =======================================  ==============================
# activation  :math:`g(z)`                             :math:`g'(z)`
# ==========  =======================================  ==============================
# sigmoid     :math:`1 / (1 + e^{-z})`                 :math:`a (1 - a)`, at most 1/4
# tanh        :math:`(e^z - e^{-z}) / (e^z + e^{-z})`  :math:`1 - a^2`, at most 1
# ReLU        :math:`\max(0, z)`                       1 if :math:`a > 0`, else 0
# leaky ReLU  :math:`\max(0.1 z, z)`                   1 if :math:`a > 0`, else 0.1
# ==========  =======================================  ==============================
#
# Where sigmoid and tanh are flat, hardly any error comes back, and the unit hardly learns. The slope of a
# ReLU is 1 however large z is, but a unit that is 0 for all samples gets no error at all. The leaky ReLU has
# a small slope there, so that such a unit can return.

g = {
    "sigmoid": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(0, z),
    "leaky_relu": lambda z: np.maximum(0.1 * z, z),
}
slope = {
    "sigmoid": lambda a: a * (1 - a),
    "tanh": lambda a: 1 - a**2,
    "relu": lambda a: np.where(a > 0, 1.0, 0.0),
    "leaky_relu": lambda a: np.where(a > 0, 1.0, 0.1),
}

z = np.linspace(-4, 4, 400)
figure, axes = plt.subplots(1, 4, figsize=(9.6, 3.2), layout="constrained", sharey=True)
for ax, name in zip(axes, g, strict=True):
    ax.plot(z, g[name](z), color=BLUE, lw=2.5, label="g(z)")
    ax.plot(z, slope[name](g[name](z)), color=ORANGE, lw=2, ls="--", label="slope g'(z)")
    ax.set(title=name, xlabel="z", ylim=(-1.3, 2.3))
    ax.axhline(0, color="grey", lw=0.6, zorder=0)
axes[0].legend(loc="upper left", frameon=False)

# %%
# A slope that is wrong shows at once in a comparison with differences of the cost. ``propagate`` returns the
# cost and the gradients at any weights:

rng = np.random.default_rng(0)
X_few, y_few = rng.standard_normal((6, 2)), np.array([0, 1, 0, 1, 1, 0])
W1, b1, W2, b2 = rng.standard_normal((2, 3)), np.zeros((1, 3)), rng.standard_normal((3, 1)), np.zeros((1, 1))
E = np.zeros((2, 3))
E[0, 1] = 1e-6
for name in g:
    gradient = propagate(X_few, y_few, W1, b1, W2, b2, activation=name).dW1[0, 1]
    above, below = (propagate(X_few, y_few, W, b1, W2, b2, activation=name).J for W in (W1 + E, W1 - E))
    print(f"{name:10} dJ/dW1[0, 1] = {gradient:+.8f}, by differences {(above - below) / 2e-6:+.8f}")

# %%
# Boundaries
# ----------
#
# Two moons, eight hidden units, 5,000 steps at the rate 1.2. The black line is where the probability is 50 %.

X, y = make_moons(600, noise=0.2, random_state=0)
X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
networks = {
    name: ShallowNNClassifier(8, activation=name, learning_rate=1.2, random_state=0).fit(X, y) for name in g
}


def draw_boundary(ax, model, X, y):
    """Draw the probability of class 1 over the plane, the line of 50 % and the samples."""
    options = {"ax": ax, "response_method": "predict_proba", "grid_resolution": 300, "eps": 0.3}
    DecisionBoundaryDisplay.from_estimator(
        model, X, **options, plot_method="pcolormesh", cmap=PALE, vmin=0, vmax=1
    )
    DecisionBoundaryDisplay.from_estimator(
        model, X, **options, plot_method="contour", levels=[0.5], colors=INK, linewidths=2
    )
    ax.scatter(*X.T, c=np.array([BLUE, ORANGE])[y], s=14, edgecolors=INK, linewidths=0.4)
    ax.set(xticks=[], yticks=[], xlabel="", ylabel="")


figure, axes = plt.subplots(2, 2, figsize=(9.6, 5.4), layout="constrained")
for ax, (name, network) in zip(axes.flat, networks.items(), strict=True):
    accuracy = network.score(X_test, y_test)
    print(f"{name:10} cost {network.loss_:.4f}, test accuracy {accuracy:.1%}")
    draw_boundary(ax, network, X, y)
    ax.set_title(f"{name}: {accuracy:.1%} of the test samples", fontsize=12)

# %%
# A sum of smooth units is smooth, and a sum of ReLUs consists of flat pieces: its boundary is made of
# straight pieces, with a corner wherever it crosses the line on which a unit switches on.

# %%
# Costs
# -----
#
# The axis of the steps is logarithmic, with all of the first steps recorded (``record_every="auto"``).

figure, ax = plt.subplots(figsize=(9.6, 5.4), layout="constrained")
lines = [
    LossCurveDisplay.from_estimator(
        network, ax=ax, log_x=True, log_y=True, color=COLOURS[name], lw=2, ls="--" if "tanh" in name else "-"
    ).line_
    for name, network in networks.items()
]
ax.legend(lines, networks, loc="lower left")
ax.set(xlabel="steps", ylabel="cost J", title="Cost of the same data with four activations")
ax.set(yticks=[0.03, 0.1, 0.3, 0.6], yticklabels=["0.03", "0.1", "0.3", "0.6"])
ax.minorticks_off()
for step in (10, 1000):
    costs = {
        name: np.interp(step, network.loss_curve_steps_, network.loss_curve_)
        for name, network in networks.items()
    }
    print(f"step {step:5}: " + ", ".join(f"{name} {cost:.3f}" for name, cost in costs.items()))
plt.show()

# %%
# Sigmoid waits for several hundred steps on a plateau, on which the network is no better than a line: its
# slope is at most a quarter of that of tanh, and its values are around 1/2 instead of 0. The others leave the
# plateau after about 100 steps. The ReLUs jump on their way: at a corner the slope changes all at once, and
# the rate of 1.2 is at the edge of what they bear.
#
# In the end all four are right on about the same number of test samples.
# sphinx_gallery_thumbnail_number = 2
