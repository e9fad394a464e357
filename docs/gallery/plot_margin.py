r"""
Descent turns to the largest margin
===================================

On data that a plane separates the logistic cost has no minimum: it falls towards 0 for ever, and the weights
grow without end. Yet their *direction* converges, to that of the hard-margin support vector machine (SVM),
although nothing in the cost speaks of margins. Soudry et al. (2018) proved, for almost all data:

.. math:: w(t) = \hat w \log t + \rho(t), \qquad \rho(t) \text{ bounded},

where :math:`\hat w` are the SVM's weights. So the norm grows like :math:`\log t`, and the angle and the gap
of the margins fall at least like :math:`1 / \log t`. That is slow: what is left after a thousand steps is
halved after a million. The theorem is about a plane through the origin, so every model here has
``fit_intercept=False``.

Reference: D. Soudry, E. Hoffer, M. Shpigel Nacson, S. Gunasekar and N. Srebro, "The implicit bias of gradient
descent on separable data", Journal of Machine Learning Research 19 (2018), arXiv 1710.10345.
"""

import os
from importlib.util import find_spec
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import nnls

from sknn_basic import FlattenScaler, LogisticRegressionGD, descent_path, load_photo_patches, read_hdf5

plt.rcParams.update({"font.size": 12, "axes.spines.top": False, "axes.spines.right": False})
INK = plt.rcParams["text.color"]  # black, or white in a dark style
BLUE, ORANGE = "#0072B2", "#D55E00"

# %%
# The data of figure 1
# --------------------
#
# The paper gives the four samples on the margin: (0.5, 1.5) and (1.5, 0.5) with label 1, and their negatives
# with label 0 (it writes -1). The SVM's direction is then (1, 1) / sqrt 2 and the margin sqrt 2. It adds six
# samples of each class off the margin at random, but not where; these are ours.
#
# The second data set is not in the paper. Its samples on the margin lie on the same two lines, but no longer
# symmetrically about the SVM's direction. Below we see what this changes.


def with_others(on_margin):
    """Return samples on the margin, their negatives and twelve others, with labels."""
    rng = np.random.default_rng(0)
    along, across = rng.uniform(2.0, 2.6, 12), rng.uniform(-1.0, 1.0, 12)
    others = np.column_stack([along + across, along - across]) / np.sqrt(2)
    others[6:] *= -1
    X = np.vstack([on_margin, -on_margin, others])
    return X, np.repeat([1, 0, 1, 0], [2, 2, 6, 6])


symmetric = with_others(np.array([[0.5, 1.5], [1.5, 0.5]]))
lopsided = with_others(np.array([[0.5, 1.5], [2.5, -0.5]]))

# %%
# The SVM through the origin
# --------------------------
#
# Write :math:`T` for labels of 1 and -1. The SVM's weights are the shortest with :math:`T_i \, x_i \cdot w
# \ge 1` for all samples. They are a sum of samples, :math:`\hat w = \sum_i a_i T_i x_i`, where the
# multipliers :math:`a_i \ge 0` are not zero on the margin only. This is a problem of least distance, which
# Lawson and Hanson ("Solving Least Squares Problems", chapter 23) turn into least squares in non-negative
# numbers, and SciPy solves that exactly. (scikit-learn's ``SVC`` always has an intercept; ``LinearSVC`` need
# not, but needs half a minute for the images below.)


def hard_margin_svm(X, y):
    """Return the weights of the hard-margin SVM without intercept, and the multipliers a."""
    Z = np.where(y == 1, 1, -1)[:, np.newaxis] * X
    u, _ = nnls(np.vstack([Z.T, np.ones(len(y))]), np.append(np.zeros(X.shape[1]), 1))
    a = u / (1 - u.sum())
    w = a @ Z
    assert np.min(Z @ w) > 1 - 1e-6  # no sample is within the margin
    return w, a


datasets = {"symmetric": symmetric, "lopsided": lopsided}
for name, (X, y) in datasets.items():
    w_svm, a = hard_margin_svm(X, y)
    print(f"{name}: direction {w_svm / np.linalg.norm(w_svm)}, margin {1 / np.linalg.norm(w_svm):.6f}")
print(f"published: direction (1, 1) / sqrt 2 = {np.sqrt([0.5, 0.5])}, margin sqrt 2 = {np.sqrt(2):.6f}")

# %%
# A million steps
# ---------------
#
# With the extra ``fast`` (Numba) this page takes half a minute. Without it steps take five times as long, so
# there are fewer.
#
# The paper adds the loss of the samples up and takes the rate 1 / sigma, with sigma the largest singular
# value of X. Here the cost is the mean, so the same steps have the rate m / sigma.

last, last_of_images = (1_000_000, 3_000_000) if find_spec("numba") else (300_000, 500_000)
steps = np.unique(np.geomspace(1, last, 90).astype(int))


def descend(X, y, steps, learning_rate="auto"):
    """Return the norm of w, the angle to the SVM in radians, margins in units of the SVM's, and costs."""
    w_svm, _ = hard_margin_svm(X, y)
    models = descent_path(LogisticRegressionGD(learning_rate, fit_intercept=False), X, y, steps)
    w = np.array([model.coef_.ravel() for model in models])
    norm, norm_svm = np.linalg.norm(w, axis=1), np.linalg.norm(w_svm)
    across = w - np.outer(w @ w_svm, w_svm) / norm_svm**2
    angle = np.arctan2(np.linalg.norm(across, axis=1), w @ w_svm / norm_svm)
    margin = np.min(np.where(y == 1, 1, -1) * (w @ X.T), axis=1) / norm
    return norm, angle, margin * norm_svm, np.array([model.loss_ for model in models])


def paper_rate(X):
    """Return 1 / sigma for the sum over the samples, as a rate for their mean."""
    return len(X) / np.linalg.norm(X, 2)


results = {name: descend(X, y, steps, paper_rate(X)) for name, (X, y) in datasets.items()}
print("    step   norm  norm / log t    cost * t     angle  1 - margin | lopsided: angle  1 - margin")
for i in np.searchsorted(steps, [10, 100, 1000, 10_000, 100_000, last]):
    (norm, angle, margin, cost), (_, angle2, margin2, _) = results.values()
    print(
        f"{steps[i]:8,} {norm[i]:6.2f} {norm[i] / np.log(steps[i]):13.3f} {cost[i] * steps[i]:11.2f}"
        f" {angle[i]:9.5f} {1 - margin[i]:11.6f} | {angle2[i]:15.5f} {1 - margin2[i]:11.5f}"
    )

# %%
# The theorem says more than rates. If every sample on the margin has a positive multiplier, then
# :math:`\rho(t)` converges to weights :math:`\tilde w` with :math:`\eta \exp(-T_i x_i \cdot \tilde w) = a_i`
# on the margin (:math:`\eta` is the rate for the sum). Two samples and two weights: we can solve for them and
# draw the angle of :math:`\hat w \log t + \tilde w`, with nothing fitted to the descent.
#
# A sample and its negative count as one sample twice, with half the multiplier each.


def predicted_angle(X, y, steps, rate):
    """Return the angle of the theorem's limit to the SVM, in radians."""
    w_svm, _ = hard_margin_svm(X, y)
    a = np.linalg.solve(X[:2].T, w_svm) / 2
    w_tilde = np.linalg.solve(X[:2], -np.log(a / rate))
    w = np.outer(np.log(steps), w_svm) + w_tilde
    across = np.array([-w_svm[1], w_svm[0]])
    return np.arctan2(np.abs(w @ across), w @ w_svm)


X, y = lopsided
prediction = predicted_angle(X, y, steps[1:], paper_rate(X) / len(X))
print(f"angle after {steps[-1]:,} steps: {results['lopsided'][1][-1]:.5f}, predicted {prediction[-1]:.5f}")

figure, axes = plt.subplot_mosaic(
    [["data", "norm"], ["data", "angle"]], figsize=(11.2, 6.3), layout="constrained", width_ratios=[1.2, 1]
)
left, middle, right = axes["data"], axes["norm"], axes["angle"]
X, y = symmetric
for label, marker, colour in ((1, "o", BLUE), (0, "s", ORANGE)):
    left.scatter(
        *X[y == label].T, s=50, marker=marker, color=colour, edgecolor="k", lw=0.6, label=f"y = {label}"
    )
line = np.array([-3, 3])
left.plot(line, -line, color=INK, lw=1.5)
for side in (-2, 2):
    left.plot(line, side - line, color=INK, lw=1, ls="--")
left.set(xlabel="$x_1$", ylabel="$x_2$", xlim=(-3, 3), ylim=(-3, 3), aspect="equal", title="The paper's data")
left.legend(loc="lower right", framealpha=1)
middle.plot(steps, results["symmetric"][0], color=BLUE, lw=2.5, label="descent")
slope = np.log(steps / steps[-1]) / np.sqrt(2)
middle.plot(
    steps[1:],
    (results["symmetric"][0][-1] + slope)[1:],
    "--",
    color=INK,
    lw=1.2,
    label="the theorem's slope",
)
middle.set(
    xscale="log", xlabel="steps t", ylabel="norm of w", ylim=(0, None), title="The norm grows like log t"
)
middle.legend()
right.plot(steps, results["symmetric"][1], color=BLUE, lw=2.5, label="the paper's data")
right.plot(steps, results["lopsided"][1], color=ORANGE, lw=2.5, label="lopsided margin")
right.plot(steps[1:], prediction, "--", color=INK, lw=1.2, label="theorem's limit")
right.set(
    xscale="log", yscale="log", xlabel="steps t", ylabel="angle to the SVM, radians", title="The angle falls"
)
right.legend(loc="lower left", fontsize=10)
plt.show()

# %%
# The norm grows in proportion to :math:`\log t`, with the theorem's slope :math:`\|\hat w\| = 1/\sqrt 2`, and
# the cost like :math:`1/t`, as published. The angle and the gap of the margins fall to zero, but on the
# paper's data faster than the :math:`1/\log t` that its figure is meant to show: by symmetry both samples on
# the margin have the same multiplier, so :math:`\tilde w` has the direction of the SVM itself and leaves no
# error of that order. What is left comes from the samples off the margin, and fades like a power of t. The
# lopsided data show the general case: the orange line follows the theorem's limit, and is still far from zero
# at the end.
#
# Images
# ------
#
# Now 209 images of 12,288 numbers: the notes' cats if the environment variable ``SKNN_BASIC_CATS`` names the
# folder of their files, otherwise the bundled patches of two photographs. With more features than samples a
# plane always separates them. Three million exact steps are affordable because descent then works on the Gram
# matrix of the images, of 209 by 209, and weights are made only for the steps that we ask for.

folder = os.environ.get("SKNN_BASIC_CATS")
if folder:
    images, labels, *_ = read_hdf5(Path(folder, "train_catvnoncat.h5"), Path(folder, "test_catvnoncat.h5"))
else:
    images, labels, *_ = load_photo_patches()
X, y = FlattenScaler().fit_transform(images), labels
steps = np.unique(np.geomspace(10, last_of_images, 70).astype(int))
norm, angle, margin, cost = descend(X, y, steps)
w_svm, a = hard_margin_svm(X, y)
print(f"SVM: margin {1 / np.linalg.norm(w_svm):.4f}, {np.sum(a > 1e-9)} of {len(y)} images on it")
print("     step      cost   norm  margin / SVM's  angle, degrees")
for i in np.searchsorted(steps, [100, 1000, 10_000, 100_000, last_of_images]):
    print(f"{steps[i]:9,} {cost[i]:9.2g} {norm[i]:6.2f} {margin[i]:15.3f} {np.degrees(angle[i]):15.1f}")
separated = steps[np.argmax(margin > 0)]  # the first of the steps that we looked at
print(f"all {len(y)} images right after {separated:,} steps")

figure, (left, right) = plt.subplots(1, 2, figsize=(11.2, 6.3), layout="constrained")
left.plot(steps, margin, color=BLUE, lw=2.5)
left.axhline(1, color=INK, ls="--", lw=1.2)
left.text(steps[-1], 1.02, "hard-margin SVM", va="bottom", ha="right")
left.axvline(separated, color="grey", ls=":", lw=1.5)
left.text(separated, -0.9, " all images right", va="bottom")
left.set(
    xscale="log", xlabel="steps t", ylabel="margin / margin of the SVM", ylim=(-1, 1.2), xlim=(1000, None)
)
left.set_title(f"{last_of_images:,} steps: the margin still grows")
right.plot(steps, np.degrees(angle), color=BLUE, lw=2.5)
right.set(xscale="log", xlabel="steps t", ylabel="angle to the SVM, degrees", ylim=(0, None))
right.set_title("The weights still turn to the SVM's")
plt.show()

# %%
# With the cost a thousand times lower than at the start, or nearly so, one would call this fit finished. Its
# margin is not: each tenfold number of steps still turns the weights by a degree or more. Here most images
# lie on the margin of the SVM, each with a multiplier of its own, so the fast decay of the symmetric example
# is not to be had. Before all images are right the margin is negative: it is that of the worst image.
