r"""
The start of a network: 0.01 or "auto"
======================================

A network cannot start at zero: all of its hidden units would be equal and remain so. The notes start with
small random weights, of the standard deviation 0.01. Whether that is a good start depends on the data, namely
on how many features there are and how large they are. The default of this package, ``init_scale="auto"``,
takes the standard deviation from the number of inputs instead: :math:`1 / \sqrt{\text{fan-in}}`, and
:math:`\sqrt{2 / \text{fan-in}}` for the ReLUs.

This page shows both starts on data of several sizes.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from sklearn.datasets import make_circles
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import DecisionBoundaryDisplay

from sknn_basic import LossCurveDisplay, ShallowNNClassifier

INK = plt.rcParams["text.color"]  # black, or white in a dark style
BLUE, ORANGE = "#0072B2", "#E66100"
PALE = LinearSegmentedColormap.from_list("classes", ["#80B8D8", plt.rcParams["axes.facecolor"], "#F2B080"])

# %%
# A ring around a disc
# --------------------
#
# Two features, 400 samples, and 5,000 steps of a tanh network with ten units, at a rate of 1.2. Only the start
# differs.

X, y = make_circles(400, noise=0.02, factor=0.4, random_state=0)
starts = {0.01: ORANGE, "auto": BLUE}
networks = {
    scale: ShallowNNClassifier(learning_rate=1.2, init_scale=scale, random_state=0, record_every="auto").fit(
        X, y
    )
    for scale in starts
}

figure, axes = plt.subplots(1, 3, figsize=(9.6, 4), layout="constrained", width_ratios=(1.3, 1, 1))
lines = []
for ax, (scale, network) in zip(axes[1:], networks.items(), strict=True):
    accuracy = network.score(X, y)
    print(f"init_scale={scale!r}: cost {network.loss_:.4f}, accuracy {accuracy:.1%}")
    display = LossCurveDisplay.from_estimator(network, ax=axes[0], log_x=True, color=starts[scale], lw=2.5)
    lines.append(display.line_)
    options = {"ax": ax, "response_method": "predict_proba", "grid_resolution": 200, "eps": 0.2}
    DecisionBoundaryDisplay.from_estimator(
        network, X, **options, plot_method="pcolormesh", cmap=PALE, vmin=0, vmax=1
    )
    DecisionBoundaryDisplay.from_estimator(
        network, X, **options, plot_method="contour", levels=[0.5], colors=INK, linewidths=2
    )
    ax.scatter(*X.T, c=np.array([BLUE, ORANGE])[y], s=10, edgecolors=INK, linewidths=0.4)
    ax.set(
        xticks=[],
        yticks=[],
        xlabel="",
        ylabel="",
        aspect="equal",
        title=f"init_scale={scale!r}: {accuracy:.0%}",
    )
axes[0].legend(lines, [f"init_scale={scale!r}" for scale in starts], loc="lower left")
axes[0].set(title="cost", xlabel="steps", ylabel="cost J", ylim=(0, None))

# %%
# What goes wrong
# ---------------
#
# With weights of 0.01 and features of about 1, the inputs z of the units are about 0.01. There tanh is a
# straight line, :math:`\tanh z \approx z`, and a network of straight lines is logistic regression. On a ring
# around a disc that has nothing to gain: all directions are alike. To do better, units must bend, and for
# this they must grow; but the gradient of the first layer contains the small weights of the second, and the
# other way round. The start is close to a saddle of the cost. Descent leaves it, but slowly.
#
# The size of the first gradients shows it, and how much of tanh is not a straight line at the start:

for scale in starts:
    first = ShallowNNClassifier(init_scale=scale, random_state=0, max_iter=1, learning_rate=1e-9).fit(X, y)
    step = ShallowNNClassifier(init_scale=scale, random_state=0, max_iter=1, learning_rate=1.0).fit(X, y)
    gradient = np.linalg.norm(step.coefs_[0] - first.coefs_[0])
    Z1 = X @ first.coefs_[0]
    bend = np.abs(Z1 - np.tanh(Z1)).mean() / np.abs(Z1).mean()
    print(f"init_scale={scale!r}: length of dW1 {gradient:.6f}, units deviate from a line by {bend:.3%}")

# %%
# Sizes of the input
# ------------------
#
# Now the same samples, multiplied by numbers from 0.1 to 100. Multiplying X has the effect of multiplying the
# first weights and the rate of the first layer (by the square), so the size of the input decides about both.
# Three random starts each.

factors = 0.1, 0.5, 1, 2, 10, 100
seeds = range(3)
results = {}
figure, axes = plt.subplots(2, 3, figsize=(9.6, 5.4), layout="constrained", sharex=True, sharey=True)
print(
    "input times   "
    + "   ".join(f"init_scale={scale!r:6}" for scale in starts)
    + "   (accuracy, three starts)"
)
for ax, factor in zip(axes.flat, factors, strict=True):
    accuracies = {}
    for scale, colour in starts.items():
        fits = []
        for seed in seeds:
            network = ShallowNNClassifier(
                learning_rate=1.2, init_scale=scale, random_state=seed, record_every="auto"
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # "The features are too large"
                fits.append(network.fit(factor * X, y))
            ax.plot(
                [*network.loss_curve_steps_, network.n_iter_],
                [*network.loss_curve_, network.loss_],
                color=colour,
                lw=1.8,
                alpha=0.8,
                label=f"init_scale={scale!r}" if seed == 0 else None,
            )
        accuracies[scale] = ", ".join(f"{network.score(factor * X, y):4.0%}" for network in fits)
    print(f"{factor:11}   {accuracies[0.01]:17}   {accuracies['auto']:17}")
    ax.set_title(f"input times {factor:g}", fontsize=12)
    ax.set_xscale("symlog", linthresh=1)
    ax.set_ylim(0, 0.85)
axes[0, 0].legend(loc="lower left", fontsize=9)
for ax in axes[1]:
    ax.set_xlabel("steps")
for ax in axes[:, 0]:
    ax.set_ylabel("cost J")
figure.suptitle("The same samples in six sizes, three starts each")

# %%
# The notes' start waits on the saddle. At twice the size it leaves it after 3,000 steps, at ten times after a
# few hundred, and at the original size and below not within these 5,000. "auto" is at work after some ten
# steps.
#
# "auto" is no remedy for features of any size. At a tenth it is slow as well, since the first layer learns a
# hundred times slower. At a hundred times all units are saturated: tanh is flat at both ends, no error comes
# back, and the estimator warns that the features are too large. For both there is ``StandardScaler``.
#
# Why did the notes choose 0.01? For images of 64 x 64 pixels in three colours it is right:

print(f"'auto' for 12,288 features: 1/sqrt(12288) = {1 / np.sqrt(12_288):.4f}")
plt.show()
# sphinx_gallery_thumbnail_number = 1
